//! `GET /v1/tickets/{ticket_no}/history`: everything that happened, in order, with the chain.

use axum::Json;
use axum::extract::State;
use duban_core::limits;
use serde::Deserialize;
use utoipa::IntoParams;

use super::super::Api;
use super::super::body::{Path, Query};
use super::super::caller::Caller;
use super::super::policy::Endpoint;
use super::super::problem::Problem;
use super::super::view::event::HistoryView;

/// Events in one answer.
const EVENTS_MAX: u64 = 500;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    /// 从此序号之后起
    #[serde(default)]
    #[param(required = false, minimum = 0, maximum = 10_000)]
    after: u64,
    /// 最多几条（1 至 500）
    #[serde(default)]
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u64>,
}

/// 查看一件工单的全部经过
#[utoipa::path(
    get, path = "/v1/tickets/{ticket_no}/history", tag = "tickets",
    params(("ticket_no" = String, Path, example = "HCP20260304000127-5"), Page),
    responses(
        (status = 200, description = "按先后排列的记录", body = HistoryView),
        (status = 404, description = "没有，或不在本单位", body = Problem),
    )
)]
pub(crate) async fn get(
    State(api): State<Api>,
    caller: Caller,
    Path(ticket_no): Path<String>,
    Query(page): Query<Page>,
) -> Result<Json<HistoryView>, Problem> {
    let reach = caller.may(Endpoint::ReadTickets)?;
    let limit = page.limit.unwrap_or(EVENTS_MAX);
    if !(1..=EVENTS_MAX).contains(&limit) {
        return Err(Problem::field("limit", format!("应为 1 至 {EVENTS_MAX}")));
    }
    if page.after > limits::EVENTS_MAX {
        return Err(Problem::field("after", format!("应为 0 至 {}", limits::EVENTS_MAX)));
    }
    let seen = api.seen(&reach, &ticket_no).await?;
    let until = seen.sight.until(&seen.loaded.instance);
    let store = api.engine.store();
    // From the beginning: a chain is verified as a whole or not at all.
    let end = page.after.saturating_add(limit).min(until);
    let events = store.history(seen.id, 0, end).await?;
    let next = Some(end).filter(|end| *end < until);
    let context = api.engine.knowledge().context();
    let definition = context.definition(&seen.loaded.instance)?;
    let hides = |deadline: &str| definition.hides(deadline, caller.role);
    HistoryView::new(&events, page.after, next, context, hides).map(Json)
}
