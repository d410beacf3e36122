//! Who may do what where: asked by decisions, checks, proofs and diagrams alike. Must never be
//! answered anywhere else.

use std::collections::BTreeSet;

use super::action::{Action, Stage};
use super::model::{Definition, Step};
use super::vocabulary::Status;
use crate::name::Name;
use crate::role::Role;

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

    /// Who may do it while the ticket carries these flags.
    #[must_use]
    pub fn roles(&self, flags: &BTreeSet<Name>) -> &[Role] {
        let instead = self.instead.iter().find(|(flag, _)| flags.contains(flag));
        instead.map_or(&self.by, |(_, by)| by)
    }
}

impl Definition {
    /// The actions that may be done in a step, in the order of the text.
    pub fn possible_in<'d>(&'d self, step: &'d Step) -> impl Iterator<Item = &'d Action> {
        self.actions.iter().filter(|action| action.is_possible_in(step))
    }
}
