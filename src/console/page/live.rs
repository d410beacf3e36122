//! `/live`: that something was committed, as it happens; what it was the page asks for anew. The stream
//! of the API, for whoever holds a session in place of a token.

use axum::body::Body;
use axum::http::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::console::visit::Visit;

pub(in crate::console) async fn get(visit: Visit, headers: HeaderMap) -> Response {
    let mut request = Request::get("/v1/stream");
    if let Some(last) = headers.get("last-event-id") {
        request = request.header("last-event-id", last);
    }
    match request.body(Body::empty()) {
        Ok(request) => visit.ask.carry(request).await,
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}
