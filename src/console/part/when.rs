//! Instants and days as people write them, in the zone of the calendars. Must never show an exclusive
//! end as if that day still counted: what ends at midnight ends at 24:00 of the day before.

use chrono::{DateTime, Datelike, FixedOffset, Timelike};
use duban_core::time::{Day, Instant};

use crate::console::words::Lang;

/// The zone of all calendars, which keeps no summer time: eight hours ahead.
const AHEAD_S: i32 = 8 * 3_600;

const WEEKDAYS: [(&str, &str); 7] = [
    ("周一", "Mon"),
    ("周二", "Tue"),
    ("周三", "Wed"),
    ("周四", "Thu"),
    ("周五", "Fri"),
    ("周六", "Sat"),
    ("周日", "Sun"),
];

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn civil(at: Instant) -> Option<DateTime<FixedOffset>> {
    let zone = FixedOffset::east_opt(AHEAD_S)?;
    Some(DateTime::from_timestamp_millis(at.ms())?.with_timezone(&zone))
}

/// A day: 2月25日（周三）.
pub(in crate::console) fn day(lang: Lang, at: Instant) -> String {
    let Some(civil) = civil(at) else { return String::new() };
    let (chinese, english) = weekday(&civil);
    match lang {
        Lang::Chinese => format!("{}月{}日（{chinese}）", civil.month(), civil.day()),
        Lang::English => format!("{english} {} {}", civil.day(), month(&civil)),
    }
}

/// A minute: 2月25日 10:20.
pub(in crate::console) fn minute(lang: Lang, at: Instant) -> String {
    let Some(civil) = civil(at) else { return String::new() };
    let (hour, minute) = (civil.hour(), civil.minute());
    match lang {
        Lang::Chinese => format!("{}月{}日 {hour:02}:{minute:02}", civil.month(), civil.day()),
        Lang::English => format!("{} {} {hour:02}:{minute:02}", civil.day(), month(&civil)),
    }
}

/// An exclusive end: 2月25日（周三）24:00.
pub(in crate::console) fn end(lang: Lang, at: Instant) -> String {
    let Some(civil) = civil(at) else { return String::new() };
    if !is_midnight(&civil) {
        return minute(lang, at);
    }
    let last = day(lang, at.plus_ms(-1));
    match lang {
        Lang::Chinese => format!("{last}24:00"),
        Lang::English => format!("{last} 24:00"),
    }
}

/// An exclusive end as spreadsheets sort it: 2026-02-25 24:00.
pub(in crate::console) fn sortable_end(at: Instant) -> String {
    match civil(at) {
        Some(civil) if is_midnight(&civil) => format!("{} 24:00", day_of(at.plus_ms(-1))),
        _ => sortable(at),
    }
}

/// An instant as spreadsheets sort it: 2026-03-06 10:00.
pub(in crate::console) fn sortable(at: Instant) -> String {
    field(at).replace('T', " ")
}

fn is_midnight(civil: &DateTime<FixedOffset>) -> bool {
    civil.num_seconds_from_midnight() == 0 && civil.nanosecond() == 0
}

/// The civil day of an instant.
pub(in crate::console) fn day_of(at: Instant) -> Day {
    civil(at).map_or(Day::from_number(0), |civil| Day::from_date(civil.date_naive()))
}

/// The midnight at which a day begins.
pub(in crate::console) fn start_of(day: Day) -> Instant {
    let midnight = day.date().and_time(chrono::NaiveTime::MIN).and_utc();
    Instant::from_ms(midnight.timestamp_millis() - i64::from(AHEAD_S) * 1_000)
}

/// A day with its year and a minute, for what is kept: 2026-02-25 周三 10:20.
pub(in crate::console) fn moment(lang: Lang, at: Instant) -> String {
    let Some(civil) = civil(at) else { return String::new() };
    let (chinese, english) = weekday(&civil);
    let (hour, minute) = (civil.hour(), civil.minute());
    match lang {
        Lang::Chinese => format!("{} {chinese} {hour:02}:{minute:02}", day_of(at)),
        Lang::English => {
            let (day, month, year) = (civil.day(), month(&civil), civil.year());
            format!("{english} {day} {month} {year} {hour:02}:{minute:02}")
        }
    }
}

/// A day with its year: 2026年2月25日.
pub(in crate::console) fn date(lang: Lang, day: Day) -> String {
    let date = day.date();
    match lang {
        Lang::Chinese => format!("{}年{}月{}日", date.year(), date.month(), date.day()),
        Lang::English => date.format("%-d %b %Y").to_string(),
    }
}

/// A weekday alone.
pub(in crate::console) fn weekday_of(lang: Lang, day: Day) -> &'static str {
    let place = usize::try_from(day.date().weekday().num_days_from_monday()).unwrap_or_default();
    let (chinese, english) = WEEKDAYS.get(place).copied().unwrap_or_default();
    lang.of(chinese, english)
}

/// As a browser's field for an instant holds it, in the zone of the calendars: 2026-02-25T10:20.
pub(in crate::console) fn field(at: Instant) -> String {
    civil(at).map(|civil| civil.format("%Y-%m-%dT%H:%M").to_string()).unwrap_or_default()
}

/// The end of the civil day in which an instant lies.
pub(in crate::console) fn end_of_day(at: Instant) -> Instant {
    const DAY_MS: i64 = 86_400_000;
    let ahead = i64::from(AHEAD_S) * 1_000;
    let day = (at.ms() + ahead).div_euclid(DAY_MS);
    Instant::from_ms((day + 1) * DAY_MS - ahead)
}

fn weekday(civil: &DateTime<FixedOffset>) -> (&'static str, &'static str) {
    let place = civil.weekday().num_days_from_monday();
    usize::try_from(place).ok().and_then(|place| WEEKDAYS.get(place)).copied().unwrap_or_default()
}

fn month(civil: &DateTime<FixedOffset>) -> &'static str {
    let place = usize::try_from(civil.month0()).unwrap_or_default();
    MONTHS.get(place).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_at_midnight_ends_on_the_day_before() {
        let at = |text: &str| text.parse::<Instant>().expect("an instant");
        let due = at("2026-02-26T00:00:00+08:00");
        assert_eq!(end(Lang::Chinese, due), "2月25日（周三）24:00");
        assert_eq!(end(Lang::English, due), "Wed 25 Feb 24:00");
        assert_eq!(end(Lang::Chinese, at("2026-02-26T10:20:59+08:00")), "2月26日 10:20");
        assert_eq!(end(Lang::Chinese, due.plus_ms(5)), "2月26日 00:00");
        assert_eq!(sortable_end(due), "2026-02-25 24:00");
        assert_eq!(sortable_end(due.plus_ms(60_000)), "2026-02-26 00:01");
        assert_eq!(moment(Lang::Chinese, due), "2026-02-26 周四 00:00");
        assert_eq!(moment(Lang::English, due), "Thu 26 Feb 2026 00:00");
        assert_eq!(end_of_day(due), at("2026-02-27T00:00:00+08:00"));
        assert_eq!(end_of_day(due.plus_ms(-1)), due);
        assert_eq!(minute(Lang::English, at("2026-12-31T23:59:00+08:00")), "31 Dec 23:59");
    }
}
