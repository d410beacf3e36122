//! What a definition can still ask for from a step on: the predicates of everything that can be
//! done in the steps that can still be reached. Must never leave out a step that can be reached.

use std::collections::{BTreeMap, BTreeSet};

use super::situation::Abstraction;
use crate::definition::{Case, Definition, Next, Predicate, Status, Step};
use crate::name::Name;

/// How far a tally is counted by any predicate ahead.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Most {
    pub(super) count: usize,
    pub(super) working_days: usize,
    pub(super) half_days: usize,
}

/// What can be asked for from a step on.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each says whether something can be asked for")]
pub(super) struct Ahead<'d> {
    pub(super) tallies: BTreeMap<&'d Name, Most>,
    pub(super) flags: BTreeSet<&'d Name>,
    /// Deadlines asked whether they run.
    pub(super) running: BTreeSet<&'d Name>,
    /// Deadlines asked whether they ever ran.
    pub(super) over: BTreeSet<&'d Name>,
    /// Deadlines asked whether their end has come.
    pub(super) before_due: BTreeSet<&'d Name>,
    pub(super) finding: bool,
    pub(super) outcome: bool,
    /// Whether an agency can still be given the ticket.
    pub(super) assigns: bool,
    /// Whether something leads from this very step back to where the ticket came from.
    pub(super) goes_back: bool,
}

impl<'d> Ahead<'d> {
    /// What can be asked for from a step on; on a lawful course, which ends at the first close, up to
    /// that.
    pub(super) fn of(definition: &'d Definition, step: &'d Step, abstraction: Abstraction) -> Self {
        let mut ahead = Self::default();
        let back = |case: &Case| case.next == Some(Next::Back) && !case.resume;
        let here = definition.possible_in(step);
        ahead.goes_back = here.flat_map(|action| &action.cases).any(back);
        for step in reached(definition, step, abstraction) {
            ahead.note_step(definition, step);
        }
        ahead
    }

    /// What can be asked for in a step itself.
    pub(super) fn asked_in(definition: &'d Definition, step: &'d Step) -> Self {
        let mut asked = Self::default();
        asked.note_step(definition, step);
        asked
    }

    fn note_step(&mut self, definition: &'d Definition, step: &'d Step) {
        for action in definition.possible_in(step) {
            self.assigns |= action.assign.is_some();
            for guard in &action.guards {
                self.note(&guard.predicate);
                self.flags.extend(&guard.unless);
            }
            self.note_cases(&action.cases);
        }
        self.note_cases(&step.auto);
    }

    pub(super) fn asks_for(&self, deadline: &Name) -> bool {
        self.running.contains(deadline)
            || self.over.contains(deadline)
            || self.before_due.contains(deadline)
    }

    fn note_cases(&mut self, cases: &'d [Case]) {
        for predicate in cases.iter().flat_map(|case| &case.when) {
            self.note(predicate);
        }
    }

    fn note(&mut self, predicate: &'d Predicate) {
        match predicate {
            Predicate::Flag(flag) | Predicate::NoFlag(flag) => {
                self.flags.insert(flag);
            }
            Predicate::DeadlineRunning(deadline) | Predicate::DeadlineIdle(deadline) => {
                self.running.insert(deadline);
            }
            Predicate::DeadlineOver(deadline) | Predicate::DeadlineUnstarted(deadline) => {
                self.over.insert(deadline);
            }
            Predicate::BeforeDue(deadline) => {
                self.before_due.insert(deadline);
            }
            Predicate::FindingIs(_) => self.finding = true,
            Predicate::OutcomeIs(_) => self.outcome = true,
            Predicate::Count { tally, count, working_days, half_days, .. } => {
                let most = self.tallies.entry(tally).or_default();
                most.count = most.count.max(*count as usize);
                most.working_days = most.working_days.max(*working_days as usize);
                most.half_days = most.half_days.max(*half_days as usize);
            }
            Predicate::Field { .. }
            | Predicate::Step(_)
            | Predicate::Assigned(_)
            | Predicate::ActorDiffersFrom(_) => {}
        }
    }
}

/// A step and all that can be reached from it; “back” leads to every step that leads here.
fn reached<'d>(
    definition: &'d Definition,
    from: &'d Step,
    abstraction: Abstraction,
) -> Vec<&'d Step> {
    let goes_on = |step: &Step| abstraction == Abstraction::Order || step.status == Status::Open;
    let mut reached = vec![from];
    let mut looked = 0;
    while let Some(step) = reached.get(looked).copied() {
        looked += 1;
        let nexts = definition.steps.iter().filter(|next| goes_on(next));
        for next in nexts.filter(|next| leads(definition, step, next)) {
            if !reached.iter().any(|one| one.name == next.name) {
                reached.push(next);
            }
        }
    }
    reached
}

fn leads(definition: &Definition, from: &Step, to: &Step) -> bool {
    let to_step = |case: &Case| matches!(&case.next, Some(Next::Step(step)) if *step == to.name);
    let mut cases = definition.possible_in(from).flat_map(|action| &action.cases).chain(&from.auto);
    // What was closed by mistake goes on where it was: that is no way of its own.
    let back = |case: &Case| case.next == Some(Next::Back) && !case.resume;
    cases.any(|case| to_step(case) || back(case) && leads_plainly(definition, to, from))
}

fn leads_plainly(definition: &Definition, from: &Step, to: &Step) -> bool {
    let to_step = |case: &Case| matches!(&case.next, Some(Next::Step(step)) if *step == to.name);
    definition.possible_in(from).flat_map(|action| &action.cases).chain(&from.auto).any(to_step)
}
