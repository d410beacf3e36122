//! From a length and a start to a last day, its light and its rungs.

use super::almanac::{Almanac, Certainty, day_of, start_of};
use super::rules::{Length, Rung};

/// A rung with its instant.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub(super) rung: Rung,
    pub(super) at: i64,
    pub(super) is_estimated: bool,
}

/// What the calendar makes of a deadline.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    pub(super) last_day: i64,
    pub(super) yellow_at: i64,
    pub(super) certainty: Certainty,
    pub(super) missing_years: Vec<i64>,
    pub(super) rungs: Vec<Planned>,
}

impl Schedule {
    /// The exclusive end.
    pub(super) fn due_at(&self) -> i64 {
        start_of(self.last_day + 1)
    }
}

/// From where a deadline counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    pub(super) at: i64,
    /// The day that does not count.
    pub(super) day: i64,
}

impl Start {
    pub(super) fn at(at: i64) -> Self {
        Self { at, day: day_of(at) }
    }
}

/// By the rule, as far as is known on a day.
pub(super) fn by_rule(
    almanac: &Almanac,
    known: i64,
    start: Start,
    length: Length,
    ladder: &[Rung],
) -> Schedule {
    match length {
        Length::WorkingDays(days) => {
            let last = almanac.walk(known, start.day, days);
            around(almanac, known, start, last, ladder, start.day)
        }
        Length::NaturalDays(days) => {
            let last = start.day + days;
            let mut schedule = around(almanac, known, start, last, ladder, start.day);
            schedule.certainty = Certainty::Firm;
            schedule.missing_years.clear();
            schedule
        }
    }
}

/// For a last day that was set by somebody, not counted from the start.
pub(super) fn until(
    almanac: &Almanac,
    known: i64,
    start: Start,
    last: i64,
    ladder: &[Rung],
) -> Schedule {
    around(almanac, known, start, last, ladder, last)
}

/// A rung is as sure as the days between its own and the one from which it is counted.
fn around(
    almanac: &Almanac,
    known: i64,
    start: Start,
    last: i64,
    ladder: &[Rung],
    counted_from: i64,
) -> Schedule {
    let (certainty, missing_years) = almanac.certainty(known, start.day, last);
    let mut rungs = Vec::new();
    for rung in ladder {
        let day = almanac.walk(known, last, rung.0);
        let at = start_of(day + 1);
        if at > start.at {
            let sureness = almanac.certainty(known, counted_from, day).0;
            let is_estimated = sureness == Certainty::Estimated;
            rungs.push(Planned { rung: *rung, at, is_estimated });
        }
    }
    let last_working_day = almanac.last_working_day(known, last);
    Schedule {
        last_day: last,
        yellow_at: start_of(last_working_day).max(start.at),
        certainty,
        missing_years,
        rungs,
    }
}
