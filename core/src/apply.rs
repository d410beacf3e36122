//! Events make the ticket: the one way in which an instance changes, for live work, recovery and
//! replay alike. Must never consult a definition or a calendar: an event says everything.

use std::collections::BTreeMap;

use super::deadline::{
    Card, CardState, LedgerEntry, LedgerReason, Run, RungRun, RungState, Schedule, State, card_id,
};
use super::definition::Status;
use super::event::{
    Acted, DeadlineMoved, DeadlineReopened, DeadlineStarted, Event, ExtensionChange, Fact, Opened,
    OutcomeChange, Reclassified, RunRef, RungFired, StepChange, TicketChange,
};
use super::instance::{Instance, PendingExtension, TallyMark};
use super::name::Name;
use super::reason::EndReason;

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
    /// An event from before the one that precedes it.
    #[error("event {0} goes back in time")]
    Backwards(u64),
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

/// What an event changed besides the ticket's own row, by place in the instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// The run.
    pub run: Option<usize>,
    /// The card.
    pub card: Option<usize>,
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
            ticket: opened.ticket,
            parent: opened.parent,
            definition: opened.definition.clone(),
            class: opened.class.clone(),
            district: opened.district.clone(),
            rated: opened.rated,
            reviewed_at: opened.reviewed_at,
            received_at: event.at,
            seq: event.seq,
            at: event.at,
            recorded_at: event.recorded_at,
            fired_at: None,
            revision: 1,
            step: opened.step.clone(),
            step_since: event.at,
            came_from: BTreeMap::new(),
            status: Status::Open,
            agency: None,
            agency_since: event.at,
            flags: opened.flags.iter().cloned().collect(),
            finding: None,
            outcome: None,
            doers: BTreeMap::new(),
            tally_since: BTreeMap::new(),
            tallies: BTreeMap::new(),
            extension: None,
            runs: Vec::new(),
            cards: Vec::new(),
        })
    }

    /// Applies the next event.
    ///
    /// # Errors
    /// An event that cannot follow; the ticket is then of no use any more.
    pub fn apply(&mut self, event: &Event) -> Result<Touched, ApplyError> {
        let next = self.seq.saturating_add(1);
        if event.seq != next {
            return Err(ApplyError::Sequence { expected: next, found: event.seq });
        }
        if event.at < self.at || event.recorded_at < self.recorded_at {
            return Err(ApplyError::Backwards(event.seq));
        }
        self.seq = event.seq;
        self.at = event.at;
        self.recorded_at = event.recorded_at;
        if event.fact.is_firing() {
            self.fired_at = Some(event.at);
        }
        let run = match &event.fact {
            // A look changes nothing.
            Fact::Disclosed(_) => None,
            Fact::Opened(_) => return Err(ApplyError::Beginning(event.seq)),
            Fact::Acted(acted) => {
                self.acted(event, acted);
                None
            }
            Fact::Moved(moved) => {
                self.change(event, &moved.change);
                None
            }
            Fact::Reclassified(reclassified) => {
                self.reclassified(reclassified);
                None
            }
            Fact::DeadlineStarted(started) => Some(self.started(started)),
            Fact::DeadlineMet(met) => {
                let state = if met.late { State::MetLate } else { State::Met };
                Some(self.end(event, &met.run, state)?)
            }
            Fact::DeadlineReopened(again) => {
                Some(self.reopened(event, again, LedgerReason::Refused)?)
            }
            Fact::DeadlineResumed(again) => {
                Some(self.reopened(event, again, LedgerReason::Resumed)?)
            }
            Fact::DeadlineLapsed(lapsed) => Some(self.end(event, &lapsed.run, State::Lapsed)?),
            Fact::DeadlineCancelled(cancelled) => {
                Some(self.cancelled(event, &cancelled.run, &cancelled.reason)?)
            }
            Fact::DeadlineMoved(moved) => Some(self.moved(event, moved)?),
            Fact::RungFired(fired) => return self.fired(event, fired, RungState::Fired),
            Fact::RungWithheld(fired) => return self.fired(event, fired, RungState::Withheld),
            Fact::CardRevoked(changed) => {
                let card = self.card(event, &changed.card)?;
                self.cards[card].state = CardState::Revoked;
                self.cards[card].revoked = Some(changed.reason.clone());
                return Ok(Touched { run: None, card: Some(card) });
            }
            Fact::CardContested(changed) => {
                return self.mark_card(event, &changed.card, CardState::Contested);
            }
            Fact::CardUpheld(changed) => {
                let card = self.card(event, &changed.card)?;
                self.cards[card].upheld = true;
                return self.mark_card(event, &changed.card, CardState::Issued);
            }
        };
        Ok(Touched { run, card: None })
    }

    fn acted(&mut self, event: &Event, acted: &Acted) {
        self.doers.insert(acted.action.clone(), event.actor.clone());
        self.change(event, &acted.change);
    }

    fn change(&mut self, event: &Event, change: &TicketChange) {
        for tally in &change.tallies_reset {
            self.tallies.remove(tally);
            self.tally_since.insert(tally.clone(), event.at);
        }
        for mark in &change.marks {
            let counted = TallyMark { agency: self.agency.clone(), at: mark.at };
            self.tallies.entry(mark.tally.clone()).or_default().push(counted);
        }
        if let Some(step) = &change.step {
            self.enter(event, step);
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
        self.flags.retain(|flag| !change.unflagged.contains(flag));
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

    fn enter(&mut self, event: &Event, step: &StepChange) {
        // Going back is not coming from there: the step keeps where it was first reached from.
        if !step.back {
            self.came_from.insert(step.to.clone(), step.from.clone());
        }
        self.step = step.to.clone();
        self.step_since = event.at;
        self.status = step.status;
    }

    fn reclassified(&mut self, reclassified: &Reclassified) {
        self.class = reclassified.class.clone();
        self.definition = reclassified.definition.clone();
        for run in &mut self.runs {
            if let Some(order) = reclassified.orders.get(&run.deadline) {
                run.order = *order;
            }
        }
        self.revision += 1;
    }

    fn started(&mut self, started: &DeadlineStarted) -> usize {
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
            calendar: schedule.calendar.clone(),
            known_on: schedule.known_on,
            extended_to: None,
            ended_at: None,
            rungs: armed(schedule).collect(),
            ledger: Vec::new(),
        });
        self.revision += 1;
        self.runs.len() - 1
    }

    fn end(&mut self, event: &Event, of: &RunRef, state: State) -> Result<usize, ApplyError> {
        let index = self.run(event, of)?;
        self.runs[index].state = state;
        self.runs[index].ended_at = Some(event.at);
        Ok(index)
    }

    fn cancelled(
        &mut self,
        event: &Event,
        of: &RunRef,
        reason: &EndReason,
    ) -> Result<usize, ApplyError> {
        // What asks to extend a deadline that nobody owes any more is moot; a closed ticket may
        // yet turn out to have been closed by mistake.
        let asked = self.extension.as_ref().is_some_and(|one| one.deadline == of.deadline);
        if asked && *reason != EndReason::Closed {
            self.extension = None;
        }
        let index = self.end(event, of, State::Cancelled)?;
        self.runs[index].cancelled = Some(reason.clone());
        Ok(index)
    }

    fn reopened(
        &mut self,
        event: &Event,
        reopened: &DeadlineReopened,
        reason: LedgerReason,
    ) -> Result<usize, ApplyError> {
        let index = self.run(event, &reopened.run)?;
        let run = &mut self.runs[index];
        run.state = State::Running;
        run.ended_at = None;
        run.cancelled = None;
        let due = run.due_at;
        let held_from = Some(reopened.held_from);
        run.ledger.push(LedgerEntry { reason, at: event.at, from: due, to: due, held_from });
        for rung in run.rungs.iter_mut().filter(|rung| reopened.passed_over.contains(&rung.rung)) {
            rung.state = RungState::PassedOver;
        }
        Ok(index)
    }

    fn moved(&mut self, event: &Event, moved: &DeadlineMoved) -> Result<usize, ApplyError> {
        let index = self.run(event, &moved.run)?;
        let run = &mut self.runs[index];
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
        run.calendar = schedule.calendar.clone();
        run.known_on = schedule.known_on;
        if let Some(within) = moved.within {
            run.within = within;
        }
        if moved.reason == LedgerReason::Extension {
            run.extended_to = Some(schedule.due_day);
            // A grant may come after the feedback: whoever was in time by it was in time.
            if let Some(met_at) = run.met_at() {
                run.state = if met_at < run.due_at { State::Met } else { State::MetLate };
            }
        }
        if moved.generation > run.generation {
            run.generation = moved.generation;
            run.rungs = armed(schedule).collect();
        } else {
            let fresh: Vec<RungRun> = armed(schedule).collect();
            run.rungs.retain(|rung| {
                rung.state != RungState::Armed && fresh.iter().all(|new| new.rung != rung.rung)
            });
            run.rungs.extend(fresh);
            run.rungs.sort_by_key(|rung| rung.at);
        }
        self.revision += 1;
        Ok(index)
    }

    fn fired(
        &mut self,
        event: &Event,
        fired: &RungFired,
        state: RungState,
    ) -> Result<Touched, ApplyError> {
        let index = self.run(event, &fired.run)?;
        let run = &mut self.runs[index];
        let rung = run.rungs.iter_mut().find(|rung| rung.rung == fired.rung);
        let rung = rung.ok_or_else(|| {
            let name = format!("{} of {}", fired.rung, fired.run.deadline);
            ApplyError::Missing { seq: event.seq, what: "rung", name }
        })?;
        rung.state = state;
        let Some(kind) = fired.card else { return Ok(Touched { run: Some(index), card: None }) };
        self.cards.push(Card {
            id: card_id(&run.deadline, run.run, fired.generation, fired.rung),
            kind,
            deadline: run.deadline.clone(),
            run: run.run,
            generation: fired.generation,
            rung: fired.rung,
            party: run.party,
            agency: run.agency.clone(),
            due_at: run.due_at,
            fired_at: event.at,
            state: CardState::Issued,
            upheld: false,
            revoked: None,
        });
        Ok(Touched { run: Some(index), card: Some(self.cards.len() - 1) })
    }

    fn run(&self, event: &Event, of: &RunRef) -> Result<usize, ApplyError> {
        let mut runs = self.runs.iter();
        runs.position(|run| run.run == of.run && run.deadline == of.deadline).ok_or_else(|| {
            let name = format!("{} {}", of.deadline, of.run);
            ApplyError::Missing { seq: event.seq, what: "run", name }
        })
    }

    fn card(&self, event: &Event, id: &Name) -> Result<usize, ApplyError> {
        self.cards.iter().position(|card| card.id == *id).ok_or_else(|| ApplyError::Missing {
            seq: event.seq,
            what: "card",
            name: id.to_string(),
        })
    }

    fn mark_card(
        &mut self,
        event: &Event,
        id: &Name,
        state: CardState,
    ) -> Result<Touched, ApplyError> {
        let card = self.card(event, id)?;
        self.cards[card].state = state;
        Ok(Touched { run: None, card: Some(card) })
    }
}

fn armed(schedule: &Schedule) -> impl Iterator<Item = RungRun> + '_ {
    schedule.rungs.iter().map(|rung| RungRun {
        rung: rung.rung,
        at: rung.at,
        estimated: rung.estimated,
        state: RungState::Armed,
    })
}
