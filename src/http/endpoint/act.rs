//! `POST /v1/tickets/{ticket_no}/actions/{action}`: do it.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use duban_core::instance::Instance;
use duban_core::name::Name;
use serde_json::Value;

use super::super::body::{Body, Path};
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
    if !form.is_object() {
        return Err(Problem::malformed(String::new(), "表单应为 JSON 对象".to_owned()));
    }
    let revision = if_match(&headers)?;
    let operation = format!("POST /v1/tickets/{ticket_no}/actions/{action}");
    let key = keys::keyed(&headers, &caller, &operation, &bytes, 200)?;
    let scope = caller.may(Endpoint::Act)?;
    let mut seen = api.seen(&caller, scope, &ticket_no).await?;
    let unregistered = unregistered(&api, &seen.loaded.instance, &action, &form)?;
    let (action, actor) = (Name::from(action), caller.actor());
    let task = Task::Act { ticket: seen.id, action, actor, form, revision, unregistered };
    let done = api.engine.submit(&arrival, task, key).await?;
    // What was committed, whatever has come after it; of a repetition, the ticket as it is now.
    if let Some(instance) = &done.instance {
        seen.loaded.instance = Instance::clone(instance);
    }
    let (repeated, receipt) = (done.repeated, done.receipt);
    let view = api.view_of_done(&caller, seen).await?.with_receipt(receipt);
    let mut response = (etag(view.revision()), Json(view)).into_response();
    keys::mark(&mut response, repeated);
    Ok(response)
}

/// The field that names an agency which is not in the register, if the form has one: a ticket goes
/// only to an agency, and whatever else was typed may be anything.
fn unregistered(
    api: &Api,
    instance: &Instance,
    action: &str,
    form: &Value,
) -> Result<Option<Name>, Problem> {
    let definition = api.engine.knowledge().context().definition(instance)?;
    let field = definition.action(action).and_then(|action| action.assign.clone());
    let code = |field: &Name| form.get(field.as_str()).and_then(Value::as_str);
    let is_unknown =
        |field: &Name| code(field).is_some_and(|code| api.register.agency(code).is_none());
    Ok(field.filter(is_unknown))
}
