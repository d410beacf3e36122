//! `GET /v1/tickets/{ticket_no}/actions`: what this caller may do now, with each form.

use axum::Json;
use axum::extract::State;
use duban_core::command::{Act, Command, Moment};
use duban_core::deadline::{Run, State as RunState};
use duban_core::decide::{Context, decide};
use duban_core::definition::{Action, Case, Definition, Kind, Stage};
use duban_core::instance::Instance;
use duban_core::rejection::Rejection;
use duban_core::role::{Actor, Party, Role};
use duban_core::time::Instant;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::super::Api;
use super::super::body::{NoQuery, Path, Query};
use super::super::caller::Caller;
use super::super::document::Form;
use super::super::policy::Endpoint;
use super::super::problem::Problem;

/// What a caller may do now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActionsView {
    actions: Vec<ActionView>,
}

/// An action with its form.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActionView {
    #[schema(example = "dispatch")]
    action: String,
    #[schema(example = "转办")]
    title: String,
    /// Whether it is what the caller is expected to do next: at most one is.
    expected: bool,
    /// JSON Schema of the form.
    #[schema(value_type = Form)]
    schema: Value,
}

/// 本人此刻可以办理的动作
#[utoipa::path(
    get, path = "/v1/tickets/{ticket_no}/actions", tag = "tickets",
    params(("ticket_no" = String, Path, example = "HCP20260304000127-5")),
    responses(
        (status = 200, description = "动作及其表单", body = ActionsView),
        (status = 404, description = "没有，或不在本单位", body = Problem),
    )
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Path(ticket_no): Path<String>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Json<ActionsView>, Problem> {
    let reach = caller.may(Endpoint::ReadTickets)?;
    let seen = api.seen(&reach, &ticket_no).await?;
    let context = api.engine.knowledge().context();
    let instance = &seen.loaded.instance;
    let definition = context.definition(instance)?;
    let at = api.engine.clock().now();
    let may = |action: &&Action| {
        definition.roles(action, &instance.flags).contains(&caller.role)
            && forms(action, instance)
                .into_iter()
                .any(|form| is_open(context, instance, action, form, caller.actor(), at))
    };
    let open: Vec<&Action> = definition.actions.iter().filter(may).collect();
    let expected = expected(definition, instance, &open, caller.role).map(|action| &action.name);
    let shown = |action: &Action| ActionView {
        expected: expected == Some(&action.name),
        action: action.name.to_string(),
        title: action.title.clone(),
        schema: definition
            .form(action.form.as_str())
            .map(|form| form.schema.clone())
            .unwrap_or_default(),
    };
    Ok(Json(ActionsView { actions: open.into_iter().map(shown).collect() }))
}

/// What a role is expected to do next. An agency first takes a ticket on: by what belongs to the step in
/// which it must act and to no other. The others first do what meets the earliest due of their
/// obligations. Else it is the other of these two; else what takes the ticket on at all.
fn expected<'a>(
    definition: &Definition,
    instance: &Instance,
    open: &[&'a Action],
    role: Role,
) -> Option<&'a Action> {
    let first = |does: &dyn Fn(&Action) -> bool| open.iter().copied().find(|action| does(action));
    let takes_on = |action: &Action| action.cases.iter().any(|case| case.next.is_some());
    let party = definition.step(instance.step.as_str()).and_then(|step| step.party);
    let party = party.map(|party| definition.charged(party, &instance.flags));
    let must = party.is_some_and(|party| role.acts_for(party));
    let is_own =
        |action: &Action| must && matches!(action.stages[..], [Stage::Step(_)]) && takes_on(action);
    let own = || first(&is_own);
    let owed = instance.runs.iter().filter(|run| {
        run.kind == Kind::Obligation && run.state == RunState::Running && role.acts_for(run.party)
    });
    let mut owed: Vec<&Run> = owed.collect();
    owed.sort_by_key(|run| run.due_at);
    let meets = |run: &Run| {
        let rule = definition.deadline(run.deadline.as_str())?;
        let does = |case: &Case| case.raise.iter().any(|event| rule.met_by.contains(event));
        first(&|action| action.cases.iter().any(does))
    };
    let due = || owed.iter().find_map(|run| meets(run));
    let found = match role.party() {
        Some(Party::Agency) => own().or_else(due),
        _ => due().or_else(own),
    };
    found.or_else(|| first(&|action| must && takes_on(action)))
}

/// What an action is tried with: an empty form, or one for each card where it is about a card.
fn forms(action: &Action, instance: &Instance) -> Vec<Value> {
    match &action.card {
        Some(step) => {
            let cards = instance.cards.iter();
            cards.map(|card| json!({step.field().as_str(): card.id})).collect()
        }
        None => vec![json!({})],
    }
}

/// Whether nothing but the form stands in the way: tried, and thrown away.
fn is_open(
    context: Context<'_>,
    instance: &Instance,
    action: &Action,
    form: Value,
    actor: Actor,
    at: Instant,
) -> bool {
    let action = action.name.clone();
    let act = Act { action, actor, form, sealed: None, revision: None };
    let tried = decide(context, instance, &Command::Act(act), Moment::now(at.max(instance.at)));
    match tried.map_err(|refusal| refusal.rejection) {
        Ok(_) | Err(Rejection::Form(_) | Rejection::Unsealed) => true,
        Err(_) => false,
    }
}
