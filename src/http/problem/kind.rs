//! Every kind of problem there is: its word, status and title, where it comes from and what to do.
//! Must never lose or change a word that was answered once: programs go by it.

use axum::http::StatusCode;

/// Declares the kinds.
macro_rules! kinds {
    ($($name:ident = $word:literal, $status:ident, $title:literal, $cause:literal, $cure:literal;)+) => {
        /// A kind of problem.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Kind {
            $(#[doc = $cause] $name,)+
        }

        impl Kind {
            /// All of them, by status.
            pub(crate) const ALL: &[Self] = &[$(Self::$name),+];

            /// The last part of its `type`.
            pub(crate) const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// The status that it is answered with.
            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }

            /// A few words for people.
            pub(crate) const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }

            /// Where it comes from and what to do, for the page of integrators.
            #[cfg(test)]
            pub(crate) const fn advice(self) -> (&'static str, &'static str) {
                match self { $(Self::$name => ($cause, $cure),)+ }
            }
        }
    };
}

/// What every `type` begins with.
const PREFIX: &str = "urn:duban:problem:";

impl Kind {
    /// The `type`.
    pub(crate) fn urn(self) -> String {
        format!("{PREFIX}{}", self.word())
    }

    /// The kind of a word.
    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.word() == word)
    }
}

kinds! {
    BadRequest = "bad-request", BAD_REQUEST, "请求有误",
        "请求体不是 JSON，字段或查询参数不认识、缺少或类型不对，请求头有误；附件是空的或没有传完整", "按 detail 和 errors 改正后重新提交";
    Unauthenticated = "unauthenticated", UNAUTHORIZED, "未登录",
        "没有令牌，令牌写错、已过期或已吊销", "换用有效的令牌：Authorization: Bearer duban_…";
    Forbidden = "forbidden", FORBIDDEN, "无权办理",
        "本令牌的角色不能调用这个接口", "换用相应角色的令牌";
    NotPermitted = "not-permitted", FORBIDDEN, "无权办理",
        "本角色不能办理这个动作", "由动作说明中的角色办理；可办理的见 …/actions";
    NotYours = "not-yours", FORBIDDEN, "无权办理",
        "工单已不在本单位", "如属误转，请热线重新转办";
    NotFound = "not-found", NOT_FOUND, "没有找到",
        "没有这个编号，或者不在本单位、本辖区（两者的答复相同）", "核对编号";
    UnknownAction = "unknown-action", NOT_FOUND, "没有这个动作",
        "工单的工作流没有这个动作", "可办理的动作见 …/actions";
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED, "请求方法不支持",
        "地址有，但不支持这个方法", "核对接口文档 /docs";
    BodyTimeout = "body-timeout", REQUEST_TIMEOUT, "请求超时",
        "请求体未及时传完", "检查网络后重试；未办理任何事项";
    ClockBackwards = "clock-backwards", CONFLICT, "时钟不能倒拨",
        "模拟时钟已过了这一时刻", "改为以后的时刻";
    ClockNotSimulated = "clock-not-simulated", CONFLICT, "不是模拟时钟",
        "服务按系统时钟运行", "只在演示和测试中以 --clock simulated 启动后使用";
    ClockStuck = "clock-stuck", CONFLICT, "时钟已暂停",
        "有到期事项无法办理，时钟暂停在该处", "先处理异常（/v1/incidents）";
    AttachmentsFull = "attachments-full", CONFLICT, "附件过多",
        "一个单位在一件工单上至多 200 个附件", "不能再上传；表单可引用已上传的附件";
    Guarded = "guarded", CONFLICT, "条件不具备",
        "动作要求的前提尚不成立，例如尚未联系评价人", "按 detail 先办理前面的事项";
    KeyRunning = "idempotency-key-running", CONFLICT, "正在办理",
        "同一个 Idempotency-Key 的请求还在办理", "按 Retry-After 稍后以同一键重试";
    Limit = "limit", CONFLICT, "不能办理",
        "工单的记录、备注等已达上限", "按 detail 处理";
    ReviewDiffers = "review-differs", CONFLICT, "评价已受理",
        "同一来源的同一 review_id 已受理，内容不同", "不重复推送；需要更正的，另行说明";
    RoleExcluded = "role-excluded", CONFLICT, "角色互斥",
        "同一使用者已持有与之互斥的角色（三员分立）", "由另一人担任";
    WrongStep = "wrong-step", CONFLICT, "所处环节不能办理",
        "工单所处的环节不办理这个动作", "重新读取工单，按 …/actions 办理";
    StaleRevision = "stale-revision", PRECONDITION_FAILED, "工单已有变化",
        "If-Match 的修订不是现在的修订", "重新读取工单，核对后以新的 ETag 提交";
    BodyTooLarge = "body-too-large", PAYLOAD_TOO_LARGE, "请求体过大",
        "请求体或附件超过上限，或请求体没有传完整", "缩小后完整地重新提交；评价可分批推送";
    UnsupportedMediaType = "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "类型不支持",
        "Content-Type 不是接口要求的类型", "按 detail 列出的类型提交";
    ClassNotEnabled = "class-not-enabled", UNPROCESSABLE_ENTITY, "类别尚未启用",
        "没有受理这一类别的工作流", "核对 class；已启用的类别见 /v1/workflows";
    InvalidForm = "invalid-form", UNPROCESSABLE_ENTITY, "填写有误",
        "表单、查询条件的值不符合要求", "按 errors 逐项改正；表单见 …/actions 中的 schema";
    KeyReused = "idempotency-key-reused", UNPROCESSABLE_ENTITY, "幂等键重复使用",
        "同一个 Idempotency-Key 曾用于内容不同的请求", "新的请求使用新的键";
    OutOfCalendar = "out-of-calendar", UNPROCESSABLE_ENTITY, "超出可计算的年份",
        "日期超出日历可以计算的年份", "改用范围内的日期";
    RateLimited = "rate-limited", TOO_MANY_REQUESTS, "请求过多",
        "本令牌每秒的请求超过上限", "按 Retry-After 稍后重试；推送评价可用 /v1/reviews/batch";
    TooManyStreams = "too-many-streams", TOO_MANY_REQUESTS, "请求过多",
        "本令牌同时打开的订阅超过上限", "关闭不用的订阅";
    TooManyTransfers = "too-many-transfers", TOO_MANY_REQUESTS, "请求过多",
        "本令牌同时进行的上传、下载和成批推送超过上限", "待其完成后再传";
    AttachmentDamaged = "attachment-damaged", INTERNAL_SERVER_ERROR, "附件损坏",
        "附件文件缺失，或与其摘要不符", "联系运维人员；持有原件的，重新上传即可恢复";
    Fault = "fault", INTERNAL_SERVER_ERROR, "程序出错",
        "程序的缺陷", "查询结果后以同一键重试；反复出现的，联系运维人员";
    Incident = "incident", INTERNAL_SERVER_ERROR, "系统异常",
        "工单有未处理的异常，暂时不能办理", "联系运维人员（/v1/incidents）；本次未予办理";
    Store = "store", INTERNAL_SERVER_ERROR, "数据库出错",
        "数据库拒绝或无法读取其中的内容", "联系运维人员";
    Busy = "busy", SERVICE_UNAVAILABLE, "系统繁忙",
        "排队过长，或数据库、磁盘暂时不可用", "按 Retry-After 以同一键重试；本次未予办理";
    OutcomeUnknown = "outcome-unknown", SERVICE_UNAVAILABLE, "结果不明",
        "提交时失去联系，不知道是否已办成", "以同一键重试：已办成的答复原结果，未办成的照办";
    Overtaken = "overtaken", SERVICE_UNAVAILABLE, "请重试",
        "请求到达后、办理前，工单因到期等原因已有变化", "重新读取工单后再办；本次未予办理";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fmt::Write;

    use super::*;

    /// The page of integrators is made of this table. `DUBAN_BLESS=1` writes it anew.
    #[test]
    fn the_page_of_problems_says_what_stands_here() {
        let mut page = String::from(
            "# Problems · 问题类型\n\n\
             Every error of the control API is `application/problem+json` (RFC 9457). Programs go by \
             `type`, which never changes; `title` and `detail` are for people. This page is made \
             from `src/http/problem/kind.rs`.\n\n\
             接口的错误一律为 `application/problem+json`（RFC 9457）。程序以 `type` 判断，\
             它不会改变；`title` 和 `detail` 供人阅读。\n\n\
             | 状态 | `type`：`urn:duban:problem:…` | 标题 | 原因 | 处理 |\n|---|---|---|---|---|\n",
        );
        let mut words = BTreeSet::new();
        for kind in Kind::ALL {
            assert!(words.insert(kind.word()), "{}", kind.word());
            let (status, (cause, cure)) = (kind.status().as_u16(), kind.advice());
            let (word, title) = (kind.word(), kind.title());
            let _ = writeln!(page, "| {status} | `{word}` | {title} | {cause} | {cure} |");
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/problems.md");
        if std::env::var_os("DUBAN_BLESS").is_some() {
            std::fs::write(path, &page).expect("written");
        }
        let there = std::fs::read_to_string(path).unwrap_or_default();
        assert!(there == page, "docs/problems.md is not of today: run with DUBAN_BLESS=1");
    }
}
