//! Tickets, and what a decision leaves behind: history, running deadlines, cards, messages,
//! incidents.

use sea_orm_migration::prelude::*;

use crate::table::{big, blob, create, id, int, key, text};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = [ticket(), event(), deadline(), card(), outbox(), incident()];
        create(manager, tables, INDEXES).await
    }
}

const INDEXES: &[&str] = &[
    "CREATE UNIQUE INDEX ticket_by_number ON ticket (ticket_no)",
    // What falls due next.
    "CREATE INDEX ticket_wake ON ticket (wake_at, id) WHERE wake_at IS NOT NULL",
    // The lights of the agency: overdue, and in the last working day.
    "CREATE INDEX ticket_red ON ticket (red_at, id) WHERE red_at IS NOT NULL",
    "CREATE INDEX ticket_yellow ON ticket (yellow_at, id) WHERE yellow_at IS NOT NULL",
    "CREATE INDEX ticket_agency ON ticket (agency, id)",
    "CREATE INDEX ticket_step ON ticket (step, id)",
    // What waits to be archived.
    "CREATE INDEX ticket_closed ON ticket (step_since, id) WHERE status = 'closed'",
    "CREATE UNIQUE INDEX event_ticket ON event (ticket, seq)",
    "CREATE INDEX deadline_running ON deadline (due_at, ticket) WHERE state = 'running'",
    "CREATE INDEX deadline_agency ON deadline (agency, due_at) WHERE state = 'running'",
    "CREATE INDEX card_agency ON card (agency, fired_at)",
    // What is delivered costs nothing more.
    "CREATE INDEX outbox_waiting ON outbox (next_at, ticket) WHERE state = 'waiting'",
    "CREATE INDEX outbox_order ON outbox (ticket, destination, seq, nth) WHERE state = 'waiting'",
    "CREATE INDEX outbox_dead ON outbox (created_at) WHERE state = 'dead'",
    "CREATE INDEX incident_open ON incident (at) WHERE resolved_at IS NULL",
    "CREATE INDEX incident_ticket ON incident (ticket)",
];

fn ticket() -> TableCreateStatement {
    Table::create()
        .table("ticket")
        .col(id("id").primary_key())
        // The ticket that it is a part of, or itself: rows are locked in order of (root, id).
        .col(id("root"))
        .col(text("ticket_no"))
        // Guards the row: every commit raises it.
        .col(big("version"))
        // For people: grows with step, agency, finding and due dates only.
        .col(int("revision"))
        .col(big("seq"))
        // The hash of the last event.
        .col(blob("head"))
        .col(text("class"))
        .col(text("workflow"))
        .col(int("workflow_version"))
        .col(text("step"))
        .col(big("step_since"))
        .col(text("status"))
        .col(text("agency").null())
        .col(text("district").null())
        // Words between spaces, one before and one after: ` anonymous hotline_self `.
        .col(text("flags"))
        .col(text("finding").null())
        .col(text("outcome").null())
        // Where the review came from, and the code of the matter that was rated.
        .col(text("source"))
        .col(text("matter"))
        .col(big("received_at"))
        .col(big("recorded_at"))
        // The earliest of the agency's running obligations; the light follows when it is read.
        .col(big("yellow_at").null())
        .col(big("red_at").null())
        // When time next brings something about; none while an incident is open.
        .col(big("wake_at").null())
        .col(blob("snapshot"))
        .to_owned()
}

fn event() -> TableCreateStatement {
    Table::create()
        .table("event")
        // The one gapless order of everything that happened.
        .col(big("position").primary_key())
        .col(id("ticket"))
        .col(big("seq"))
        .col(blob("bytes"))
        .col(blob("hash"))
        .to_owned()
}

fn deadline() -> TableCreateStatement {
    Table::create()
        .table("deadline")
        .col(id("ticket"))
        // Its place among the ticket's runs.
        .col(int("place"))
        .col(text("name"))
        .col(int("run"))
        .col(text("kind"))
        .col(text("party"))
        .col(text("agency").null())
        .col(text("state"))
        .col(big("starts_at"))
        .col(big("yellow_at"))
        .col(big("due_at"))
        .col(text("certainty"))
        .primary_key(&mut key(&["ticket", "place"]))
        .to_owned()
}

fn card() -> TableCreateStatement {
    Table::create()
        .table("card")
        .col(id("ticket"))
        // Its place among the ticket's cards.
        .col(int("place"))
        .col(text("name"))
        .col(text("kind"))
        .col(text("deadline"))
        .col(text("party"))
        .col(text("agency").null())
        .col(text("state"))
        .col(big("due_at"))
        .col(big("fired_at"))
        .primary_key(&mut key(&["ticket", "place"]))
        .to_owned()
}

fn outbox() -> TableCreateStatement {
    Table::create()
        .table("outbox")
        .col(id("ticket"))
        .col(big("seq"))
        .col(int("nth"))
        .col(text("kind"))
        // To whom: an audience, with the agency or source where there are many of them.
        .col(text("destination"))
        // What it is about, as JSON of names.
        .col(text("about"))
        .col(big("created_at"))
        // waiting, delivered or dead.
        .col(text("state"))
        .col(int("attempts"))
        // Not before then; a lease moves it on.
        .col(big("next_at"))
        // Who holds it.
        .col(id("lease").null())
        .col(big("done_at").null())
        // A word of ours, never what the other side said.
        .col(text("failure").null())
        .primary_key(&mut key(&["ticket", "seq", "nth"]))
        .to_owned()
}

fn incident() -> TableCreateStatement {
    Table::create()
        .table("incident")
        .col(id("id").primary_key())
        .col(id("ticket"))
        // What was tried: advance, recompute, or the action's name.
        .col(text("command"))
        // A word for programs and a sentence for people, both ours.
        .col(text("code"))
        .col(text("message"))
        // The ticket's last event when it happened.
        .col(big("seq"))
        .col(big("at"))
        .col(big("resolved_at").null())
        .to_owned()
}
