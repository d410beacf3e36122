//! Deadlines start, are met, taken back, cancelled, resumed, extended: one function for each.
//! Must never touch an indicator or window in the name of an obligation, or the other way round.

use super::draft::Draft;
use crate::deadline::{CardState, LedgerReason, Run, RungState, Schedule, State};
use crate::definition::{DeadlineRule, EffectKind};
use crate::event::{
    CardChanged, DeadlineCancelled, DeadlineMet, DeadlineMoved, DeadlineReopened, DeadlineStarted,
    Fact, RunRef,
};
use crate::instance::PendingExtension;
use crate::message::About;
use crate::name::Name;
use crate::rejection::Rejection;
use crate::role::{Audience, Party};
use crate::time::Instant;

/// Why deadlines end that an agency gives back with its ticket.
const RELEASED: &str = "released";
/// Why deadlines end with their ticket.
const CLOSED: &str = "closed";
/// Why deadlines end that the new class does not have.
const RECLASSIFIED: &str = "reclassified";

impl Draft<'_> {
    /// Starts a deadline, unless it is running already or starts only once. An agency never
    /// gets a second run of its own.
    pub(super) fn start(&mut self, rule: &DeadlineRule, from: Instant) -> Result<(), Rejection> {
        let agency = self.agency_of(rule);
        let mut count = 0;
        let mut newest = None;
        for (index, run) in self.instance.runs.iter().enumerate() {
            if run.deadline == rule.name {
                count += 1;
                if !rule.per_agency || run.agency == agency {
                    newest = Some(index);
                }
            }
        }
        if let Some(index) = newest {
            let run = &self.instance.runs[index];
            if run.state == State::Running || rule.once || rule.per_agency {
                return Ok(());
            }
        }
        let edition = self.context.calendar.known_at(self.at);
        let schedule = Schedule::by_rule(edition, from, rule.within, &rule.rungs)
            .ok_or_else(|| Rejection::OutOfCalendar { deadline: rule.name.clone() })?;
        let run = count + 1;
        self.record(Fact::DeadlineStarted(Box::new(DeadlineStarted {
            deadline: rule.name.clone(),
            run,
            order: rule.order,
            kind: rule.kind,
            party: rule.party,
            agency,
            within: rule.within,
            starts_at: from,
            schedule,
        })))?;
        match &rule.not_for {
            Some(flag) if self.instance.flags.contains(flag) => {
                let run = RunRef { deadline: rule.name.clone(), run };
                self.record(cancelled(run, flag))
            }
            _ => Ok(()),
        }
    }

    fn agency_of(&self, rule: &DeadlineRule) -> Option<Name> {
        let concerns = rule.per_agency || rule.party == Party::Agency;
        self.instance.agency.clone().filter(|_| concerns)
    }

    /// Meets a deadline. What arrived before the end counts, even if the end was recorded first:
    /// the cards of the rungs in between are revoked.
    pub(super) fn meet(&mut self, rule: &DeadlineRule) -> Result<(), Rejection> {
        let Some(index) = self.instance.current_run(rule.name.as_str()) else { return Ok(()) };
        let run = &self.instance.runs[index];
        if !run.is_open_at(self.at) {
            return Ok(());
        }
        let late = self.at >= run.due_at;
        let of = reference(run);
        self.record(Fact::DeadlineMet(DeadlineMet { run: of.clone(), late }))?;
        let after = self.at.plus_ms(1);
        self.revoke_cards_since(&of, after, "arrived_before_due")
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

    /// An agency got its ticket back: everything that it had given back goes on, by its own clock.
    pub(super) fn resume(&mut self, agency: &Name) -> Result<(), Rejection> {
        let definition = self.definition;
        for index in 0..self.instance.runs.len() {
            let run = &self.instance.runs[index];
            let given_back = run.cancelled.as_ref().is_some_and(|reason| *reason == RELEASED);
            if !given_back || run.agency.as_ref() != Some(agency) {
                continue;
            }
            let Some(rule) = definition.deadline(run.deadline.as_str()) else { continue };
            let held_from = run.ended_at.unwrap_or(self.at);
            let fact = Fact::DeadlineResumed(self.reopened(run, held_from));
            self.record(fact)?;
            self.catch_up(index, rule)?;
        }
        Ok(())
    }

    fn reopened(&self, run: &Run, held_from: Instant) -> DeadlineReopened {
        let armed = run.rungs.iter().filter(|rung| rung.state == RungState::Armed);
        let rungs = armed.filter(|rung| rung.at <= self.at);
        DeadlineReopened {
            run: reference(run),
            held_from,
            passed_over: rungs.map(|rung| rung.name.clone()).collect(),
        }
    }

    /// Cancels a deadline because of an event.
    pub(super) fn cancel(&mut self, rule: &DeadlineRule, reason: &Name) -> Result<(), Rejection> {
        let index = self.instance.current_run(rule.name.as_str());
        match index.map(|index| &self.instance.runs[index]) {
            Some(run) if run.state == State::Running => {
                let of = reference(run);
                self.record(cancelled(of, reason))
            }
            _ => Ok(()),
        }
    }

    /// An agency gave its ticket back: its running deadlines end, its cards stay.
    pub(super) fn release(&mut self, agency: &Name) -> Result<(), Rejection> {
        self.cancel_running(RELEASED, |run| run.agency.as_ref() == Some(agency))
    }

    /// The ticket is no longer open: what does not outlive it ends.
    pub(super) fn close(&mut self) -> Result<(), Rejection> {
        let definition = self.definition;
        self.cancel_running(CLOSED, |run| {
            !definition.deadline(run.deadline.as_str()).is_some_and(|rule| rule.survives_close)
        })
    }

    /// The ticket has another definition: deadlines that it does not know end.
    pub(super) fn drop_unknown_deadlines(&mut self) -> Result<(), Rejection> {
        let definition = self.definition;
        self.cancel_running(RECLASSIFIED, |run| {
            definition.deadline(run.deadline.as_str()).is_none()
        })
    }

    fn cancel_running(
        &mut self,
        reason: &str,
        ends: impl Fn(&Run) -> bool,
    ) -> Result<(), Rejection> {
        let running = self.instance.runs.iter().filter(|run| run.state == State::Running);
        let ending: Vec<RunRef> = running.filter(|run| ends(run)).map(reference).collect();
        let reason = Name::from(reason);
        ending.into_iter().try_for_each(|run| self.record(cancelled(run, &reason)))
    }

    /// Grants the extension that was asked for: a new due day, a new generation of rungs, and the
    /// cards that fired while the request was pending are revoked.
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
        if run.state != State::Running {
            return Ok(());
        }
        let edition = self.context.calendar.known_at(self.at);
        let schedule = Schedule::until_day(edition, run.starts_at, pending.until, &rule.rungs);
        let mut schedule =
            schedule.ok_or_else(|| Rejection::OutOfCalendar { deadline: deadline.clone() })?;
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
            schedule,
        };
        self.record(Fact::DeadlineMoved(Box::new(moved)))?;
        // What fired at the very instant of the request came before it.
        let after = pending.asked_at.plus_ms(1);
        self.revoke_cards_since(&of, after, "extension_pending")
    }

    /// Revokes the cards of a run that were issued at `since` or later.
    fn revoke_cards_since(
        &mut self,
        of: &RunRef,
        since: Instant,
        reason: &str,
    ) -> Result<(), Rejection> {
        let stands = |state| matches!(state, CardState::Issued | CardState::Contested);
        let cards = self.instance.cards.iter().filter(|card| {
            card.deadline == of.deadline
                && card.run == of.run
                && card.fired_at >= since
                && stands(card.state)
        });
        let cards: Vec<Name> = cards.map(|card| card.id.clone()).collect();
        for card in cards {
            let changed = CardChanged { card: card.clone(), reason: reason.into() };
            self.record(Fact::CardRevoked(changed))?;
            let about = About::Card { card, state: CardState::Revoked };
            self.tell(EffectKind::Notify, Audience::Agency, about);
        }
        Ok(())
    }
}

pub(super) fn reference(run: &Run) -> RunRef {
    RunRef { deadline: run.deadline.clone(), run: run.run }
}

fn cancelled(run: RunRef, reason: &Name) -> Fact {
    Fact::DeadlineCancelled(DeadlineCancelled { run, reason: reason.clone() })
}
