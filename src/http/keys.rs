//! `Idempotency-Key`: the same request again has the same effect once. Must never store a body: a
//! commitment stands in its place.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;

use super::caller::Caller;
use super::problem::Problem;
use crate::engine::Keyed;
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
    let Some(header) = headers.get("idempotency-key") else { return Ok(None) };
    let key = header.to_str().ok().map(str::trim).filter(|key| {
        (1..=KEY_BYTES_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
    });
    let Some(key) = key else {
        let detail = format!("Idempotency-Key 应为 1 至 {KEY_BYTES_MAX} 个可见的 ASCII 字符");
        return Err(Problem::bad_request(detail));
    };
    let (subject, operation, key) = (caller.subject.clone(), operation.to_owned(), key.to_owned());
    let key = RequestKey { subject, operation, key };
    Ok(Some(Keyed { key, body: body.as_ref().into(), status }))
}

/// Says that the answer is of a request that came before.
pub(crate) fn mark(response: &mut Response, repeated: bool) {
    if repeated {
        let name = HeaderName::from_static("idempotent-replayed");
        response.headers_mut().insert(name, HeaderValue::from_static("true"));
    }
}
