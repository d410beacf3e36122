//! A caller that costs little: one connection, one request after another, so that what is measured is
//! the service and not whoever calls it. Must never follow, repeat or hide anything.

use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use reqwest::{Body, Response};
use tokio::net::TcpStream;

use super::served::broken;
use crate::cli::Failure;

/// A connection of somebody with a token.
pub(super) struct Connection {
    sender: SendRequest<Body>,
    host: HeaderValue,
    bearer: HeaderValue,
}

impl Connection {
    /// To `http://HOST:PORT`.
    pub(super) async fn open(address: &str, token: &str) -> Result<Self, Failure> {
        let failed = || broken(address);
        let host = address.trim_start_matches("http://");
        let stream = TcpStream::connect(host).await.map_err(|_| failed())?;
        stream.set_nodelay(true).map_err(|_| failed())?;
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|_| failed())?;
        tokio::spawn(async move {
            // How it ended is seen by whoever asks next.
            let _ = connection.await;
        });
        let value = |text: &str| HeaderValue::from_str(text).map_err(|_| failed());
        Ok(Self { sender, host: value(host)?, bearer: value(&format!("Bearer {token}"))? })
    }

    /// Status and body of an answer.
    pub(super) async fn call(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(u16, Bytes), Failure> {
        let request = Request::builder().method(method).uri(path);
        let request = request.header(HOST, &self.host).header(AUTHORIZATION, &self.bearer);
        let request = request.header(CONTENT_TYPE, "application/json").body(Body::from(body));
        let request = request.map_err(|_| broken(path))?;
        self.sender.ready().await.map_err(|_| broken(path))?;
        let answer = self.sender.send_request(request).await.map_err(|_| broken(path))?;
        let status = answer.status().as_u16();
        let answer = Response::from(answer.map(Body::wrap));
        Ok((status, answer.bytes().await.map_err(|_| broken(path))?))
    }
}
