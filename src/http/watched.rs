//! What is told of each request: how long it took, by route and status, and, where traces are asked
//! for, a span of its caller's trace. Must never name a path, which names a ticket, nor a word that
//! only the caller knows.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use crate::telemetry::traces;

/// What is asked every few seconds, and says nothing.
const HEALTH: [&str; 3] = ["/livez", "/readyz", "/metrics"];

/// Measures a request, and lets it have its span.
pub(super) async fn watched(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let route = route.unwrap_or_else(|| "unknown".to_owned());
    let span = span(&request, &route);
    let begun = Instant::now();
    let response = next.run(request).instrument(span.clone()).await;
    let status = response.status();
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    metrics::histogram!("duban_http_seconds", "route" => route, "status" => status.as_u16().to_string())
        .record(begun.elapsed().as_secs_f64());
    response
}

fn span(request: &Request, route: &str) -> Span {
    if HEALTH.contains(&route) {
        return Span::none();
    }
    let method = known(request.method());
    let span = tracing::info_span!(
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
    );
    traces::go_on(&span, request.headers());
    span
}

/// A method by a name that is not the caller's own.
const fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}
