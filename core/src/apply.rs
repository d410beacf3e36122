//! Events make the ticket: the one way in which an instance changes, for live work, recovery and
//! replay alike. Must never consult a definition or a calendar: an event says everything.

use std::collections::{BTreeMap, BTreeSet};

use super::deadline::{
    Card, CardState, LedgerEntry, LedgerReason, Run, RungRun, RungState, Schedule, State, card_id,
};
use super::definition::Status;
use super::event::{
    Acted, CardChanged, DeadlineMoved, DeadlineReopened, DeadlineStarted, Event, ExtensionChange,
    Fact, Opened, OutcomeChange, RunRef, RungFired, TicketChange,
};
use super::instance::{Instance, PendingExtension, SCHEMA, TallyMark};

/// A history that cannot have been written by duban.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// The first event is not `opened`, or a later one is.
    #[error("event {0}: a history begins with `opened` and has it once")]
    Beginning(u64),
    /// A number is missing, or there twice.
    #[error("event {found} where event {expected} was due")]
    Sequence {
        /// The number due.
        expected: u64,
        /// The number found.
        found: u64,
    },
    /// A run, rung or card that is not there.
    #[error("event {seq}: no {what} {name} on this ticket")]
    Missing {
        /// The event.
        seq: u64,
        /// `run`, `rung` or `card`.
        what: &'static str,
        /// Its name.
        name: String,
    },
}

/// Builds a ticket from its whole history.
///
/// # Errors
/// A history that cannot be one.
pub fn replay<'e>(events: impl IntoIterator<Item = &'e Event>) -> Result<Instance, ApplyError> {
    let mut events = events.into_iter();
    let first = events.next().ok_or(ApplyError::Beginning(0))?;
    let mut instance = Instance::open(first)?;
    for event in events {
        instance.apply(event)?;
    }
    Ok(instance)
}

impl Instance {
    /// The ticket that an `opened` event begins.
    ///
    /// # Errors
    /// Any other event.
    pub fn open(event: &Event) -> Result<Self, ApplyError> {
        let Fact::Opened(opened) = &event.fact else {
            return Err(ApplyError::Beginning(event.seq));
        };
        let opened: &Opened = opened;
        Ok(Self {
            schema: SCHEMA,
            ticket: opened.ticket.clone(),
            definition: opened.definition.clone(),
            class: opened.class.clone(),
            district: opened.district.clone(),
            reviewed_at: opened.reviewed_at,
            received_at: event.at,
            seq: event.seq,
            recorded_at: event.recorded_at,
            revision: 1,
            step: opened.step.clone(),
            step_since: event.at,
            step_by_time: false,
            came_from: None,
            status: Status::Open,
            agency: None,
            agency_since: event.at,
            flags: opened.flags.iter().cloned().collect::<BTreeSet<_>>(),
            finding: None,
            outcome: None,
            doers: BTreeMap::new(),
            tallies: BTreeMap::new(),
            extension: None,
            runs: Vec::new(),
            cards: Vec::new(),
        })
    }

    /// Applies the next event.
    ///
    /// # Errors
    /// An event that cannot follow; the ticket is then unchanged but for its number.
    pub fn apply(&mut self, event: &Event) -> Result<(), ApplyError> {
        if event.seq != self.seq + 1 {
            return Err(ApplyError::Sequence { expected: self.seq + 1, found: event.seq });
        }
        self.seq = event.seq;
        self.recorded_at = self.recorded_at.max(event.recorded_at);
        match &event.fact {
            Fact::Opened(_) => return Err(ApplyError::Beginning(event.seq)),
            Fact::Acted(acted) => self.acted(event, acted),
            Fact::Moved(moved) => self.change(event, moved.by_time, &moved.change),
            Fact::Reclassified(reclassified) => {
                self.class = reclassified.class.clone();
                self.definition = reclassified.definition.clone();
                self.revision += 1;
            }
            Fact::DeadlineStarted(started) => self.started(started),
            Fact::DeadlineMet(met) => {
                let state = if met.late { State::MetLate } else { State::Met };
                self.end(event, &met.run, state)?;
            }
            Fact::DeadlineReopened(reopened) => {
                self.reopened(event, reopened, LedgerReason::Refused)?;
            }
            Fact::DeadlineResumed(resumed) => {
                self.reopened(event, resumed, LedgerReason::Resumed)?;
            }
            Fact::DeadlineLapsed(lapsed) => {
                self.end(event, &lapsed.run, State::Lapsed)?;
            }
            Fact::DeadlineCancelled(cancelled) => {
                let run = self.end(event, &cancelled.run, State::Cancelled)?;
                run.cancelled = Some(cancelled.reason.clone());
            }
            Fact::DeadlineMoved(moved) => self.moved(event, moved)?,
            Fact::RungFired(fired) => self.fired(event, fired)?,
            Fact::RungWithheld(fired) => {
                self.rung(event, fired)?.state = RungState::Withheld;
            }
            Fact::CardRevoked(changed) => {
                let card = self.card(event, changed)?;
                card.state = CardState::Revoked;
                card.revoked = Some(changed.reason.clone());
            }
            Fact::CardContested(changed) => {
                self.card(event, changed)?.state = CardState::Contested;
            }
        }
        Ok(())
    }

    fn acted(&mut self, event: &Event, acted: &Acted) {
        self.doers.insert(acted.action.clone(), event.actor.clone());
        self.change(event, false, &acted.change);
    }

    fn change(&mut self, event: &Event, by_time: bool, change: &TicketChange) {
        for tally in &change.tallies_reset {
            self.tallies.remove(tally);
        }
        for mark in &change.marks {
            let counted = TallyMark { agency: self.agency.clone(), at: mark.at };
            self.tallies.entry(mark.tally.clone()).or_default().push(counted);
        }
        if let Some(step) = &change.step {
            self.came_from = Some(step.from.clone());
            self.step = step.to.clone();
            self.step_since = event.at;
            self.step_by_time = by_time;
            self.status = step.status;
        }
        if change.released.is_some() {
            self.agency = None;
        }
        if let Some(agency) = &change.assigned {
            self.agency = Some(agency.clone());
            self.agency_since = event.at;
        }
        if let Some(finding) = change.finding {
            self.finding = Some(finding);
        }
        if let Some(outcome) = change.outcome {
            self.outcome = match outcome {
                OutcomeChange::Named(outcome) => Some(outcome),
                OutcomeChange::Cleared => None,
            };
        }
        self.flags.extend(change.flagged.iter().cloned());
        match &change.extension {
            Some(ExtensionChange::Requested { deadline, until }) => {
                let (deadline, until) = (deadline.clone(), *until);
                self.extension = Some(PendingExtension { deadline, until, asked_at: event.at });
            }
            Some(ExtensionChange::Decided { .. }) => self.extension = None,
            None => {}
        }
        let public = change.step.is_some()
            || change.released.is_some()
            || change.assigned.is_some()
            || change.finding.is_some();
        self.revision += u32::from(public);
    }

    fn started(&mut self, started: &DeadlineStarted) {
        let schedule = &started.schedule;
        self.runs.push(Run {
            deadline: started.deadline.clone(),
            run: started.run,
            generation: 0,
            order: started.order,
            kind: started.kind,
            party: started.party,
            agency: started.agency.clone(),
            within: started.within,
            state: State::Running,
            cancelled: None,
            starts_at: started.starts_at,
            due_day: schedule.due_day,
            due_at: schedule.due_at,
            original_due_day: schedule.due_day,
            original_due_at: schedule.due_at,
            yellow_at: schedule.yellow_at,
            certainty: schedule.certainty,
            missing_years: schedule.missing_years.clone(),
            known_on: schedule.known_on,
            extended_to: None,
            ended_at: None,
            rungs: armed(schedule).collect(),
            ledger: Vec::new(),
        });
        self.revision += 1;
    }

    fn end(&mut self, event: &Event, run: &RunRef, state: State) -> Result<&mut Run, ApplyError> {
        // What asks to extend a deadline that is over is moot.
        if self.extension.as_ref().is_some_and(|pending| pending.deadline == run.deadline) {
            self.extension = None;
        }
        let run = self.run(event, run)?;
        run.state = state;
        run.ended_at = Some(event.at);
        Ok(run)
    }

    fn reopened(
        &mut self,
        event: &Event,
        reopened: &DeadlineReopened,
        reason: LedgerReason,
    ) -> Result<(), ApplyError> {
        let run = self.run(event, &reopened.run)?;
        run.state = State::Running;
        run.ended_at = None;
        run.cancelled = None;
        let due = run.due_at;
        let held_from = Some(reopened.held_from);
        run.ledger.push(LedgerEntry { reason, at: event.at, from: due, to: due, held_from });
        for rung in run.rungs.iter_mut().filter(|rung| reopened.passed_over.contains(&rung.name)) {
            rung.state = RungState::PassedOver;
        }
        Ok(())
    }

    fn moved(&mut self, event: &Event, moved: &DeadlineMoved) -> Result<(), ApplyError> {
        let run = self.run(event, &moved.run)?;
        let schedule = &moved.schedule;
        run.ledger.push(LedgerEntry {
            reason: moved.reason,
            at: event.at,
            from: moved.from_due_at,
            to: schedule.due_at,
            held_from: None,
        });
        run.due_day = schedule.due_day;
        run.due_at = schedule.due_at;
        run.yellow_at = schedule.yellow_at;
        run.certainty = schedule.certainty;
        run.missing_years.clone_from(&schedule.missing_years);
        run.known_on = schedule.known_on;
        if moved.reason == LedgerReason::Extension {
            run.extended_to = Some(schedule.due_day);
        }
        if moved.generation > run.generation {
            run.generation = moved.generation;
            run.rungs = armed(schedule).collect();
        } else {
            let fresh: Vec<RungRun> = armed(schedule).collect();
            let stays = |rung: &&RungRun| {
                rung.state != RungState::Armed && fresh.iter().all(|new| new.name != rung.name)
            };
            let mut rungs: Vec<RungRun> = run.rungs.iter().filter(stays).cloned().collect();
            rungs.extend(fresh);
            rungs.sort_by_key(|rung| rung.at);
            run.rungs = rungs;
        }
        self.revision += 1;
        Ok(())
    }

    fn fired(&mut self, event: &Event, fired: &RungFired) -> Result<(), ApplyError> {
        self.rung(event, fired)?.state = RungState::Fired;
        let Some(kind) = fired.card else { return Ok(()) };
        let run = self.run(event, &fired.run)?;
        let card = Card {
            id: card_id(&run.deadline, run.run, fired.generation, &fired.rung),
            kind,
            deadline: run.deadline.clone(),
            run: run.run,
            generation: fired.generation,
            rung: fired.rung.clone(),
            party: run.party,
            agency: run.agency.clone(),
            due_at: run.due_at,
            fired_at: event.at,
            state: CardState::Issued,
            revoked: None,
        };
        self.cards.push(card);
        Ok(())
    }

    fn run(&mut self, event: &Event, of: &RunRef) -> Result<&mut Run, ApplyError> {
        let mut runs = self.runs.iter_mut();
        runs.find(|run| run.run == of.run && run.deadline == of.deadline).ok_or_else(|| {
            let name = format!("{} {}", of.deadline, of.run);
            ApplyError::Missing { seq: event.seq, what: "run", name }
        })
    }

    fn rung(&mut self, event: &Event, fired: &RungFired) -> Result<&mut RungRun, ApplyError> {
        let run = self.run(event, &fired.run)?;
        run.rungs.iter_mut().find(|rung| rung.name == fired.rung).ok_or_else(|| {
            let name = format!("{} of {}", fired.rung, fired.run.deadline);
            ApplyError::Missing { seq: event.seq, what: "rung", name }
        })
    }

    fn card(&mut self, event: &Event, changed: &CardChanged) -> Result<&mut Card, ApplyError> {
        let mut cards = self.cards.iter_mut();
        cards.find(|card| card.id == changed.card).ok_or_else(|| {
            let name = changed.card.to_string();
            ApplyError::Missing { seq: event.seq, what: "card", name }
        })
    }
}

fn armed(schedule: &Schedule) -> impl Iterator<Item = RungRun> + '_ {
    schedule.rungs.iter().map(|rung| RungRun {
        name: rung.name.clone(),
        at: rung.at,
        estimated: rung.estimated,
        state: RungState::Armed,
    })
}
