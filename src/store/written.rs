//! The rows that a commit writes, table by table: rows that two nodes might write at once stand in
//! one order, so that neither waits for the other for ever. Must never write anything.

use std::collections::BTreeMap;

use duban_core::message::Message;
use duban_core::name::Name;
use duban_core::role::Audience;
use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;

use super::change::Change;
use super::columns::Beside;
use super::commit::Commit;
use super::rows::Kind::{Big, Blob, Id, Int, Text};
use super::rows::{Cell, Meets, Rows, Table, number};
use super::{columns, request};

static EVENT: Table<5> = Table {
    name: "event",
    columns: [("position", Big), ("ticket", Id), ("seq", Big), ("bytes", Blob), ("hash", Blob)],
};

static OUTBOX: Table<10> = Table {
    name: "outbox",
    columns: [
        ("ticket", Id),
        ("seq", Big),
        ("nth", Int),
        ("kind", Text),
        ("destination", Text),
        ("about", Text),
        ("created_at", Big),
        ("state", Text),
        ("attempts", Int),
        ("next_at", Big),
    ],
};

static PERSONAL: Table<5> = Table {
    name: "personal_data",
    columns: [
        ("reference", Text),
        ("ticket", Id),
        ("key", Blob),
        ("body", Blob),
        ("created_at", Big),
    ],
};

static REVIEW: Table<6> = Table {
    name: "review",
    columns: [
        ("source", Text),
        ("review_id", Text),
        ("ticket", Id),
        ("commitment", Blob),
        ("codes", Text),
        ("reference", Text),
    ],
};

static DEFINITION: Table<6> = Table {
    name: "definition",
    columns: [
        ("name", Text),
        ("version", Int),
        ("hash", Blob),
        ("text", Text),
        ("forms", Text),
        ("first_used_at", Big),
    ],
};

/// Tickets that are there: one that is not as the decision saw it makes the commit stale.
pub(super) fn known_snapshots<'c>(changes: &[&'c Change]) -> Rows<'c> {
    let rows = changes.iter().filter_map(|change| {
        let loaded = change.loaded.as_ref()?;
        let row = columns::snapshot(&change.instance, loaded.version + 1, change.head);
        Some(columns::snapshot_cells(row))
    });
    columns::SNAPSHOT.rows(Meets::Raised, rows)
}

/// What such tickets are found by. What has not changed is not written: no index of it is touched.
pub(super) fn known_tickets<'c>(changes: &[&'c Change]) -> Rows<'c> {
    let rows = changes.iter().filter_map(|change| {
        let loaded = change.loaded.as_ref()?;
        let beside = beside(change, &loaded.ticket_no);
        let rows = || {
            let of = |instance| columns::ticket(instance, beside);
            (of(&loaded.instance), of(&change.instance))
        };
        // Whether rows differ is seen without making them: most do not.
        if change.is_found_as_before() {
            debug_assert!({
                let (was, is) = rows();
                was == is
            });
            return None;
        }
        let (was, is) = rows();
        (was != is).then(|| (columns::ticket_cells(was), columns::ticket_cells(is)))
    });
    columns::TICKET.changed(rows.collect())
}

pub(super) fn new_tickets<'c>(
    changes: &[&'c Change],
    numbers: &BTreeMap<TicketId, String>,
) -> Rows<'c> {
    let new = changes.iter().filter(|change| change.loaded.is_none());
    let rows = new.map(|change| {
        let number = numbers.get(&change.ticket()).map_or("", String::as_str);
        columns::ticket_cells(columns::ticket(&change.instance, beside(change, number)))
    });
    columns::TICKET.rows(Meets::Stale, rows)
}

pub(super) fn new_snapshots<'c>(changes: &[&'c Change]) -> Rows<'c> {
    let new = changes.iter().filter(|change| change.loaded.is_none());
    let rows = new
        .map(|change| columns::snapshot_cells(columns::snapshot(&change.instance, 1, change.head)));
    columns::SNAPSHOT.rows(Meets::Stale, rows)
}

fn beside<'b>(change: &'b Change, ticket_no: &'b str) -> Beside<'b> {
    Beside { ticket_no, source: change.source(), matter: change.matter() }
}

pub(super) fn events<'c>(changes: &[&'c Change], first: i64) -> Rows<'c> {
    let events = changes.iter().flat_map(|change| change.events.iter().map(|one| (*change, one)));
    let rows = events.zip(first..).map(|((change, event), position)| {
        let (bytes, hash) = (event.bytes.as_slice().into(), event.hash.0[..].into());
        [position.into(), id(change), integer(event.seq), bytes, hash]
    });
    EVENT.rows(Meets::Refused, rows)
}

/// Runs that began.
pub(super) fn new_deadlines<'c>(changes: &[&'c Change]) -> Rows<'c> {
    deadlines(changes, Meets::Refused, |place, before| place >= before)
}

/// Runs that are not as they were.
pub(super) fn known_deadlines<'c>(changes: &[&'c Change]) -> Rows<'c> {
    deadlines(changes, Meets::Replaced(&["ticket", "place"]), |place, before| place < before)
}

fn deadlines<'c>(
    changes: &[&'c Change],
    meets: Meets,
    is_one: fn(usize, usize) -> bool,
) -> Rows<'c> {
    let rows = changes.iter().flat_map(|change| {
        let before = change.loaded.as_ref().map_or(0, |loaded| loaded.instance.runs.len());
        let runs = change.changed_runs().filter(move |(place, _)| is_one(*place, before));
        let row = |(place, run)| columns::deadline(&change.instance, place, run);
        runs.map(row).map(columns::deadline_cells)
    });
    columns::DEADLINE.rows(meets, rows)
}

/// Cards that were issued.
pub(super) fn new_cards<'c>(changes: &[&'c Change]) -> Rows<'c> {
    cards(changes, Meets::Refused, |place, before| place >= before)
}

/// Cards that are not as they were.
pub(super) fn known_cards<'c>(changes: &[&'c Change]) -> Rows<'c> {
    cards(changes, Meets::Replaced(&["ticket", "place"]), |place, before| place < before)
}

fn cards<'c>(changes: &[&'c Change], meets: Meets, is_one: fn(usize, usize) -> bool) -> Rows<'c> {
    let rows = changes.iter().flat_map(|change| {
        let before = change.loaded.as_ref().map_or(0, |loaded| loaded.instance.cards.len());
        let cards = change.cards.iter().filter(move |place| is_one(**place, before));
        let row = |place: &usize| columns::card(&change.instance, *place);
        cards.map(row).map(columns::card_cells)
    });
    columns::CARD.rows(meets, rows)
}

pub(super) fn outbox<'c>(changes: &[&'c Change], at: Instant) -> Rows<'c> {
    let messages =
        changes.iter().flat_map(|change| change.messages.iter().map(|one| (*change, one)));
    let rows = messages.map(|(change, message)| {
        // Unwrap safety: names and numbers into memory.
        let about = serde_json::to_string(&message.about).expect("plain values");
        [
            id(change),
            integer(message.seq),
            i32::from(message.nth).into(),
            message.kind.word().into(),
            destination(message, change.source()).into(),
            about.into(),
            at.ms().into(),
            "waiting".into(),
            0_i32.into(),
            at.ms().into(),
        ]
    });
    OUTBOX.rows(Meets::Refused, rows)
}

/// To whom a message goes: an audience, with the agency or source where there are many of them.
fn destination(message: &Message, source: &Name) -> String {
    let one_of = match message.to {
        Audience::Source => Some(source),
        to if to.is_of_agency() => message.agency.as_ref(),
        _ => None,
    };
    match one_of {
        Some(one) => format!("{}:{one}", message.to),
        None => message.to.word().to_owned(),
    }
}

pub(super) fn personal<'c>(changes: &[&'c Change], at: Instant) -> Rows<'c> {
    let personal =
        changes.iter().flat_map(|change| change.personal.iter().map(|row| (*change, row)));
    let rows = personal.map(|(change, row)| {
        let (key, body) = (row.key[..].into(), row.body.as_slice().into());
        [row.reference.as_str().into(), id(change), key, body, at.ms().into()]
    });
    PERSONAL.rows(Meets::Refused, rows)
}

/// Another node may have opened the ticket meanwhile: look again.
pub(super) fn reviews<'c>(changes: &[&'c Change]) -> Rows<'c> {
    let reviews = changes.iter().filter_map(|change| Some((*change, change.review.as_ref()?)));
    let mut reviews: Vec<_> = reviews.collect();
    reviews.sort_by_key(|(_, row)| (&row.source, &row.review_id));
    let rows = reviews.into_iter().map(|(change, row)| {
        [
            row.source.as_str().into(),
            row.review_id.as_str().into(),
            id(change),
            row.commitment.0[..].into(),
            row.codes.as_str().into(),
            row.reference.as_str().into(),
        ]
    });
    REVIEW.rows(Meets::Stale, rows)
}

pub(super) fn requests<'c>(changes: &[&'c Change], at: Instant) -> Rows<'c> {
    let mut remembered: Vec<_> = changes.iter().flat_map(|change| &change.remembered).collect();
    remembered.sort_by_key(|row| &row.key);
    let rows = remembered.into_iter().map(|row| request::row(row, at));
    request::REQUEST.rows(Meets::Stale, rows)
}

pub(super) fn definitions<'c>(commit: &'c Commit<'_>) -> Rows<'c> {
    let rows = commit.definitions.iter().map(|row| {
        [
            row.name.as_str().into(),
            row.version.into(),
            row.hash.as_slice().into(),
            row.text.as_str().into(),
            row.forms.as_str().into(),
            commit.at.ms().into(),
        ]
    });
    DEFINITION.rows(Meets::Kept(&["name", "version"]), rows)
}

fn id(change: &Change) -> Cell<'static> {
    change.ticket().0.into()
}

fn integer(value: u64) -> Cell<'static> {
    number(value).into()
}
