//! `Idempotency-Key`: the same request again has the same effect once. Must never store a body: a
//! commitment stands in its place.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;

use super::Api;
use super::caller::Caller;
use super::problem::Problem;
use crate::engine::{Keyed, Turn};
use crate::store::RequestKey;

const KEY_BYTES_MAX: usize = 128;

/// The key of a request, if it has one.
pub(crate) fn keyed(
    headers: &HeaderMap,
    caller: &Caller,
    operation: &str,
    body: &Bytes,
    status: u16,
) -> Result<Option<Keyed>, Problem> {
    let Some(key) = readable(headers)? else { return Ok(None) };
    let (subject, operation, key) = (caller.subject.clone(), operation.to_owned(), key.to_owned());
    let key = RequestKey { subject, operation, key };
    Ok(Some(Keyed { key, body: body.as_ref().into(), status }))
}

/// The key that a request names, if it is one.
///
/// # Errors
/// It is none.
pub(crate) fn readable(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(header) = headers.get("idempotency-key") else { return Ok(None) };
    if headers.get_all("idempotency-key").iter().count() > 1 {
        return Err(Problem::bad_request("Idempotency-Key 只能有一个"));
    }
    let key = header.to_str().ok().map(str::trim).filter(|key| {
        (1..=KEY_BYTES_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
    });
    if key.is_none() {
        let detail = format!("Idempotency-Key 应为 1 至 {KEY_BYTES_MAX} 个可见的 ASCII 字符");
        return Err(Problem::bad_request(detail));
    }
    Ok(key)
}

impl Api {
    /// Carries out a request that is no command on one ticket: under a key once, however often it
    /// comes; whether it had come before. A number that the effect depends on is set down with it.
    ///
    /// # Errors
    /// The key is in use or came with another body, or what the work says; nothing is remembered
    /// of a request that was refused.
    pub(crate) async fn once<T>(
        &self,
        key: Option<Keyed>,
        number: i64,
        work: impl AsyncFnOnce(&Turn) -> Result<T, Problem>,
    ) -> Result<(T, bool), Problem> {
        let turn = self.engine.turn(key.as_ref(), number).await?;
        match work(&turn).await {
            Ok(done) => {
                let was_done = turn.is_done;
                self.engine.end_turn(turn, key.map_or(0, |key| key.status)).await;
                Ok((done, was_done))
            }
            Err(problem) => {
                // Only what was refused is as if it had not come: after a fault something may have
                // happened, and a repetition goes on with the same.
                if problem.status() < 500 && !turn.is_repeated {
                    self.engine.give_up_turn(turn).await;
                }
                Err(problem)
            }
        }
    }
}

/// Says that the answer is of a request that came before.
pub(crate) fn mark(response: &mut Response, repeated: bool) {
    if repeated {
        let name = HeaderName::from_static("idempotent-replayed");
        response.headers_mut().insert(name, HeaderValue::from_static("true"));
    }
}
