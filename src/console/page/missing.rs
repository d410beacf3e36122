//! What an address leads to that is no page.

use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use crate::console::layout;
use crate::console::told::Told;
use crate::console::visit::lang;

pub(in crate::console) async fn get(headers: HeaderMap) -> Response {
    let lang = lang(&headers);
    let told = Told::nowhere(lang);
    let body = layout::trouble(lang, &told);
    (told.status(), layout::bare(lang, told.title(lang), &body)).into_response()
}
