//! The server: routes, the document, limits, and an orderly end. Must never answer a panic or an
//! unknown path with anything but a problem.

use std::any::Any;
use std::future::Future;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa_swagger_ui::SwaggerUi;

use super::problem::Problem;
use super::{Api, endpoint};

/// How long requests on their way may take after the service was told to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(15);

/// All routes.
fn router(api: Api) -> Router {
    let (routes, document) = endpoint::all();
    let docs = SwaggerUi::new("/docs").url("/openapi.json", document);
    let set = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    routes
        .with_state(api)
        .fallback(|| async { Problem::not_found("这个地址") })
        .method_not_allowed_fallback(|| async {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            Problem::new(status, "method-not-allowed", "方法不对", "请核对接口文档：/docs")
        })
        .layer(middleware::from_fn(readable))
        .layer(middleware::from_fn(measured))
        .layer(set(header::CACHE_CONTROL, "no-store"))
        .merge(docs)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(set(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(set(header::REFERRER_POLICY, "no-referrer"))
        .layer(set(header::X_FRAME_OPTIONS, "DENY"))
}

/// Answers requests until told to stop; those on their way are finished.
///
/// # Errors
/// The listener fails.
pub async fn serve(
    listener: TcpListener,
    api: Api,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (told, mut heard) = tokio::sync::watch::channel(false);
    let stopping = async move {
        stop.await;
        let _ = told.send(true);
    };
    let serving = axum::serve(listener, router(api)).with_graceful_shutdown(stopping);
    // A client that never ends its request must not keep the service from ending.
    let patience = async move {
        let _ = heard.wait_for(|told| *told).await;
        tokio::time::sleep(DRAIN_TIMEOUT).await;
    };
    tokio::select! {
        served = serving => served,
        () = patience => Ok(()),
    }
}

/// NUL is text in no database; and a path is text.
async fn readable(request: Request, next: Next) -> Response {
    let uri = request.uri();
    let asked = uri.path_and_query().map(PathAndQuery::as_str).unwrap_or_default();
    if asked.to_ascii_lowercase().contains("%00") {
        return Problem::bad_request("地址中不得含有空字符（%00）").into_response();
    }
    next.run(request).await
}

async fn measured(request: Request, next: Next) -> Response {
    // The route, not the path: a path names a ticket.
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let route = route.unwrap_or_else(|| "unknown".to_owned());
    let begun = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    metrics::histogram!("duban_http_seconds", "route" => route, "status" => status)
        .record(begun.elapsed().as_secs_f64());
    response
}

fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a request met a fault of the program");
    Problem::fault().into_response()
}
