//! Bodies and queries of requests, read whole, within limits, and refused with the field that is
//! wrong. Must never repeat a value, nor wait for ever for the rest of a body.

use std::fmt::Write;
use std::time::Duration;

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use duban_core::name::Name;
use futures::StreamExt;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use super::Api;
use super::caller::Caller;
use super::problem::{Kind, Problem};
use crate::vault::Incoming;
use duban_core::unique::{self, Malformed};

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);

/// A body that takes longer than that did not come with its head.
const AT_ONCE: Duration = Duration::from_millis(500);

/// The same of a file; between two pieces of one it may take as long as a body.
const FILE_TIMEOUT: Duration = Duration::from_mins(5);

/// How deep a body may be nested; serde's own limit is the stack's.
const DEPTH_MAX: usize = 32;

/// A JSON body, and its bytes as they came.
pub(crate) struct Body<T> {
    pub(crate) value: T,
    pub(crate) bytes: Bytes,
}

impl<T: DeserializeOwned> FromRequest<Api> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        json_type(request.headers())?;
        let bytes = read(request, api, api.limits.body_bytes).await?;
        let value = json(&bytes)?;
        Ok(Self { value: typed(value)?, bytes })
    }
}

/// Reads a whole body.
pub(crate) async fn read(request: Request, api: &Api, bytes_max: usize) -> Result<Bytes, Problem> {
    plain(request.headers())?;
    let too_large = || {
        let detail = format!("请求体不得超过 {} KiB，且须完整传送", bytes_max / 1024);
        Problem::new(Kind::BodyTooLarge, detail)
    };
    // Whoever asks first whether to send is told at once.
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let announced = announced.and_then(|length| length.parse::<usize>().ok());
    if announced.is_some_and(|length| length > bytes_max) {
        return Err(too_large());
    }
    let (begun, caller) = (Instant::now(), request.extensions().get::<Caller>().cloned());
    let reading = tokio::time::timeout(BODY_TIMEOUT, to_bytes(request.into_body(), bytes_max));
    let read = reading
        .await
        .map_err(|_| Problem::new(Kind::BodyTimeout, "请求体未在 15 秒内传完，请重试"))?;
    let bytes = read.map_err(|_| too_large())?;
    // Meanwhile the token may have been revoked.
    if let Some(caller) = caller.filter(|_| begun.elapsed() > AT_ONCE) {
        caller.still_counts(api).await?;
    }
    Ok(bytes)
}

/// Takes a file in, piece by piece.
pub(crate) async fn receive(
    request: Request,
    bytes_max: u64,
    file: &mut Incoming,
) -> Result<(), Problem> {
    let too_large = || {
        let detail = format!("文件不得超过 {} MB", bytes_max / (1024 * 1024));
        Problem::new(Kind::BodyTooLarge, detail)
    };
    let slow = || {
        let detail = "文件未在 5 分钟内传完，或中断超过 15 秒，请重试";
        Problem::new(Kind::BodyTimeout, detail)
    };
    let mut pieces = request.into_body().into_data_stream();
    let until = Instant::now() + FILE_TIMEOUT;
    loop {
        let last = until.min(Instant::now() + BODY_TIMEOUT);
        let piece = tokio::time::timeout_at(last, pieces.next()).await.map_err(|_| slow())?;
        let Some(piece) = piece else { return Ok(()) };
        let piece = piece.map_err(|_| Problem::bad_request("文件须完整传送"))?;
        if file.bytes + piece.len() as u64 > bytes_max {
            return Err(too_large());
        }
        file.write(&piece).await?;
    }
}

/// Bodies come as they are: one that was packed would be read wrongly.
pub(crate) fn plain(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.contains_key(CONTENT_ENCODING) {
        let detail = "请原样发送请求体，不要使用 Content-Encoding";
        return Err(Problem::new(Kind::UnsupportedMediaType, detail));
    }
    Ok(())
}

/// `application/json` and nothing else: other types could be sent by a foreign page.
pub(crate) fn json_type(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let mut parts = kind.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    // JSON is UTF-8 (RFC 8259); whoever says otherwise would be read wrongly.
    let is_utf8 = |part: &str| match part.split_once('=') {
        Some((name, charset)) if name.trim().eq_ignore_ascii_case("charset") => {
            charset.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    };
    if is_json && parts.all(is_utf8) {
        return Ok(());
    }
    let detail = "请以 Content-Type: application/json 提交，UTF-8 编码";
    Err(Problem::new(Kind::UnsupportedMediaType, detail))
}

/// The JSON of a body. An empty one is an empty form.
pub(crate) fn json(bytes: &[u8]) -> Result<Value, Problem> {
    if bytes.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Problem::malformed(String::new(), "请求体不是 UTF-8 编码".to_owned()))?;
    let value = unique::read(text).map_err(|Malformed { what, line, column }| {
        Problem::malformed(String::new(), format!("{what}：第 {line} 行第 {column} 列"))
    })?;
    check(&value, &mut String::new(), 0)?;
    Ok(value)
}

/// NUL is text in no database; nothing lawful is nested deeply.
fn check(value: &Value, path: &mut String, depth: usize) -> Result<(), Problem> {
    if depth > DEPTH_MAX {
        return Err(Problem::malformed(String::new(), format!("嵌套不得超过 {DEPTH_MAX} 层")));
    }
    match value {
        Value::String(text) if text.contains('\0') => {
            Err(Problem::malformed(path.clone(), "不得含有空字符（NUL）".to_owned()))
        }
        Value::Array(items) => items.iter().enumerate().try_for_each(|(place, item)| {
            let length = path.len();
            let _ = write!(path, "/{place}");
            check(item, path, depth + 1)?;
            path.truncate(length);
            Ok(())
        }),
        Value::Object(fields) => fields.iter().try_for_each(|(name, item)| {
            if name.contains('\0') {
                return Err(Problem::malformed(path.clone(), "字段名不得含有空字符".to_owned()));
            }
            let length = path.len();
            // A name that was sent may be anything, a phone number too: only what could be one of
            // ours is told.
            if Name::ours(name).is_ok() {
                path.push('/');
                path.push_str(name);
            }
            check(item, path, depth + 1)?;
            path.truncate(length);
            Ok(())
        }),
        _ => Ok(()),
    }
}

/// A value of a shape, or which field does not fit it.
pub(crate) fn typed<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let field = pointer(error.path());
        Problem::malformed(field, said(&error.into_inner().to_string()))
    })
}

/// As a JSON pointer, as far as its names could be ours.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => {
                let _ = write!(pointer, "/{index}");
            }
            Segment::Map { key } if Name::ours(key).is_ok() => {
                let _ = write!(pointer, "/{key}");
            }
            _ => break,
        }
    }
    pointer
}

/// What serde says, in Chinese and without the value.
fn said(error: &str) -> String {
    let between = |start: &str| {
        let rest = error.split_once(start)?.1;
        Some(rest.split('`').next().unwrap_or_default().to_owned())
    };
    if let Some(field) = between("missing field `") {
        return format!("缺少 {field}");
    }
    if error.starts_with("unknown field") {
        let known = error.split_once("expected").map(|(_, known)| known).unwrap_or_default();
        let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        if known.is_empty() {
            return "含有没有这个字段；这里不应有任何字段".to_owned();
        }
        return format!("含有没有这个字段；可用：{}", known.join("、"));
    }
    if error.starts_with("unknown variant") {
        let known = error.split_once("expected").map(|(_, known)| known).unwrap_or_default();
        let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        return format!("取值应为：{}", known.join("、"));
    }
    if let Some(field) = between("duplicate field `") {
        return format!("{field} 写了不止一次");
    }
    if error.contains("empty string") {
        return "不能为空；不用这个条件的，请不要写".to_owned();
    }
    let number = error.contains("invalid digit") || error.contains("number too");
    if number || error.starts_with("invalid type") || error.starts_with("invalid value") {
        return "类型不对".to_owned();
    }
    // Our own parsers speak Chinese, and name what they were given between these marks.
    if error.is_ascii() { "值不能用".to_owned() } else { unquoted(error) }
}

/// A sentence without what stands between “”, and the colon before it.
fn unquoted(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('“') {
        plain.push_str(before.trim_end_matches('：'));
        rest = after.rsplit_once('”').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    plain
}

/// A query string; what is not known is refused.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let query = axum::extract::Query::<T>::try_from_uri(&parts.uri).map_err(|error| {
            let inner = std::error::Error::source(&error).map(ToString::to_string);
            let inner = inner.unwrap_or_default();
            // The field stands before what is wrong with it.
            let (field, what) = match inner.split_once(": ") {
                Some((field, what)) if Name::ours(field).is_ok() => (format!("/{field}"), what),
                _ => (String::new(), inner.as_str()),
            };
            Problem::malformed(field, said(what))
        })?;
        Ok(Self(query.0))
    }
}

/// No query, or nothing in a body: what is not known must not look as if it had been heeded.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoQuery {}

/// No body, or an empty object, as its bytes came.
pub(crate) struct NoBody(pub(crate) Bytes);

impl FromRequest<Api> for NoBody {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let kind = json_type(request.headers());
        let bytes = read(request, api, api.limits.body_bytes).await?;
        if !bytes.is_empty() {
            kind?;
            typed::<NoQuery>(json(&bytes)?)?;
        }
        Ok(Self(bytes))
    }
}

/// The parts of a path; one that is no text leads nowhere.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        path.map(|path| Self(path.0)).map_err(|_| Problem::not_found("这个地址"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Shape {
        #[expect(dead_code, reason = "only read into")]
        inner: Inner,
    }

    #[test]
    fn what_our_own_parsers_quote_is_left_out() {
        let at = |text: &str| typed::<duban_core::time::Instant>(Value::from(text));
        for quoted in ["13800001234", "1999-01-01T00:00:00Z", "” 13800001234 “", "“”", "“x"]
        {
            let told = serde_json::to_string(&at(quoted).expect_err("refused")).expect("JSON");
            assert!(!told.contains("13800001234") && !told.contains('“'), "{told}");
            assert!(told.contains('时'), "{told}");
        }
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only read into")]
        count: u32,
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_field_and_without_its_value() {
        let check = |body: &[u8], field: &str, says: &str| {
            let told = json(body).and_then(typed::<Shape>).expect_err("refused");
            let told = serde_json::to_value(told).expect("JSON");
            let error = &told["errors"][0];
            assert_eq!(error["field"], field, "{told}");
            assert!(error["message"].as_str().is_some_and(|one| one.contains(says)), "{told}");
            assert!(!told.to_string().contains("13800001234"), "{told}");
        };
        check(b"{", "", "JSON");
        check(b"", "", "缺少 inner");
        check(b"\xff", "", "UTF-8");
        check(br#"{"inner":{}}"#, "/inner", "缺少 count");
        check(br#"{"inner":{"count":"13800001234"}}"#, "/inner/count", "类型不对");
        check(br#"{"inner":{"count":-1}}"#, "/inner/count", "类型不对");
        check(br#"{"inner":{"count":1,"13800001234":1}}"#, "/inner", "可用：count");
        check(br#"{"inner":{"count":1},"a":"\u0000"}"#, "/a", "空字符");
        check(br#"{"inner":"\ud800"}"#, "", "JSON");
        check(format!("{}{}", "[".repeat(60), "]".repeat(60)).as_bytes(), "", "嵌套");
    }
}
