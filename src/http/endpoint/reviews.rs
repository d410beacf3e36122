//! `POST /v1/reviews` and `/v1/reviews/batch`: a bad review becomes a ticket.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::body::{self, Body, NoQuery, Query};
use super::super::caller::Caller;
use super::super::policy::{Endpoint, Reach};
use super::super::problem::Problem;
use super::super::review::Review;
use super::super::{Api, keys};
use crate::engine::{Declined, Task, Turn};

/// The largest batch, in bytes and lines.
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;
const BATCH_LINES_MAX: usize = 5_000;

/// Lines of a batch that are under way at once: two commits full.
const LINES_AT_ONCE: usize = 1_024;

/// A line of a batch.
const LINE: &str = concat!(
    r#"{"review_id": "R20260304-000128", "source": "shenzhen", "class": "matter", "#,
    r#""level": "dissatisfied", "reviewed_at": "2026-03-04T09:12:00+08:00", "channel": "mobile", "#,
    r#""project_no": "4403000126030400001", "#,
    r#""matter": {"code": "440300001", "name": "居住登记"}, "#,
    r#""agency": "SZ007", "district": "440304", "tags": ["110"]}"#,
    "\n"
);

/// What a review became.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Accepted {
    /// None for a good review.
    #[schema(example = "HCP20260304000127-5")]
    ticket_no: Option<String>,
    /// A review that is bad in several dimensions will one day have several.
    tickets: Vec<AcceptedTicket>,
}

/// One ticket of a review.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AcceptedTicket {
    ticket_no: String,
    class: String,
}

/// What became of one line of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LineOutcome {
    /// From 1.
    line: usize,
    status: u16,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    accepted: Option<Accepted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

/// 推送一条评价
#[utoipa::path(
    post, path = "/v1/reviews", tag = "reviews", request_body = Review,
    params(("Idempotency-Key" = Option<String>, Header, description = "重试时使用同一个键")),
    responses(
        (status = 201, description = "差评已成为工单", body = Accepted),
        (status = 200, description = "已受理过的同一评价，或好评（不成为工单）", body = Accepted),
        (status = 409, description = "同一编号、内容不同", body = Problem),
        (status = 422, description = "填写有误", body = Problem),
    )
)]
pub(crate) async fn post(
    State(api): State<Api>,
    caller: Caller,
    Query(NoQuery {}): Query<NoQuery>,
    headers: HeaderMap,
    Body { value: review, bytes }: Body<Review>,
) -> Result<Response, Problem> {
    let reach = caller.may(Endpoint::Review)?;
    let key = keys::keyed(&headers, &caller, "POST /v1/reviews", &bytes, 201)?;
    review.check(&api)?;
    within(&reach, &review)?;
    let (status, repeated, accepted) = if review.is_bad() {
        accept(&api, &caller, review, key).await?
    } else {
        let good = async |_: &Turn| accept(&api, &caller, review, None).await;
        let ((status, _, accepted), repeated) = api.once(key, 0, good).await?;
        (status, repeated, accepted)
    };
    let mut response = (status, Json(accepted)).into_response();
    keys::mark(&mut response, repeated);
    Ok(response)
}

/// 推送一批评价，每行一条 JSON
#[utoipa::path(
    post, path = "/v1/reviews/batch", tag = "reviews",
    params(("Idempotency-Key" = Option<String>, Header, description = "重试时使用同一个键")),
    request_body(
        content = String, content_type = "application/x-ndjson",
        example = json!(LINE),
    ),
    responses(
        (status = 200, description = "逐行的结果，每行一条", body = LineOutcome, content_type = "application/x-ndjson"),
        (status = 400, description = "没有内容、行数过多或不是文本", body = Problem),
    )
)]
pub(crate) async fn post_batch(
    State(api): State<Api>,
    caller: Caller,
    Query(NoQuery {}): Query<NoQuery>,
    request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    let reach = caller.may(Endpoint::Review)?;
    let _slot = api.limits.transfer(caller.token)?;
    let bytes = body::read(request, &api, BATCH_BYTES_MAX).await?;
    let key = keys::keyed(&headers, &caller, "POST /v1/reviews/batch", &bytes, 200)?;
    // A repetition takes the same reviews in, each of which is there.
    let take = async |_: &Turn| outcomes(&api, &caller, &reach, &bytes).await;
    let (text, repeated) = api.once(key, 0, take).await?;
    let kind = [(axum::http::header::CONTENT_TYPE, "application/x-ndjson")];
    let mut response = (kind, text).into_response();
    keys::mark(&mut response, repeated);
    Ok(response)
}

async fn outcomes(
    api: &Api,
    caller: &Caller,
    reach: &Reach,
    bytes: &[u8],
) -> Result<String, Problem> {
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    let lines = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
    // However many there are: one too many is enough.
    let lines: Vec<(usize, &[u8])> = lines.take(BATCH_LINES_MAX + 1).collect();
    if lines.is_empty() {
        return Err(Problem::bad_request("这一批没有内容；请每行写一条评价（JSON）"));
    }
    if lines.len() > BATCH_LINES_MAX {
        return Err(Problem::bad_request(format!("一批不得超过 {BATCH_LINES_MAX} 行")));
    }
    // Many lines are under way together: they share commits, and leave room for others.
    let outcome = |(place, line)| async move {
        let accepted = one_line(api, caller, reach, line).await;
        let line = place + 1;
        match accepted {
            Ok((status, _, accepted)) => {
                let status = status.as_u16();
                LineOutcome { line, status, accepted: Some(accepted), problem: None }
            }
            Err(problem) => {
                let status = problem.status();
                LineOutcome { line, status, accepted: None, problem: Some(problem) }
            }
        }
    };
    let outcomes: Vec<_> = lines.into_iter().map(outcome).collect();
    let mut text = String::new();
    let mut outcomes = std::pin::pin!(stream::iter(outcomes).buffered(LINES_AT_ONCE));
    while let Some(outcome) = outcomes.next().await {
        text.push_str(&serde_json::json!(outcome).to_string());
        text.push('\n');
    }
    Ok(text)
}

async fn one_line(
    api: &Api,
    caller: &Caller,
    reach: &Reach,
    line: &[u8],
) -> Result<(StatusCode, bool, Accepted), Problem> {
    let review: Review = body::typed(body::json(line)?)?;
    review.check(api)?;
    within(reach, &review)?;
    accept(api, caller, review, None).await
}

/// Whoever is bound to a district takes in what lies there.
fn within(reach: &Reach, review: &Review) -> Result<(), Problem> {
    match reach {
        Reach::District(own) if review.district != own.as_str() => {
            Err(Problem::field("district", "只能录入本辖区的评价"))
        }
        _ => Ok(()),
    }
}

async fn accept(
    api: &Api,
    caller: &Caller,
    review: Review,
    key: Option<crate::engine::Keyed>,
) -> Result<(StatusCode, bool, Accepted), Problem> {
    if !review.is_bad() {
        // A good one leaves nothing behind; but what is a ticket already has not become good.
        let name = (review.source.as_str().into(), review.review_id.clone());
        if !api.engine.store().known_reviews(&[name]).await?.is_empty() {
            return Err(Declined::ReviewDiffers.into());
        }
        return Ok((StatusCode::OK, false, Accepted { ticket_no: None, tickets: Vec::new() }));
    }
    let arrival = api.engine.arrive().await;
    let new = review.sealed(api, caller.actor());
    let class = new.opening.class.to_string();
    let done = api.engine.submit(&arrival, Task::Open(Box::new(new)), key).await?;
    // The same key: the same status. The same review by itself: it was there.
    let was_there = done.replayed && !done.repeated;
    let status = if was_there { StatusCode::OK } else { StatusCode::CREATED };
    let ticket_no = done.ticket_no;
    let tickets = vec![AcceptedTicket { ticket_no: ticket_no.clone(), class }];
    Ok((status, done.repeated, Accepted { ticket_no: Some(ticket_no), tickets }))
}
