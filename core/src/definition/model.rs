//! A workflow, whole: what its text says, as values. Must never be changed after it was read.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::action::{Action, Case};
use super::basis::Basis;
use super::deadline::DeadlineRule;
use super::form::Form;
use super::vocabulary::{EffectKind, Finding, Outcome, Status};
use crate::digest::Digest;
use crate::document::Position;
use crate::name::Name;
use crate::role::{Audience, Party, Role};
use crate::time::Day;

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
    /// SM3 over the text and the forms.
    pub hash: Digest,
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
    /// The first day on which a new ticket takes this version; none: since ever.
    pub effective_from: Option<Day>,
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
    /// The domain events.
    pub events: Vec<DomainEvent>,
    /// Things that are counted.
    pub tallies: Vec<Tally>,
    /// In the order of the text, which is the order of work at one instant.
    pub deadlines: Vec<DeadlineRule>,
    /// In the order of the text.
    pub actions: Vec<Action>,
    /// Who stands in for whom.
    pub stand_ins: Vec<StandIn>,
    /// What happens outside the ticket.
    pub effects: Vec<Effect>,
    /// The forms, by name.
    pub forms: Vec<Arc<Form>>,
    /// Where its own legal basis stands in the text.
    pub position: Position,
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
    /// Who must act here in that party's place while a deadline is running.
    pub party_while: Vec<(Name, Party)>,
    /// Transitions that happen by themselves as soon as their conditions hold.
    pub auto: Vec<Case>,
    /// Where it stands in the text.
    pub position: Position,
}

/// Nobody judges himself: while the ticket carries a flag, one role does all that others would, is
/// charged in their place, and is told in their place.
#[derive(Debug)]
pub struct StandIn {
    /// The flag.
    pub flag: Name,
    /// The roles that would act.
    pub of: Vec<Role>,
    /// The role that acts.
    pub by: Role,
    /// Articles and local rules.
    pub basis: Vec<Basis>,
    /// Where it stands in the text.
    pub position: Position,
}

/// Something that can happen to a ticket: deadlines start, are met and cancelled by it.
#[derive(Debug)]
pub struct DomainEvent {
    /// Its name.
    pub name: Name,
    /// Chinese title.
    pub title: String,
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
    /// Whether it takes reviews of a class.
    #[must_use]
    pub fn takes(&self, class: &Name) -> bool {
        self.classes.contains(class)
    }

    /// Every flag that an action or a step sets.
    pub fn flags_set(&self) -> impl Iterator<Item = &Name> {
        let by_actions = self.actions.iter().flat_map(|action| &action.cases);
        let by_steps = self.steps.iter().flat_map(|step| &step.auto);
        by_actions.chain(by_steps).flat_map(|case| &case.flags)
    }

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

    /// Splits a filled-in form of an action into what history may show and what stays private and
    /// is sealed. A form that the definition does not have is private whole.
    #[must_use]
    pub fn split_form(
        &self,
        action: &str,
        filled: &Value,
    ) -> (BTreeMap<Name, Value>, Option<Value>) {
        let form = self.action(action).and_then(|action| self.form(action.form.as_str()));
        form.map_or_else(|| (BTreeMap::new(), Some(filled.clone())), |form| form.split(filled))
    }

    /// The title of a domain event, or its name if it has none.
    #[must_use]
    pub fn event_title<'a>(&'a self, name: &'a str) -> &'a str {
        let found = self.events.iter().find(|event| event.name == *name);
        found.map_or(name, |event| &event.title)
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
