//! `POST /v1/tickets/{ticket_no}/actions/{action}`: do it.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use duban_core::command::{Act, Command, Moment};
use duban_core::decide::decide;
use duban_core::instance::Instance;
use duban_core::name::Name;
use duban_core::rejection::Rejection;
use duban_core::time::Instant;
use serde_json::Value;

use super::super::body::Body;
use super::super::caller::Caller;
use super::super::etag::{etag, if_match};
use super::super::policy::Endpoint;
use super::super::problem::Problem;
use super::super::view::ticket::TicketView;
use super::super::{Api, keys};
use crate::engine::Task;

/// 办理一个动作；请求体是该动作的表单
#[utoipa::path(
    post, path = "/v1/tickets/{ticket_no}/actions/{action}", tag = "tickets",
    params(
        ("ticket_no" = String, Path), ("action" = String, Path, example = "dispatch"),
        ("If-Match" = Option<String>, Header, description = "所依据的修订（ETag）"),
        ("Idempotency-Key" = Option<String>, Header, description = "重试时使用同一个键"),
    ),
    request_body(content = Object, example = json!({"agency": "SZ013"})),
    responses(
        (status = 200, description = "办理后的工单，附回执", body = TicketView),
        (status = 403, description = "无权办理", body = Problem),
        (status = 404, description = "没有，或不在本单位", body = Problem),
        (status = 409, description = "所处环节或条件不允许", body = Problem),
        (status = 412, description = "工单已有变化", body = Problem),
        (status = 422, description = "填写有误", body = Problem),
        (status = 503, description = "overtaken、busy 或 outcome-unknown", body = Problem),
    )
)]
pub(crate) async fn post(
    State(api): State<Api>,
    caller: Caller,
    Path((ticket_no, action)): Path<(String, String)>,
    headers: HeaderMap,
    Body { value: form, bytes }: Body<Value>,
) -> Result<Response, Problem> {
    let arrival = api.engine.arrive().await;
    let scope = caller.may(Endpoint::Act)?;
    if !form.is_object() {
        return Err(Problem::malformed(String::new(), "表单应为 JSON 对象".to_owned()));
    }
    let revision = if_match(&headers)?;
    let seen = api.seen(&caller, scope, &ticket_no).await?;
    let operation = format!("POST /v1/tickets/{ticket_no}/actions/{action}");
    let key = keys::keyed(&headers, &caller, &operation, &bytes, 200)?;
    let (action, actor) = (Name::from(action), caller.actor());
    let act = Act { action, actor, form, sealed: None, revision };
    registered(&api, &seen.loaded.instance, &caller, &act, arrival.at)?;
    let Act { action, actor, form, .. } = act;
    let task = Task::Act { ticket: seen.id, action, actor, form, revision };
    let done = api.engine.submit(&arrival, task, key).await?;
    let scope = caller.may(Endpoint::ReadTickets)?;
    let replayed = done.replayed;
    let shown = match api.seen(&caller, scope, &ticket_no).await {
        Ok(seen) => seen,
        // What was done took the ticket away from the caller.
        Err(_) => seen,
    };
    let view = api.view(&caller, shown).await?.with_receipt(done.receipt);
    let mut response = (etag(view.revision()), Json(view)).into_response();
    if replayed {
        let name = HeaderName::from_static("idempotent-replayed");
        response.headers_mut().insert(name, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// A ticket goes only to an agency of the register: whatever else was typed may be anything. Told
/// where everything else about the request is as it should be.
fn registered(
    api: &Api,
    instance: &Instance,
    caller: &Caller,
    act: &Act,
    at: Instant,
) -> Result<(), Problem> {
    let context = api.engine.knowledge().context();
    let definition = context.definition(instance)?;
    let rule = definition.action(act.action.as_str());
    let Some(field) = rule.and_then(|action| action.assign.as_ref()) else { return Ok(()) };
    let code = act.form.get(field.as_str()).and_then(Value::as_str);
    // A form without it is the core's to refuse.
    let Some(code) = code.filter(|code| api.register.agency(code).is_none()) else {
        return Ok(());
    };
    tracing::debug!(actor = %caller.subject, bytes = code.len(), "an agency that is not registered");
    let moment = Moment::now(at.max(instance.at));
    match decide(context, instance, &Command::Act(act.clone()), moment) {
        Err(refusal) if !matches!(refusal.rejection, Rejection::Unsealed) => {
            Err(refusal.rejection.into())
        }
        _ => Err(Problem::field(field.as_str(), "没有这个单位代码；请从单位名册中选择")),
    }
}
