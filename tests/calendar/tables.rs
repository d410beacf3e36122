//! The tables and what is known when, through the library.

use chrono::Weekday;
use duban_core::calendar::{Calendar, Certainty, Unit, Within};
use duban_core::time::{Day, Instant, SHANGHAI};
use proptest::prelude::*;

use super::{day, embedded, instant};

#[test]
fn knowledge_has_a_date() {
    let calendar = embedded();
    assert_eq!(calendar.publications().count(), 13);
    let extended = day("2020-02-01");
    assert!(calendar.known_on(day("2020-01-26")).is_working(extended));
    assert!(!calendar.known_on(day("2020-01-27")).is_working(extended));
    let midnight = instant("2020-01-27T00:00:00+08:00");
    assert!(!calendar.known_at(midnight).is_working(extended));
    assert!(calendar.known_at(midnight.plus_ms(-1)).is_working(extended));
    let nothing = calendar.known_on(day("2014-12-15"));
    assert_eq!(nothing.published(), None);
    assert!(!nothing.covers(2015) && !nothing.is_working(day("2015-10-02")));
    assert_eq!(calendar.latest().published(), Some(day("2025-11-04")));
}

#[test]
fn rungs_move_by_working_days_and_end_at_midnight() {
    let calendar = embedded();
    let check = |k: i32, end: &str| {
        let (_, at) = calendar.latest().shift(day("2026-02-25"), k).expect("in range");
        assert_eq!(at, instant(end), "{k}");
    };
    check(0, "2026-02-26T00:00:00+08:00");
    check(-1, "2026-02-25T00:00:00+08:00");
    check(1, "2026-02-27T00:00:00+08:00");
    check(3, "2026-03-01T00:00:00+08:00");
}

#[test]
fn the_ends_of_the_years_are_none_and_never_a_panic() {
    let calendar = embedded();
    let edition = calendar.latest();
    assert_eq!(edition.add_working_days(day("2099-12-31"), 1), None);
    assert_eq!(edition.add_working_days(day("2000-01-01"), -1), None);
    let numbers = [i32::MIN, i32::MIN + 1, -1, 0, 1, i32::MAX - 1, i32::MAX];
    for number in numbers {
        let far = Day::from_number(number);
        for n in numbers {
            let _ = edition.add_working_days(far, n);
            let _ = edition.add_working_days(day("2026-01-01"), n);
            let _ = edition.shift(day("2099-12-31"), n);
            for unit in [Unit::WorkingDays, Unit::NaturalDays, Unit::NaturalDaysRolled, Unit::Hours]
            {
                let within = Within { amount: n, unit };
                let _ = edition.due(instant("2099-12-31T15:59:59Z"), within);
                let _ = edition.explain(instant("2026-01-01T00:00:00Z"), within);
            }
        }
        let _ = (edition.is_working(far), edition.certainty(far, day("2026-01-01")));
        let _ = edition.working_days_between(far, day("2026-01-01"));
    }
}

#[test]
fn a_calendar_without_holidays_is_firm() {
    let calendar = Calendar::every_day_works(SHANGHAI);
    let edition = calendar.known_on(day("2010-01-01"));
    assert_eq!(edition.add_working_days(day("2099-12-01"), 30), Some(day("2099-12-31")));
    let span = edition.certainty(day("2000-01-01"), day("2099-12-31"));
    assert_eq!(span, (Certainty::Firm, Vec::new()));
}

#[test]
fn periods_keep_their_text() {
    for text in ["10wd", "-3wd", "7d", "7d+roll", "24h", "-24h", "3660d"] {
        let within: Within = text.parse().expect(text);
        assert_eq!(within.to_string(), text);
        let json = serde_json::to_string(&within).expect("JSON");
        assert_eq!(json, format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<Within>(&json).expect("read"), within);
    }
    for text in
        ["", "d", "wd", "-d", "+3d", "3", "3 d", "3D", "0d", "-0h", "3661d", "3wd+roll", "--3d"]
    {
        assert!(text.parse::<Within>().is_err(), "{text}");
    }
}

/// Whether a day is a working day, read off the files without tables.
fn works(calendar: &Calendar, day: Day) -> bool {
    let edition = calendar.latest();
    let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
    let assumed = || !weekend && edition.assumed_holiday(day).is_none();
    edition.named(day).map_or_else(assumed, |named| !named.off)
}

proptest! {
    #[test]
    fn tables_agree_with_counting(number in 12_000..46_000_i32, n in -300..300_i32) {
        let calendar = embedded();
        let edition = calendar.latest();
        let start = Day::from_number(number);
        let mut day = start;
        let mut left = n.abs();
        while left > 0 {
            day = day.plus(n.signum());
            left -= i32::from(works(calendar, day));
        }
        prop_assert_eq!(edition.add_working_days(start, n), Some(day));
        prop_assert_eq!(edition.is_working(start), works(calendar, start));
        let span = number.min(day.number()) + 1..=number.max(day.number());
        let between = span.filter(|number| works(calendar, Day::from_number(*number))).count();
        let between = i32::try_from(between).unwrap_or(i32::MAX) * if n < 0 { -1 } else { 1 };
        prop_assert_eq!(edition.working_days_between(start, day), between);
    }

    #[test]
    fn explanations_come_to_the_due_date(ms in 1_500_000_000_000..1_900_000_000_000_i64, n in 1..120_i32, back in any::<bool>(), kind in 0..4_u8) {
        let calendar = embedded();
        let unit = [Unit::WorkingDays, Unit::NaturalDays, Unit::NaturalDaysRolled, Unit::Hours][usize::from(kind)];
        let back = back && unit != Unit::NaturalDaysRolled;
        let within = Within { amount: if back { -n } else { n }, unit };
        let start = Instant::from_ms(ms);
        let explained = calendar.latest().explain(start, within).expect("in range");
        let due = calendar.latest().due(start, within).expect("in range");
        prop_assert_eq!(&explained.due, &due);
        prop_assert_eq!(explained.days.last().map(|day| day.day), Some(due.day));
        let counted = explained.days.iter().filter_map(|day| day.counted).max();
        prop_assert_eq!(counted, (unit != Unit::Hours).then_some(n));
        let assumed = explained.days.iter().any(|day| day.assumed);
        prop_assert!(!assumed || due.certainty == Certainty::Estimated);
        prop_assert_eq!(due.missing_years.is_empty(), due.certainty != Certainty::Estimated);
    }
}
