//! What a request that is refused early has not yet sent is taken in and thrown away before the
//! answer: callers send first and read then, and would else find a closed connection in place of
//! the reason. Must never keep what it takes, nor ask a caller for more than he would have sent.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use futures::{StreamExt, stream};

/// So much is taken in for nothing: the largest file, and something.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// And for so long.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A body that is read by whoever answers, and then to its end.
#[derive(Clone)]
struct Shared(Arc<Mutex<Option<BodyDataStream>>>);

impl Shared {
    fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, axum::Error>>> {
        let mut body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(pieces) = body.as_mut() else { return Poll::Ready(None) };
        let polled = pieces.poll_next_unpin(cx);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            *body = None;
        }
        polled
    }

    fn has_ended(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Reads on, and throws away. False if that was not the end.
    async fn drain(&self, timeout: Duration) -> bool {
        let mut taken = 0;
        let drained = tokio::time::timeout(timeout, async {
            while taken <= BYTES_MAX {
                match std::future::poll_fn(|cx| self.poll(cx)).await {
                    Some(Ok(piece)) => taken += piece.len() as u64,
                    Some(Err(_)) => return false,
                    None => return true,
                }
            }
            false
        });
        drained.await.unwrap_or(false)
    }
}

/// Answers when the request has been sent, or closes the connection with the answer.
pub(super) async fn drained(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    // Whoever asks first whether to send at all is answered that he need not.
    let asks_first = request.headers().contains_key(header::EXPECT);
    let (head, body) = request.into_parts();
    let body = Shared(Arc::new(Mutex::new(Some(body.into_data_stream()))));
    let read = body.clone();
    let pieces = stream::poll_fn(move |cx| read.poll(cx));
    let mut response = next.run(Request::from_parts(head, Body::from_stream(pieces))).await;
    let was_slow = response.status() == StatusCode::REQUEST_TIMEOUT;
    if !body.has_ended() && (asks_first || was_slow || !body.drain(TIMEOUT).await) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::middleware;
    use axum::routing::post;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    async fn connected() -> TcpStream {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let refused = post(|| async { StatusCode::UNAUTHORIZED });
        let routes = Router::new().route("/", refused).layer(middleware::from_fn(drained));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        TcpStream::connect(address).await.expect("connected")
    }

    async fn head(caller: &mut TcpStream, fields: &str) {
        let head = format!("POST / HTTP/1.1\r\nhost: x\r\n{fields}\r\n");
        caller.write_all(head.as_bytes()).await.expect("sent");
    }

    async fn answer(caller: &mut TcpStream) -> String {
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(caller.read_u8().await.expect("an answer"));
        }
        String::from_utf8(answer).expect("text").to_ascii_lowercase()
    }

    #[tokio::test]
    async fn whoever_sends_first_and_reads_then_finds_the_reason() {
        let mut caller = connected().await;
        for bytes in [20 * 1024 * 1024, 3, 0] {
            head(&mut caller, &format!("content-length: {bytes}\r\n")).await;
            // What comes in a second packet belongs to the same request.
            tokio::time::sleep(Duration::from_millis(20)).await;
            caller.write_all(&vec![b' '; bytes]).await.expect("sent whole");
            let told = answer(&mut caller).await;
            assert!(told.starts_with("http/1.1 401") && !told.contains("close"), "{told}");
        }
    }

    #[tokio::test]
    async fn whoever_asks_first_need_not_send() {
        let mut caller = connected().await;
        head(&mut caller, "content-length: 3\r\nexpect: 100-continue\r\n").await;
        let told = answer(&mut caller).await;
        assert!(told.starts_with("http/1.1 401") && told.contains("connection: close"), "{told}");
    }

    #[tokio::test]
    async fn nobody_is_waited_for_who_does_not_send() {
        let never = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let body = Shared(Arc::new(Mutex::new(Some(never.into_data_stream()))));
        assert!(!body.drain(Duration::from_millis(10)).await);
        let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![0; 65_536])));
        let endless = Body::from_stream(endless);
        let body = Shared(Arc::new(Mutex::new(Some(endless.into_data_stream()))));
        assert!(!body.drain(TIMEOUT).await);
    }
}
