//! `GET /v1/board`: open tickets counted, a line for each agency or district. Must never count what
//! the caller may not see.

use axum::Json;
use axum::extract::State;
use duban_core::time::{Day, Instant};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::super::Api;
use super::super::body::Query;
use super::super::caller::Caller;
use super::super::policy::Endpoint;
use super::super::problem::Problem;
use super::tickets::bind;
use crate::store::{BoardFilter, By, Line};

/// The steps in which an agency wants a ticket taken back.
const RETURNED: &[&str] = &["return_requested"];

/// The window in which a staff member may appeal.
const APPEAL: &str = "appeal_window";

/// What a line stands for.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Lines {
    /// An agency each.
    #[default]
    Agency,
    /// A district each.
    District,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// 每行一个单位或一个区划
    #[serde(default)]
    #[param(inline, required = false)]
    by: Lines,
    /// 单位代码
    agency: Option<String>,
    /// 区划代码
    district: Option<String>,
}

/// Open tickets, counted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BoardView {
    by: Lines,
    /// When it was counted.
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// The day that counts as today.
    #[schema(value_type = String, format = Date)]
    today: Day,
    /// The first working day after it.
    #[schema(value_type = String, format = Date)]
    next_working_day: Day,
    /// By code; tickets without one come first.
    lines: Vec<LineView>,
    /// All lines together.
    total: CountsView,
}

/// One line.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LineView {
    /// None for tickets without one: not dispatched yet, or from no district.
    code: Option<String>,
    /// None where the code is not in the register.
    name: Option<String>,
    #[serde(flatten)]
    counts: CountsView,
}

/// How many open tickets. A ticket is due when the earliest running obligation of its agency ends.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CountsView {
    /// 在办
    open: u64,
    /// 今日到期
    due_today: u64,
    /// 今日之后、下一工作日结束前到期
    due_next_working_day: u64,
    /// 已超期
    overdue: u64,
    /// 退单待审
    returned: u64,
    /// 复核申请期内
    in_appeal: u64,
    /// 承办单位有时限跨入尚无放假通知的年份，日期为估算
    estimated: u64,
    /// 今日 24:00 前若无人办理将变黄灯；将变红灯的即今日到期
    turns_yellow: u64,
}

/// 看板：各单位或各区划的在办工单数
#[utoipa::path(
    get, path = "/v1/board", tag = "tickets", params(Filter),
    responses(
        (status = 200, description = "每行一个单位或区划", body = BoardView),
        (status = 422, description = "条件有误", body = Problem),
    )
)]
pub(crate) async fn get(
    State(api): State<Api>,
    caller: Caller,
    Query(filter): Query<Filter>,
) -> Result<Json<BoardView>, Problem> {
    let reach = caller.may(Endpoint::ReadTickets)?;
    let Filter { by, mut agency, mut district } = filter;
    bind(&api.register, &mut agency, &mut district, &reach)?;
    let at = api.engine.clock().now();
    let calendar = api.engine.knowledge().context().calendar;
    let (edition, zone) = (calendar.known_at(at), calendar.zone());
    let today = zone.day_of(at);
    let next = edition.add_working_days(today, 1).ok_or_else(Problem::fault)?;
    let filter = BoardFilter {
        by: match by {
            Lines::Agency => By::Agency,
            Lines::District => By::District,
        },
        agency,
        district,
        at,
        today: zone.start_of(today.plus(1)),
        next: zone.start_of(next.plus(1)),
        returned: RETURNED.iter().copied().map(str::to_owned).collect(),
        appeal: APPEAL.to_owned(),
    };
    let board = api.engine.store().board(&filter).await?;
    let mut total = Line::default();
    let line = |(code, line): (Option<String>, Line)| {
        total.add(line);
        let counts = CountsView::from(line);
        let name = code.as_deref().and_then(|code| match by {
            Lines::Agency => api.register.agency(code),
            Lines::District => api.register.district(code),
        });
        LineView { name: name.map(str::to_owned), code, counts }
    };
    let lines = board.into_iter().map(line).collect();
    let total = total.into();
    Ok(Json(BoardView { by, at, today, next_working_day: next, lines, total }))
}

impl From<Line> for CountsView {
    fn from(line: Line) -> Self {
        let Line {
            open,
            due_today,
            due_next_working_day,
            overdue,
            returned,
            in_appeal,
            estimated,
            turns_yellow,
        } = line;
        Self {
            open,
            due_today,
            due_next_working_day,
            overdue,
            returned,
            in_appeal,
            estimated,
            turns_yellow,
        }
    }
}
