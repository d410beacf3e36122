//! `POST /v1/tickets/{ticket_no}/actions/{action}`: do it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use duban_core::definition::FieldFault;
use duban_core::digest::Digest;
use duban_core::evidence::named_in;
use duban_core::name::Name;
use serde_json::Value;

use super::super::body::{Body, NoQuery, Path, Query};
use super::super::caller::Caller;
use super::super::document::Filled;
use super::super::etag::{etag, if_match};
use super::super::policy::{Endpoint, Reach};
use super::super::problem::Problem;
use super::super::sight::{Seen, Sight};
use super::super::view::ticket::TicketView;
use super::super::{Api, keys};
use crate::engine::{Arrival, Done, Keyed, Original, Task};
use crate::store::{Loaded, Side};

/// 办理一个动作；请求体是该动作的表单
#[utoipa::path(
    post, path = "/v1/tickets/{ticket_no}/actions/{action}", tag = "tickets",
    params(
        ("ticket_no" = String, Path, example = "HCP20260304000127-5"), ("action" = String, Path, example = "dispatch"),
        ("If-Match" = Option<String>, Header, description = "所依据的修订（ETag）"),
        ("Idempotency-Key" = Option<String>, Header, description = "重试时使用同一个键"),
    ),
    request_body(content = Filled, example = json!({"agency": "SZ013"})),
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
    Query(NoQuery {}): Query<NoQuery>,
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
    let reach = caller.may(Endpoint::Act)?;
    let seen = api.seen(&reach, &ticket_no).await?;
    let deed = Deed { api: &api, caller: &caller, reach: &reach, action: &action, form: &form };
    let (seen, done) = deed.carry_out(&arrival, seen, revision, key).await?;
    let is_whole = seen.sight == Sight::Whole;
    let (repeated, receipt) = (done.repeated, done.receipt);
    let view = api.view_of_done(&caller, seen).await?.with_receipt(receipt);
    let etag = is_whole.then(|| etag(view.revision()));
    let mut response = (etag, Json(view)).into_response();
    keys::mark(&mut response, repeated);
    Ok(response)
}

/// What a caller wants to do, on one ticket or on many.
pub(super) struct Deed<'d> {
    pub(super) api: &'d Api,
    pub(super) caller: &'d Caller,
    pub(super) reach: &'d Reach,
    pub(super) action: &'d str,
    pub(super) form: &'d Value,
}

impl Deed<'_> {
    /// Does it; the ticket as it was committed, whatever has come after it, or, of a repetition, as it
    /// is now.
    pub(super) async fn carry_out(
        &self,
        arrival: &Arrival<'_>,
        mut seen: Seen,
        revision: Option<u32>,
        key: Option<Keyed>,
    ) -> Result<(Seen, Done), Problem> {
        let task = self.task(&seen, revision).await?;
        let done = self.api.engine.submit(arrival, task, key).await?;
        match &done.instance {
            Some(instance) => seen.loaded.instance = Arc::clone(instance),
            // Another node, or a request before, has done it since it was looked at.
            None => seen = self.api.seen(self.reach, &seen.loaded.ticket_no).await?,
        }
        Ok((seen, done))
    }

    /// The command on a ticket that the caller may see.
    pub(super) async fn task(&self, seen: &Seen, revision: Option<u32>) -> Result<Task, Problem> {
        let (original, fault) = match self.original(&seen.loaded).await? {
            Ok(original) => (original, self.fault(seen).await?),
            Err(fault) => (None, Some(fault)),
        };
        let (action, actor) = (Name::from(self.action), self.caller.actor());
        // What an agency no longer has changes no more for it: there is nothing to compare.
        let revision = revision.filter(|_| seen.sight == Sight::Whole);
        let (ticket, form) = (seen.id, self.form.clone());
        let original = original.map(Box::new);
        Ok(Task::Act { ticket, action, actor, form, revision, fault, original })
    }

    /// What the house knows against a form: a ticket goes only to an agency of the register, and
    /// evidence has been uploaded to it.
    async fn fault(&self, seen: &Seen) -> Result<Option<FieldFault>, Problem> {
        let api = self.api;
        let definition = api.engine.knowledge().context().definition(&seen.loaded.instance)?;
        let assigned = definition.action(self.action).and_then(|action| action.assign.as_ref());
        if let Some(field) = assigned
            && self.text(field.as_str()).is_some_and(|code| api.register.agency(code).is_none())
        {
            let say = "没有这个单位代码；请从单位名册中选择";
            return Ok(Some(told(field.as_str(), say)));
        }
        not_uploaded(api, self.caller, seen, self.form).await
    }

    /// The ticket of which this one is said to be a duplicate: another one that is there and, when
    /// it is decided, none itself.
    async fn original(
        &self,
        loaded: &Loaded,
    ) -> Result<Result<Option<Original>, FieldFault>, Problem> {
        let Some(number) = self.text(DUPLICATE_OF) else { return Ok(Ok(None)) };
        if number == loaded.ticket_no {
            return Ok(Err(told(DUPLICATE_OF, "不能是本工单自己")));
        }
        let say = "该工单本身已作为重复件办结；请填写仍在办理的那一件";
        // A foreign one is like none.
        match self.api.seen(self.reach, number).await {
            Ok(other) => {
                Ok(Ok(Some(Original { ticket: other.id, fault: told(DUPLICATE_OF, say) })))
            }
            Err(problem) if problem.status() == 404 => {
                Ok(Err(told(DUPLICATE_OF, "没有这件工单，或不在本辖区")))
            }
            Err(problem) => Err(problem),
        }
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.form.get(field).and_then(Value::as_str)
    }
}

/// A form names evidence by its digest: whoever fills it in must have seen the file.
async fn not_uploaded(
    api: &Api,
    caller: &Caller,
    seen: &Seen,
    form: &Value,
) -> Result<Option<FieldFault>, Problem> {
    let named = named_in(form);
    let digests: Vec<Digest> = named.iter().map(|(_, digest)| *digest).collect();
    let side = match seen.sight {
        Sight::Whole => Side::All,
        Sight::Former { .. } => Side::Of(caller.agency.as_ref()),
    };
    let there = api.engine.store().uploaded(seen.id, side, &digests).await?;
    let missing = named.iter().find(|(_, digest)| !there.contains(digest));
    Ok(missing.map(|(field, _)| FieldFault::new(field, "本工单没有这个附件；请先上传")))
}

/// The field of forms that names another ticket.
const DUPLICATE_OF: &str = "duplicate_of";

fn told(field: &str, message: &str) -> FieldFault {
    FieldFault::new(format!("/{field}"), message)
}
