//! What changes with every event of a ticket, in a table of its own: a rung at midnight touches two
//! indexes in place of fourteen.

use sea_orm_migration::prelude::*;

use crate::table::{big, blob, create, id};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// The columns that move, by their names in the table of tickets.
const MOVED: [&str; 6] = ["version", "seq", "head", "recorded_at", "wake_at", "snapshot"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// All of it or nothing, on a file too: what is moved half-way could not be moved again.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, [snapshot()], INDEXES).await?;
        let database = manager.get_connection();
        for statement in ["DROP INDEX ticket_wake", FILL] {
            database.execute_unprepared(statement).await?;
        }
        for column in MOVED {
            let drop = format!("ALTER TABLE ticket DROP COLUMN {column}");
            database.execute_unprepared(&drop).await?;
        }
        Ok(())
    }
}

const INDEXES: &[&str] = &[
    // What falls due next.
    "CREATE INDEX snapshot_wake ON snapshot (wake_at, ticket) WHERE wake_at IS NOT NULL",
];

const FILL: &str = "INSERT INTO snapshot (ticket, version, seq, head, recorded_at, wake_at, bytes) \
     SELECT id, version, seq, head, recorded_at, wake_at, snapshot FROM ticket";

fn snapshot() -> TableCreateStatement {
    Table::create()
        .table("snapshot")
        .col(id("ticket").primary_key())
        // Guards the ticket with all that belongs to it: every commit raises it.
        .col(big("version"))
        // Its last event: number, hash, and when it was recorded.
        .col(big("seq"))
        .col(blob("head"))
        .col(big("recorded_at"))
        // When time next brings something about; none while an incident is open.
        .col(big("wake_at").null())
        .col(blob("bytes"))
        .to_owned()
}
