//! `GET /v1/calendars` and `/v1/calendars/{year}`: what is published, and the days of a year.

use axum::Json;
use axum::extract::State;
use duban_core::calendar::{Arrangement, Edition, Year};
use duban_core::time::{Day, YEARS};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::super::Api;
use super::super::body::{NoQuery, Path, Query};
use super::super::caller::Caller;
use super::super::policy::Endpoint;
use super::super::problem::Problem;

/// The years with a notice.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CalendarsView {
    years: Vec<YearView>,
}

/// A year's notices.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct YearView {
    year: i32,
    notices: Vec<NoticeView>,
}

/// A notice of the State Council's General Office.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NoticeView {
    title: String,
    number: String,
    #[schema(value_type = String, format = Date)]
    published: Day,
    url: String,
}

/// The days of a year.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DaysView {
    year: i32,
    /// False: there is no notice, and days off were assumed.
    published: bool,
    /// Days off that are not just a Saturday or Sunday.
    #[schema(value_type = Vec<String>)]
    days_off: Vec<Day>,
    /// Saturdays and Sundays that are working days (调休).
    #[schema(value_type = Vec<String>)]
    make_up_days: Vec<Day>,
    working_days: usize,
    /// Every day that a notice names, and holidays that had to be assumed.
    named: Vec<NamedView>,
}

/// A day with a name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NamedView {
    #[schema(value_type = String, format = Date)]
    day: Day,
    #[schema(example = "春节")]
    holiday: String,
    /// Whether it is worked on (调休).
    working: bool,
    /// The number of the notice; none where it was assumed.
    notice: Option<String>,
}

impl NamedView {
    fn of(edition: &Edition, day: Day) -> Option<Self> {
        let said = edition.named(day).map(|named| (&named.name, !named.off, Some(&named.notice)));
        let assumed = edition.assumed_holiday(day);
        let (name, working, notice) =
            said.or_else(|| assumed.as_ref().map(|name| (name, false, None)))?;
        let notice = notice.map(|notice| notice.number.clone());
        Some(Self { day, holiday: name.to_string(), working, notice })
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Known {
    /// 只用此日（含）以前已公布的放假通知
    #[param(value_type = Option<String>, format = Date)]
    known_on: Option<Day>,
}

fn notice(one: &Arrangement) -> NoticeView {
    NoticeView {
        title: one.notice.title.clone(),
        number: one.notice.number.clone(),
        published: one.notice.published,
        url: one.notice.url.clone(),
    }
}

/// 列出已收录的放假通知
#[utoipa::path(
    get, path = "/v1/calendars", tag = "rules",
    responses((status = 200, description = "各年的通知", body = CalendarsView))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Json<CalendarsView>, Problem> {
    caller.may(Endpoint::ReadRules)?;
    let calendar = api.engine.knowledge().context().calendar;
    let shown = |year: &Year| YearView {
        year: year.year(),
        notices: year.arrangements().map(notice).collect(),
    };
    Ok(Json(CalendarsView { years: calendar.years().iter().map(shown).collect() }))
}

/// 查看一年的工作日历
#[utoipa::path(
    get, path = "/v1/calendars/{year}", tag = "rules",
    params(("year" = i32, Path, example = 2026), Known),
    responses(
        (status = 200, description = "放假与调休", body = DaysView),
        (status = 404, description = "超出可计算的年份", body = Problem),
    )
)]
pub(crate) async fn get(
    State(api): State<Api>,
    caller: Caller,
    Path(year): Path<String>,
    Query(known): Query<Known>,
) -> Result<Json<DaysView>, Problem> {
    caller.may(Endpoint::ReadRules)?;
    let year = year.parse().ok().filter(|year| YEARS.contains(year));
    let year: i32 = year.ok_or_else(|| Problem::not_found("这一年的日历"))?;
    let calendar = api.engine.knowledge().context().calendar;
    let edition = known.known_on.map_or_else(|| calendar.latest(), |day| calendar.known_on(day));
    let ends = Day::from_ymd(year, 1, 1).zip(Day::from_ymd(year, 12, 31));
    let (first, last) = ends.ok_or_else(|| Problem::not_found("这一年的日历"))?;
    let days = || (first.number()..=last.number()).map(Day::from_number);
    let is_weekend = |day: &Day| {
        use chrono::Datelike;
        day.date().weekday().number_from_monday() > 5
    };
    let working = |day: &Day| edition.is_working(*day);
    Ok(Json(DaysView {
        year,
        published: edition.covers(year),
        days_off: days().filter(|day| !working(day) && !is_weekend(day)).collect(),
        make_up_days: days().filter(|day| working(day) && is_weekend(day)).collect(),
        working_days: days().filter(working).count(),
        named: days().filter_map(|day| NamedView::of(edition, day)).collect(),
    }))
}
