//! `GET /v1/tickets/{ticket_no}/actions`: what this caller may do now, with each form.

use axum::Json;
use axum::extract::State;
use duban_core::command::{Act, Command, Moment};
use duban_core::decide::{Context, decide};
use duban_core::definition::Action;
use duban_core::instance::Instance;
use duban_core::rejection::Rejection;
use duban_core::role::Actor;
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
    let shown = |action: &Action| ActionView {
        action: action.name.to_string(),
        title: action.title.clone(),
        schema: definition
            .form(action.form.as_str())
            .map(|form| form.schema.clone())
            .unwrap_or_default(),
    };
    Ok(Json(ActionsView { actions: definition.actions.iter().filter(may).map(shown).collect() }))
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
