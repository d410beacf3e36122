//! `GET /v1/incidents` and `POST /v1/incidents/{id}/retry`: what could not be decided.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use duban_core::time::Instant;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::body::{NoBody, NoQuery, Path, Query};
use super::super::caller::Caller;
use super::super::policy::Endpoint;
use super::super::problem::Problem;
use super::super::{Api, cursor, keys};
use crate::engine::Turn;
use crate::store::Incident;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// true：连同已处理的
    #[serde(default)]
    #[param(required = false)]
    all: bool,
    /// 上一页的 next
    cursor: Option<String>,
    /// 每页几条（1 至 200）
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u64>,
}

/// Incidents, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IncidentsView {
    incidents: Vec<IncidentView>,
    /// The next page's `cursor`; none at the end.
    next: Option<String>,
}

/// Something that could not be decided.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IncidentView {
    #[schema(value_type = String)]
    id: Uuid,
    ticket_no: Option<String>,
    /// What was tried: `advance`, `recompute` or an action.
    command: String,
    code: String,
    message: String,
    /// The ticket's last event.
    seq: u64,
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    #[schema(value_type = Option<String>, format = DateTime)]
    resolved_at: Option<Instant>,
}

/// 列出异常
#[utoipa::path(
    get, path = "/v1/incidents", tag = "operations", params(Filter),
    responses((status = 200, description = "异常，新的在前", body = IncidentsView))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(filter): Query<Filter>,
) -> Result<Json<IncidentsView>, Problem> {
    caller.may(Endpoint::ReadIncidents)?;
    let store = api.engine.store();
    let limit = cursor::limit(&api, filter.limit)?;
    let after: Option<Uuid> = cursor::read(filter.cursor.as_deref())?;
    let mut found = store.incidents(!filter.all, after, limit + 1).await?;
    let more = cursor::cut(&mut found, limit);
    let next = found.last().filter(|_| more).map(|last| cursor::written(&last.id));
    let tickets: Vec<_> = found.iter().map(|one| one.what.ticket).collect();
    let numbers = store.ticket_numbers(&tickets).await?;
    let shown = |Incident { id, what, resolved_at }: Incident| IncidentView {
        id,
        ticket_no: numbers.get(&what.ticket).cloned(),
        command: what.command,
        code: what.code,
        message: what.message,
        seq: what.seq,
        at: what.at,
        resolved_at,
    };
    Ok(Json(IncidentsView { incidents: found.into_iter().map(shown).collect(), next }))
}

/// 重试一个异常；是某人的动作的，只作了结，动作由本人重新办理
#[utoipa::path(
    post, path = "/v1/incidents/{id}/retry", tag = "operations",
    params(
        ("id" = String, Path, example = "019531d4-0000-7000-8000-000000000001"),
        ("Idempotency-Key" = Option<String>, Header, description = "重试时使用同一个键"),
    ),
    responses(
        (status = 202, description = "已交回办理"),
        (status = 404, description = "没有，或已处理", body = Problem),
    )
)]
pub(crate) async fn retry(
    State(api): State<Api>,
    caller: Caller,
    Query(NoQuery {}): Query<NoQuery>,
    Path(id): Path<String>,
    headers: HeaderMap,
    NoBody(bytes): NoBody,
) -> Result<Response, Problem> {
    caller.may(Endpoint::RetryIncidents)?;
    let nothing = || Problem::not_found("这个未处理的异常");
    let id: Uuid = id.parse().map_err(|_| nothing())?;
    let operation = format!("POST /v1/incidents/{id}/retry");
    let key = keys::keyed(&headers, &caller, &operation, &bytes, 202)?;
    let retry = async |turn: &Turn| {
        // What was retried before may be over by now.
        if !turn.is_done && !api.engine.retry_incident(id).await? && !turn.is_repeated {
            return Err(nothing());
        }
        Ok(())
    };
    let ((), repeated) = api.once(key, 0, retry).await?;
    let mut response = StatusCode::ACCEPTED.into_response();
    keys::mark(&mut response, repeated);
    Ok(response)
}
