//! `ETag` and `If-Match`: a ticket's revision. Must never be used for caching: lights change
//! without it.

use axum::http::header::{ETAG, IF_MATCH};
use axum::http::{HeaderMap, HeaderValue};

use super::problem::Problem;

/// The revision that a caller saw, if he says.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<Option<u32>, Problem> {
    let Some(header) = headers.get(IF_MATCH) else { return Ok(None) };
    if headers.get_all(IF_MATCH).iter().count() > 1 {
        return Err(Problem::bad_request("If-Match 只能有一个"));
    }
    let wrong = || Problem::bad_request("If-Match 应为工单的 ETag，例如 \"3\"");
    let text = header.to_str().map_err(|_| wrong())?.trim();
    if text == "*" {
        return Ok(None);
    }
    let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    quoted.and_then(|text| text.parse().ok()).map(Some).ok_or_else(wrong)
}

/// The header of a revision.
pub(crate) fn etag(revision: u32) -> [(axum::http::HeaderName, HeaderValue); 1] {
    // Digits between quotation marks are always a header value.
    let value = HeaderValue::from_str(&format!("\"{revision}\""));
    [(ETAG, value.unwrap_or_else(|_| HeaderValue::from_static("\"0\"")))]
}
