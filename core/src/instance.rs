//! A ticket as its events made it. A cache: replaying the events must give the same bytes.
//! Must never be changed but by `apply`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::deadline::{Card, Firing, Light, Run, State, next_firing};
use super::definition::{Definition, Finding, Kind, Outcome, Pin, Status};
use super::digest::Digest;
use super::name::Name;
use super::role::Party;
use super::ticket_id::TicketId;
use super::time::{Day, Instant};

/// One count of a tally.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TallyMark {
    /// The agency at the time.
    pub agency: Option<Name>,
    /// When it happened.
    pub at: Instant,
}

/// An extension that was asked for and not yet decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingExtension {
    /// The deadline.
    pub deadline: Name,
    /// The new last day.
    pub until: Day,
    /// When it was asked for.
    pub asked_at: Instant,
}

/// A ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// The ticket.
    pub ticket: TicketId,
    /// The ticket that it is a part of.
    pub parent: Option<TicketId>,
    /// The definition it is pinned to.
    pub definition: Pin,
    /// The review's class.
    pub class: Name,
    /// The district of the matter.
    pub district: Option<Name>,
    /// Who was rated, as a pseudonym.
    pub rated: Option<Digest>,
    /// When the citizen rated.
    pub reviewed_at: Instant,
    /// When it became a ticket.
    pub received_at: Instant,
    /// The number of its last event.
    pub seq: u64,
    /// The ticket's last instant: when its last event took effect. Never goes back.
    pub at: Instant,
    /// When its last event was recorded. Never goes back.
    pub recorded_at: Instant,
    /// The last instant at which time alone brought something about: whoever arrived before it and
    /// comes now was overtaken.
    pub fired_at: Option<Instant>,
    /// Grows with step, agency, finding and due dates only.
    pub revision: u32,
    /// Where it is.
    pub step: Name,
    /// Since when.
    pub step_since: Instant,
    /// For each step that it entered, where it came from when it last did.
    pub came_from: BTreeMap<Name, Name>,
    /// Open, closed or archived.
    pub status: Status,
    /// Who has it.
    pub agency: Option<Name>,
    /// Since when; since the ticket's beginning while nobody has had it.
    pub agency_since: Instant,
    /// Flags.
    pub flags: BTreeSet<Name>,
    /// What the verification found.
    pub finding: Option<Finding>,
    /// How it was closed.
    pub outcome: Option<Outcome>,
    /// Who last did each action.
    pub doers: BTreeMap<Name, Name>,
    /// Since when tallies that were set back count.
    pub tally_since: BTreeMap<Name, Instant>,
    /// What was counted.
    pub tallies: BTreeMap<Name, Vec<TallyMark>>,
    /// An extension that waits for its decision.
    pub extension: Option<PendingExtension>,
    /// Every run of every deadline, oldest first.
    pub runs: Vec<Run>,
    /// Every card, oldest first.
    pub cards: Vec<Card>,
}

impl Instance {
    /// When time will next bring something about, if nobody acts.
    #[must_use]
    pub fn next_wake(&self) -> Option<Instant> {
        self.next_firing().map(|firing| firing.at)
    }

    /// What time will next bring about, at the instant at which it will take effect: what was due
    /// before the ticket's last instant, because it was away, happens at that instant.
    #[must_use]
    pub fn next_firing(&self) -> Option<Firing> {
        let firing = next_firing(self.runs.iter())?;
        Some(Firing { at: firing.at.max(self.at), ..firing })
    }

    /// The newest run of a deadline that concerns the ticket as it is: nobody's in particular, or
    /// the present agency's.
    #[must_use]
    pub fn current_run(&self, deadline: &str) -> Option<usize> {
        self.runs.iter().rposition(|run| {
            run.deadline == *deadline && (run.agency.is_none() || run.agency == self.agency)
        })
    }

    /// Whether the newest run of a deadline is running.
    #[must_use]
    pub fn is_running(&self, deadline: &str) -> bool {
        self.current_run(deadline).is_some_and(|index| self.runs[index].state == State::Running)
    }

    /// The worst light of the agency's running obligations.
    #[must_use]
    pub fn light_at(&self, at: Instant) -> Option<Light> {
        self.worst_light(at, |party| party == Party::Agency)
    }

    /// The worst light of the running obligations of the hotline and whoever approves.
    #[must_use]
    pub fn hotline_light_at(&self, at: Instant) -> Option<Light> {
        self.worst_light(at, |party| party != Party::Agency)
    }

    fn worst_light(&self, at: Instant, of: impl Fn(Party) -> bool) -> Option<Light> {
        let owed = self.runs.iter().filter(|run| run.kind == Kind::Obligation && of(run.party));
        owed.filter_map(|run| run.light_at(at)).max()
    }

    /// Who must act now; nobody where the ticket is no longer open.
    #[must_use]
    pub fn awaits(&self, definition: &Definition) -> Option<Party> {
        let step = definition.step(self.step.as_str())?;
        let meanwhile = step.party_while.iter();
        let meanwhile = meanwhile.filter(|(deadline, _)| self.is_running(deadline.as_str()));
        let party = meanwhile.map(|(_, party)| *party).next().or(step.party)?;
        Some(definition.charged(party, &self.flags))
    }
}
