//! `POST /v1/tickets/{ticket_no}/reviewer`: the reviewer unmasked, for a purpose; who looked stands
//! in the history. Must never show anybody anything before that record is durable.

use axum::Json;
use axum::extract::State;
use duban_core::command::Disclose;
use duban_core::purpose::Purpose;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::super::Api;
use super::super::body::{Body, NoQuery, Path, Query};
use super::super::caller::Caller;
use super::super::policy::Endpoint;
use super::super::problem::Problem;
use super::super::sight::Sight;
use super::super::view::ticket::ReceiptView;
use crate::engine::Task;

/// Why somebody looks.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"purpose": "contact"}))]
pub(crate) struct Look {
    /// contact（联系评价人）、verify（核实情况）、callback（回访）、complaint（处理投诉）、audit（效能督查）
    #[schema(value_type = String, example = "contact")]
    purpose: Purpose,
}

/// Who rated, unmasked. Has no `Debug`: it must get into no log.
#[derive(Serialize, ToSchema)]
pub(crate) struct UnmaskedView {
    #[schema(example = "HCP20260304000127-5")]
    ticket_no: String,
    name: Option<String>,
    phone: Option<String>,
    id_no: Option<String>,
    /// What the reviewer wrote.
    comment: Option<String>,
    /// Of the record that this look has left.
    receipt: Option<ReceiptView>,
}

/// 查看评价人完整信息；须写明目的，每次查看都留有记录（不因 Idempotency-Key 而省）
#[utoipa::path(
    post, path = "/v1/tickets/{ticket_no}/reviewer", tag = "tickets", request_body = Look,
    params(("ticket_no" = String, Path, example = "HCP20260304000127-5")),
    responses(
        (status = 200, description = "已记录查看，附回执", body = UnmaskedView),
        (status = 403, description = "无权查看", body = Problem),
        (status = 404, description = "没有，或没有评价人信息", body = Problem),
        (status = 409, description = "查看记录过多", body = Problem),
        (status = 503, description = "overtaken、busy 或 outcome-unknown", body = Problem),
    )
)]
pub(crate) async fn post(
    State(api): State<Api>,
    caller: Caller,
    Query(NoQuery {}): Query<NoQuery>,
    Path(ticket_no): Path<String>,
    Body { value: Look { purpose }, .. }: Body<Look>,
) -> Result<Json<UnmaskedView>, Problem> {
    let arrival = api.engine.arrive().await;
    let reach = caller.may(Endpoint::Unmask)?;
    let seen = api.seen(&reach, &ticket_no).await?;
    // Whoever no longer has a ticket has nobody to talk to.
    let nobody = || Problem::not_found("这件工单的评价人信息");
    if seen.sight != Sight::Whole {
        return Err(nobody());
    }
    let store = api.engine.store();
    let known = store.review_of(seen.id).await?.ok_or_else(nobody)?;
    let body = store.personal(&known.reference).await?.ok_or_else(nobody)?;
    let body: Value = serde_json::from_slice(&body).map_err(|_| Problem::fault())?;
    if !body["reviewer"].is_object() {
        return Err(nobody());
    }
    let disclose = Disclose { actor: caller.actor(), purpose };
    let task = Task::Disclose { ticket: seen.id, disclose };
    // No key spares a look its record: who is shown the reviewer again has looked again.
    let done = api.engine.submit(&arrival, task, None).await?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let person = &body["reviewer"];
    let view = UnmaskedView {
        ticket_no: done.ticket_no,
        name: text(&person["name"]),
        phone: text(&person["phone"]),
        id_no: text(&person["id_no"]),
        comment: text(&body["comment"]),
        receipt: done.receipt.map(ReceiptView::from),
    };
    Ok(Json(view))
}
