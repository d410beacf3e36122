//! `/livez`, `/readyz` and `/metrics`: for whoever runs the machines; no token needed, and nothing
//! about tickets or people in them.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use duban_core::time::Instant;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::Api;
use crate::wake::Redis;

/// How late the lane may be before a node calls itself degraded.
const LAG_MS_MAX: i64 = 60_000;

/// How long whoever asks is kept waiting for a database that does not answer.
const ANSWER: Duration = Duration::from_secs(2);

/// Whether the node can do its work.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ready {
    /// `ready`, `degraded` or `unavailable`.
    status: &'static str,
    database: &'static str,
    /// `ready`, `unavailable`, or `none` where no Redis is set.
    redis: &'static str,
    /// How long something has been due, in milliseconds.
    lag_ms: i64,
    /// How far the clock is behind the database's, in milliseconds; beyond 500 the node stands aside.
    skew_ms: i64,
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
    let engine = &api.engine;
    let (store, skew_ms) = (engine.store(), engine.skew_ms());
    let now = engine.clock().now();
    let asked = async {
        store.ping().await?;
        Ok::<_, crate::store::StoreError>((store.next_wake().await?, store.open_incidents().await?))
    };
    let asked = async {
        let asked = tokio::time::timeout(ANSWER, asked).await;
        asked.ok().and_then(Result::ok)
    };
    let asked = if engine.is_working() { asked.await } else { None };
    let state = engine.wake().redis();
    let redis = word(state);
    let Some((wake, incidents)) = asked else {
        let (status, database) = ("unavailable", "unavailable");
        let ready = Ready { status, database, redis, lag_ms: 0, skew_ms, incidents: 0 };
        return (StatusCode::SERVICE_UNAVAILABLE, Json(ready)).into_response();
    };
    let settle_ms = engine.clock().settle_ms();
    let lag_ms = wake.map_or(0, |wake| (now.ms() - wake.ms() - settle_ms).max(0));
    let is_late = lag_ms > LAG_MS_MAX;
    // Working off what falls due is all that a node without requests is for.
    let is_useless = is_late && !api.answers;
    if engine.stands_aside() || is_useless || *api.leaving.borrow() {
        let status = "unavailable";
        let ready = Ready { status, database: "ready", redis, lag_ms, skew_ms, incidents };
        return (StatusCode::SERVICE_UNAVAILABLE, Json(ready)).into_response();
    }
    let degraded = incidents > 0 || is_late || state == Redis::Unavailable;
    let status = if degraded { "degraded" } else { "ready" };
    Json(Ready { status, database: "ready", redis, lag_ms, skew_ms, incidents }).into_response()
}

/// The word for what Redis does.
pub(super) const fn word(redis: Redis) -> &'static str {
    match redis {
        Redis::None => "none",
        Redis::Ready => "ready",
        Redis::Unavailable => "unavailable",
    }
}

/// 运行指标（Prometheus）
#[utoipa::path(get, path = "/metrics", tag = "health", security(()),
    responses((status = 200, description = "指标", body = String, content_type = "text/plain")))]
pub(crate) async fn metrics(State(api): State<Api>) -> String {
    let engine = &api.engine;
    let (store, now) = (engine.store(), engine.clock().now());
    let asked = async {
        let open = store.open_incidents().await?;
        let wake = store.next_wake().await?.map(|at| at.plus_ms(engine.clock().settle_ms()));
        Ok::<_, crate::store::StoreError>((open, wake, store.oldest_waiting().await?))
    };
    let asked = tokio::time::timeout(ANSWER, asked).await.ok().and_then(Result::ok);
    metrics::gauge!("duban_database_up").set(f64::from(u8::from(asked.is_some())));
    // What the database does not tell in time keeps its last value.
    if let Some((open, wake, message)) = asked {
        let since = |at: Option<Instant>| at.map_or(0, |at| (now.ms() - at.ms()).max(0));
        #[expect(clippy::cast_precision_loss, reason = "counts and milliseconds")]
        let set = |gauge: metrics::Gauge, value: i64, by: f64| gauge.set(value as f64 / by);
        set(metrics::gauge!("duban_incidents_open"), i64::try_from(open).unwrap_or(i64::MAX), 1.0);
        set(metrics::gauge!("duban_timer_overdue_seconds"), since(wake), 1_000.0);
        set(metrics::gauge!("duban_outbox_age_seconds"), since(message), 1_000.0);
    }
    api.measures.render()
}
