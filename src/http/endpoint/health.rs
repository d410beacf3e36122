//! `/livez`, `/readyz` and `/metrics`: for whoever runs the machines; no token needed, and nothing
//! about tickets or people in them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::Api;

/// How late the lane may be before a node calls itself degraded.
const LAG_MS_MAX: i64 = 60_000;

/// Whether the node can do its work.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ready {
    /// `ready`, `degraded` or `unavailable`.
    status: &'static str,
    database: &'static str,
    /// How long something has been due, in milliseconds.
    lag_ms: i64,
    /// Incidents that nobody has resolved.
    incidents: usize,
}

/// 进程是否在运行
#[utoipa::path(get, path = "/livez", tag = "health", security(()),
    responses((status = 200, description = "在运行", body = String)))]
pub(crate) async fn livez() -> &'static str {
    "ok"
}

/// 能否办理
#[utoipa::path(get, path = "/readyz", tag = "health", security(()),
    responses(
        (status = 200, description = "可以办理，或降级", body = Ready),
        (status = 503, description = "不能办理", body = Ready),
    ))]
pub(crate) async fn readyz(State(api): State<Api>) -> Response {
    let store = api.engine.store();
    let now = api.engine.clock().now();
    let asked = async {
        store.ping().await?;
        Ok::<_, crate::store::StoreError>((
            store.next_wake().await?,
            store.incidents(true, None, 1_000).await?.len(),
        ))
    };
    let asked = if api.engine.is_working() { asked.await.ok() } else { None };
    let Some((wake, incidents)) = asked else {
        let ready =
            Ready { status: "unavailable", database: "unavailable", lag_ms: 0, incidents: 0 };
        return (StatusCode::SERVICE_UNAVAILABLE, Json(ready)).into_response();
    };
    let settle_ms = api.engine.clock().settle_ms();
    let lag_ms = wake.map_or(0, |wake| (now.ms() - wake.ms() - settle_ms).max(0));
    let degraded = incidents > 0 || lag_ms > LAG_MS_MAX;
    let status = if degraded { "degraded" } else { "ready" };
    Json(Ready { status, database: "ready", lag_ms, incidents }).into_response()
}

/// 运行指标（Prometheus）
#[utoipa::path(get, path = "/metrics", tag = "health", security(()),
    responses((status = 200, description = "指标", body = String, content_type = "text/plain")))]
pub(crate) async fn metrics(State(api): State<Api>) -> String {
    if let Ok(open) = api.engine.store().incidents(true, None, 1_000).await {
        #[expect(clippy::cast_precision_loss, reason = "a count of at most a thousand")]
        metrics::gauge!("duban_incidents_open").set(open.len() as f64);
    }
    api.measures.render()
}
