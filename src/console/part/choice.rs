//! One of some, or any, as a field of a filter. Must never lose what was chosen.

use maud::{Markup, html};

use crate::console::words::Lang;

/// A field with its title.
pub(in crate::console) fn choice<'o>(
    lang: Lang,
    name: &str,
    title: &str,
    all: impl IntoIterator<Item = (&'o str, &'o str)>,
    chosen: &str,
) -> Markup {
    html! {
        label { span { (title) }
            select name=(name) {
                option value="" { (lang.of("不限", "Any")) }
                @for (value, title) in all { option value=(value) selected[value == chosen] { (title) } }
            }
        }
    }
}
