//! Who has come in to the console, and from where that was refused too often. Both outlive every
//! node and every Redis.

use sea_orm_migration::prelude::*;

use crate::table::{big, blob, create, id, int, key};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let session = Table::create()
            .table("session")
            // SM3 of what the browser holds.
            .col(blob("hash"))
            // The token by which somebody came in.
            .col(id("token"))
            .col(big("created_at"))
            .col(big("seen_at"))
            .col(big("ended_at").null())
            .primary_key(&mut key(&["hash"]))
            .take();
        let refusal = Table::create()
            .table("refusal")
            // A commitment to the address: it cannot be read back.
            .col(blob("source"))
            .col(int("failures"))
            .col(big("since"))
            .col(big("locked_until").null())
            .primary_key(&mut key(&["source"]))
            .take();
        create(
            manager,
            [session, refusal],
            &[
                "CREATE INDEX session_seen ON session (seen_at)",
                "CREATE INDEX refusal_since ON refusal (since)",
            ],
        )
        .await
    }
}
