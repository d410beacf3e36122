//! The rows of a ticket: its snapshot, and what stands in columns beside it, so that it can be found:
//! the ticket's own, its deadlines and cards. Must never hold what the ticket does not say.

use duban_core::deadline::Run;
use duban_core::digest::Digest;
use duban_core::instance::Instance;
use duban_core::name::Name;
use duban_core::time::Instant;

use super::change::{flags, lights, root};
use super::entity::{card, deadline, snapshot, ticket};
use super::rows::Kind::{Big, Blob, Id, Int, Text};
use super::rows::{Cell, Table, number};

pub(super) static TICKET: Table<20> = Table {
    name: "ticket",
    columns: [
        ("id", Id),
        ("root", Id),
        ("ticket_no", Text),
        ("revision", Int),
        ("class", Text),
        ("workflow", Text),
        ("workflow_version", Int),
        ("step", Text),
        ("step_since", Big),
        ("status", Text),
        ("agency", Text),
        ("district", Text),
        ("flags", Text),
        ("finding", Text),
        ("outcome", Text),
        ("source", Text),
        ("matter", Text),
        ("received_at", Big),
        ("yellow_at", Big),
        ("red_at", Big),
    ],
};

pub(super) static SNAPSHOT: Table<7> = Table {
    name: "snapshot",
    columns: [
        ("ticket", Id),
        ("version", Big),
        ("seq", Big),
        ("head", Blob),
        ("recorded_at", Big),
        ("wake_at", Big),
        ("bytes", Blob),
    ],
};

pub(super) static DEADLINE: Table<13> = Table {
    name: "deadline",
    columns: [
        ("ticket", Id),
        ("place", Int),
        ("name", Text),
        ("run", Int),
        ("kind", Text),
        ("party", Text),
        ("agency", Text),
        ("district", Text),
        ("state", Text),
        ("starts_at", Big),
        ("yellow_at", Big),
        ("due_at", Big),
        ("certainty", Text),
    ],
};

pub(super) static CARD: Table<10> = Table {
    name: "card",
    columns: [
        ("ticket", Id),
        ("place", Int),
        ("name", Text),
        ("kind", Text),
        ("deadline", Text),
        ("party", Text),
        ("agency", Text),
        ("state", Text),
        ("due_at", Big),
        ("fired_at", Big),
    ],
};

/// What stands in a ticket's row and is not of its history.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beside<'b> {
    pub(super) ticket_no: &'b str,
    pub(super) source: &'b Name,
    pub(super) matter: &'b Name,
}

/// The row of a ticket: all that it is found by.
pub(super) fn ticket(now: &Instance, beside: Beside<'_>) -> ticket::Model {
    let (yellow_at, red_at) = lights(now);
    ticket::Model {
        id: now.ticket.0,
        root: root(now).0,
        ticket_no: beside.ticket_no.to_owned(),
        revision: small(now.revision),
        class: now.class.to_string(),
        workflow: now.definition.name.to_string(),
        workflow_version: small(now.definition.version),
        step: now.step.to_string(),
        step_since: now.step_since.ms(),
        status: now.status.word().to_owned(),
        agency: name(now.agency.as_ref()),
        district: name(now.district.as_ref()),
        flags: flags(now),
        finding: now.finding.map(|finding| finding.word().to_owned()),
        outcome: now.outcome.map(|outcome| outcome.word().to_owned()),
        source: beside.source.to_string(),
        matter: beside.matter.to_string(),
        received_at: now.received_at.ms(),
        yellow_at: yellow_at.map(Instant::ms),
        red_at: red_at.map(Instant::ms),
    }
}

/// The row of a ticket's snapshot, at a version, with the hash of its last event.
pub(super) fn snapshot(now: &Instance, version: i64, head: Digest) -> snapshot::Model {
    snapshot::Model {
        ticket: now.ticket.0,
        version,
        seq: number(now.seq),
        head: head.0.to_vec(),
        recorded_at: now.recorded_at.ms(),
        wake_at: now.next_wake().map(Instant::ms),
        bytes: now.to_bytes(),
    }
}

/// The row of a run, by its place.
pub(super) fn deadline(now: &Instance, place: usize, run: &Run) -> deadline::Model {
    deadline::Model {
        ticket: now.ticket.0,
        place: small(place),
        name: run.deadline.to_string(),
        run: run.run.into(),
        kind: run.kind.word().to_owned(),
        party: run.party.word().to_owned(),
        agency: name(run.agency.as_ref()),
        district: name(now.district.as_ref()),
        state: run.state.word().to_owned(),
        starts_at: run.starts_at.ms(),
        yellow_at: run.yellow_at.ms(),
        due_at: run.due_at.ms(),
        certainty: run.certainty.word().to_owned(),
    }
}

/// The row of a card, by its place.
pub(super) fn card(now: &Instance, place: usize) -> card::Model {
    let card = &now.cards[place];
    card::Model {
        ticket: now.ticket.0,
        place: small(place),
        name: card.id.to_string(),
        kind: card.kind.word().to_owned(),
        deadline: card.deadline.to_string(),
        party: card.party.word().to_owned(),
        agency: name(card.agency.as_ref()),
        state: card.state.word().to_owned(),
        due_at: card.due_at.ms(),
        fired_at: card.fired_at.ms(),
    }
}

/// In the order of [`TICKET`].
pub(super) fn ticket_cells(row: ticket::Model) -> [Cell<'static>; 20] {
    [
        row.id.into(),
        row.root.into(),
        row.ticket_no.into(),
        row.revision.into(),
        row.class.into(),
        row.workflow.into(),
        row.workflow_version.into(),
        row.step.into(),
        row.step_since.into(),
        row.status.into(),
        row.agency.into(),
        row.district.into(),
        row.flags.into(),
        row.finding.into(),
        row.outcome.into(),
        row.source.into(),
        row.matter.into(),
        row.received_at.into(),
        row.yellow_at.into(),
        row.red_at.into(),
    ]
}

/// In the order of [`SNAPSHOT`].
pub(super) fn snapshot_cells(row: snapshot::Model) -> [Cell<'static>; 7] {
    [
        row.ticket.into(),
        row.version.into(),
        row.seq.into(),
        row.head.into(),
        row.recorded_at.into(),
        row.wake_at.into(),
        row.bytes.into(),
    ]
}

/// In the order of [`DEADLINE`].
pub(super) fn deadline_cells(row: deadline::Model) -> [Cell<'static>; 13] {
    [
        row.ticket.into(),
        row.place.into(),
        row.name.into(),
        row.run.into(),
        row.kind.into(),
        row.party.into(),
        row.agency.into(),
        row.district.into(),
        row.state.into(),
        row.starts_at.into(),
        row.yellow_at.into(),
        row.due_at.into(),
        row.certainty.into(),
    ]
}

/// In the order of [`CARD`].
pub(super) fn card_cells(row: card::Model) -> [Cell<'static>; 10] {
    [
        row.ticket.into(),
        row.place.into(),
        row.name.into(),
        row.kind.into(),
        row.deadline.into(),
        row.party.into(),
        row.agency.into(),
        row.state.into(),
        row.due_at.into(),
        row.fired_at.into(),
    ]
}

fn name(name: Option<&Name>) -> Option<String> {
    name.map(|name| name.as_str().to_owned())
}

fn small(value: impl TryInto<i32>) -> i32 {
    value.try_into().unwrap_or(i32::MAX)
}
