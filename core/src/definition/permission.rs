//! Who may do what where, who is charged and who is told: asked by decisions, checks, proofs and
//! diagrams alike. Must never be answered anywhere else.

use std::collections::BTreeSet;

use super::action::{Action, Stage};
use super::model::{Definition, StandIn, Step};
use super::vocabulary::Status;
use crate::name::Name;
use crate::role::{Audience, Party, Role};

impl Stage {
    /// Whether a step belongs to it.
    #[must_use]
    pub fn holds(&self, step: &Name, status: Status) -> bool {
        match self {
            Self::Step(name) => name == step,
            Self::Status(one) => *one == status,
        }
    }
}

impl Action {
    /// Whether it may be done in a step.
    #[must_use]
    pub fn is_possible_in(&self, step: &Step) -> bool {
        self.stages.iter().any(|stage| stage.holds(&step.name, step.status))
    }
}

impl Definition {
    /// The actions that may be done in a step, in the order of the text.
    pub fn possible_in<'d>(&'d self, step: &'d Step) -> impl Iterator<Item = &'d Action> {
        self.actions.iter().filter(|action| action.is_possible_in(step))
    }

    /// Who may do an action while the ticket carries these flags.
    #[must_use]
    pub fn roles(&self, action: &Action, flags: &BTreeSet<Name>) -> Vec<Role> {
        each_once(action.by.iter().map(|role| self.acting(*role, flags)))
    }

    /// Who acts for a role while the ticket carries these flags.
    #[must_use]
    pub fn acting(&self, role: Role, flags: &BTreeSet<Name>) -> Role {
        self.stand_in(flags, |of| of == role).map_or(role, |one| one.by)
    }

    /// Who is charged with what a party would owe.
    #[must_use]
    pub fn charged(&self, party: Party, flags: &BTreeSet<Name>) -> Party {
        let stand_in = self.stand_in(flags, |role| role.acts_for(party));
        stand_in.and_then(|one| one.by.party()).unwrap_or(party)
    }

    /// Who is told what these would be told, each once.
    #[must_use]
    pub fn told(&self, audiences: &[Audience], flags: &BTreeSet<Name>) -> Vec<Audience> {
        each_once(audiences.iter().map(|audience| {
            let stand_in = self.stand_in(flags, |role| role.audience() == Some(*audience));
            stand_in.and_then(|one| one.by.audience()).unwrap_or(*audience)
        }))
    }

    /// Whether a deadline, by its name, is hidden from a role; what the definition does not know is
    /// not.
    #[must_use]
    pub fn hides(&self, deadline: &str, role: Role) -> bool {
        self.deadline(deadline).is_some_and(|rule| rule.hidden_from.contains(&role))
    }

    fn stand_in(&self, flags: &BTreeSet<Name>, of: impl Fn(Role) -> bool) -> Option<&StandIn> {
        let mut applying = self.stand_ins.iter().filter(|one| flags.contains(&one.flag));
        applying.find(|one| one.of.iter().any(|role| of(*role)))
    }
}

fn each_once<T: PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut once = Vec::new();
    for one in all {
        if !once.contains(&one) {
            once.push(one);
        }
    }
    once
}
