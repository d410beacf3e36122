//! `GET /v1/nodes`: who is at work. Must never say more of a machine than its name.

use axum::Json;
use axum::extract::State;
use duban_core::time::Instant;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::Api;
use super::super::body::{NoQuery, Query};
use super::super::caller::Caller;
use super::super::policy::Endpoint;
use super::super::problem::Problem;
use super::health;
use crate::clock;
use crate::wake::Presence;

/// Who is at work.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NodesView {
    /// `ready`, `unavailable`, or `none`: without Redis a node knows of none but itself.
    redis: &'static str,
    nodes: Vec<NodeView>,
}

/// A node.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NodeView {
    #[schema(value_type = String)]
    node: Uuid,
    /// Its machine's name.
    host: String,
    /// `api`, `jobs`.
    roles: Vec<String>,
    version: String,
    #[schema(value_type = String, format = DateTime)]
    started_at: Instant,
    /// When it was last heard of.
    #[schema(value_type = String, format = DateTime)]
    seen_at: Instant,
    /// Whether it is the one that answers.
    answers: bool,
}

/// 各节点
#[utoipa::path(get, path = "/v1/nodes", tag = "operations",
    responses((status = 200, description = "近 10 秒内在运行的节点，先启动的在前", body = NodesView)))]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Json<NodesView>, Problem> {
    caller.may(Endpoint::ReadNodes)?;
    let wake = api.engine.wake();
    let mut nodes = wake.nodes().await.unwrap_or_default();
    if !nodes.iter().any(|one| one.node == api.presence.node) {
        nodes.push(Presence { seen_at: clock::wall(), ..api.presence.clone() });
    }
    let view = |one: Presence| NodeView {
        answers: one.node == api.presence.node,
        node: one.node,
        host: one.host,
        roles: one.roles,
        version: one.version,
        started_at: one.started_at,
        seen_at: one.seen_at,
    };
    let redis = health::word(wake.redis());
    Ok(Json(NodesView { redis, nodes: nodes.into_iter().map(view).collect() }))
}
