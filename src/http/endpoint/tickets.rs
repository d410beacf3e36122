//! `GET /v1/tickets`: the list that supervisors watch, with filters, order and cursor.

use std::collections::BTreeSet;
use std::fmt::Display;

use axum::Json;
use axum::extract::State;
use duban_core::deadline::Light;
use duban_core::definition::{FLAGS_FROM_OUTSIDE, Kind, Shelf, Status};
use duban_core::name::Name;
use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::body::Query;
use super::super::caller::Caller;
use super::super::policy::{Endpoint, Reach};
use super::super::problem::Problem;
use super::super::view::ticket::TicketView;
use super::super::{Api, cursor};
use crate::catalog::Register;
use crate::store::{Listed, NUMBER_LETTERS, Order, Search, TicketFilter};

const OWN_AGENCY: &str = "只能查看本单位的工单";

const OWN_DISTRICT: &str = "只能查看本辖区的工单";

/// What a certainty can be asked for as.
const ESTIMATED: &str = "estimated";

/// In place of a code: those without one.
const NONE: &str = "none";

/// The longest search.
const SEARCH_MAX: usize = 64;

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sort {
    /// Newest first.
    #[default]
    Newest,
    /// Oldest first.
    Oldest,
    /// The agency's earliest due first.
    Due,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// 环节
    step: Option<String>,
    /// open、closed、archived
    status: Option<String>,
    /// 类别
    class: Option<String>,
    /// 单位代码；none：没有承办单位
    agency: Option<String>,
    /// 区划代码；none：没有区划
    district: Option<String>,
    /// green、yellow、red
    light: Option<String>,
    /// 承办单位最早的时限，其终点（不含当刻）晚于此刻
    #[param(value_type = Option<String>, format = DateTime)]
    due_after: Option<Instant>,
    /// 承办单位最早的时限，其终点（不含当刻）不晚于此刻
    #[param(value_type = Option<String>, format = DateTime)]
    due_before: Option<Instant>,
    /// 标记，例如 anonymous
    flag: Option<String>,
    /// 期内的申请期，例如 appeal_window
    window: Option<String>,
    /// estimated：承办单位有时限跨入尚无放假通知的年份，日期为估算
    certainty: Option<String>,
    /// 工单编号开头，或单位名称的一部分
    q: Option<String>,
    /// 次序；due 按承办单位最早的时限，没有这种时限的排在最后
    #[serde(default)]
    #[param(inline, required = false)]
    sort: Sort,
    /// 上一页的 next
    cursor: Option<String>,
    /// 每页几件（1 至 200）
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u64>,
}

/// A page of tickets.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TicketsView {
    tickets: Vec<TicketView>,
    /// Numbers of tickets of this page that cannot be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<String>,
    /// The next page's `cursor`; none at the end.
    next: Option<String>,
}

/// 列出工单
#[utoipa::path(
    get, path = "/v1/tickets", tag = "tickets", params(Filter),
    responses(
        (status = 200, description = "一页工单", body = TicketsView),
        (status = 422, description = "条件有误", body = Problem),
    )
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(filter): Query<Filter>,
) -> Result<Json<TicketsView>, Problem> {
    let reach = caller.may(Endpoint::ReadTickets)?;
    let at = api.engine.clock().now();
    let limit = cursor::limit(&api, filter.limit)?;
    let sort = filter.sort;
    let mut wanted = wanted(&api, filter, at)?;
    bind(&api.register, &mut wanted.agency, &mut wanted.district, &reach)?;
    if wanted.is_undispatched && wanted.agency.is_some() {
        return Err(Problem::field("agency", OWN_AGENCY));
    }
    if wanted.is_from_nowhere && wanted.district.is_some() {
        return Err(Problem::field("district", OWN_DISTRICT));
    }
    // One more tells whether there is a next page.
    wanted.limit = limit + 1;
    let mut found = api.engine.store().tickets(&wanted).await?;
    let more = cursor::cut(&mut found, limit);
    let last = found.last().filter(|_| more).map(|last| last.place);
    let next = last.map(|(due, id)| cursor::written(&(sort, due, id)));
    // One that cannot be read or shown is an incident, and hides none of the others.
    let (mut tickets, mut unreadable) = (Vec::new(), Vec::new());
    for Listed { place: (_, id), ticket } in found {
        let shown = ticket.map_err(Problem::from);
        match shown.and_then(|ticket| api.listed(&caller, &ticket, at)) {
            Ok(view) => tickets.push(view),
            Err(_) => unreadable.push(TicketId(id)),
        }
    }
    let unreadable = api.engine.store().ticket_numbers(&unreadable).await?.into_values().collect();
    Ok(Json(TicketsView { tickets, unreadable, next }))
}

/// A list is of the caller's own agency or district, whatever else was asked for.
pub(super) fn bind(
    register: &Register,
    agency: &mut Option<String>,
    district: &mut Option<String>,
    reach: &Reach,
) -> Result<(), Problem> {
    // A code that nobody has would look as if there were no such tickets.
    if agency.as_deref().is_some_and(|code| register.agency(code).is_none()) {
        return Err(Problem::field("agency", "没有这个单位代码；不限单位的，请不要写"));
    }
    if district.as_deref().is_some_and(|code| register.district(code).is_none()) {
        return Err(Problem::field("district", "没有这个区划代码；不限区划的，请不要写"));
    }
    let (field, asked, own, say) = match reach {
        Reach::All => return Ok(()),
        Reach::Agency(own) => ("agency", agency, own, OWN_AGENCY),
        Reach::District(own) => ("district", district, own, OWN_DISTRICT),
    };
    if asked.as_deref().is_some_and(|asked| asked != own.as_str()) {
        return Err(Problem::field(field, say));
    }
    *asked = Some(own.to_string());
    Ok(())
}

pub(super) fn light(text: Option<&str>, at: Instant) -> Result<Option<(Light, Instant)>, Problem> {
    let light = text.map(|word| one_of("light", Light::ALL, word)).transpose()?;
    Ok(light.map(|light| (light, at)))
}

/// A word of a closed set.
pub(super) fn one_of<T: Copy + Display>(field: &str, all: &[T], word: &str) -> Result<T, Problem> {
    let found = all.iter().copied().find(|one| one.to_string() == word);
    found.ok_or_else(|| unknown(field, all))
}

fn unknown(field: &str, all: impl IntoIterator<Item = impl ToString>) -> Problem {
    let all: Vec<String> = all.into_iter().map(|one| one.to_string()).collect();
    Problem::field(field, format!("取值应为：{}", all.join("、")))
}

/// A word that no workflow knows would look as if there were no such tickets.
fn known(shelf: &Shelf, filter: &Filter) -> Result<(), Problem> {
    let all = || shelf.all();
    let steps = || all().flat_map(|one| one.steps.iter().map(|step| step.name.as_str()));
    let classes = || all().flat_map(|one| one.classes.iter().map(Name::as_str));
    let set = || all().flat_map(|one| one.flags_set().map(Name::as_str));
    let flags = || set().chain(FLAGS_FROM_OUTSIDE.iter().copied());
    let check = |field: &str, word: &Option<String>, known: BTreeSet<&str>| match word {
        Some(word) if !known.contains(word.as_str()) => Err(unknown(field, known)),
        _ => Ok(()),
    };
    check("step", &filter.step, steps().collect())?;
    check("class", &filter.class, classes().collect())?;
    let windows = all().flat_map(|one| one.deadlines.iter().filter(|one| one.kind == Kind::Window));
    check("window", &filter.window, windows.map(|one| one.name.as_str()).collect())?;
    check("certainty", &filter.certainty, BTreeSet::from([ESTIMATED]))?;
    check("flag", &filter.flag, flags().collect())
}

fn wanted(api: &Api, mut filter: Filter, at: Instant) -> Result<TicketFilter, Problem> {
    let after: Option<(Sort, i64, Uuid)> = cursor::read(filter.cursor.as_deref())?;
    if after.is_some_and(|(sort, ..)| sort != filter.sort) {
        return Err(cursor::wrong());
    }
    let shelf = api.engine.knowledge().context().shelf;
    let status = filter.status.as_deref().map(|word| one_of("status", Status::ALL, word));
    known(shelf, &filter)?;
    let light = light(filter.light.as_deref(), at)?;
    let nobodys = |code: &mut Option<String>| code.take_if(|code| code == NONE).is_some();
    let search = filter.q.as_deref().map(|q| search(api, q)).transpose()?;
    Ok(TicketFilter {
        step: filter.step,
        status: status.transpose()?,
        class: filter.class,
        is_undispatched: nobodys(&mut filter.agency),
        is_from_nowhere: nobodys(&mut filter.district),
        agency: filter.agency,
        district: filter.district,
        window: filter.window,
        is_estimated: filter.certainty.is_some(),
        source: None,
        light,
        due_after: filter.due_after,
        due_before: filter.due_before,
        flag: filter.flag,
        search,
        order: match filter.sort {
            Sort::Newest => Order::Newest,
            Sort::Oldest => Order::Oldest,
            Sort::Due => Order::Due,
        },
        after: after.map(|(_, due, id)| (due, id)),
        limit: 0,
    })
}

/// Numbers by their beginning, agencies by a part of their name.
fn search(api: &Api, q: &str) -> Result<Search, Problem> {
    let q = q.trim();
    if q.is_empty() || q.chars().count() > SEARCH_MAX {
        return Err(Problem::field("q", format!("应为 1 至 {SEARCH_MAX} 个字")));
    }
    let named =
        api.register.agencies().filter(|(code, name)| code.as_str() == q || name.contains(q));
    let agencies = named.map(|(code, _)| code.to_string()).collect();
    Ok(Search { number: number(q), agencies })
}

/// The beginning of a number as numbers are written, whatever keyboard it was typed on or page it was
/// copied from: full-width, with another dash, with blanks, without its letters.
fn number(q: &str) -> String {
    let plain = |one: char| match one {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(one) - 0xfee0).unwrap_or(one),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        _ => one,
    };
    let takes_room = |one: &char| {
        !one.is_whitespace() && !matches!(one, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
    };
    let typed: String = q.chars().filter(takes_room).map(plain).collect();
    let typed = typed.to_ascii_uppercase();
    let is_bare = typed.len() >= 4 && typed.bytes().all(|one| one.is_ascii_digit() || one == b'-');
    if is_bare { format!("{NUMBER_LETTERS}{typed}") } else { typed }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn a_number_is_found_however_it_was_typed() {
        for typed in [
            "HCP20260306000011-4",
            "hcp20260306000011-4",
            "ＨＣＰ２０２６０３０６０００011－4",
            "HCP20260306000011\u{2011}4",
            "\u{200b}HCP 20260306 000011 - 4",
            "20260306000011-4",
        ] {
            assert_eq!(number(typed), "HCP20260306000011-4", "{typed}");
        }
        assert_eq!(number("社保"), "社保");
        assert_eq!(number("12"), "12");
    }
}
