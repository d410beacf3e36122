//! A definition as a drawing: its steps one below the other, ways on as arcs on the right, ways back on
//! the left. Must never be the only place where a way is told.

use maud::{Markup, html};

use super::workflows::{Step, Way};
use crate::console::part::party;
use crate::console::words::Lang;

/// How far steps are apart, how high and wide they are, and where they begin.
const ROW: i64 = 46;
const HIGH: i64 = 30;
const WIDE: i64 = 190;
const LEFT: i64 = 210;

/// How far an arc over one more step reaches out.
const OUT: i64 = 17;

pub(super) fn draw(lang: Lang, steps: &[Step], ways: &[Way]) -> Markup {
    let place = |name: &str| -> Option<i64> {
        i64::try_from(steps.iter().position(|step| step.name == name)?).ok()
    };
    let height = ROW * i64::try_from(steps.len()).unwrap_or_default() + 8;
    let width = LEFT + WIDE + 210;
    html! {
        svg.ways viewBox={ "0 0 " (width) " " (height) } width=(width) height=(height)
            role="img" aria-label=(lang.of("流程图，各条流转见右表", "Diagram; its ways are told in the table")) {
            defs {
                marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto" {
                    path d="M0 0 8 4 0 8z" {}
                }
            }
            @for way in ways {
                @if let (Some(from), Some(to)) = (place(&way.from), place(&way.to)) {
                    (arc(from, to, &way.by.join("、")))
                }
            }
            @for (row, step) in (0_i64..).zip(steps) {
                @let y = row * ROW + 4;
                g class={ "step " (step.party.as_deref().unwrap_or("nobody")) } {
                    rect x=(LEFT) y=(y) width=(WIDE) height=(HIGH) rx="4" {}
                    text x=(LEFT + 10) y=(y + 20) { (step.title) }
                    text.party x=(LEFT + WIDE - 10) y=(y + 20) { (party::title(lang, step.party.as_deref().unwrap_or_default())) }
                }
            }
        }
    }
}

fn arc(from: i64, to: i64, says: &str) -> Markup {
    let middle = |row: i64| row * ROW + 4 + HIGH / 2;
    let (is_on, far) = (to > from, (to - from).abs());
    let path = if is_on && far == 1 {
        let x = LEFT + WIDE / 2;
        format!("M{x} {} L{x} {}", middle(from) + HIGH / 2, middle(to) - HIGH / 2)
    } else {
        let side = if is_on { LEFT + WIDE } else { LEFT };
        let out = if is_on { side + 14 + OUT * far } else { side - 14 - OUT * far };
        // Those that leave and those that arrive do not meet in one point.
        let (start, end) = (middle(from) + 6, middle(to) - 6);
        format!("M{side} {start} C{out} {start} {out} {end} {side} {end}")
    };
    html! {
        path class=(if is_on { "way" } else { "way back" }) d=(path) marker-end="url(#tip)" { title { (says) } }
    }
}
