//! From a rule and a start to instants: due, yellow and rungs; and from runs to the next thing
//! that falls due. Must never look at anything but its arguments.

use serde::{Deserialize, Serialize};

use super::run::{Run, RungState, State};
use crate::calendar::{Certainty, Due, Edition, Unit, Within};
use crate::definition::{Kind, Rung, RungAt};
use crate::name::Name;
use crate::time::{Day, Instant};

/// A rung with its instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedRung {
    /// Which.
    pub rung: RungAt,
    /// When it fires.
    pub at: Instant,
    /// Whether that instant rests on assumed days.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
}

/// What the calendar makes of a rule and a start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// The last day.
    pub due_day: Day,
    /// The exclusive end.
    pub due_at: Instant,
    /// From when it is yellow.
    pub yellow_at: Instant,
    /// How sure the due instant is.
    pub certainty: Certainty,
    /// The years without a notice in the span.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_years: Vec<i32>,
    /// The calendar by which it was computed.
    pub calendar: Name,
    /// The newest publication that the computation knew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_on: Option<Day>,
    /// The rungs after the start, in order of time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rungs: Vec<PlannedRung>,
}

impl Schedule {
    /// Computes a schedule by a rule. None beyond the years that duban computes in.
    #[must_use]
    pub fn by_rule(
        edition: &Edition,
        start: Instant,
        within: Within,
        ladder: &[Rung],
    ) -> Option<Self> {
        let due = edition.due(start, within)?;
        let anchor = edition.zone().day_of(start);
        Self::around(edition, start, anchor, due, ladder)
    }

    /// Computes a schedule for a last day that was granted. None beyond the years that duban
    /// computes in.
    #[must_use]
    pub fn until_day(
        edition: &Edition,
        start: Instant,
        last: Day,
        ladder: &[Rung],
    ) -> Option<Self> {
        let (day, at) = edition.shift(last, 0)?;
        let (certainty, missing_years) = edition.certainty(edition.zone().day_of(start), last);
        // Rungs are counted from the granted day, in both directions.
        Self::around(edition, start, last, Due { day, at, certainty, missing_years }, ladder)
    }

    /// `anchor` is the day from which a rung's day follows by counting: every day between the two
    /// must be known for the rung to be sure.
    fn around(
        edition: &Edition,
        start: Instant,
        anchor: Day,
        due: Due,
        ladder: &[Rung],
    ) -> Option<Self> {
        let mut rungs = Vec::with_capacity(ladder.len());
        for rung in ladder {
            let (day, at) = edition.shift(due.day, rung.at.0)?;
            if at > start {
                let estimated = edition.certainty(anchor, day).0 == Certainty::Estimated;
                rungs.push(PlannedRung { rung: rung.at, at, estimated });
            }
        }
        // The instant of the rung −1wd, whether the ladder has one or not.
        let (_, yellow_at) = edition.shift(due.day, -1)?;
        Some(Self {
            due_day: due.day,
            due_at: due.at,
            yellow_at: yellow_at.max(start),
            certainty: due.certainty,
            missing_years: due.missing_years,
            calendar: edition.calendar().clone(),
            known_on: edition.published(),
            rungs,
        })
    }

    /// The schedule after a notice was published: exact, but not earlier than the end of the next
    /// working day after `heard_on`, and no later than it was for that reason.
    #[must_use]
    pub fn not_before(
        self,
        edition: &Edition,
        run: &Run,
        ladder: &[Rung],
        heard_on: Day,
    ) -> Option<Self> {
        if self.due_at >= run.due_at {
            return Some(self);
        }
        let floor = edition.add_working_days(heard_on, 1)?;
        if floor <= self.due_day {
            return Some(self);
        }
        Self::until_day(edition, run.starts_at, floor.min(run.due_day), ladder)
    }
}

impl Run {
    /// Whether its due instant depends on a calendar at all.
    #[must_use]
    pub fn counts_on_calendar(&self) -> bool {
        !self.rungs.is_empty()
            || matches!(self.within.unit, Unit::WorkingDays | Unit::NaturalDaysRolled)
    }
}

/// Something that falls due by time alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Firing {
    /// Its scheduled instant.
    pub at: Instant,
    /// The run's place in the instance.
    pub run: usize,
    /// The rung's place in the run; none for the end of a window.
    pub rung: Option<usize>,
}

/// The next firing of all runs: by scheduled instant, then the deadline's place in the definition,
/// then run, then rung.
#[must_use]
pub fn next_firing<'r>(runs: impl Iterator<Item = &'r Run>) -> Option<Firing> {
    let firings = runs.enumerate().filter(|(_, run)| run.state == State::Running);
    let of_run = |(index, run): (usize, &'r Run)| {
        let (at, rung) = if run.kind == Kind::Window {
            (run.due_at.max(run.starts_at), None)
        } else {
            let armed = run.rungs.iter().enumerate();
            let armed = armed.filter(|(_, rung)| rung.state == RungState::Armed);
            let (place, rung) = armed.min_by_key(|(place, rung)| (rung.at, *place))?;
            (rung.at, Some(place))
        };
        Some(((at, run.order, run.run), Firing { at, run: index, rung }))
    };
    firings.filter_map(of_run).min_by_key(|(key, _)| *key).map(|(_, firing)| firing)
}
