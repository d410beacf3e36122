//! A light: shape, word and colour, so that none of them alone has to be seen. Must never show a colour
//! without its word.

use maud::{Markup, html};

use crate::console::words::Lang;

/// A light that is to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::console) enum Light {
    Green,
    Yellow,
    Red,
    /// Nothing that could be lit.
    None,
}

impl Light {
    /// As the API names it.
    pub(in crate::console) fn named(word: Option<&str>) -> Self {
        match word {
            Some("green") => Self::Green,
            Some("yellow") => Self::Yellow,
            Some("red") => Self::Red,
            _ => Self::None,
        }
    }

    /// Of a card, as the API names it.
    pub(in crate::console) fn of_card(kind: &str) -> Self {
        match kind {
            "yellow_card" => Self::Yellow,
            "red_card" => Self::Red,
            _ => Self::None,
        }
    }

    pub(in crate::console) const fn class(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Red => "red",
            Self::None => "none",
        }
    }

    const fn word(self, lang: Lang) -> &'static str {
        match self {
            Self::Green => lang.of("绿灯", "Green"),
            Self::Yellow => lang.of("黄灯", "Yellow"),
            Self::Red => lang.of("红灯", "Red"),
            Self::None => lang.of("无灯", "No light"),
        }
    }

    /// The word of a card of this colour.
    pub(in crate::console) const fn card(self, lang: Lang) -> &'static str {
        match self {
            Self::Yellow => lang.of("黄牌", "Yellow card"),
            Self::Red => lang.of("红牌", "Red card"),
            Self::Green | Self::None => lang.of("预警", "Warning"),
        }
    }

    /// The shape alone, beside its word.
    fn shape(self) -> Markup {
        html! {
            svg.shape viewBox="0 0 12 12" aria-hidden="true" {
                @match self {
                    Self::Green | Self::None => { circle cx="6" cy="6" r="4.6" {} }
                    Self::Yellow => { path d="M6 1 11 11H1z" {} }
                    Self::Red => { rect x="1.5" y="1.5" width="9" height="9" {} }
                }
            }
        }
    }
}

/// A light with its word.
pub(in crate::console) fn light(lang: Lang, light: Light) -> Markup {
    html! { span class={ "light " (light.class()) } { (light.shape()) (light.word(lang)) } }
}

/// The same with what it says here in place of its word.
pub(in crate::console) fn lit(lang: Lang, light: Light, says: &str) -> Markup {
    html! {
        span class={ "light " (light.class()) } {
            (light.shape()) span.hidden { (light.word(lang)) " " } (says)
        }
    }
}
