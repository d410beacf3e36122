//! What can happen next in a state: each action that somebody may do, and time that passes. Must
//! never leave out an action that the definition permits.

use serde_json::Value;

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

use super::forms::{Filling, TooMany, Tried};

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
            let roles = self.definition.roles(action, &instance.flags);
            let Ok(forms) = self.forms(action, instance, at) else {
                faults.push(format!("办理“{}”时：{}", action.title, TooMany::said()));
                continue;
            };
            for form in forms {
                // What comes of it is the same for whoever may do it, and so is why it can't be done.
                let mut tries = roles.iter().map(|role| {
                    let act = act(action, *role, &form, instance);
                    (*role, self.decide(instance, &Command::Act(act), at))
                });
                let may_not = |tried: &Result<Decision<'_>, Rejection>| {
                    matches!(tried, Err(Rejection::NotYours | Rejection::NotPermitted { .. }))
                };
                match tries.find(|(_, tried)| !may_not(tried)) {
                    // What was closed by mistake goes on where it was: no new situation.
                    Some((_, Ok(decision))) if goes_on(&decision) => {}
                    Some((role, Ok(decision))) => {
                        let action = Some((action.name.clone(), role));
                        moves.push(Move { action, at, decision });
                    }
                    Some((_, Err(Rejection::Definition(message)))) => {
                        faults.push(format!("办理“{}”时：{message}", action.title));
                    }
                    Some((_, Err(_))) | None => {}
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

    fn forms(
        &self,
        action: &Action,
        instance: &Instance,
        at: Instant,
    ) -> Result<Vec<Value>, TooMany> {
        let Some(form) = self.definition.form(action.form.as_str()) else { return Ok(Vec::new()) };
        let filling =
            Filling { calendar: self.context.calendar, instance, at, former: self.former };
        self.tried.forms(&filling, action, form)
    }
}

fn act(action: &Action, role: Role, form: &Value, instance: &Instance) -> Act {
    let agency = instance.agency.clone().filter(|_| role.is_bound_to_agency());
    Act {
        action: action.name.clone(),
        actor: Actor { subject: somebody_else(action, instance).into(), role, agency },
        form: form.clone(),
        sealed: Some(Sealed { reference: "proof".into(), commitment: Digest::ZERO }),
        revision: None,
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
