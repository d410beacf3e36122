//! Small charts as SVG, made on the server: a share over time, a share as a bar. Must never stand without
//! the table that says the same in figures.

use maud::{Markup, html};

/// A share at a time, in tenths of a percent.
pub(in crate::console) struct Point {
    pub(in crate::console) name: String,
    pub(in crate::console) share: u64,
}

const WIDE: i64 = 420;
const HIGH: i64 = 150;
const LEFT: i64 = 40;
const BOTTOM: i64 = 22;
const WHOLE: i64 = 1_000;

/// A line through shares, from nothing to all of it.
pub(in crate::console) fn line(label: &str, points: &[Point]) -> Markup {
    let count = i64::try_from(points.len()).unwrap_or(1);
    let x = |place: i64| LEFT + 14 + (WIDE - LEFT - 34) * place / (count - 1).max(1);
    let y = |share: i64| 12 + (HIGH - BOTTOM - 12) * (WHOLE - share) / WHOLE;
    let at =
        |(place, point): (i64, &Point)| (x(place), y(i64::try_from(point.share).unwrap_or(WHOLE)));
    let path: Vec<String> =
        (0_i64..).zip(points).map(at).map(|(x, y)| format!("{x},{y}")).collect();
    html! {
        svg.chart viewBox={ "0 0 " (WIDE) " " (HIGH) } role="img" aria-label=(label) {
            @for share in [0, 500, 1_000] {
                line.rule x1=(LEFT) x2=(WIDE) y1=(y(share)) y2=(y(share)) {}
                text.axis x=(LEFT - 6) y=(y(share) + 4) { (share / 10) "%" }
            }
            polyline points=(path.join(" ")) {}
            @for (place, point) in (0_i64..).zip(points) {
                @let (x, y) = at((place, point));
                circle cx=(x) cy=(y) r="3" { title { (point.name) ": " (point.share / 10) "." (point.share % 10) "%" } }
                text.name x=(x) y=(HIGH - 6) { (point.name.get(2..).unwrap_or_default()) }
            }
        }
    }
}

/// A share as a bar below what it is of.
pub(in crate::console) fn bar(share: Option<u64>) -> Markup {
    html! {
        @if let Some(share) = share {
            svg.share viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" {
                rect.all width="1000" height="10" {}
                rect.kept width=(share) height="10" {}
            }
        }
    }
}
