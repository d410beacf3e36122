//! `GET /v1/tickets/{ticket_no}`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::super::Api;
use super::super::body::{NoQuery, Path, Query};
use super::super::caller::Caller;
use super::super::etag::etag;
use super::super::policy::Endpoint;
use super::super::problem::Problem;
use super::super::view::ticket::TicketView;

/// 查看一件工单
#[utoipa::path(
    get, path = "/v1/tickets/{ticket_no}", tag = "tickets",
    params(("ticket_no" = String, Path, example = "HCP20260304000127-5")),
    responses(
        (status = 200, description = "工单；ETag 为修订次数", body = TicketView),
        (status = 404, description = "没有，或不在本单位", body = Problem),
    )
)]
pub(crate) async fn get(
    State(api): State<Api>,
    caller: Caller,
    Path(ticket_no): Path<String>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Response, Problem> {
    let reach = caller.may(Endpoint::ReadTickets)?;
    let seen = api.seen(&reach, &ticket_no).await?;
    let view = api.view(&caller, seen).await?;
    Ok((etag(view.revision()), Json(view)).into_response())
}
