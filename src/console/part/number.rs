//! Figures of tables: each leads to its list, and nothing is a faint dot, so that the eye finds what is
//! not. Must never show a figure without its list.

use maud::{Markup, html};

use super::light::{self, Light};
use crate::console::words::Lang;

/// A count that leads to what it counts.
pub(in crate::console) fn count(count: u64, list: &str) -> Markup {
    html! {
        @if count == 0 { span.zero aria-label="0" { "·" } } @else { a href=(list) { (count) } }
    }
}

/// The same in a light.
pub(in crate::console) fn lit(lang: Lang, count: u64, list: &str, of: Light) -> Markup {
    html! {
        @if count == 0 { span.zero aria-label="0" { "·" } }
        @else { a href=(list) { (light::lit(lang, of, &count.to_string())) } }
    }
}
