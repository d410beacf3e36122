//! The timeline as SVG: made on the server, dressed by the stylesheet, fit for print. Must never say
//! anything by colour alone.

use std::collections::BTreeMap;

use chrono::Datelike;
use duban_core::time::{Day, Instant};
use maud::{Markup, html};

use super::{Bar, Look, Mark, Row, Timeline};
use crate::console::part::when;
use crate::console::shape::days::{Days, Work};
use crate::console::words::Lang;

/// Where days begin: what is before holds the titles of rows.
const LEFT: i64 = 128;

/// How wide all days are together where they are few.
const WIDE: i64 = 1_180;

/// A day is never narrower.
const DAY_MIN: i64 = 9;

/// Below that a day's number is not written.
const NUMBERED: i64 = 20;

/// Where rows begin, and how high one is.
const TOP: i64 = 46;
const ROW: i64 = 30;

const DAY_MS: i64 = 86_400_000;

/// How wide a letter of the small type is at most; Chinese ones are.
const LETTER: i64 = 12;

/// Days as places.
struct Scale {
    origin: Instant,
    day: i64,
    days: i64,
}

impl Scale {
    fn at(&self, at: Instant) -> i64 {
        let within = (at.ms() - self.origin.ms()).clamp(0, self.days * DAY_MS);
        LEFT + within * self.day / DAY_MS
    }

    const fn right(&self) -> i64 {
        LEFT + self.days * self.day
    }
}

/// Draws it.
pub(in crate::console) fn draw(lang: Lang, timeline: &Timeline, days: &Days) -> Markup {
    let Timeline { from, to, now, is_open, rows } = timeline;
    let all: Vec<Day> = (from.number()..=to.number()).map(Day::from_number).collect();
    let count = i64::try_from(all.len()).unwrap_or(1).max(1);
    let scale =
        Scale { origin: when::start_of(*from), day: (WIDE / count).max(DAY_MIN), days: count };
    let bottom = TOP + ROW * i64::try_from(rows.len()).unwrap_or_default();
    let (width, height) = (scale.right() + 8, bottom + 22);
    let label = lang.of("办理过程时间轴，详见下方经过", "Timeline; told in words below");
    html! {
        svg.timeline viewBox={ "0 0 " (width) " " (height) } width=(width) height=(height)
            role="img" aria-label=(label) {
            (axis(lang, &scale, &all, days, bottom))
            @for (place, row) in (0_i64..).zip(rows) {
                (line(&scale, row, TOP + place * ROW))
            }
            @if *is_open {
                line.now x1=(scale.at(*now)) x2=(scale.at(*now)) y1=(TOP - 20) y2=(bottom) {}
                text.now x=(scale.at(*now)) y=(bottom + 16) {
                    (lang.of("现在", "Now")) " " (&when::field(*now)[11..])
                }
            }
        }
    }
}

/// Months, days, and which of them are off or made up for.
fn axis(lang: Lang, scale: &Scale, all: &[Day], days: &Days, bottom: i64) -> Markup {
    let x = |day: Day| scale.at(when::start_of(day));
    let numbered = scale.day >= NUMBERED;
    let is_first = |day: Day| all.first() == Some(&day) || day.date().day() == 1;
    let shown = |day: Day| numbered || day.date().day().is_multiple_of(5);
    html! {
        @for day in all {
            @let work = days.work(*day);
            @if work != Work::Ordinary {
                rect class=(ground(work)) x=(x(*day)) y=(TOP - 18) width=(scale.day) height=(bottom - TOP + 18) {}
            }
            @if is_first(*day) {
                text.month x=(x(*day) + 2) y="12" { (month(lang, *day)) }
            }
            @if shown(*day) {
                text.day x=(x(*day) + scale.day / 2) y=(TOP - 5) { (day.date().day()) }
            }
            @if numbered && matches!(work, Work::MakeUp | Work::Holiday) {
                text class={ "day " (ground(work)) } x=(x(*day) + scale.day / 2) y=(bottom + 16) {
                    @if work == Work::MakeUp { (lang.of("班", "work")) } @else { (lang.of("休", "off")) }
                }
            }
        }
        (holidays(lang, scale, all, days))
    }
}

/// Each holiday by name, with the notice that arranges it, over its first day off.
fn holidays(lang: Lang, scale: &Scale, all: &[Day], days: &Days) -> Markup {
    let mut first: BTreeMap<(i32, &str), (Day, Option<&str>)> = BTreeMap::new();
    for day in all {
        if let Some(named) = days.named(*day).filter(|named| !named.working) {
            let key = (day.year(), named.holiday.as_str());
            first.entry(key).or_insert((*day, named.notice.as_deref()));
        }
    }
    html! {
        @for ((_, holiday), (day, notice)) in &first {
            @let x = scale.at(when::start_of(*day));
            text.holiday x=(x + 2) y="26" {
                (holiday)
                @match notice {
                    Some(notice) => { " " (notice) }
                    None => { (lang.of("（推定）", " (assumed)")) }
                }
            }
        }
    }
}

const fn ground(work: Work) -> &'static str {
    match work {
        Work::MakeUp => "makeup",
        Work::Holiday | Work::Weekend => "off",
        Work::Ordinary => "",
    }
}

fn month(lang: Lang, day: Day) -> String {
    let date = day.date();
    match lang {
        Lang::Chinese => format!("{}年{}月", date.year(), date.month()),
        Lang::English => date.format("%b %Y").to_string(),
    }
}

fn line(scale: &Scale, row: &Row, y: i64) -> Markup {
    html! {
        line.rule x1="0" x2=(scale.right()) y1=(y + ROW) y2=(y + ROW) {}
        text.title x="0" y=(y + 19) { (row.title) }
        @for bar in &row.bars { (stretch(scale, bar, y)) }
        @for mark in &row.marks { (reached(scale, mark, y)) }
    }
}

fn stretch(scale: &Scale, bar: &Bar, y: i64) -> Markup {
    let (from, to) = (scale.at(bar.from), scale.at(bar.to));
    let width = (to - from).max(2);
    let look = match bar.look {
        Look::Plain => "bar plain",
        Look::Lit(light) => return lit(scale, bar, y, light.class()),
        Look::Late => "bar late",
        Look::Coming => "bar coming",
    };
    html! {
        rect class=(look) x=(from) y=(y + 7) width=(width) height="16" rx="2" {
            @if !bar.says.is_empty() { title { (bar.says) } }
        }
        (said(bar, from, width, y, look))
    }
}

fn lit(scale: &Scale, bar: &Bar, y: i64, light: &str) -> Markup {
    let (from, to) = (scale.at(bar.from), scale.at(bar.to));
    let (width, look) = ((to - from).max(2), format!("bar {light}"));
    html! {
        rect class=(look) x=(from) y=(y + 7) width=(width) height="16" rx="2" {}
        (said(bar, from, width, y, &look))
    }
}

/// What a bar says, where there is room for it.
fn said(bar: &Bar, from: i64, width: i64, y: i64, look: &str) -> Markup {
    let letters = i64::try_from(bar.says.chars().count()).unwrap_or(i64::MAX);
    let fits = letters.saturating_mul(LETTER) + 8 <= width;
    // Where it became late stands a card.
    let inset = if bar.look == Look::Late { 12 } else { 5 };
    html! {
        @if fits && letters > 0 {
            text class={ "says " (look) } x=(from + inset) y=(y + 19) { (bar.says) }
        }
    }
}

/// A rung: a line, dashed while it is to come; a card beside it as a card.
fn reached(scale: &Scale, mark: &Mark, y: i64) -> Markup {
    let x = scale.at(mark.at);
    let coming = if mark.is_coming { "coming" } else { "" };
    html! {
        g class={ "mark " (mark.light.class()) " " (coming) } {
            title { (mark.says) }
            line x1=(x) x2=(x) y1=(y + 3) y2=(y + 27) {}
            @if mark.is_card { rect x=(x - 4) y=(y + 8) width="9" height="13" rx="1.5" {} }
        }
    }
}
