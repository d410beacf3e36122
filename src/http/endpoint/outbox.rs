//! `GET /v1/outbox` and `POST /v1/outbox/{id}/redeliver`: messages and what became of them.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use duban_core::time::Instant;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::super::body::{NoBody, NoQuery, Path, Query};
use super::super::caller::Caller;
use super::super::document::About;
use super::super::policy::Endpoint;
use super::super::problem::Problem;
use super::super::{Api, cursor, keys};
use crate::engine::Turn;
use crate::store::{DeliveryState, MessageId, Posted};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// waiting、delivered、dead
    state: Option<String>,
    /// 工单编号
    ticket_no: Option<String>,
    /// 上一页的 next
    cursor: Option<String>,
    /// 每页几条（1 至 200）
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u64>,
}

/// Messages, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OutboxView {
    messages: Vec<MessageView>,
    /// The next page's `cursor`; none at the end.
    next: Option<String>,
}

/// A message.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MessageView {
    id: String,
    ticket_no: Option<String>,
    kind: String,
    #[schema(example = "agency:SZ013")]
    destination: String,
    #[schema(value_type = About)]
    about: Value,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// `waiting`, `delivered` or `dead`.
    state: String,
    attempts: u32,
    #[schema(value_type = Option<String>, format = DateTime)]
    next_at: Option<Instant>,
    #[schema(value_type = Option<String>, format = DateTime)]
    done_at: Option<Instant>,
    failure: Option<String>,
}

/// 列出消息
#[utoipa::path(
    get, path = "/v1/outbox", tag = "operations", params(Filter),
    responses(
        (status = 200, description = "消息，新的在前", body = OutboxView),
        (status = 404, description = "没有 ticket_no 这件工单", body = Problem),
    )
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(filter): Query<Filter>,
) -> Result<Json<OutboxView>, Problem> {
    caller.may(Endpoint::ReadOutbox)?;
    let limit = cursor::limit(&api, filter.limit)?;
    let after: Option<String> = cursor::read(filter.cursor.as_deref())?;
    let after = after.map(|id| id.parse().map_err(|()| cursor::wrong())).transpose()?;
    let state = filter.state.as_deref().map(|word| {
        let say = || Problem::field("state", "取值应为：waiting、delivered、dead");
        DeliveryState::of(word).ok_or_else(say)
    });
    let store = api.engine.store();
    let ticket = match &filter.ticket_no {
        None => None,
        Some(number) => {
            let nothing = || Problem::no_ticket();
            Some(store.ticket_of(number).await?.ok_or_else(nothing)?)
        }
    };
    let mut found = store.messages(state.transpose()?, ticket, after, limit + 1).await?;
    let more = cursor::cut(&mut found, limit);
    let next = found.last().filter(|_| more).map(|last| cursor::written(&last.id.to_string()));
    let tickets: Vec<_> = found.iter().map(|one| one.id.ticket).collect();
    let numbers = store.ticket_numbers(&tickets).await?;
    let shown = |one: Posted| MessageView {
        id: one.id.to_string(),
        ticket_no: numbers.get(&one.id.ticket).cloned(),
        kind: one.kind,
        destination: one.destination,
        about: serde_json::from_str(&one.about).unwrap_or_default(),
        created_at: one.created_at,
        state: one.state.word().to_owned(),
        attempts: one.attempts,
        next_at: (one.state == DeliveryState::Waiting).then_some(one.next_at),
        done_at: one.done_at,
        failure: one.failure,
    };
    Ok(Json(OutboxView { messages: found.into_iter().map(shown).collect(), next }))
}

/// 重新投递一条消息
#[utoipa::path(
    post, path = "/v1/outbox/{id}/redeliver", tag = "operations",
    params(
        ("id" = String, Path, example = "019531d4-0000-7000-8000-000000000001.4.0"),
        ("Idempotency-Key" = Option<String>, Header, description = "重试时使用同一个键"),
    ),
    responses(
        (status = 202, description = "已排入投递"),
        (status = 404, description = "没有", body = Problem),
    )
)]
pub(crate) async fn redeliver(
    State(api): State<Api>,
    caller: Caller,
    Query(NoQuery {}): Query<NoQuery>,
    Path(id): Path<String>,
    headers: HeaderMap,
    NoBody(bytes): NoBody,
) -> Result<Response, Problem> {
    caller.may(Endpoint::Redeliver)?;
    let nothing = || Problem::not_found("这条消息");
    let id: MessageId = id.parse().map_err(|()| nothing())?;
    let operation = format!("POST /v1/outbox/{id}/redeliver");
    let key = keys::keyed(&headers, &caller, &operation, &bytes, 202)?;
    let redeliver = async |turn: &Turn| {
        let (store, at) = (api.engine.store(), api.engine.clock().now());
        if !turn.is_done && !store.redeliver(id, at).await? && !turn.is_repeated {
            return Err(nothing());
        }
        Ok(())
    };
    let ((), repeated) = api.once(key, 0, redeliver).await?;
    api.engine.wake().messages_waiting();
    let mut response = StatusCode::ACCEPTED.into_response();
    keys::mark(&mut response, repeated);
    Ok(response)
}
