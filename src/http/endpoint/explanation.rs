//! `GET /v1/tickets/{ticket_no}/deadlines/{name}/explanation`: why this date, day by day.

use axum::Json;
use axum::extract::State;
use duban_core::calendar::{Edition, ExplainedDay};
use duban_core::deadline::{LedgerEntry, Run};
use duban_core::time::{Day, Instant};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::body::{Path, Query};
use super::super::caller::Caller;
use super::super::policy::Endpoint;
use super::super::problem::Problem;
use super::super::sight::Sight;
use super::super::{Api, document};
use super::ticket::When;

/// Why a deadline ends when it does.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExplanationView {
    name: String,
    title: String,
    #[schema(example = "10wd")]
    within: String,
    #[schema(value_type = String, format = DateTime)]
    starts_at: Instant,
    #[schema(value_type = String, format = Date)]
    due_date: Day,
    #[schema(value_type = String, format = DateTime)]
    due_at: Instant,
    certainty: String,
    missing_years: Vec<i32>,
    /// The newest publication that the date was computed with.
    #[schema(value_type = Option<String>, format = Date)]
    known_on: Option<Day>,
    /// The day that was granted, where it was.
    #[schema(value_type = Option<String>, format = Date)]
    extended_to: Option<Day>,
    /// The articles and rules with their texts.
    basis: Vec<BasisView>,
    /// Each day with its number, or why it does not count, and by which notice.
    #[schema(value_type = Vec<document::ExplainedDay>)]
    days: Vec<ExplainedDay>,
    /// Every change of the date.
    #[schema(value_type = Vec<document::LedgerEntry>)]
    changes: Vec<LedgerEntry>,
}

/// An article or rule.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BasisView {
    #[schema(example = "article 28")]
    basis: String,
    title: String,
    text: String,
}

/// 说明一个时限为何在这一天到期
#[utoipa::path(
    get, path = "/v1/tickets/{ticket_no}/deadlines/{name}/explanation", tag = "tickets",
    params(("ticket_no" = String, Path, example = "HCP20260304000127-5"), ("name" = String, Path, example = "completion"), When),
    responses(
        (status = 200, description = "逐日说明", body = ExplanationView),
        (status = 404, description = "没有这件工单或这个时限", body = Problem),
        (status = 422, description = "as_of 晚于现在，或早于收到", body = Problem),
    )
)]
pub(crate) async fn get(
    State(api): State<Api>,
    caller: Caller,
    Path((ticket_no, name)): Path<(String, String)>,
    Query(When { as_of }): Query<When>,
) -> Result<Json<ExplanationView>, Problem> {
    let reach = caller.may(Endpoint::ReadTickets)?;
    let seen = api.seen(&reach, &ticket_no).await?;
    let nothing = || Problem::not_found("这个时限");
    let instance = match as_of {
        Some(at) => &api.was(&caller, &seen, at).await?,
        None => &seen.loaded.instance,
    };
    let context = api.engine.knowledge().context();
    let definition = context.definition(instance)?;
    let rule = definition.deadline(&name).ok_or_else(nothing)?;
    if definition.hides(&name, caller.role) {
        return Err(nothing());
    }
    let own = |run: &&Run| {
        let foreign =
            caller.agency.is_some() && run.agency.is_some() && run.agency != caller.agency;
        // Whoever no longer has a ticket sees its own runs and nobody's else.
        let is_past = seen.sight != Sight::Whole && run.agency != caller.agency;
        run.deadline == *name.as_str() && !foreign && !is_past
    };
    // The one that rules; where none does, the last.
    let current = instance.current_run(&name).map(|index| &instance.runs[index]).filter(own);
    let run = current.or_else(|| instance.runs.iter().rev().find(own)).ok_or_else(nothing)?;
    let edition = match run.known_on {
        Some(day) => context.calendar.known_on(day),
        None => context.calendar.known_at(run.starts_at),
    };
    let basis = rule.basis.iter().map(|basis| {
        // A definition of an earlier day may cite what this version has no text of.
        let text = context.shelf.text_of(basis);
        let (title, text) = text.map_or_else(
            || (basis.title(), String::new()),
            |known| (known.title.clone(), known.text.clone()),
        );
        BasisView { basis: basis.to_string(), title, text }
    });
    Ok(Json(ExplanationView {
        name: run.deadline.to_string(),
        title: rule.title.clone(),
        within: run.within.to_string(),
        starts_at: run.starts_at,
        due_date: run.due_day,
        due_at: run.due_at,
        certainty: run.certainty.word().to_owned(),
        missing_years: run.missing_years.clone(),
        known_on: run.known_on,
        extended_to: run.extended_to,
        basis: basis.collect(),
        days: walked(edition, run),
        changes: run.ledger.clone(),
    }))
}

/// The day-by-day walk of the period as the run has it.
fn walked(edition: &Edition, run: &Run) -> Vec<ExplainedDay> {
    edition.explain(run.starts_at, run.within).map(|all| all.days).unwrap_or_default()
}
