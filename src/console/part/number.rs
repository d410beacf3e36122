//! Figures of tables: each leads to its list, and nothing is a faint dot, so that the eye finds what is
//! not. Must never show a figure without its list.

use maud::{Markup, html};

use super::light::{self, Light};
use crate::console::words::Lang;

/// A count that leads to what it counts.
pub(in crate::console) fn count(count: u64, list: &str) -> Markup {
    html! {
        @if count == 0 { (nothing()) } @else { a href=(list) { (count) } }
    }
}

/// What there is none of.
fn nothing() -> Markup {
    html! { span.zero { span aria-hidden="true" { "·" } span.hidden { "0" } } }
}

/// The same in a light.
pub(in crate::console) fn lit(lang: Lang, count: u64, list: &str, of: Light) -> Markup {
    html! {
        @if count == 0 { (nothing()) }
        @else { a href=(list) { (light::lit(lang, of, &count.to_string())) } }
    }
}
