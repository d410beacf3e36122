//! The server: routes, the document, limits, and an orderly end. Must never answer a panic or an
//! unknown path with anything but a problem.

use std::any::Any;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use percent_encoding::percent_decode_str;
#[cfg(target_os = "linux")]
use socket2::SockFilter;
use socket2::SockRef;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use tokio_io_timeout::TimeoutStream;
use tower_http::add_extension::AddExtension;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa_swagger_ui::SwaggerUi;

use super::drained::drained;
use super::problem::{Kind, Problem};
use super::watched::watched;
use super::{Api, document, endpoint};

/// How long callers are waited for.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// For the head of a request, and for the next request on the same connection.
    head: Duration,
    /// For a caller who takes nothing of an answer.
    write: Duration,
}

const PATIENCE: Patience =
    Patience { head: Duration::from_secs(15), write: Duration::from_secs(30) };

/// Connections at once. Each costs some memory and a handle of the system.
const CONNECTIONS_MAX: usize = 4_096;

/// After a connection that could not be accepted: the system is short of handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long requests on their way may take after the service was told to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a node that no longer listens still takes in whom the system has already connected:
/// until nobody has come for the first, and at most for the second, however many go on coming.
const LAST_CALLERS: Duration = Duration::from_millis(10);
const LAST_CALLERS_MAX: Duration = Duration::from_millis(500);

/// How long a node that goes still answers on the connections that it has while other nodes are
/// there: each is closed with its next answer, and new ones are refused, so that callers come back to
/// another node, instead of running into a connection that is closing.
const LEAVING: Duration = Duration::from_secs(1);

/// The same where there is no other node: until those who were just taken in have been read.
const LEAVING_ALONE: Duration = Duration::from_millis(100);

/// What is served beside the API.
pub struct Pages {
    /// Their routes; none of them is the API's.
    pub routes: Router,
    /// What an address leads to that is nobody's.
    pub missing: Router,
}

/// All routes; of a node that does not answer requests, those that tell how it is. Pages are given the
/// API itself, to ask it as anybody else would.
fn router(api: Api, pages: impl FnOnce(Router) -> Pages) -> Router {
    let described = document(api.engine.knowledge().context().shelf);
    let docs = SwaggerUi::new("/docs").external_url_unchecked("/openapi.json", described);
    let set = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    let leaving = api.leaving.clone();
    let nothing = || async { Problem::not_found("这个地址") };
    let watched = || middleware::from_fn(watched);
    let routes = if api.answers {
        let own = endpoint::all().0.route("/v1/{*rest}", any(nothing)).with_state(api);
        // What is no text is told to programs here, and by pages themselves.
        let own = own.layer(middleware::from_fn(readable)).layer(watched());
        let Pages { routes, missing } = pages(own.clone());
        own.merge(routes.layer(watched())).fallback_service(missing)
    } else {
        let own = endpoint::of_health().with_state(api).layer(watched()).fallback(nothing);
        own.layer(middleware::from_fn(readable))
    };
    routes
        .method_not_allowed_fallback(|| async {
            Problem::new(Kind::MethodNotAllowed, "请核对接口文档：/docs")
        })
        .layer(set(header::CACHE_CONTROL, "no-store"))
        .merge(docs)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(set(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(set(header::REFERRER_POLICY, "no-referrer"))
        .layer(set(header::X_FRAME_OPTIONS, "DENY"))
        .layer(middleware::from_fn(drained))
        .layer(middleware::from_fn_with_state(leaving, hang_up))
}

/// The last answer on a connection to a node that goes.
async fn hang_up(
    State(leaving): State<watch::Receiver<bool>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    if *leaving.borrow() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Answers requests until told to stop; those on their way are finished.
pub async fn serve(
    listener: TcpListener,
    mut api: Api,
    pages: impl FnOnce(Router) -> Pages,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    // Streams end by themselves when told to.
    let (tell, told) = watch::channel(false);
    api.stopping = told;
    let (leave, leaving) = watch::channel(false);
    api.leaving = leaving;
    let has_others = !api.engine.store().is_embedded();
    let stop = async move {
        stop.await;
        leave.send_replace(true);
    };
    let uploads = Arc::clone(&api.uploads);
    let graceful = accept(listener, router(api, pages), PATIENCE, stop).await;
    tokio::time::sleep(if has_others { LEAVING } else { LEAVING_ALONE }).await;
    tell.send_replace(true);
    // A client that never ends its request must not keep the service from ending.
    let _ = tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await;
    // What came in whole is finished, also where nobody waits for the answer.
    let _ = tokio::time::timeout(DRAIN_TIMEOUT, uploads.write()).await;
}

/// Lets nobody new in, while those whom the system has taken in, or is about to, still come through:
/// whoever stood in the queue when the socket closes would be cut off after he had asked. He who is
/// turned away calls again after a second, and is refused, if the node is gone by then.
///
/// A short queue would not do: its caller is connected by his own account before he stands in it.
#[cfg(target_os = "linux")]
fn turn_away(listener: &TcpListener) {
    // Classic BPF on what comes for this port, from the TCP header on (RFC 9293, 3.1): the flags are
    // its 14th byte; a call that begins has SYN among them.
    const SYN: u32 = 0x02;
    let filter = [
        SockFilter::new(0x30, 0, 0, 13),       // load the byte there
        SockFilter::new(0x45, 0, 1, SYN),      // is the bit set?
        SockFilter::new(0x06, 0, 0, 0),        // then nothing of it
        SockFilter::new(0x06, 0, 0, u32::MAX), // else all of it
    ];
    if let Err(error) = SockRef::from(listener).attach_filter(&filter) {
        tracing::warn!(%error, "new connections cannot be turned away before the end");
    }
}

#[cfg(not(target_os = "linux"))]
fn turn_away(listener: &TcpListener) {
    let _ = SockRef::from(listener).listen(0);
}

/// Takes connections until told to stop; what is left of them then.
async fn accept(
    listener: TcpListener,
    routes: Router,
    patience: Patience,
    stop: impl Future<Output = ()>,
) -> GracefulShutdown {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(patience.head);
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    tokio::pin!(stop);
    let mut stopped: Option<Instant> = None;
    loop {
        let accepted = async {
            // Whoever finds no slot waits in the system's queue until one is free.
            let slot = Arc::clone(&slots).acquire_owned().await;
            (listener.accept().await, slot)
        };
        tokio::pin!(accepted);
        let (accepted, slot) = if let Some(stopped) = stopped {
            // Whom the system has taken in already is answered: closing would cut them off.
            let until = (Instant::now() + LAST_CALLERS).min(stopped + LAST_CALLERS_MAX);
            match tokio::time::timeout_at(until, accepted).await {
                Ok(accepted) => accepted,
                Err(_) => return graceful,
            }
        } else {
            tokio::select! {
                accepted = accepted => accepted,
                () = &mut stop => {
                    stopped = Some(Instant::now());
                    turn_away(&listener);
                    continue;
                }
            }
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Answers are small: waiting to fill a packet would only make them late.
        let _ = stream.set_nodelay(true);
        // Whoever takes nothing any more must not hold what was to be sent.
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(patience.write));
        let stream = TokioIo::new(Box::pin(stream));
        let service = AddExtension::new(routes.clone(), ConnectInfo(peer));
        let connection = http.serve_connection(stream, TowerToHyperService::new(service));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // How a caller hangs up is nobody's concern.
            let _ = connection.await;
            drop(slot);
        });
    }
}

/// NUL is text in no database; and a path is text.
async fn readable(request: Request, next: Next) -> Response {
    let uri = request.uri();
    let asked = uri.path_and_query().map(PathAndQuery::as_str).unwrap_or_default();
    if asked.to_ascii_lowercase().contains("%00") {
        return Problem::bad_request("地址中不得含有空字符（%00）").into_response();
    }
    if percent_decode_str(asked).decode_utf8().is_err() {
        return Problem::bad_request("地址须为 UTF-8 编码（%E6%8E%92 之类）").into_response();
    }
    next.run(request).await
}

fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a request met a fault of the program");
    Problem::fault().into_response()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use axum::body::{Body, Bytes};
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    /// Tells that it is gone.
    struct Held(Arc<AtomicBool>);

    impl Drop for Held {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Release);
        }
    }

    #[tokio::test]
    async fn what_nobody_takes_is_not_held_for_ever() {
        let gone = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&gone);
        let endless = move || {
            let held = Held(Arc::clone(&gone));
            let pieces = futures::stream::unfold(held, |held| async {
                Some((Ok::<_, std::io::Error>(Bytes::from(vec![7; 65_536])), held))
            });
            async { Body::from_stream(pieces) }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let patience =
            Patience { head: Duration::from_secs(15), write: Duration::from_millis(200) };
        let routes = Router::new().route("/", get(endless));
        tokio::spawn(accept(listener, routes, patience, std::future::pending()));
        let mut caller = TcpStream::connect(address).await.expect("connected");
        caller.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("asked");
        // As long as he takes something, it comes.
        let mut piece = vec![0; 4 * 1024 * 1024];
        for _ in 0..8 {
            caller.read_exact(&mut piece).await.expect("a piece");
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
        assert!(!seen.load(Ordering::Acquire), "held while it is being taken");
        for _ in 0..100 {
            if seen.load(Ordering::Acquire) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("an answer that nobody takes is still held");
    }

    /// Comes again and again, each time anew, until refused; how many came in vain, and how many not.
    async fn comes_back(address: std::net::SocketAddr) -> [usize; 2] {
        let mut count = [0, 0];
        while let Ok(mut caller) = TcpStream::connect(address).await {
            let asked = caller.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
            let mut answer = Vec::new();
            let answered = asked.await.is_ok() && caller.read_to_end(&mut answer).await.is_ok();
            count[usize::from(answered && !answer.is_empty())] += 1;
        }
        count
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn whoever_is_connected_when_it_ends_is_answered() {
        for _ in 0..10 {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("an address");
            let routes = Router::new().route("/", get(async || "here"));
            let stop = tokio::time::sleep(Duration::from_millis(60));
            let ended = tokio::spawn(accept(listener, routes, PATIENCE, stop));
            let callers = (0..32).map(|_| tokio::spawn(comes_back(address)));
            let counts = futures::future::join_all(callers).await;
            ended.await.expect("an end").shutdown().await;
            for count in counts {
                let [in_vain, answered] = count.expect("a caller");
                assert_eq!(in_vain, 0, "beside {answered} who were answered");
                assert!(answered > 0);
            }
        }
    }
}
