//! A ticket as its events made it. A cache: replaying the events must give the same bytes.
//! Must never be changed but by `apply`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::deadline::{Card, Firing, Light, Run, next_firing};
use super::definition::{Finding, Kind, Outcome, Pin, Status};
use super::name::Name;
use super::time::{Day, Instant};

/// The shape of a stored instance. A snapshot with another number is rebuilt from its events.
pub const SCHEMA: u16 = 1;

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
    /// [`SCHEMA`].
    pub schema: u16,
    /// The ticket.
    pub ticket: Name,
    /// The definition it is pinned to.
    pub definition: Pin,
    /// The review's class.
    pub class: Name,
    /// The district of the matter.
    pub district: Option<Name>,
    /// When the citizen rated.
    pub reviewed_at: Instant,
    /// When it became a ticket.
    pub received_at: Instant,
    /// The number of its last event.
    pub seq: u64,
    /// When its last event was recorded; never goes back.
    pub recorded_at: Instant,
    /// Grows with step, agency, finding and due dates only.
    pub revision: u32,
    /// Where it is.
    pub step: Name,
    /// Since when.
    pub step_since: Instant,
    /// Whether time alone brought it here.
    pub step_by_time: bool,
    /// Where it came from.
    pub came_from: Option<Name>,
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

    /// What time will next bring about.
    #[must_use]
    pub fn next_firing(&self) -> Option<Firing> {
        next_firing(self.runs.iter())
    }

    /// The newest run of a deadline that concerns the ticket as it is: nobody's in particular, or
    /// the present agency's.
    #[must_use]
    pub fn current_run(&self, deadline: &str) -> Option<usize> {
        self.runs.iter().rposition(|run| {
            run.deadline == *deadline && (run.agency.is_none() || run.agency == self.agency)
        })
    }

    /// The worst light of all running obligations.
    #[must_use]
    pub fn light_at(&self, at: Instant) -> Option<Light> {
        let owed = self.runs.iter().filter(|run| run.kind == Kind::Obligation);
        owed.filter_map(|run| run.light_at(at)).max()
    }
}
