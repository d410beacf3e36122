//! What can happen next in a state: each action that somebody may do, and time that passes. Must
//! never leave out an action that the definition permits.

use crate::command::{Act, Command, Moment};
use crate::decide::{Context, Decision, decide};
use crate::definition::{Action, Definition, Guard, Predicate, Status};
use crate::digest::Digest;
use crate::event::{Fact, OutcomeChange, Sealed};
use crate::instance::Instance;
use crate::name::Name;
use crate::rejection::Rejection;
use crate::role::{Actor, Role};
use crate::time::Instant;

use super::forms::{Filling, Tried};

/// One way on.
pub(super) struct Move<'m> {
    /// The action, or nothing when time passes.
    pub(super) action: Option<(Name, Role)>,
    /// When.
    pub(super) at: Instant,
    /// What comes of it.
    pub(super) decision: Decision<'m>,
}

#[derive(Clone, Copy)]
pub(super) struct Mover<'m> {
    pub(super) context: Context<'m>,
    pub(super) definition: &'m Definition,
    /// Whether the ticket may go back to the agency that had it before.
    pub(super) former: bool,
    /// Which forms of each action are worth trying.
    pub(super) tried: &'m Tried,
}

impl<'m> Mover<'m> {
    /// Every action that somebody may do now, with every form that makes a difference.
    pub(super) fn actions(
        &self,
        instance: &'m Instance,
        at: Instant,
    ) -> (Vec<Move<'m>>, Vec<String>) {
        let mut moves = Vec::new();
        let mut faults = Vec::new();
        let Some(step) = self.definition.step(instance.step.as_str()) else {
            return (moves, faults);
        };
        for action in self.definition.possible_in(step) {
            // Cards and classes change nothing about where a ticket can go within a definition.
            if action.card.is_some() || action.repin.is_some() {
                continue;
            }
            let role = self.definition.roles(action, &instance.flags).first().copied();
            let Some(role) = role else { continue };
            for act in self.acts(action, role, instance, at) {
                match self.decide(instance, &Command::Act(act), at) {
                    // What was closed by mistake goes on where it was: no new situation.
                    Ok(decision) if goes_on(&decision) => {}
                    Ok(decision) => {
                        let action = Some((action.name.clone(), role));
                        moves.push(Move { action, at, decision });
                    }
                    Err(Rejection::Definition(message)) => {
                        faults.push(format!("办理“{}”时：{message}", action.title));
                    }
                    Err(_) => {}
                }
            }
        }
        (moves, faults)
    }

    /// Time passes until an instant.
    pub(super) fn wait(
        &self,
        instance: &'m Instance,
        until: Instant,
    ) -> Result<Move<'m>, Rejection> {
        let decision = self.decide(instance, &Command::Advance, until)?;
        Ok(Move { action: None, at: until, decision })
    }

    fn decide(
        &self,
        instance: &'m Instance,
        command: &Command,
        at: Instant,
    ) -> Result<Decision<'m>, Rejection> {
        decide(self.context, instance, command, Moment::now(at))
            .map_err(|refusal| refusal.rejection)
    }

    fn acts(&self, action: &Action, role: Role, instance: &Instance, at: Instant) -> Vec<Act> {
        let Some(form) = self.definition.form(action.form.as_str()) else { return Vec::new() };
        let filling =
            Filling { calendar: self.context.calendar, instance, at, former: self.former };
        let subject = somebody_else(action, instance);
        let agency = instance.agency.clone().filter(|_| role.is_bound_to_agency());
        let actor = Actor { subject: subject.into(), role, agency };
        let sealed = Sealed { reference: "proof".into(), commitment: Digest::ZERO };
        let forms = self.tried.forms(&filling, action, form).into_iter();
        forms
            .map(|form| Act {
                action: action.name.clone(),
                actor: actor.clone(),
                form,
                sealed: Some(sealed.clone()),
                revision: None,
            })
            .collect()
    }
}

/// As few people as it takes: what one did, another may have to confirm, and a third to approve.
fn somebody_else(action: &Action, instance: &Instance) -> &'static str {
    let did = |guard: &Guard| match &guard.predicate {
        Predicate::ActorDiffersFrom(other) => instance.doers.get(other),
        _ => None,
    };
    let taken: Vec<&Name> = action.guards.iter().filter_map(did).collect();
    let is_free = |subject: &&str| taken.iter().all(|other| **other != **subject);
    ["甲", "乙", "丙", "丁"].into_iter().find(is_free).unwrap_or("戊")
}

/// Whether a closed ticket goes back to the step that it was closed from.
fn goes_on(decision: &Decision<'_>) -> bool {
    decision.events.iter().any(|event| match &event.fact {
        Fact::Acted(acted) => {
            let step = acted.change.step.as_ref();
            step.is_some_and(|step| step.back && step.status == Status::Open)
                && acted.change.outcome == Some(OutcomeChange::Cleared)
        }
        _ => false,
    })
}
