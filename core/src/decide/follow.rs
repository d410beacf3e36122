//! What follows from a change of the ticket: deadlines react to its events and its step, people are
//! told, transitions happen by themselves. Must never depend on who brought the change about.

use super::draft::Draft;
use crate::definition::{Case, Finish, Next, Start, Status};
use crate::event::{Fact, Mark, Moved, OutcomeChange, StepChange, TicketChange};
use crate::limits::{MARKS_MAX, SETTLING_MAX};
use crate::message::About;
use crate::name::Name;
use crate::rejection::Rejection;
use crate::role::Party;
use crate::time::Instant;

impl Draft<'_> {
    /// What a case changes on the ticket, leaving out what only an action can.
    pub(super) fn change_of(
        &self,
        case: &Case,
        claimed: impl Fn(&Name) -> Option<Instant>,
    ) -> Result<TicketChange, Rejection> {
        let step = case.next.as_ref().map(|next| self.step_change(next)).transpose()?;
        let mut marks = Vec::with_capacity(case.tally.len());
        for tallying in &case.tally {
            let there = self.instance.tallies.get(&tallying.tally).map_or(0, Vec::len);
            if there >= MARKS_MAX {
                return Err(Rejection::Limit { what: "计数", most: MARKS_MAX });
            }
            let at = tallying.at.as_ref().and_then(&claimed).unwrap_or(self.at);
            marks.push(Mark { tally: tallying.tally.clone(), at });
        }
        let resets = |event: &Name| {
            let tallies = self.definition.tallies.iter();
            let event = event.clone();
            tallies.filter(move |tally| tally.reset_by.contains(&event)).map(|one| one.name.clone())
        };
        let has = |flag: &&Name| self.instance.flags.contains(*flag);
        Ok(TicketChange {
            raised: case.raise.clone(),
            step,
            outcome: case.outcome.and_then(|finish| match finish {
                Finish::Named(outcome) => Some(OutcomeChange::Named(outcome)),
                Finish::Cleared => Some(OutcomeChange::Cleared),
                Finish::ByFinding => {
                    self.definition.outcome_of(self.instance.finding).map(OutcomeChange::Named)
                }
            }),
            flagged: case.flags.iter().filter(|flag| !has(flag)).cloned().collect(),
            unflagged: case.unflags.iter().filter(has).cloned().collect(),
            tallies_reset: case.raise.iter().flat_map(resets).collect(),
            marks,
            ..TicketChange::default()
        })
    }

    fn step_change(&self, next: &Next) -> Result<StepChange, Rejection> {
        let from = &self.instance.step;
        let (to, back) = match next {
            Next::Step(step) => (step.clone(), false),
            Next::Back => {
                let origin = self.instance.came_from.get(from).cloned();
                let missing = || Rejection::Definition(format!("环节 {from} 没有来处可退"));
                (origin.ok_or_else(missing)?, true)
            }
        };
        let status = self
            .definition
            .step(to.as_str())
            .map(|step| step.status)
            .ok_or_else(|| Rejection::Definition(format!("没有名为“{to}”的环节")))?;
        Ok(StepChange { from: from.clone(), to, status, back })
    }

    /// What follows from a change that event `seq` recorded.
    pub(super) fn follow(&mut self, change: &TicketChange, seq: u64) -> Result<(), Rejection> {
        if let Some(agency) = &change.released {
            self.release(agency)?;
        }
        if let Some(agency) = &change.assigned {
            self.take_up(agency)?;
        }
        // Whoever gave the ticket back is told what became of it.
        let concerned = change.released.clone().or_else(|| self.instance.agency.clone());
        for event in &change.raised {
            self.raised(event, seq, concerned.as_ref())?;
        }
        if let Some(step) = &change.step {
            self.entered(&step.to)?;
            if step.status != Status::Open {
                self.close(step.status)?;
            }
        }
        Ok(())
    }

    /// A domain event: its effects, then each deadline in the order of the definition.
    pub(super) fn raised(
        &mut self,
        event: &Name,
        seq: u64,
        concerned: Option<&Name>,
    ) -> Result<(), Rejection> {
        let definition = self.definition;
        for effect in definition.effects.iter().filter(|effect| effect.on == *event) {
            let about = About::Event { event: event.clone() };
            // While nobody has the ticket, whoever must act is told in the agency's place.
            let party = self.instance.awaits(definition).filter(|_| concerned.is_none());
            let to = party.filter(|_| effect.to.is_of_agency()).map_or(effect.to, Party::audience);
            self.tell(seq, effect.kind, &[to], concerned, &about)?;
        }
        for rule in &definition.deadlines {
            if rule.met_by.contains(event) {
                self.meet(rule)?;
            }
            if rule.unmet_by.contains(event) {
                self.unmeet(rule)?;
            }
            if rule.cancelled_by.contains(event) {
                self.cancel(rule, event)?;
            }
            if rule.from.iter().any(|start| matches!(start, Start::Event(name) if name == event)) {
                self.start(rule, self.counts_from)?;
            }
        }
        Ok(())
    }

    /// A step was entered: the deadlines that start there.
    pub(super) fn entered(&mut self, step: &Name) -> Result<(), Rejection> {
        for rule in &self.definition.deadlines {
            if rule.from.iter().any(|start| matches!(start, Start::Step(name) if name == step)) {
                self.start(rule, self.counts_from)?;
            }
        }
        Ok(())
    }

    /// Takes the transitions that happen by themselves until none holds any more.
    pub(super) fn settle(&mut self) -> Result<(), Rejection> {
        for _ in 0..SETTLING_MAX {
            let Some(step) = self.definition.step(self.instance.step.as_str()) else {
                return Err(Rejection::Definition(format!(
                    "没有名为“{}”的环节",
                    self.instance.step
                )));
            };
            let holds = |case: &&Case| case.when.iter().all(|one| self.holds(one, None));
            let Some(case) = step.auto.iter().find(holds) else { return Ok(()) };
            let change = self.change_of(case, |_| None)?;
            self.as_system(|draft| {
                let moved = Moved { change };
                draft.record(Fact::Moved(Box::new(moved.clone())))?;
                draft.follow(&moved.change, draft.instance.seq)
            })?;
        }
        let message = format!("环节 {} 的自动流转绕成了圈", self.instance.step);
        Err(Rejection::Definition(message))
    }
}
