//! `GET /v1/tickets/{ticket_no}/forecast` and `GET /v1/forecast`: what comes if nobody acts. Must
//! never count or name what the caller may not see.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use duban_core::deadline::{Light, State as RunState};
use duban_core::definition::Kind;
use duban_core::instance::Instance;
use duban_core::role::Party;
use duban_core::simulate::forecast;
use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::super::body::{Path, Query};
use super::super::caller::Caller;
use super::super::policy::Endpoint;
use super::super::problem::Problem;
use super::super::sight::Sight;
use super::super::view::forecast::{ComingView, ForecastView};
use super::super::{Api, cursor};
use super::tickets::{bind, one_of};
use crate::engine::Declined;
use crate::store::{Loaded, Turning, TurningFilter};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Until {
    /// 预测到此刻为止；不写则到工单不再因时间变化为止
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Instant>,
}

/// 预测一件工单：此后无人办理时将发生什么、将告知谁
#[utoipa::path(
    get, path = "/v1/tickets/{ticket_no}/forecast", tag = "tickets",
    params(("ticket_no" = String, Path, example = "HCP20260304000127-5"), Until),
    responses(
        (status = 200, description = "按先后排列", body = ForecastView),
        (status = 404, description = "没有，或不在本单位", body = Problem),
        (status = 422, description = "until 早于现在", body = Problem),
    )
)]
pub(crate) async fn get(
    State(api): State<Api>,
    caller: Caller,
    Path(ticket_no): Path<String>,
    Query(Until { until }): Query<Until>,
) -> Result<Json<ForecastView>, Problem> {
    let reach = caller.may(Endpoint::ReadTickets)?;
    let at = api.engine.clock().now();
    let seen = api.seen(&reach, &ticket_no).await?;
    if until.is_some_and(|until| until < at) {
        return Err(Problem::field("until", "不能早于现在"));
    }
    let (ticket_no, instance) = (seen.loaded.ticket_no, seen.loaded.instance);
    // What comes on a ticket that an agency no longer has is not its own.
    if seen.sight != Sight::Whole {
        return Ok(Json(ForecastView { ticket_no, at, coming: Vec::new(), complete: true }));
    }
    let context = api.engine.knowledge().context();
    let refused = |refusal: duban_core::rejection::Refusal| Declined::from(refusal.rejection);
    let (coming, complete) = forecast(context, &instance, until).map_err(refused)?;
    let mut shown = Vec::new();
    let mut before: &Instance = &instance;
    for one in &coming {
        let definition = context.definition(&one.instance)?;
        shown.extend(ComingView::of(one, before, definition, caller.role));
        before = &one.instance;
    }
    Ok(Json(ForecastView { ticket_no, at, coming: shown, complete }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// yellow、red：工单只列变为此灯的；件数不受影响
    light: Option<String>,
    /// 预测到此刻为止（含）
    #[param(value_type = String, format = DateTime, example = "2026-12-31T00:00:00+08:00")]
    until: Instant,
    /// 单位代码
    agency: Option<String>,
    /// 区划代码
    district: Option<String>,
    /// 上一页的 next
    cursor: Option<String>,
    /// 每页几条（1 至 200）
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u64>,
}

/// Whose lights turn if nobody acts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TurningsView {
    /// When it was worked out.
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    #[schema(value_type = String, format = DateTime)]
    until: Instant,
    /// Of everything up to then, by code; on every page the same.
    agencies: Vec<AgencyTurningsView>,
    /// The earliest first; a ticket that turns yellow and then red stands there twice.
    tickets: Vec<TurningView>,
    /// The next page's `cursor`; none at the end.
    next: Option<String>,
}

/// How many tickets of an agency turn.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AgencyTurningsView {
    agency: Option<String>,
    agency_name: Option<String>,
    /// To yellow.
    yellow: u64,
    /// To red.
    red: u64,
}

/// A ticket that turns.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TurningView {
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    ticket_no: String,
    /// The ticket's, for whoever acts on it; none where it cannot be read.
    revision: Option<u32>,
    agency: Option<String>,
    /// `yellow` or `red`.
    light: String,
    /// The obligation that brings it about.
    #[schema(example = "completion")]
    deadline: Option<String>,
    #[schema(example = "办结反馈时限")]
    title: Option<String>,
    /// Its exclusive end.
    #[schema(value_type = Option<String>, format = DateTime)]
    due_at: Option<Instant>,
}

/// 预测全局：到某一时刻为止，无人办理时哪些工单将变黄、变红
#[utoipa::path(
    get, path = "/v1/forecast", tag = "tickets", params(Filter),
    responses(
        (status = 200, description = "各单位的件数，和一页工单", body = TurningsView),
        (status = 422, description = "条件有误", body = Problem),
    )
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(filter): Query<Filter>,
) -> Result<Json<TurningsView>, Problem> {
    let reach = caller.may(Endpoint::ReadTickets)?;
    let Filter { light, until, mut agency, mut district, cursor, limit } = filter;
    let light = light.as_deref().map(|word| one_of("light", &[Light::Yellow, Light::Red], word));
    let light = light.transpose()?;
    let limit = cursor::limit(&api, limit)?;
    let after: Option<(Instant, Turning)> = cursor::read(cursor.as_deref())?;
    bind(&api.register, &mut agency, &mut district, &reach)?;
    // All pages are of the instant of the first: what has turned meanwhile is not left out.
    let (at, after) = match after {
        Some((at, after)) => (at, Some(after)),
        None => (api.engine.clock().now(), None),
    };
    if until < at {
        return Err(Problem::field("until", "不能早于现在"));
    }
    let store = api.engine.store();
    let wanted =
        TurningFilter { agency, district, light, from: at, until, after, limit: limit + 1 };
    let agencies = store.count_turning(&wanted).await?.into_iter().map(|count| {
        let name = count.agency.as_deref().and_then(|code| api.register.agency(code));
        let (agency_name, yellow, red) = (name.map(str::to_owned), count.yellow, count.red);
        AgencyTurningsView { agency: count.agency, agency_name, yellow, red }
    });
    let agencies = agencies.collect();
    let mut found = store.turning(&wanted).await?;
    let more = cursor::cut(&mut found, limit);
    let next = found.last().filter(|_| more).map(|last| cursor::written(&(at, *last)));
    let ids: Vec<TicketId> = found.iter().map(|one| one.ticket).collect();
    let loaded: BTreeMap<TicketId, Loaded> =
        store.load(&ids).await?.into_iter().filter_map(|(id, one)| Some((id, one.ok()?))).collect();
    let numbers = store.ticket_numbers(&ids).await?;
    let turns = |one: &Turning| {
        let number = numbers.get(&one.ticket).cloned().unwrap_or_default();
        api.turning(number, loaded.get(&one.ticket), *one)
    };
    let tickets = found.iter().map(turns).collect();
    Ok(Json(TurningsView { at, until, agencies, tickets, next }))
}

impl Api {
    /// What turns, with the obligation that brings it about, as far as the ticket can be read.
    fn turning(&self, ticket_no: String, loaded: Option<&Loaded>, turning: Turning) -> TurningView {
        let Turning { at, is_red, .. } = turning;
        let instance: Option<&Instance> = loaded.map(|loaded| &*loaded.instance);
        let owed = instance.into_iter().flat_map(|one| &one.runs).filter(|run| {
            let is_owed = run.kind == Kind::Obligation && run.state == RunState::Running;
            is_owed && run.party == Party::Agency
        });
        let mut owed = owed.filter(|run| at == if is_red { run.due_at } else { run.yellow_at });
        let run = owed.next();
        let context = self.engine.knowledge().context();
        let definition = instance.and_then(|one| context.definition(one).ok());
        let rule = run.and_then(|run| definition?.deadline(run.deadline.as_str()));
        TurningView {
            at,
            ticket_no,
            revision: instance.map(|one| one.revision),
            agency: instance.and_then(|one| one.agency.as_ref()).map(ToString::to_string),
            light: if is_red { "red" } else { "yellow" }.to_owned(),
            deadline: run.map(|run| run.deadline.to_string()),
            title: rule.map(|rule| rule.title.clone()),
            due_at: run.map(|run| run.due_at),
        }
    }
}
