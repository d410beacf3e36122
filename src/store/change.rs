//! What one commit does to one ticket. A value: it grows decision by decision where they are made,
//! and is committed whole or not at all. Must never decide, nor look at a definition.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use duban_core::deadline::{Run, State};
use duban_core::decide::Decision;
use duban_core::definition::Kind;
use duban_core::digest::Digest;
use duban_core::instance::Instance;
use duban_core::message::Message;
use duban_core::name::Name;
use duban_core::role::Party;
use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;

use uuid::Uuid;

use super::{Loaded, RequestKey};

/// An event as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// Its number within the ticket.
    pub seq: u64,
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
    /// SM3 over the hash before it and the bytes.
    pub hash: Digest,
}

/// What is about people, with the key that its commitment stands under.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonalRow {
    /// What history calls it.
    pub reference: Name,
    /// The key.
    pub key: [u8; 32],
    /// JSON.
    pub body: Vec<u8>,
}

impl fmt::Debug for PersonalRow {
    /// Without key and body: this may end up in a log.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("PersonalRow").field("reference", &self.reference).finish_non_exhaustive()
    }
}

/// A review by its source's number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewRow {
    /// Where it came from.
    pub source: Name,
    /// The source's number.
    pub review_id: String,
    /// A commitment to the whole content, under the key of its personal data.
    pub commitment: Digest,
    /// Codes only, as JSON.
    pub codes: String,
    /// The row of personal data.
    pub reference: Name,
    /// The code of the matter.
    pub matter: Name,
}

/// A request that may be repeated (`Idempotency-Key`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// Whose, of which operation, under which key.
    pub key: RequestKey,
    /// The key of the commitment.
    pub secret: [u8; 32],
    /// To the body.
    pub commitment: Digest,
    /// The status of the answer; 0 while there is none.
    pub status: u16,
    /// What it is about: a ticket, or whatever the operation makes.
    pub about: Option<Uuid>,
    /// The event that the answer is rendered from, or another number that it depends on.
    pub number: i64,
}

/// What one commit does to one ticket.
#[derive(Debug)]
pub struct Change {
    /// The ticket as it was loaded; none for a new one.
    pub(super) loaded: Option<Loaded>,
    /// The ticket afterwards.
    pub instance: Arc<Instance>,
    /// The hash of its last event.
    pub head: Digest,
    /// New events.
    pub events: Vec<EventRow>,
    pub(super) messages: Vec<Message>,
    pub(super) runs: BTreeSet<usize>,
    pub(super) cards: BTreeSet<usize>,
    /// Rows of personal data that the events refer to.
    pub personal: Vec<PersonalRow>,
    /// The review that opened it.
    pub review: Option<ReviewRow>,
    /// Requests to remember.
    pub remembered: Vec<Remembered>,
}

impl Change {
    /// Of a ticket that is there.
    #[must_use]
    pub fn of(loaded: Loaded) -> Self {
        let (instance, head) = (Arc::clone(&loaded.instance), loaded.head);
        Self::starting(Some(loaded), instance, head)
    }

    /// A new ticket.
    #[must_use]
    pub fn opening(opened: Decision<'_>, review: ReviewRow) -> Self {
        let instance = Arc::new(opened.instance.clone().into_owned());
        let mut change = Self::starting(None, instance, Digest::ZERO);
        change.review = Some(review);
        change.absorb(opened.into_owned());
        change
    }

    fn starting(loaded: Option<Loaded>, instance: Arc<Instance>, head: Digest) -> Self {
        Self {
            loaded,
            instance,
            head,
            events: Vec::new(),
            messages: Vec::new(),
            runs: BTreeSet::new(),
            cards: BTreeSet::new(),
            personal: Vec::new(),
            review: None,
            remembered: Vec::new(),
        }
    }

    /// Takes a decision on top of what is there.
    pub fn absorb(&mut self, decision: Decision<'static>) {
        let Decision { events, instance, messages, runs, cards, fired_until: _ } = decision;
        for event in events {
            let bytes = event.to_bytes();
            self.head = self.head.link(&bytes);
            self.events.push(EventRow { seq: event.seq, bytes, hash: self.head });
        }
        self.messages.extend(messages);
        self.runs.extend(runs);
        self.cards.extend(cards);
        self.instance = Arc::new(instance.into_owned());
    }

    /// The ticket.
    #[must_use]
    pub fn ticket(&self) -> TicketId {
        self.instance.ticket
    }

    /// Whether there is anything to commit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.remembered.is_empty()
    }

    /// Whether there is anything for the outbox.
    #[must_use]
    pub fn has_messages(&self) -> bool {
        !self.messages.is_empty()
    }

    /// The ticket as it was loaded.
    #[must_use]
    pub const fn loaded(&self) -> Option<&Loaded> {
        self.loaded.as_ref()
    }

    /// Whether an incident kept time from moving it on; a commit ends that.
    pub(super) fn is_held(&self) -> bool {
        self.loaded.as_ref().is_some_and(Loaded::is_held)
    }

    /// Where it stands among rows that are locked together.
    pub(super) fn place(&self) -> (TicketId, TicketId) {
        (root(&self.instance), self.instance.ticket)
    }

    /// Whether what the ticket is found by is as it was: a rung that fired changes none of it.
    pub(super) fn is_found_as_before(&self) -> bool {
        let found = |one: &Instance| (one.revision, one.step_since, one.status, lights(one));
        self.loaded.as_ref().is_some_and(|loaded| {
            let (was, is) = (&loaded.instance, &self.instance);
            found(was) == found(is)
                && (&was.step, &was.agency, &was.flags) == (&is.step, &is.agency, &is.flags)
                && (was.finding, was.outcome) == (is.finding, is.outcome)
                && (&was.class, &was.definition) == (&is.class, &is.definition)
        })
    }

    /// The runs whose rows are not as they were: a rung that fired changes none.
    pub(super) fn changed_runs(&self) -> impl Iterator<Item = (usize, &Run)> {
        let before = self.loaded.as_ref().map_or(&[][..], |loaded| &loaded.instance.runs);
        let runs = self.runs.iter().map(|place| (*place, &self.instance.runs[*place]));
        runs.filter(|(place, run)| before.get(*place).is_none_or(|was| shown(was) != shown(run)))
    }

    pub(super) fn source(&self) -> &Name {
        let loaded = self.loaded.as_ref().map(|loaded| &loaded.source);
        let review = self.review.as_ref().map(|review| &review.source);
        // Unwrap safety: a ticket is loaded or opened by a review.
        loaded.or(review).expect("a change is of a ticket that is there or of a review")
    }

    pub(super) fn matter(&self) -> &Name {
        let loaded = self.loaded.as_ref().map(|loaded| &loaded.matter);
        let review = self.review.as_ref().map(|review| &review.matter);
        // Unwrap safety: as above.
        loaded.or(review).expect("a change is of a ticket that is there or of a review")
    }
}

/// The ticket that a ticket is a part of, or itself.
pub(super) fn root(instance: &Instance) -> TicketId {
    instance.parent.unwrap_or(instance.ticket)
}

/// What of a run stands in its row and can change.
fn shown(run: &Run) -> (State, Instant, Instant, Instant, &str) {
    (run.state, run.starts_at, run.yellow_at, run.due_at, run.certainty.word())
}

/// From when the agency's running obligations are yellow, and from when red.
pub(super) fn lights(instance: &Instance) -> (Option<Instant>, Option<Instant>) {
    let owed = || {
        instance.runs.iter().filter(|run| {
            run.kind == Kind::Obligation
                && run.state == State::Running
                && run.party == Party::Agency
        })
    };
    let yellow = owed().map(|run| run.yellow_at).min();
    (yellow, owed().map(|run| run.due_at).min())
}

/// When the earliest of the agency's running obligations is due: what lists are sorted by.
#[must_use]
pub fn red_at(instance: &Instance) -> Option<Instant> {
    lights(instance).1
}

/// The flags between spaces, one before and one after; nothing where there are none.
pub(super) fn flags(instance: &Instance) -> String {
    let mut flags = String::new();
    for flag in &instance.flags {
        flags.push(' ');
        flags.push_str(flag.as_str());
    }
    if !flags.is_empty() {
        flags.push(' ');
    }
    flags
}
