//! `/`: where somebody's day begins.

use axum::response::{IntoResponse, Redirect, Response};
use maud::html;

use crate::console::layout;
use crate::console::visit::Visit;

pub(in crate::console) async fn get(visit: Visit) -> Response {
    if let Some(home) = layout::home(&visit.me) {
        return Redirect::to(home).into_response();
    }
    let says = visit.lang.of(
        "本角色没有可看的页面，请使用接口（/docs）。",
        "There are no pages for this role; use the API (/docs).",
    );
    visit.page(visit.lang.of("督办", "duban"), Ok(html! { section.panel { p { (says) } } }))
}
