//! A deadline as the law counts it: one block for each of its working days, whatever the days off
//! between; past ones filled in the light's colour, today outlined. Must never draw a day off.

use maud::{Markup, html};

use super::light::Light;
use crate::console::words::Lang;

/// More blocks than that say nothing.
const BLOCKS_MAX: u32 = 40;

/// The working days of a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::console) struct Days {
    /// How many it has.
    pub(in crate::console) all: u32,
    /// How many are left, today included.
    pub(in crate::console) left: u32,
    /// Whether one of them is today.
    pub(in crate::console) is_today: bool,
}

impl Days {
    /// The working day that is under way, from 1.
    pub(in crate::console) const fn day(self) -> u32 {
        self.all.saturating_sub(self.left) + self.is_today as u32
    }
}

/// The blocks of a deadline.
pub(in crate::console) fn pips(lang: Lang, days: Days, light: Light) -> Markup {
    let Days { all, left, is_today } = days;
    if all > BLOCKS_MAX {
        return html! {};
    }
    let past = all.saturating_sub(left);
    let says = match lang {
        Lang::Chinese => format!("共 {all} 个工作日，余 {left} 个"),
        Lang::English => format!("{left} of {all} working days left"),
    };
    let class = |day: u32| match day {
        day if day < past => Some("past"),
        day if day == past && is_today => Some("today"),
        _ => None,
    };
    html! {
        span class={ "pips " (light.class()) } role="img" aria-label=(says) {
            @for day in 0..all { i class=[class(day)] {} }
        }
    }
}
