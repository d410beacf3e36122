//! Deadlines start, are met, taken back, cancelled, resumed, extended: one function for each.
//! Must never touch an indicator or window in the name of an obligation, or the other way round.

use std::collections::BTreeSet;

use super::draft::Draft;
use crate::deadline::{CardState, LedgerReason, Run, RungState, Schedule, State};
use crate::definition::{DeadlineRule, Finish, Kind, Outcome, Status};
use crate::event::{
    CardRevoked, DeadlineCancelled, DeadlineMet, DeadlineMoved, DeadlineReopened, DeadlineStarted,
    Fact, RunRef,
};
use crate::instance::PendingExtension;
use crate::limits::RUNS_MAX;
use crate::name::Name;
use crate::reason::{EndReason, RevokeReason};
use crate::rejection::Rejection;
use crate::role::Party;
use crate::time::Instant;

impl Draft<'_> {
    /// Starts a deadline, unless it is running already or starts only once. An agency never
    /// gets a second run of its own.
    pub(super) fn start(&mut self, rule: &DeadlineRule, from: Instant) -> Result<(), Rejection> {
        let agency = self.agency_of(rule);
        let concerns =
            |run: &&Run| run.deadline == rule.name && (!rule.per_agency || run.agency == agency);
        match self.instance.runs.iter().rev().find(concerns) {
            Some(run) if run.state == State::Running || rule.once || rule.per_agency => Ok(()),
            _ => self.start_anew(rule, from),
        }
    }

    fn start_anew(&mut self, rule: &DeadlineRule, from: Instant) -> Result<(), Rejection> {
        if self.instance.runs.len() >= RUNS_MAX {
            return Err(Rejection::Limit { what: "时限", most: RUNS_MAX });
        }
        let earlier = self.instance.runs.iter().filter(|run| run.deadline == rule.name).count();
        let run = u16::try_from(earlier + 1).unwrap_or(u16::MAX);
        let edition = self.context.calendar.known_at(self.at);
        let schedule = Schedule::by_rule(edition, from, rule.within, &rule.rungs);
        let mut schedule = schedule.ok_or_else(|| out_of_calendar(rule))?;
        // What counts from an earlier instant may have rungs that were over before it began.
        schedule.rungs.retain(|rung| rung.at > self.at || from == self.counts_from);
        self.record(Fact::DeadlineStarted(Box::new(DeadlineStarted {
            deadline: rule.name.clone(),
            run,
            order: rule.order,
            kind: rule.kind,
            party: self.definition.charged(rule.party, &self.instance.flags),
            agency: self.agency_of(rule),
            within: rule.within,
            starts_at: from,
            schedule,
        })))?;
        match &rule.not_for {
            Some(flag) if self.instance.flags.contains(flag) => {
                let run = RunRef { deadline: rule.name.clone(), run };
                self.record(cancelled(run, flag.clone().into()))
            }
            _ => Ok(()),
        }
    }

    fn agency_of(&self, rule: &DeadlineRule) -> Option<Name> {
        let concerns = rule.per_agency || rule.party == Party::Agency;
        self.instance.agency.clone().filter(|_| concerns)
    }

    /// Meets a deadline that is running.
    pub(super) fn meet(&mut self, rule: &DeadlineRule) -> Result<(), Rejection> {
        let Some(run) = self.newest(&rule.name) else { return Ok(()) };
        if run.state != State::Running {
            return Ok(());
        }
        let (run, late) = (reference(run), self.at >= run.due_at);
        self.record(Fact::DeadlineMet(DeadlineMet { run, late }))
    }

    /// Takes it back that a deadline was met. Rungs that passed meanwhile never fire.
    pub(super) fn unmeet(&mut self, rule: &DeadlineRule) -> Result<(), Rejection> {
        let Some(index) = self.instance.current_run(rule.name.as_str()) else { return Ok(()) };
        let run = &self.instance.runs[index];
        let Some(held_from) = run.met_at() else { return Ok(()) };
        let fact = Fact::DeadlineReopened(self.reopened(run, held_from));
        self.record(fact)?;
        self.catch_up(index, rule)
    }

    /// An agency got the ticket, perhaps again: what it had given back goes on by its own clock. A
    /// window that belongs to somebody else and ended meanwhile begins anew.
    pub(super) fn take_up(&mut self, agency: &Name) -> Result<(), Rejection> {
        self.resume(|run, rule, at| {
            let given_back = run.cancelled == Some(EndReason::Released);
            let mine = given_back && run.agency.as_ref() == Some(agency);
            mine.then_some(if rule.anew && run.due_at <= at { Again::Anew } else { Again::GoesOn })
        })
    }

    /// A ticket was closed by mistake: what its closing cancelled goes on by its own clock.
    pub(super) fn resume_closed(&mut self, closing: &Closing) -> Result<(), Rejection> {
        let definition = self.definition;
        // What closing a ticket so raises, and may have cancelled deadlines by.
        let finish = closing.outcome.map(Finish::Named);
        let cases = definition.actions.iter().flat_map(|action| &action.cases);
        let raised = cases.filter(|case| case.outcome == finish).flat_map(|case| &case.raise);
        let raised: BTreeSet<&Name> = raised.collect();
        self.resume(|run, _, _| {
            let closed = match &run.cancelled {
                Some(EndReason::Closed) => true,
                Some(EndReason::Of(event)) => raised.contains(event),
                _ => false,
            };
            (closed && run.ended_at == Some(closing.at)).then_some(Again::GoesOn)
        })
    }

    fn resume(
        &mut self,
        again: impl Fn(&Run, &DeadlineRule, Instant) -> Option<Again>,
    ) -> Result<(), Rejection> {
        let definition = self.definition;
        for index in 0..self.instance.runs.len() {
            let run = &self.instance.runs[index];
            let Some(rule) = definition.deadline(run.deadline.as_str()) else { continue };
            match again(run, rule, self.at) {
                // Only the newest: each absence begins one.
                Some(Again::Anew)
                    if self.instance.current_run(rule.name.as_str()) == Some(index) =>
                {
                    self.start_anew(rule, self.at)?;
                }
                None | Some(Again::Anew) => {}
                Some(Again::GoesOn) => {
                    let held_from = run.ended_at.unwrap_or(self.at);
                    let fact = Fact::DeadlineResumed(self.reopened(run, held_from));
                    self.record(fact)?;
                    if !self.adopt_length(index, rule)? {
                        self.catch_up(index, rule)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn reopened(&self, run: &Run, held_from: Instant) -> DeadlineReopened {
        let armed = run.rungs.iter().filter(|rung| rung.state == RungState::Armed);
        let passed = armed.filter(|rung| rung.at <= self.at);
        DeadlineReopened {
            run: reference(run),
            held_from,
            passed_over: passed.map(|rung| rung.rung).collect(),
        }
    }

    /// The ticket has another definition: running deadlines have its lengths.
    pub(super) fn adopt_lengths(&mut self) -> Result<(), Rejection> {
        let definition = self.definition;
        for index in 0..self.instance.runs.len() {
            let run = &self.instance.runs[index];
            let rule = definition.deadline(run.deadline.as_str());
            if let (State::Running, Some(rule)) = (run.state, rule) {
                self.adopt_length(index, rule)?;
            }
        }
        Ok(())
    }

    /// The length and the rungs of the definition that rules now, from the old start. Rungs that
    /// it puts into the past never fire; a day that was granted stays. Says whether anything changed.
    fn adopt_length(&mut self, index: usize, rule: &DeadlineRule) -> Result<bool, Rejection> {
        let run = &self.instance.runs[index];
        if run.within == rule.within && has_rungs_of(run, rule) {
            return Ok(false);
        }
        let edition = self.context.calendar.known_at(self.at);
        let schedule = Schedule::by_rule(edition, run.starts_at, rule.within, &rule.rungs);
        let schedule = match (schedule, run.extended_to) {
            (Some(counted), Some(granted)) if granted > counted.due_day => {
                Schedule::until_day(edition, run.starts_at, granted, &rule.rungs)
            }
            (schedule, _) => schedule,
        };
        let mut schedule = schedule.ok_or_else(|| out_of_calendar(rule))?;
        schedule.rungs.retain(|planned| {
            let there = run.rungs.iter().find(|rung| rung.rung == planned.rung);
            planned.at > self.at && there.is_none_or(|rung| rung.state == RungState::Armed)
        });
        let moved = DeadlineMoved {
            run: reference(run),
            reason: LedgerReason::Reclassified,
            generation: run.generation,
            from_due_at: run.due_at,
            within: Some(rule.within),
            schedule,
        };
        self.record(Fact::DeadlineMoved(Box::new(moved)))?;
        Ok(true)
    }

    /// Cancels a deadline because of an event.
    pub(super) fn cancel(&mut self, rule: &DeadlineRule, event: &Name) -> Result<(), Rejection> {
        match self.newest(&rule.name) {
            Some(run) if run.state == State::Running => {
                let of = reference(run);
                self.record(cancelled(of, event.clone().into()))
            }
            _ => Ok(()),
        }
    }

    /// An agency gave its ticket back: its running deadlines end, its cards stay.
    pub(super) fn release(&mut self, agency: &Name) -> Result<(), Rejection> {
        self.cancel_running(&EndReason::Released, |run| run.agency.as_ref() == Some(agency))
    }

    /// The ticket is no longer open: what does not outlive it ends; in the archive everything does.
    pub(super) fn close(&mut self, status: Status) -> Result<(), Rejection> {
        let definition = self.definition;
        self.cancel_running(&EndReason::Closed, |run| {
            let rule = definition.deadline(run.deadline.as_str());
            status == Status::Archived || !rule.is_some_and(|rule| rule.survives_close)
        })
    }

    /// The ticket has another definition: deadlines that it does not know end.
    pub(super) fn drop_unknown_deadlines(&mut self) -> Result<(), Rejection> {
        let definition = self.definition;
        self.cancel_running(&EndReason::Reclassified, |run| {
            definition.deadline(run.deadline.as_str()).is_none()
        })
    }

    fn cancel_running(
        &mut self,
        reason: &EndReason,
        ends: impl Fn(&Run) -> bool,
    ) -> Result<(), Rejection> {
        let running = self.instance.runs.iter().filter(|run| run.state == State::Running);
        let ending: Vec<RunRef> = running.filter(|run| ends(run)).map(reference).collect();
        ending.into_iter().try_for_each(|run| self.record(cancelled(run, reason.clone())))
    }

    /// Grants the extension that was asked for: a new due day, a new generation of rungs, and the
    /// cards that fired while the request was pending are revoked. The feedback may have come
    /// meanwhile: a slow decision makes nobody late.
    pub(super) fn extend(
        &mut self,
        deadline: &Name,
        pending: Option<PendingExtension>,
    ) -> Result<(), Rejection> {
        let pending = pending.filter(|one| one.deadline == *deadline);
        let index = self.instance.current_run(deadline.as_str());
        let (Some(pending), Some(index)) = (pending, index) else { return Ok(()) };
        let run = &self.instance.runs[index];
        let Some(rule) = self.definition.deadline(deadline.as_str()) else { return Ok(()) };
        if rule.kind != Kind::Obligation || matches!(run.state, State::Lapsed | State::Cancelled) {
            return Ok(());
        }
        let edition = self.context.calendar.known_at(self.at);
        // A notice may have moved the end further than was asked: a grant takes nothing away.
        let until = pending.until.max(run.due_day);
        let schedule = Schedule::until_day(edition, run.starts_at, until, &rule.rungs);
        let mut schedule = schedule.ok_or_else(|| out_of_calendar(rule))?;
        // Granted after its own new end, the extension leaves the agency overdue: what the ladder
        // holds for that happens now. Warnings that have passed do not.
        schedule.rungs.retain(|rung| rung.at > self.at || rung.at >= schedule.due_at);
        for rung in &mut schedule.rungs {
            rung.at = rung.at.max(self.at);
        }
        let of = reference(run);
        let moved = DeadlineMoved {
            run: of.clone(),
            reason: LedgerReason::Extension,
            generation: run.generation + 1,
            from_due_at: run.due_at,
            within: None,
            schedule,
        };
        self.record(Fact::DeadlineMoved(Box::new(moved)))?;
        self.revoke_pending_cards(&of, pending.asked_at)
    }

    /// Revokes the cards of a run that were issued after an extension was asked for.
    fn revoke_pending_cards(&mut self, of: &RunRef, asked_at: Instant) -> Result<(), Rejection> {
        let cards = self.instance.cards.iter().filter(|card| {
            card.deadline == of.deadline
                && card.run == of.run
                && card.fired_at > asked_at
                && card.state != CardState::Revoked
        });
        let cards: Vec<Name> = cards.map(|card| card.id.clone()).collect();
        for card in cards {
            let reason = RevokeReason::ExtensionPending;
            self.record(Fact::CardRevoked(CardRevoked { card: card.clone(), reason }))?;
            self.tell_of_card(card, None)?;
        }
        Ok(())
    }
}

/// When and how a ticket was closed.
pub(super) struct Closing {
    pub(super) at: Instant,
    pub(super) outcome: Option<Outcome>,
}

/// How a run that was given back goes on.
enum Again {
    /// By its own clock.
    GoesOn,
    /// As a new run.
    Anew,
}

/// Whether the rungs that a run waits for are those of a rule, and none of the rule's is unknown
/// to it but for such as were over when it began.
fn has_rungs_of(run: &Run, rule: &DeadlineRule) -> bool {
    let mut waiting = run.rungs.iter().filter(|rung| rung.state == RungState::Armed);
    let first = run.rungs.iter().map(|rung| rung.rung).min();
    let is_there = |at| run.rungs.iter().any(|rung| rung.rung == at);
    waiting.all(|rung| rule.rungs.iter().any(|one| one.at == rung.rung))
        && rule.rungs.iter().all(|one| is_there(one.at) || Some(one.at) < first)
}

pub(super) fn reference(run: &Run) -> RunRef {
    RunRef { deadline: run.deadline.clone(), run: run.run }
}

pub(super) fn out_of_calendar(rule: &DeadlineRule) -> Rejection {
    Rejection::OutOfCalendar { deadline: rule.title.clone() }
}

fn cancelled(run: RunRef, reason: EndReason) -> Fact {
    Fact::DeadlineCancelled(DeadlineCancelled { run, reason })
}
