//! A year as twelve small tables of days. Must never need colour to be understood.

use std::fmt::Write as _;

use chrono::Datelike;

use crate::cli::text;
use duban_core::calendar::Edition;
use duban_core::time::Day;

/// Columns of a day: two digits and a mark of one Chinese character.
const CELL: usize = 4;
const MONTH: usize = 7 * CELL;
const MONTHS_ABREAST: u32 = 3;
const GAP: &str = "   ";

const RED: &str = "\u{1b}[31m";
const BLUE: &str = "\u{1b}[1;34m";
const PLAIN: &str = "\u{1b}[0m";

/// The working days of a month.
pub(super) fn working_days(edition: &Edition, year: i32, month: u32) -> i32 {
    days_of(year, month).into_iter().filter(|day| edition.is_working(*day)).map(|_| 1).sum()
}

/// The whole year, three months abreast.
pub(super) fn year(edition: &Edition, year: i32, colour: bool) -> String {
    let mut out = String::new();
    for first in (1..=12).step_by(MONTHS_ABREAST as usize) {
        let months: Vec<Vec<String>> = (first..first + MONTHS_ABREAST)
            .map(|number| month(edition, year, number, colour))
            .collect();
        let height = months.iter().map(Vec::len).max().unwrap_or_default();
        let blank = " ".repeat(MONTH);
        for line in 0..height {
            let parts: Vec<&str> = months
                .iter()
                .map(|month| month.get(line).map_or(blank.as_str(), String::as_str))
                .collect();
            let _ = writeln!(out, "{}", parts.join(GAP).trim_end());
        }
        out.push('\n');
    }
    out
}

fn days_of(year: i32, month: u32) -> Vec<Day> {
    (1..=31).filter_map(|day| Day::from_ymd(year, month, day)).collect()
}

/// The lines of one month, each `MONTH` columns wide.
fn month(edition: &Edition, year: i32, month: u32, colour: bool) -> Vec<String> {
    let title = format!("{month}月（{} 个工作日）", working_days(edition, year, month));
    let heads = ["一", "二", "三", "四", "五", "六", "日"];
    let heads = heads.map(|head| text::padded(head, CELL)).concat();
    let mut lines = vec![text::padded(&title, MONTH), heads];
    let mut cells: Vec<String> = Vec::new();
    let days = days_of(year, month);
    let before = days.first().map_or(0, |day| day.date().weekday().num_days_from_monday());
    cells.extend((0..before).map(|_| " ".repeat(CELL)));
    cells.extend(days.iter().map(|day| cell(edition, *day, colour)));
    while !cells.len().is_multiple_of(7) {
        cells.push(" ".repeat(CELL));
    }
    lines.extend(cells.chunks(7).map(<[String]>::concat));
    lines
}

fn cell(edition: &Edition, day: Day, colour: bool) -> String {
    let off = match edition.named(day) {
        Some(named) => Some(named.off),
        None => edition.assumed_holiday(day).map(|_| true),
    };
    let number = format!("{:>2}", day.date().day());
    let (mark, paint) = match off {
        Some(true) => ("休", RED),
        Some(false) => ("班", BLUE),
        None => return number + "  ",
    };
    if colour { format!("{paint}{number}{mark}{PLAIN}") } else { number + mark }
}
