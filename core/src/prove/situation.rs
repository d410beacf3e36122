//! What tells two situations of a ticket apart: only what the definition can still look at from
//! the step it is in. Must never leave out something that decides what can happen next.
//!
//! Rungs and cards are left out, because no predicate can ask for them; so is what a former agency
//! counted, and the end of an obligation that no predicate asks for (its light changes, its ways
//! do not). Agencies all act alike: they are told apart only as the one that has the ticket and
//! the last that gave it back, and only that one is tried again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::ahead::Ahead;
use super::rounds::{End, Stem};
use crate::calendar::Calendar;
use crate::deadline::{Run, State};
use crate::definition::{Definition, Kind};
use crate::instance::Instance;
use crate::name::Name;
use crate::reason::EndReason;
use crate::time::Instant;

/// How time is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Abstraction {
    /// Only by the order in which deadlines end.
    Order,
    /// In whole days, and only courses in which no obligation is overdue.
    LawfulDays,
}

/// Met, and may be owed again.
const MET: &str = "met";

/// Tells the situations of one definition apart.
pub(super) struct Situations<'d> {
    definition: &'d Definition,
    calendar: &'d Calendar,
    abstraction: Abstraction,
    ahead: BTreeMap<&'d Name, Ahead<'d>>,
    flags: BTreeSet<&'d Name>,
}

impl<'d> Situations<'d> {
    pub(super) fn new(
        definition: &'d Definition,
        calendar: &'d Calendar,
        abstraction: Abstraction,
    ) -> Self {
        let steps = definition.steps.iter();
        let ahead: BTreeMap<_, _> =
            steps.map(|step| (&step.name, Ahead::of(definition, step, abstraction))).collect();
        let mut flags: BTreeSet<&Name> = ahead.values().flat_map(|one| one.flags.clone()).collect();
        flags.extend(definition.deadlines.iter().filter_map(|one| one.not_for.as_ref()));
        flags.extend(definition.stand_ins.iter().map(|one| &one.flag));
        Self { definition, calendar, abstraction, ahead, flags }
    }

    /// Whether the end of a run decides what can happen: a window's does while somebody can ask
    /// for it, an obligation's only if a predicate asks for it.
    pub(super) fn ends_matter(&self, instance: &Instance, run: &Run) -> bool {
        let Some(ahead) = self.ahead.get(&instance.step) else { return true };
        let raises = self.definition.deadline(run.deadline.as_str());
        let raises = raises.is_some_and(|rule| rule.raise.is_some());
        ahead.before_due.contains(&run.deadline)
            || run.kind == Kind::Window && (raises || ahead.asks_for(&run.deadline))
    }

    /// When another mark of a tally would count for more than now, where what can be done here asks
    /// for several days or for both halves of a day: tomorrow, or in the next half.
    pub(super) fn next_marks(&self, instance: &Instance, now: Instant) -> BTreeSet<Instant> {
        let zone = self.calendar.zone();
        let (today, forenoon) = (zone.day_of(now), is_forenoon(zone.ms_of_day(now)));
        let tomorrow = zone.start_of(today.plus(1));
        let half = if forenoon { zone.start_of(today).plus_ms(NOON_MS) } else { tomorrow };
        let step = self.definition.step(instance.step.as_str());
        let asked = step.map(|step| Ahead::asked_in(self.definition, step).tallies);
        let mut next = BTreeSet::new();
        for (tally, most) in asked.into_iter().flatten() {
            let rule = self.definition.tally(tally.as_str());
            let per_agency = rule.is_some_and(|rule| rule.per_agency);
            let marks = instance.tallies.get(tally).into_iter().flatten();
            let own = marks.filter(|mark| !per_agency || mark.agency == instance.agency);
            let places = own.map(|mark| {
                let (day, time) = (zone.day_of(mark.at), zone.ms_of_day(mark.at));
                (day, is_forenoon(time))
            });
            let places: BTreeSet<_> = places.collect();
            let days: BTreeSet<_> = places.iter().map(|(day, _)| *day).collect();
            let halves: BTreeSet<_> = places.iter().map(|(_, half)| *half).collect();
            if days.len() < most.working_days && days.contains(&today) {
                next.insert(tomorrow);
            }
            if halves.len() < most.half_days && places.contains(&(today, forenoon)) {
                next.insert(half);
            }
        }
        next
    }

    /// A situation in words that are the same for the same situation.
    pub(super) fn key(&self, instance: &Instance, now: Instant) -> String {
        let mut key = String::new();
        let Some(ahead) = self.write_rest(instance, now, &mut key) else { return key };
        self.write_runs(ahead, instance, now, &mut key);
        key
    }

    /// What a situation of a lawful course is apart from the time at which it is reached. None where
    /// no obligation bounds the time.
    pub(super) fn stem(&self, instance: &Instance, now: Instant) -> Option<Stem> {
        if self.abstraction == Abstraction::Order || !instance.runs.iter().any(is_owed) {
            return None;
        }
        let mut rest = String::new();
        let ahead = self.write_rest(instance, now, &mut rest)?;
        let mut ends = Vec::new();
        for run in &instance.runs {
            let Some(word) = self.word(ahead, instance, run) else { continue };
            let agency = run.agency.as_ref().map_or("", |agency| agency.as_str());
            let _ = write!(rest, "|{} {agency} {word}", run.deadline);
            let is_window = run.kind == Kind::Window && run.state == State::Running;
            ends.push(End {
                deadline: run.deadline.clone(),
                day: run.due_day,
                is_owed: is_owed(run),
                decides: is_window && self.ends_matter(instance, run),
            });
        }
        let zone = self.calendar.zone();
        let (today, time) = (zone.day_of(now), zone.ms_of_day(now));
        Some(Stem { rest, ends, may_move: instance.extension.is_some(), today, time })
    }

    /// Everything of a situation but its runs; what is ahead of it.
    fn write_rest(
        &self,
        instance: &Instance,
        now: Instant,
        key: &mut String,
    ) -> Option<&Ahead<'d>> {
        let _ = write!(key, "{}|{}|", instance.step, instance.agency.is_some());
        let ahead = self.ahead.get(&instance.step)?;
        for flag in instance.flags.iter().filter(|flag| self.flags.contains(flag)) {
            let _ = write!(key, "{flag},");
        }
        if instance.extension.is_some() {
            key.push_str("|extension");
        }
        if ahead.finding {
            let _ = write!(key, "|{:?}", instance.finding);
        }
        if ahead.outcome {
            let _ = write!(key, "|{:?}", instance.outcome);
        }
        if ahead.goes_back {
            let _ = write!(key, "|{:?}", instance.came_from.get(&instance.step));
        }
        self.write_tallies(ahead, instance, now, key);
        Some(ahead)
    }

    fn write_runs(&self, ahead: &Ahead<'_>, instance: &Instance, now: Instant, key: &mut String) {
        let zone = self.calendar.zone();
        let today = zone.day_of(now).number();
        let mut ends = Vec::new();
        for run in &instance.runs {
            let Some(word) = self.word(ahead, instance, run) else { continue };
            let former = run.agency.is_some() && run.agency != instance.agency;
            if former && self.abstraction == Abstraction::LawfulDays {
                continue;
            }
            let agency = if former { "former" } else { "" };
            let _ = write!(key, "|{} {agency} {word}", run.deadline);
            let comes = run.state == State::Running || word == "released" || word == MET;
            if comes && self.ends_matter(instance, run) {
                let _ = write!(key, " {}", now >= run.due_at);
                ends.push((run.due_at, &run.deadline, agency));
            }
            let rule = self.definition.deadline(run.deadline.as_str());
            let survives = rule.is_some_and(|rule| rule.survives_close);
            // What goes on behind a close bounds a course only where it is owed; what is over is over.
            let bounds = !survives || run.kind == Kind::Obligation;
            if self.abstraction == Abstraction::LawfulDays && comes && bounds {
                let _ = write!(key, " {}", (run.due_day.number() - today).max(-1));
            }
        }
        match self.abstraction {
            Abstraction::LawfulDays => {
                let _ = write!(key, "|{}", zone.ms_of_day(now));
            }
            Abstraction::Order => {
                ends.sort();
                let mut before = now;
                for (at, deadline, agency) in ends.into_iter().filter(|(at, ..)| *at > now) {
                    let sign = if at == before { "=" } else { "<" };
                    let _ = write!(key, "{sign}{deadline} {agency}");
                    before = at;
                }
            }
        }
    }

    /// What of a run can still be told: whether it is owed, can be owed again, or stands in the
    /// way of another run.
    fn word(&self, ahead: &Ahead<'_>, instance: &Instance, run: &Run) -> Option<&'static str> {
        let rule = self.definition.deadline(run.deadline.as_str())?;
        let own = run.agency.is_none() || run.agency == instance.agency;
        let newest = instance
            .runs
            .iter()
            .rev()
            .find(|other| other.deadline == run.deadline && other.agency == run.agency);
        let is_newest = newest.is_some_and(|newest| std::ptr::eq(newest, run));
        let former = ahead.assigns && run.agency.as_ref() == last_former(instance);
        if run.kind == Kind::Indicator || !is_newest || !(own || former) {
            return None;
        }
        let asked = ahead.asks_for(&run.deadline);
        let given_back = run.cancelled == Some(EndReason::Released);
        match run.state {
            State::Running if run.kind == Kind::Window && !asked && rule.raise.is_none() => None,
            State::Running => Some("running"),
            State::Met | State::MetLate if !rule.unmet_by.is_empty() => Some(MET),
            State::Cancelled if given_back && ahead.assigns => Some("released"),
            _ if ahead.over.contains(&run.deadline) => Some("over"),
            _ if rule.per_agency && ahead.assigns => Some("over"),
            _ => None,
        }
    }

    /// Counts as far as predicates can tell them apart, of the agency that has the ticket.
    fn write_tallies(
        &self,
        ahead: &Ahead<'_>,
        instance: &Instance,
        now: Instant,
        key: &mut String,
    ) {
        let zone = self.calendar.zone();
        for (tally, marks) in &instance.tallies {
            let (Some(rule), Some(most)) =
                (self.definition.tally(tally.as_str()), ahead.tallies.get(tally))
            else {
                continue;
            };
            let counts =
                marks.iter().filter(|mark| !rule.per_agency || mark.agency == instance.agency);
            let marks: Vec<Instant> = counts.map(|mark| mark.at).collect();
            let days: BTreeSet<_> = marks.iter().map(|at| zone.day_of(*at)).collect();
            let halves: BTreeSet<_> =
                marks.iter().map(|at| is_forenoon(zone.ms_of_day(*at))).collect();
            // Where days are still wanting, another mark of today may bring one or not.
            let lacks_today = days.len() < most.working_days && !days.contains(&zone.day_of(now));
            let (count, days) = (marks.len().min(most.count), days.len().min(most.working_days));
            // One half of the day may lack the other: which one it is decides what helps, and whether now.
            let half = halves.first().filter(|_| halves.len() < most.half_days);
            let lacks_half = half.is_some_and(|half| *half != is_forenoon(zone.ms_of_day(now)));
            let _ = write!(key, "|{tally} {count} {days} {lacks_today} {half:?} {lacks_half}");
        }
    }
}

/// Noon parts the halves of a day.
const NOON_MS: i64 = 12 * 3_600_000;

const fn is_forenoon(ms_of_day: i64) -> bool {
    ms_of_day < NOON_MS
}

pub(super) fn is_owed(run: &Run) -> bool {
    run.state == State::Running && run.kind == Kind::Obligation
}

/// The last agency that had the ticket before the one that has it.
pub(super) fn last_former(instance: &Instance) -> Option<&Name> {
    let agencies = instance.runs.iter().rev().filter_map(|run| run.agency.as_ref());
    agencies.into_iter().find(|agency| Some(*agency) != instance.agency.as_ref())
}
