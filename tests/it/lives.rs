//! Tickets for tests of the store: opened and moved on by the real core.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use duban::store::{Change, Claim, Commit, Committed, Loaded, ReviewRow, Store, StoreError};
use duban_core::calendar::Calendar;
use duban_core::command::{Command, Moment, Opening};
use duban_core::decide::{Context, decide, open};
use duban_core::definition::Shelf;
use duban_core::digest::Digest;
use duban_core::name::Name;
use duban_core::role::{Actor, Role};
use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use uuid::Uuid;

static CALENDAR: LazyLock<Calendar> = LazyLock::new(duban_shipped::calendar);
static SHELF: LazyLock<Shelf> = LazyLock::new(duban_shipped::shelf);
static NOBODY: BTreeSet<Name> = BTreeSet::new();

pub(crate) fn context() -> Context<'static> {
    Context { shelf: &SHELF, calendar: &CALENDAR, hotline_agencies: &NOBODY }
}

pub(crate) fn instant(text: &str) -> Instant {
    text.parse().expect("an instant")
}

/// A new ticket of class `matter`.
pub(crate) fn opening(at: Instant) -> Change {
    let ticket = TicketId(Uuid::now_v7());
    let opening = Opening {
        ticket,
        parent: None,
        class: "matter".into(),
        reviewed_at: at,
        district: None,
        rated: None,
        flags: Vec::new(),
        sealed: None,
        actor: Actor { subject: "intake".into(), role: Role::Intake, agency: None },
    };
    let opened = open(context(), &opening, Moment::now(at)).expect("a ticket");
    let review = ReviewRow {
        source: "test".into(),
        review_id: ticket.to_string(),
        commitment: Digest::of(&[b"content"]),
        codes: "{}".to_owned(),
        reference: ticket.to_string().into(),
        matter: "M1".into(),
    };
    Change::opening(opened, review)
}

/// The ticket with all that is due at an instant worked off.
pub(crate) fn advanced(loaded: Loaded, at: Instant) -> Change {
    let before = loaded.instance.clone();
    let mut change = Change::of(loaded);
    let decision = decide(context(), &before, &Command::Advance, Moment::now(at)).expect("time");
    change.absorb(decision.into_owned());
    change
}

pub(crate) async fn commit(
    store: &Store,
    at: Instant,
    changes: &[Change],
) -> Result<Committed, StoreError> {
    let day = CALENDAR.zone().day_of(at);
    let days = vec![day; changes.len()];
    let (id, definitions, seen) = (Uuid::now_v7(), Vec::new(), Vec::new());
    let commit = Commit { id, at, changes, days: &days, definitions, seen };
    store.commit(&commit, Claim::default()).await
}
