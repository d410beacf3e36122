//! A calendar notice was published: running deadlines are computed anew, exactly and in both
//! directions. Must never move what is already breached, and never take away the next working day.

use super::deadlines::{out_of_calendar, reference};
use super::draft::Draft;
use crate::calendar::{Certainty, Edition};
use crate::deadline::{LedgerReason, Run, RungState, Schedule, State};
use crate::definition::DeadlineRule;
use crate::event::{DeadlineMoved, Fact};
use crate::rejection::Rejection;
use crate::time::Day;

impl Draft<'_> {
    /// Computes every running deadline anew with what is known by now, after a publication. An old
    /// notice takes nothing back, and one that is not out yet says nothing.
    pub(super) fn recompute(&mut self, known_on: Day) -> Result<(), Rejection> {
        let published = self.context.calendar.known_on(self.today()).published();
        let Some(published) = published.filter(|_| known_on <= self.today()) else {
            return Ok(());
        };
        for index in 0..self.instance.runs.len() {
            let definition = self.definition;
            if let Some(rule) = definition.deadline(self.instance.runs[index].deadline.as_str()) {
                self.recompute_run(index, rule, published)?;
            }
        }
        Ok(())
    }

    fn today(&self) -> Day {
        self.context.calendar.zone().day_of(self.at)
    }

    /// A deadline that was away is owed again: notices may have been published meanwhile.
    pub(super) fn catch_up(&mut self, index: usize, rule: &DeadlineRule) -> Result<(), Rejection> {
        match self.context.calendar.known_at(self.at).published() {
            Some(published) => self.recompute_run(index, rule, published),
            None => Ok(()),
        }
    }

    fn recompute_run(
        &mut self,
        index: usize,
        rule: &DeadlineRule,
        published: Day,
    ) -> Result<(), Rejection> {
        let run = &self.instance.runs[index];
        let knows = run.known_on >= Some(published);
        if run.state != State::Running || !run.counts_on_calendar() || knows {
            return Ok(());
        }
        let edition = self.context.calendar.known_on(published);
        let breached = run.is_overdue_at(self.at) && run.certainty != Certainty::Estimated;
        // Nobody loses the next working day: after the publication, or after it mattered again.
        let heard_on = published.max(self.today());
        let schedule =
            planned(edition, run, rule, heard_on, breached).ok_or_else(|| out_of_calendar(rule))?;
        let schedule = self.not_in_the_past(run, schedule);
        if !differs(run, &schedule) {
            return Ok(());
        }
        let moved = DeadlineMoved {
            run: reference(run),
            reason: LedgerReason::Calendar,
            generation: run.generation,
            from_due_at: run.due_at,
            within: None,
            schedule,
        };
        self.record(Fact::DeadlineMoved(Box::new(moved)))
    }

    /// Only rungs that have not fired are planned, and none before now: one that the new calendar
    /// puts into the past fires at once. A rung that was withheld comes back when it is sure.
    fn not_in_the_past(&self, run: &Run, mut schedule: Schedule) -> Schedule {
        // A warning that fell away when an extension was granted late stays away.
        let due_at = schedule.due_at;
        let new = |at| run.extended_to.is_none() || at > self.at || at >= due_at;
        schedule.rungs.retain(|planned| {
            let there = run.rungs.iter().find(|rung| rung.rung == planned.rung);
            match there.map(|rung| rung.state) {
                None => new(planned.at),
                Some(RungState::Armed) => true,
                Some(RungState::Withheld) => !planned.estimated,
                Some(RungState::Fired | RungState::PassedOver) => false,
            }
        });
        for rung in &mut schedule.rungs {
            rung.at = rung.at.max(self.at);
        }
        schedule
    }
}

/// A breached deadline keeps its end: only its rungs are counted anew. A breach of an estimated
/// end is none before the notice has confirmed that end.
fn planned(
    edition: &Edition,
    run: &Run,
    rule: &DeadlineRule,
    heard_on: Day,
    breached: bool,
) -> Option<Schedule> {
    match run.extended_to.or(breached.then_some(run.due_day)) {
        Some(day) => Schedule::until_day(edition, run.starts_at, day, &rule.rungs),
        None => Schedule::by_rule(edition, run.starts_at, run.within, &rule.rungs)?.not_before(
            edition,
            run,
            &rule.rungs,
            heard_on,
        ),
    }
}

/// Whether anything that people rely on would change.
fn differs(run: &Run, schedule: &Schedule) -> bool {
    let waiting = run.rungs.iter().filter(|rung| rung.state == RungState::Armed);
    let waiting: Vec<_> = waiting.map(|rung| (rung.rung, rung.at, rung.estimated)).collect();
    let planned = schedule.rungs.iter().map(|rung| (rung.rung, rung.at, rung.estimated));
    run.due_at != schedule.due_at
        || run.certainty != schedule.certainty
        || run.missing_years != schedule.missing_years
        || run.yellow_at != schedule.yellow_at
        || !planned.eq(waiting)
}
