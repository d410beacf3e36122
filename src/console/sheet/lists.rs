//! Which lists there are as files, and what stands in their columns. Must never name a field that the
//! API does not answer with.

use duban_core::time::Instant;
use serde_json::Value;

use crate::console::part::when;

/// A list of the API.
pub(super) struct List {
    name: &'static str,
    pub(super) chinese: &'static str,
    pub(super) english: &'static str,
    pub(super) path: &'static str,
    /// Where its rows stand in the answer.
    pub(super) key: &'static str,
    /// What the list is of, as the API is asked; never to be filtered otherwise.
    pub(super) of: &'static str,
    pub(super) has_pages: bool,
    pub(super) columns: &'static [Column],
}

pub(super) struct Column {
    pub(super) chinese: &'static str,
    pub(super) english: &'static str,
    pub(super) pointer: &'static str,
    pub(super) holds: Holds,
}

/// A word of the API in both languages.
type Word = (&'static str, &'static str, &'static str);

/// How a field is shown.
pub(super) enum Holds {
    Text,
    Moment,
    End,
    Agency,
    District,
    Class,
    Party,
    Words(&'static [Word]),
    Role,
    /// What a message does.
    Effect,
    /// Whom it goes to.
    Destination,
    /// What a line of the board stands for.
    Line,
    /// What the agency owes next, of a ticket.
    Owed,
}

const fn column(
    chinese: &'static str,
    english: &'static str,
    pointer: &'static str,
    holds: Holds,
) -> Column {
    Column { chinese, english, pointer, holds }
}

const LIGHTS: &[Word] =
    &[("green", "绿灯", "Green"), ("yellow", "黄灯", "Yellow"), ("red", "红灯", "Red")];

const CARDS: &[Word] = &[
    ("yellow_card", "黄牌", "Yellow card"),
    ("red_card", "红牌", "Red card"),
    ("issued", "已发", "Issued"),
    ("contested", "异议中", "Contested"),
    ("revoked", "已撤销", "Revoked"),
];

const NOTICES: &[Word] = &[
    ("early_warning", "预警", "Early warning"),
    ("urge", "催办", "Urged"),
    ("supervise", "督办", "Supervised"),
    ("bulletin", "通报", "Bulletin"),
];

const STATUSES: &[Word] =
    &[("open", "在办", "Open"), ("closed", "已办结", "Closed"), ("archived", "已归档", "Archived")];

const DELIVERY: &[Word] = &[
    ("waiting", "待投递", "Waiting"),
    ("delivered", "已投递", "Delivered"),
    ("dead", "投递失败", "Dead"),
];

const CERTAINTY: &[Word] = &[
    ("firm", "确定", "Firm"),
    ("provisional", "暂定", "Provisional"),
    ("estimated", "预计", "Estimated"),
];

const LISTS: &[List] = &[
    List {
        name: "tickets",
        chinese: "工单",
        english: "Tickets",
        path: "/v1/tickets",
        key: "tickets",
        of: "",
        has_pages: true,
        columns: &[
            column("工单编号", "Number", "/ticket_no", Holds::Text),
            column("类别", "Class", "/class", Holds::Class),
            column("状态", "State", "/status", Holds::Words(STATUSES)),
            column("环节", "Step", "/step_title", Holds::Text),
            column("灯", "Light", "/light", Holds::Words(LIGHTS)),
            column("承办单位", "Agency", "/agency", Holds::Agency),
            column("区", "District", "/district", Holds::District),
            column("最近的时限", "Next deadline", "", Holds::Owed),
            column("收到", "Received", "/received_at", Holds::Moment),
        ],
    },
    List {
        name: "overdue",
        chinese: "超期时限",
        english: "Overdue",
        path: "/v1/deadlines",
        key: "deadlines",
        of: "light=red&escalation=true",
        has_pages: true,
        columns: &[
            column("工单编号", "Number", "/ticket_no", Holds::Text),
            column("时限", "Deadline", "/title", Holds::Text),
            column("责任方", "Party", "/party", Holds::Party),
            column("承办单位", "Agency", "/agency", Holds::Agency),
            column("起算", "From", "/starts_at", Holds::Moment),
            column("到期", "Due", "/due_at", Holds::End),
            column("确定性", "Certainty", "/certainty", Holds::Words(CERTAINTY)),
            column("灯", "Light", "/light", Holds::Words(LIGHTS)),
            column("督办进展", "Escalation", "/escalation/notice", Holds::Words(NOTICES)),
            column("督办时间", "Escalated at", "/escalation/at", Holds::Moment),
        ],
    },
    List {
        name: "cards",
        chinese: "牌登记册",
        english: "Cards",
        path: "/v1/cards",
        key: "cards",
        of: "",
        has_pages: true,
        columns: &[
            column("发牌时间", "Issued at", "/fired_at", Holds::Moment),
            column("牌", "Card", "/kind", Holds::Words(CARDS)),
            column("工单编号", "Number", "/ticket_no", Holds::Text),
            column("时限", "Deadline", "/title", Holds::Text),
            column("应完成", "Was due", "/due_at", Holds::End),
            column("责任方", "Party", "/party", Holds::Party),
            column("承办单位", "Agency", "/agency", Holds::Agency),
            column("状态", "State", "/state", Holds::Words(CARDS)),
        ],
    },
    List {
        name: "statistics",
        chinese: "各单位比较",
        english: "Agencies compared",
        path: "/v1/statistics",
        key: "lines",
        of: "",
        has_pages: false,
        columns: &[
            column("单位", "Agency", "/agency", Holds::Agency),
            column("月份", "Month", "/month", Holds::Text),
            column("应完成", "Due", "/due", Holds::Text),
            column("按期完成", "In time", "/in_time", Holds::Text),
            column("超期完成", "Late", "/late", Holds::Text),
            column("超期未完成", "Overdue", "/overdue", Holds::Text),
            column("黄牌", "Yellow cards", "/yellow_cards", Holds::Text),
            column("红牌", "Red cards", "/red_cards", Holds::Text),
        ],
    },
    List {
        name: "board",
        chinese: "看板",
        english: "Board",
        path: "/v1/board",
        key: "lines",
        of: "",
        has_pages: false,
        columns: &[
            column("代码", "Code", "/code", Holds::Text),
            column("名称", "Name", "/name", Holds::Line),
            column("在办", "Open", "/open", Holds::Text),
            column("今日到期", "Due today", "/due_today", Holds::Text),
            column("次一工作日到期", "Due next working day", "/due_next_working_day", Holds::Text),
            column("已超期", "Overdue", "/overdue", Holds::Text),
            column("退单待审", "Returns", "/returned", Holds::Text),
            column("复核申请期内", "In appeal", "/in_appeal", Holds::Text),
            column("预计", "Estimated", "/estimated", Holds::Text),
        ],
    },
    List {
        name: "tonight",
        chinese: "今晚变灯",
        english: "Tonight",
        path: "/v1/forecast",
        key: "tickets",
        of: "",
        has_pages: true,
        columns: &[
            column("工单编号", "Number", "/ticket_no", Holds::Text),
            column("将变为", "Turns", "/light", Holds::Words(LIGHTS)),
            column("承办单位", "Agency", "/agency", Holds::Agency),
            column("时限", "Deadline", "/title", Holds::Text),
            column("到期", "Due", "/due_at", Holds::End),
        ],
    },
    List {
        name: "outbox",
        chinese: "消息",
        english: "Messages",
        path: "/v1/outbox",
        key: "messages",
        of: "",
        has_pages: true,
        columns: &[
            column("时间", "When", "/created_at", Holds::Moment),
            column("工单编号", "Number", "/ticket_no", Holds::Text),
            column("内容", "Kind", "/kind", Holds::Effect),
            column("送往", "To", "/destination", Holds::Destination),
            column("状态", "State", "/state", Holds::Words(DELIVERY)),
            column("次数", "Attempts", "/attempts", Holds::Text),
            column("完成", "Done", "/done_at", Holds::Moment),
        ],
    },
    List {
        name: "incidents",
        chinese: "异常",
        english: "Incidents",
        path: "/v1/incidents",
        key: "incidents",
        of: "",
        has_pages: true,
        columns: &[
            column("时间", "When", "/at", Holds::Moment),
            column("工单编号", "Number", "/ticket_no", Holds::Text),
            column("事项", "What", "/command", Holds::Text),
            column("代码", "Code", "/code", Holds::Text),
            column("原因", "Why", "/message", Holds::Text),
            column("处理时间", "Resolved", "/resolved_at", Holds::Moment),
        ],
    },
    List {
        name: "tokens",
        chinese: "令牌",
        english: "Tokens",
        path: "/v1/tokens",
        key: "tokens",
        of: "",
        has_pages: true,
        columns: &[
            column("使用者", "Subject", "/subject", Holds::Text),
            column("角色", "Role", "/role", Holds::Role),
            column("单位", "Agency", "/agency", Holds::Agency),
            column("区划", "District", "/district", Holds::District),
            column("签发", "Issued", "/created_at", Holds::Moment),
            column("失效", "Expires", "/expires_at", Holds::Moment),
            column("吊销", "Revoked", "/revoked_at", Holds::Moment),
        ],
    },
];

impl List {
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        LISTS.iter().find(|list| list.name == name)
    }
}

/// What the agency of a ticket owes next, with its end.
pub(super) fn owed(ticket: &Value) -> String {
    let all = ticket["deadlines"].as_array().map(Vec::as_slice).unwrap_or_default();
    let owed = all.iter().filter(|one| {
        one["state"] == "running" && one["kind"] == "obligation" && one["party"] == "agency"
    });
    let due = |one: &Value| one["due_at"].as_str().and_then(|at| at.parse::<Instant>().ok());
    let first = owed.filter_map(|one| Some((due(one)?, one["title"].as_str()?))).min();
    first.map(|(at, title)| format!("{title} {}", when::sortable_end(at))).unwrap_or_default()
}
