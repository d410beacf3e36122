//! One clock of a ticket as the oracle keeps it, counted by walking over days.

use super::almanac::{Almanac, Certainty, start_of};
use super::law::Ladder;

/// What became of a rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Armed,
    Fired,
    Withheld,
    PassedOver,
}

/// A rung of a clock: so many working days from the end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bell {
    pub(super) working_days: i64,
    pub(super) at: i64,
    pub(super) is_guessed: bool,
    pub(super) fate: Fate,
}

impl Bell {
    pub(super) fn name(&self) -> String {
        bell_name(self.working_days)
    }
}

pub(super) fn bell_name(working_days: i64) -> String {
    if working_days == 0 { "end".to_owned() } else { format!("{working_days:+}wd") }
}

/// When a clock ends, how sure that is, and when it rings.
#[derive(Clone, Debug)]
pub(super) struct Reckoning {
    pub(super) last_day: i64,
    pub(super) yellow_at: i64,
    pub(super) certainty: Certainty,
    pub(super) missing_years: Vec<i64>,
    /// The publication that was the newest then.
    pub(super) known: Option<i64>,
    pub(super) bells: Vec<Bell>,
}

impl Reckoning {
    pub(super) fn due_at(&self) -> i64 {
        start_of(self.last_day + 1)
    }

    pub(super) fn text(&self) -> String {
        let certainty = match self.certainty {
            Certainty::Firm => "firm",
            Certainty::Provisional => "provisional",
            Certainty::Estimated => "estimated",
        };
        let bells = self.bells.iter().map(|bell| {
            let guessed = if bell.is_guessed { "~" } else { "" };
            format!("{}@{}{guessed}", bell.name(), bell.at)
        });
        format!(
            "due {} yellow {} {certainty} {:?} known {:?} rungs [{}]",
            self.due_at(),
            self.yellow_at,
            self.missing_years,
            self.known,
            bells.collect::<Vec<_>>().join(" ")
        )
    }
}

/// A run of a deadline.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    pub(super) name: &'static str,
    pub(super) number: usize,
    pub(super) generation: usize,
    pub(super) place: usize,
    pub(super) kind: &'static str,
    pub(super) party: &'static str,
    pub(super) agency: Option<String>,
    pub(super) days: i64,
    pub(super) is_natural: bool,
    pub(super) ladder: Ladder,
    /// `running`, `met`, `met_late`, `lapsed` or `cancelled`.
    pub(super) state: &'static str,
    pub(super) why: Option<String>,
    pub(super) from: i64,
    /// The day that does not count.
    pub(super) from_day: i64,
    pub(super) now: Reckoning,
    pub(super) first_due_at: i64,
    pub(super) first_last_day: i64,
    pub(super) granted: Option<i64>,
    pub(super) ended_at: Option<i64>,
    pub(super) ledger: Vec<String>,
}

impl Clock {
    pub(super) fn is_running(&self) -> bool {
        self.state == "running"
    }

    pub(super) fn within(&self) -> String {
        format!("{}{}", self.days, if self.is_natural { "d" } else { "wd" })
    }
}

/// Counts from a start: the day of the start never counts.
pub(super) fn counted(
    almanac: &Almanac,
    known_on: i64,
    (from, from_day): (i64, i64),
    (days, is_natural): (i64, bool),
    ladder: Ladder,
) -> Reckoning {
    if is_natural {
        let mut reckoning =
            around(almanac, known_on, (from, from_day), from_day + days, ladder, from_day);
        reckoning.certainty = Certainty::Firm;
        reckoning.missing_years.clear();
        return reckoning;
    }
    let last = almanac.walk(known_on, from_day, days);
    around(almanac, known_on, (from, from_day), last, ladder, from_day)
}

/// For a last day that somebody set. A rung is as sure as the days between its own and `anchor`.
pub(super) fn around(
    almanac: &Almanac,
    known_on: i64,
    (from, from_day): (i64, i64),
    last_day: i64,
    ladder: Ladder,
    anchor: i64,
) -> Reckoning {
    let (certainty, missing_years) = almanac.certainty(known_on, from_day, last_day);
    let end_of = |working_days: i64| {
        let day = almanac.walk(known_on, last_day, working_days);
        (day, start_of(day + 1))
    };
    let mut bells = Vec::new();
    for (working_days, ..) in ladder {
        let (day, at) = end_of(*working_days);
        if at > from {
            let is_guessed = almanac.certainty(known_on, anchor, day).0 == Certainty::Estimated;
            bells.push(Bell { working_days: *working_days, at, is_guessed, fate: Fate::Armed });
        }
    }
    let known = almanac.publications().rfind(|day| *day <= known_on);
    Reckoning {
        last_day,
        yellow_at: end_of(-1).1.max(from),
        certainty,
        missing_years,
        known,
        bells,
    }
}
