//! `GET /v1/statistics`: how agencies kept their times, month by month. Must never count what has not
//! ended yet, nor what the caller may not see.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use chrono::Datelike;
use duban_core::time::{Day, Instant};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::super::Api;
use super::super::body::Query;
use super::super::caller::Caller;
use super::super::policy::Endpoint;
use super::super::problem::Problem;
use super::tickets::bind;
use crate::store::{Figure, FiguresFilter};

/// Days that are looked at in one answer: three years.
const DAYS_MAX: i32 = 1_100;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// 自此日起（含）到期的时限
    #[param(value_type = String, format = Date, example = "2026-01-01")]
    from: Day,
    /// 至此日止（含）
    #[param(value_type = String, format = Date, example = "2026-03-31")]
    until: Day,
    /// 单位代码
    agency: Option<String>,
    /// 区划代码
    district: Option<String>,
}

/// Figures of a time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatisticsView {
    /// When it was counted.
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    #[schema(value_type = String, format = Date)]
    from: Day,
    #[schema(value_type = String, format = Date)]
    until: Day,
    /// By agency, then by month; what is nothing is left out.
    lines: Vec<FiguresView>,
}

/// How an agency kept its times in a month.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(crate) struct FiguresView {
    agency: Option<String>,
    agency_name: Option<String>,
    #[schema(example = "2026-03")]
    month: String,
    /// 应完成：在此期间到期的承办时限
    due: u64,
    /// 按期完成
    in_time: u64,
    /// 超期完成
    late: u64,
    /// 超期仍未完成
    overdue: u64,
    /// 黄牌（未撤销）
    yellow_cards: u64,
    /// 红牌（未撤销）
    red_cards: u64,
}

/// 统计：各单位按月的时限履行情况
#[utoipa::path(
    get, path = "/v1/statistics", tag = "tickets", params(Filter),
    responses(
        (status = 200, description = "每行一个单位的一个月", body = StatisticsView),
        (status = 422, description = "条件有误", body = Problem),
    )
)]
pub(crate) async fn get(
    State(api): State<Api>,
    caller: Caller,
    Query(filter): Query<Filter>,
) -> Result<Json<StatisticsView>, Problem> {
    let reach = caller.may(Endpoint::ReadTickets)?;
    let Filter { from, until, mut agency, mut district } = filter;
    if until < from {
        return Err(Problem::field("until", "不能早于 from"));
    }
    if until.number() - from.number() > DAYS_MAX {
        return Err(Problem::field("until", "一次最多统计三年"));
    }
    bind(&api.register, &mut agency, &mut district, &reach)?;
    let at = api.engine.clock().now();
    let zone = api.engine.knowledge().context().calendar.zone();
    let start = zone.start_of(from);
    let wanted = FiguresFilter {
        agency,
        district,
        from: start,
        // What is still running counts once it is too late.
        until: zone.start_of(until.plus(1)).min(at),
        ahead_ms: ahead_ms(start, from),
    };
    let store = api.engine.store();
    let (ended, issued) = tokio::try_join!(store.ended(&wanted), store.issued(&wanted))?;
    let mut lines: BTreeMap<(Option<String>, String), FiguresView> = BTreeMap::new();
    for figure in ended.into_iter().chain(issued) {
        let Figure { agency, day, what, count } = figure;
        let month = format!("{:04}-{:02}", day.year(), day.date().month());
        lines.entry((agency, month)).or_default().add(&what, count);
    }
    let line = |((agency, month), line): ((Option<String>, String), FiguresView)| {
        let name = agency.as_deref().and_then(|code| api.register.agency(code));
        FiguresView { agency_name: name.map(str::to_owned), agency, month, ..line }
    };
    let lines = lines.into_iter().map(line).collect();
    Ok(Json(StatisticsView { at, from, until, lines }))
}

/// How far the calendars' zone is ahead of UTC at a midnight.
fn ahead_ms(start: Instant, day: Day) -> i64 {
    i64::from(day.number()) * 86_400_000 - start.ms()
}

impl FiguresView {
    /// A state of obligations, or a kind of cards.
    fn add(&mut self, what: &str, count: u64) {
        match what {
            "met" => self.in_time += count,
            "met_late" => self.late += count,
            "running" => self.overdue += count,
            "yellow_card" => self.yellow_cards += count,
            "red_card" => self.red_cards += count,
            _ => {}
        }
        self.due = self.in_time + self.late + self.overdue;
    }
}
