//! `GET /v1/workflows` and `/v1/workflows/{name}`: the definitions as tickets are worked by.

use axum::Json;
use axum::extract::State;
use duban_core::definition::Definition;
use duban_core::time::Day;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::Api;
use super::super::body::{NoQuery, Path, Query};
use super::super::caller::Caller;
use super::super::policy::Endpoint;
use super::super::problem::Problem;
use crate::store::Used;

/// All workflows, the newest version of each.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorkflowsView {
    workflows: Vec<WorkflowView>,
}

/// A workflow.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorkflowView {
    name: String,
    title: String,
    version: u32,
    /// SM3 of text and forms.
    hash: String,
    #[schema(value_type = Option<String>, format = Date)]
    effective_from: Option<Day>,
    classes: Vec<String>,
    steps: Vec<Titled>,
    actions: Vec<Titled>,
    deadlines: Vec<Titled>,
    /// From which step to which, and by what; in the single view only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ways: Vec<WayView>,
    /// The definition's text (TOML); in the single view only.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// A name with its title.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Titled {
    name: String,
    title: String,
    /// Of a step: who must act in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "agency")]
    party: Option<String>,
}

/// A way from step to step.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WayView {
    from: String,
    to: String,
    /// Titles of actions, or 自动.
    by: Vec<String>,
}

impl WorkflowView {
    fn new(definition: &Definition, whole: bool) -> Self {
        let titled = |name: &duban_core::name::Name, title: &str| Titled {
            name: name.to_string(),
            title: title.to_owned(),
            party: None,
        };
        let steps = definition.steps.iter().map(|one| Titled {
            party: one.party.map(|party| party.word().to_owned()),
            ..titled(&one.name, &one.title)
        });
        let way = |((from, to), by): ((&str, &str), Vec<String>)| WayView {
            from: from.to_owned(),
            to: to.to_owned(),
            by,
        };
        let ways = definition.ways().into_iter().filter(|_| whole).map(way);
        let actions = definition.actions.iter().map(|one| titled(&one.name, &one.title));
        let deadlines = definition.deadlines.iter().map(|one| titled(&one.name, &one.title));
        Self {
            name: definition.pin.name.to_string(),
            title: definition.title.clone(),
            version: definition.pin.version,
            hash: definition.pin.hash.to_string(),
            effective_from: definition.effective_from,
            classes: definition.classes.iter().map(ToString::to_string).collect(),
            steps: steps.collect(),
            actions: actions.collect(),
            deadlines: deadlines.collect(),
            ways: ways.collect(),
            text: whole.then(|| definition.text.clone()),
        }
    }
}

/// 列出工作流
#[utoipa::path(
    get, path = "/v1/workflows", tag = "rules",
    responses((status = 200, description = "各工作流的最新版本", body = WorkflowsView))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Json<WorkflowsView>, Problem> {
    caller.may(Endpoint::ReadRules)?;
    let shelf = api.engine.knowledge().context().shelf;
    let workflows = shelf.newest().map(|one| WorkflowView::new(one, false)).collect();
    Ok(Json(WorkflowsView { workflows }))
}

/// 查看一个工作流
#[utoipa::path(
    get, path = "/v1/workflows/{name}", tag = "rules",
    params(("name" = String, Path, example = "matter")),
    responses(
        (status = 200, description = "工作流及其文本", body = WorkflowView),
        (status = 404, description = "没有", body = Problem),
    )
)]
pub(crate) async fn get(
    State(api): State<Api>,
    caller: Caller,
    Query(NoQuery {}): Query<NoQuery>,
    Path(name): Path<String>,
) -> Result<Json<WorkflowView>, Problem> {
    caller.may(Endpoint::ReadRules)?;
    let shelf = api.engine.knowledge().context().shelf;
    let found = shelf.by_name(&name).ok_or_else(|| Problem::not_found("这个工作流"))?;
    Ok(Json(WorkflowView::new(found, true)))
}

/// How many open tickets a workflow rules.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UsageView {
    usage: Vec<UsedView>,
}

/// Open tickets of a version in a step.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UsedView {
    version: u32,
    step: String,
    tickets: u64,
}

/// 一个工作流各版本、各环节的在办工单数
#[utoipa::path(
    get, path = "/v1/workflows/{name}/usage", tag = "rules",
    params(("name" = String, Path, example = "matter")),
    responses(
        (status = 200, description = "在办工单数", body = UsageView),
        (status = 404, description = "没有", body = Problem),
    )
)]
pub(crate) async fn usage(
    State(api): State<Api>,
    caller: Caller,
    Query(NoQuery {}): Query<NoQuery>,
    Path(name): Path<String>,
) -> Result<Json<UsageView>, Problem> {
    caller.may(Endpoint::ReadUsage)?;
    let shelf = api.engine.knowledge().context().shelf;
    shelf.by_name(&name).ok_or_else(|| Problem::not_found("这个工作流"))?;
    let used = api.engine.store().used(&name).await?.into_iter();
    let view =
        |used: Used| UsedView { version: used.version, step: used.step, tickets: used.tickets };
    Ok(Json(UsageView { usage: used.map(view).collect() }))
}
