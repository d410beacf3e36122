//! `/live`: that something was committed, as it happens; what it was the page asks for anew. The stream
//! of the API, for whoever holds a session in place of a token, and no longer than that.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;

use crate::console::Console;
use crate::console::visit::{SESSION, Visit, cookie};

/// How often it is looked whether the session is still there.
const LOOK: Duration = Duration::from_secs(15);

pub(in crate::console) async fn get(
    State(console): State<Console>,
    visit: Visit,
    headers: HeaderMap,
) -> Response {
    let mut request = Request::get("/v1/stream");
    if let Some(last) = headers.get("last-event-id") {
        request = request.header("last-event-id", last);
    }
    let Ok(request) = request.body(Body::empty()) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let (head, body) = visit.ask.carry(request).await.into_parts();
    let secret = cookie(&headers, SESSION).unwrap_or_default().to_owned();
    let over = async move {
        while matches!(console.door.inside(&secret, false).await, Ok(Some(_))) {
            tokio::time::sleep(LOOK).await;
        }
    };
    let stream = body.into_data_stream().take_until(Box::pin(over));
    Response::from_parts(head, Body::from_stream(stream))
}
