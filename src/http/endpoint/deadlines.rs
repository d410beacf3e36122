//! `GET /v1/deadlines`: what is running, the earliest due first.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use duban_core::definition::Shelf;
use duban_core::role::{Party, Role};
use duban_core::time::Instant;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::body::Query;
use super::super::caller::Caller;
use super::super::policy::Endpoint;
use super::super::problem::Problem;
use super::super::view::told::{EscalationView, Told};
use super::super::{Api, cursor};
use super::tickets::{bind, light, one_of};
use crate::store::{DeadlineFilter, RunningDeadline};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// green、yellow、red
    light: Option<String>,
    /// 单位代码
    agency: Option<String>,
    /// 区划代码
    district: Option<String>,
    /// agency、hotline、approver：只列这一方应办的时限
    party: Option<String>,
    /// 终点（不含当刻）不晚于此刻
    #[param(value_type = Option<String>, format = DateTime)]
    due_before: Option<Instant>,
    /// true：一并列出督办进展（escalation）及其送达
    #[serde(default)]
    #[param(inline, required = false)]
    escalation: bool,
    /// 上一页的 next
    cursor: Option<String>,
    /// 每页几条（1 至 200）
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u64>,
}

/// A page of running deadlines.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeadlinesView {
    deadlines: Vec<RunningView>,
    next: Option<String>,
}

/// A running deadline with its ticket.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunningView {
    ticket_no: String,
    name: String,
    title: String,
    run: i32,
    kind: String,
    party: String,
    agency: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    starts_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    due_at: Instant,
    certainty: String,
    light: Option<String>,
    /// How far it has come with warning, urging, supervision and cards, and whether that arrived;
    /// where it was asked for.
    escalation: Option<EscalationView>,
}

/// 列出进行中的时限
#[utoipa::path(
    get, path = "/v1/deadlines", tag = "deadlines", params(Filter),
    responses(
        (status = 200, description = "一页时限，先到期的在前", body = DeadlinesView),
        (status = 422, description = "条件有误", body = Problem),
    )
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(filter): Query<Filter>,
) -> Result<Json<DeadlinesView>, Problem> {
    let reach = caller.may(Endpoint::ReadDeadlines)?;
    let at = api.engine.clock().now();
    let limit = cursor::limit(&api, filter.limit)?;
    let after: Option<(i64, Uuid, i32)> = cursor::read(filter.cursor.as_deref())?;
    let light = light(filter.light.as_deref(), at)?;
    let (mut agency, mut district) = (filter.agency, filter.district);
    bind(&api.register, &mut agency, &mut district, &reach)?;
    let due_before = filter.due_before;
    let party =
        filter.party.as_deref().map(|word| one_of("party", Party::ALL, word)).transpose()?;
    let shelf = api.engine.knowledge().context().shelf;
    let hidden = hidden(shelf, caller.role);
    let limit_of = limit + 1;
    let wanted = DeadlineFilter {
        agency,
        district,
        light,
        party,
        due_before,
        hidden,
        after,
        limit: limit_of,
    };
    let mut found = api.engine.store().running_deadlines(&wanted).await?;
    let more = cursor::cut(&mut found, limit);
    let last = found.last().filter(|_| more);
    let next = last.map(|one| cursor::written(&(one.due_at.ms(), one.ticket.0, one.place)));
    let tickets = found.iter().map(|one| one.ticket).filter(|_| filter.escalation);
    let told = Told::of(api.engine.store(), tickets).await?;
    let deadlines = found.into_iter().map(|one| {
        let run = u64::try_from(one.run).unwrap_or_default();
        let escalation = told.last(one.ticket.0, &one.name, run);
        let title = title(shelf, &one.workflow, &one.name);
        RunningView::new(one, title, escalation, at)
    });
    Ok(Json(DeadlinesView { deadlines: deadlines.collect(), next }))
}

/// What a deadline of a workflow is called, also one that only older versions have.
pub(super) fn title(shelf: &Shelf, workflow: &str, deadline: &str) -> String {
    let newest = shelf.by_name(workflow).into_iter();
    let older = shelf.all().filter(|definition| definition.pin.name.as_str() == workflow);
    let rule = newest.chain(older).find_map(|definition| definition.deadline(deadline));
    rule.map_or_else(|| deadline.to_owned(), |rule| rule.title.clone())
}

/// The deadlines that a role is not shown in any workflow.
pub(super) fn hidden(shelf: &Shelf, role: Role) -> Vec<String> {
    let all = shelf.all().flat_map(|definition| &definition.deadlines);
    let hidden = all.filter(|rule| rule.hidden_from.contains(&role));
    let hidden: BTreeSet<&str> = hidden.map(|rule| rule.name.as_str()).collect();
    hidden.into_iter().map(str::to_owned).collect()
}

impl RunningView {
    fn new(
        one: RunningDeadline,
        title: String,
        escalation: Option<EscalationView>,
        at: Instant,
    ) -> Self {
        let light = match () {
            () if one.kind != "obligation" => None,
            () if one.due_at <= at => Some("red"),
            () if one.yellow_at <= at => Some("yellow"),
            () => Some("green"),
        };
        Self {
            ticket_no: one.ticket_no,
            name: one.name,
            title,
            run: one.run,
            kind: one.kind,
            party: one.party,
            agency: one.agency,
            starts_at: one.starts_at,
            due_at: one.due_at,
            certainty: one.certainty,
            light: light.map(str::to_owned),
            escalation,
        }
    }
}
