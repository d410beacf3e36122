//! `POST /v1/clock/advance`: the simulated clock moves, and everything that falls due on the way is
//! worked off before the answer.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use duban_core::calendar::Within;
use duban_core::time::Instant;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::body::{Body, NoQuery, Query};
use super::super::caller::Caller;
use super::super::policy::Endpoint;
use super::super::problem::Problem;
use super::super::{Api, keys};
use crate::engine::{ClockAdvanced, Turn};

/// Where to: an instant, or a period from now.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"by": "3wd"}))]
pub(crate) struct Advance {
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    to: Option<Instant>,
    /// 3wd（到第三个工作日结束）、7d、24h
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "3wd")]
    by: Option<Within>,
}

/// What happened on the way.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AdvancedView {
    /// Where the clock stands now.
    #[schema(value_type = String, format = DateTime)]
    now: Instant,
    /// Instants at which something happened.
    stops: usize,
    /// Tickets that time moved on.
    moved: usize,
    /// Messages that arrived.
    delivered: usize,
}

/// 拨动模拟时钟
#[utoipa::path(
    post, path = "/v1/clock/advance", tag = "operations", request_body = Advance,
    params(("Idempotency-Key" = Option<String>, Header, description = "重试时使用同一个键")),
    responses(
        (status = 200, description = "途中到期的事项已办理完毕", body = AdvancedView),
        (status = 409, description = "不是模拟时钟，或倒拨", body = Problem),
        (status = 422, description = "填写有误", body = Problem),
    )
)]
pub(crate) async fn advance(
    State(api): State<Api>,
    caller: Caller,
    Query(NoQuery {}): Query<NoQuery>,
    headers: HeaderMap,
    Body { value: asked, bytes }: Body<Advance>,
) -> Result<Response, Problem> {
    caller.may(Endpoint::MoveClock)?;
    let key = keys::keyed(&headers, &caller, "POST /v1/clock/advance", &bytes, 200)?;
    let to = target(&api, &asked)?;
    // A period counts from when it was asked for first, however often it is asked for again.
    let (view, repeated) = api.once(key, to.ms(), async |turn| advanced(&api, turn).await).await?;
    let mut response = Json(view).into_response();
    keys::mark(&mut response, repeated);
    Ok(response)
}

async fn advanced(api: &Api, turn: &Turn) -> Result<AdvancedView, Problem> {
    let (engine, to) = (api.engine.clone(), Instant::from_ms(turn.number));
    let advanced = if turn.is_repeated && to <= engine.clock().now() {
        ClockAdvanced::default()
    } else {
        // A caller that goes away must not leave the clock half-way.
        let advanced = tokio::spawn(async move { engine.advance_clock(to).await }).await;
        advanced.map_err(|_| Problem::fault())??
    };
    let ClockAdvanced { stops, moved, delivered } = advanced;
    Ok(AdvancedView { now: api.engine.clock().now(), stops, moved, delivered })
}

/// Where the clock is to go.
fn target(api: &Api, asked: &Advance) -> Result<Instant, Problem> {
    let now = api.engine.clock().now();
    let to = match (asked.to, asked.by) {
        (Some(to), None) => to,
        (None, Some(by)) if by.amount > 0 => {
            let edition = api.engine.knowledge().context().calendar.known_at(now);
            let due = edition.due(now, by);
            due.ok_or_else(|| Problem::field("by", "超出可计算的年份"))?.at
        }
        (None, Some(_)) => return Err(Problem::field("by", "应大于零")),
        _ => return Err(Problem::field("to", "to 和 by 须填且只填一个")),
    };
    let last = duban_core::time::Day::from_ymd(*duban_core::time::YEARS.end(), 1, 1);
    let zone = api.engine.knowledge().context().calendar.zone();
    if last.is_some_and(|last| to > zone.start_of(last)) {
        return Err(Problem::field("to", "超出可计算的年份"));
    }
    Ok(to)
}
