//! What an address leads to that is no page.

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use maud::html;

use crate::console::layout;
use crate::console::visit::lang;

pub(in crate::console) async fn get(headers: HeaderMap) -> Response {
    let lang = lang(&headers);
    let title = lang.of("没有这个页面", "No such page");
    let body = html! {
        section.panel.said.heed {
            h1 { (title) }
            p { (lang.of("地址有误，或页面已经移走。", "The address is wrong, or the page has moved.")) }
            p { a href="/" { (lang.of("回到首页", "Back to the beginning")) } }
        }
    };
    (StatusCode::NOT_FOUND, layout::bare(lang, title, &body)).into_response()
}
