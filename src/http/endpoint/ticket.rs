//! `GET /v1/tickets/{ticket_no}`: as it is, or as it was at any instant of the past.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use duban_core::time::Instant;
use serde::Deserialize;
use utoipa::IntoParams;

use super::super::Api;
use super::super::body::{Path, Query};
use super::super::caller::Caller;
use super::super::etag::etag;
use super::super::policy::Endpoint;
use super::super::problem::Problem;
use super::super::sight::Sight;
use super::super::view::ticket::TicketView;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct When {
    /// 查看工单在过去某一时刻的样子；不写则为现在
    #[serde(default)]
    #[param(value_type = Option<String>, format = DateTime)]
    pub(super) as_of: Option<Instant>,
}

/// 查看一件工单
#[utoipa::path(
    get, path = "/v1/tickets/{ticket_no}", tag = "tickets",
    params(("ticket_no" = String, Path, example = "HCP20260304000127-5"), When),
    responses(
        (status = 200, description = "工单；ETag 为修订次数（as_of 的没有）", body = TicketView),
        (status = 404, description = "没有，或不在本单位", body = Problem),
        (status = 422, description = "as_of 晚于现在，或早于收到", body = Problem),
    )
)]
pub(crate) async fn get(
    State(api): State<Api>,
    caller: Caller,
    Path(ticket_no): Path<String>,
    Query(When { as_of }): Query<When>,
) -> Result<Response, Problem> {
    let reach = caller.may(Endpoint::ReadTickets)?;
    let seen = api.seen(&reach, &ticket_no).await?;
    if let Some(at) = as_of {
        // Nothing can be done on the past: it has no revision to do it on.
        return Ok(Json(api.view_as_of(&caller, seen, at).await?).into_response());
    }
    let is_whole = seen.sight == Sight::Whole;
    let view = api.view(&caller, seen).await?;
    // What an agency no longer has changes no more for it: there is nothing to compare.
    let etag = is_whole.then(|| etag(view.revision()));
    Ok((etag, Json(view)).into_response())
}
