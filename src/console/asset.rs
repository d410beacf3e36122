//! What pages are dressed with: one stylesheet, one script, one sign. They change with the program, and
//! their names with them. Must never come from anywhere else.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use duban_core::digest::Digest;

/// A file and its name, which tells what is in it.
struct Asset {
    name: String,
    content_type: &'static str,
    text: &'static str,
}

impl Asset {
    fn new(stem: &str, ending: &str, content_type: &'static str, text: &'static str) -> Self {
        let digest = Digest::of(&[text.as_bytes()]).to_string();
        let name = format!("{stem}-{}.{ending}", &digest[..12]);
        Self { name, content_type, text }
    }
}

static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("console", "css", "text/css; charset=utf-8", include_str!("asset/console.css"))
});

static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("console", "js", "text/javascript; charset=utf-8", include_str!("asset/console.js"))
});

static SIGN: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("duban", "svg", "image/svg+xml", include_str!("asset/duban.svg")));

/// Where the stylesheet lies.
pub(super) fn style() -> String {
    format!("/assets/{}", STYLE.name)
}

/// Where the script lies.
pub(super) fn script() -> String {
    format!("/assets/{}", SCRIPT.name)
}

/// Where the sign of the house lies.
pub(super) fn sign() -> String {
    format!("/assets/{}", SIGN.name)
}

pub(super) async fn get(Path(name): Path<String>) -> Response {
    let all = [&*STYLE, &*SCRIPT, &*SIGN];
    let Some(asset) = all.into_iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type)),
        // Another text has another name.
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
    ];
    (headers, asset.text).into_response()
}
