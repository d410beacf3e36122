//! A workflow, whole: what its text says, as values. Must never be changed after it was read.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::action::{Action, Case};
use super::basis::Basis;
use super::deadline::DeadlineRule;
use super::form::Form;
use super::vocabulary::{EffectKind, Finding, Outcome, Status};
use crate::document::Position;
use crate::name::Name;
use crate::role::{Audience, Party};

/// The newest generation of definitions that this engine can run. A definition that asks for more
/// is left to nodes that are newer.
pub const ENGINE_LEVEL: u32 = 1;

/// Name, version and hash of a definition: what a ticket is pinned to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pin {
    /// The workflow's name.
    pub name: Name,
    /// Its version, from 1.
    pub version: u32,
    /// SM3 over the text and the forms, hexadecimal.
    pub hash: Name,
}

/// A workflow, whole and checked.
#[derive(Debug)]
pub struct Definition {
    /// Name, version and hash.
    pub pin: Pin,
    /// Chinese title.
    pub title: String,
    /// The least engine level that can run it.
    pub engine_level: u32,
    /// The classes of review that start it.
    pub classes: Vec<Name>,
    /// The step in which a ticket starts.
    pub starts_in: Name,
    /// The articles and local rules that the workflow as a whole stands on.
    pub basis: Vec<Basis>,
    /// What a closed ticket is called, by its finding, if it has one.
    pub outcomes: Vec<(Option<Finding>, Outcome)>,
    /// In the order of the text.
    pub steps: Vec<Step>,
    /// Names and titles of the domain events.
    pub events: Vec<(Name, String)>,
    /// Things that are counted.
    pub tallies: Vec<Tally>,
    /// In the order of the text, which is the order of work at one instant.
    pub deadlines: Vec<DeadlineRule>,
    /// In the order of the text.
    pub actions: Vec<Action>,
    /// What happens outside the ticket.
    pub effects: Vec<Effect>,
    /// The forms, by name.
    pub forms: Vec<Arc<Form>>,
    /// The file, for messages.
    pub file: String,
    /// The text itself, stored on first use.
    pub text: String,
}

/// A place in the course of a ticket.
#[derive(Debug)]
pub struct Step {
    /// Its name.
    pub name: Name,
    /// Chinese title.
    pub title: String,
    /// Open, closed or archived.
    pub status: Status,
    /// Who must act here; none where nobody must.
    pub party: Option<Party>,
    /// Transitions that happen by themselves as soon as their conditions hold.
    pub auto: Vec<Case>,
    /// Where it stands in the text.
    pub position: Position,
}

/// Something that is counted: attempts, returns, reworks.
#[derive(Debug)]
pub struct Tally {
    /// Its name.
    pub name: Name,
    /// Chinese title.
    pub title: String,
    /// Whether each agency has a count of its own.
    pub per_agency: bool,
    /// Events that set it back to nothing.
    pub reset_by: Vec<Name>,
    /// Where it stands in the text.
    pub position: Position,
}

/// Something outside the ticket that an event brings about, through the outbox.
#[derive(Debug)]
pub struct Effect {
    /// The domain event.
    pub on: Name,
    /// What is done.
    pub kind: EffectKind,
    /// To whom.
    pub to: Audience,
    /// Where it stands in the text.
    pub position: Position,
}

impl Definition {
    /// The step of that name.
    #[must_use]
    pub fn step(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == *name)
    }

    /// The action of that name.
    #[must_use]
    pub fn action(&self, name: &str) -> Option<&Action> {
        self.actions.iter().find(|action| action.name == *name)
    }

    /// The deadline of that name.
    #[must_use]
    pub fn deadline(&self, name: &str) -> Option<&DeadlineRule> {
        self.deadlines.iter().find(|deadline| deadline.name == *name)
    }

    /// The tally of that name.
    #[must_use]
    pub fn tally(&self, name: &str) -> Option<&Tally> {
        self.tallies.iter().find(|tally| tally.name == *name)
    }

    /// The form of that name.
    #[must_use]
    pub fn form(&self, name: &str) -> Option<&Form> {
        self.forms.iter().map(Arc::as_ref).find(|form| form.name == *name)
    }

    /// The title of a domain event, or its name if it has none.
    #[must_use]
    pub fn event_title<'a>(&'a self, name: &'a str) -> &'a str {
        let found = self.events.iter().find(|(event, _)| *event == *name);
        found.map_or(name, |(_, title)| title)
    }

    /// What a ticket with this finding is called when it closes.
    #[must_use]
    pub fn outcome_of(&self, finding: Option<Finding>) -> Option<Outcome> {
        self.outcomes.iter().find(|(one, _)| *one == finding).map(|(_, outcome)| *outcome)
    }
}

/// The key of `[outcomes]` for a finding, or for a ticket that was never verified.
pub(super) fn outcome_key(finding: Option<Finding>) -> &'static str {
    finding.map_or("without_finding", Finding::word)
}
