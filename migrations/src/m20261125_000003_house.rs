//! What the house needs to run: definitions in use, tokens, the order of commits, numbers of the
//! day, how far a publication has been worked in.

use sea_orm_migration::prelude::*;

use crate::table::{big, blob, create, id, int, key, text};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let order = [ledger(), commit_log(), ticket_number()];
        let tables = [definition(), token(), secret(), publication()];
        create(manager, tables.into_iter().chain(order), INDEXES).await
    }
}

const INDEXES: &[&str] = &[
    "CREATE UNIQUE INDEX token_hash ON token (hash)",
    "CREATE UNIQUE INDEX commit_log_id ON commit_log (id)",
    "INSERT INTO ledger (id, commits, events) VALUES (1, 0, 0)",
];

fn definition() -> TableCreateStatement {
    Table::create()
        .table("definition")
        .col(text("name"))
        .col(int("version"))
        .col(blob("hash"))
        .col(text("text"))
        // The forms by name, as JSON of texts.
        .col(text("forms"))
        .col(big("first_used_at"))
        .primary_key(&mut key(&["name", "version"]))
        .to_owned()
}

fn token() -> TableCreateStatement {
    Table::create()
        .table("token")
        .col(id("id").primary_key())
        .col(blob("hash"))
        .col(text("subject"))
        .col(text("role"))
        .col(text("agency").null())
        .col(text("district").null())
        .col(big("created_at"))
        .col(big("expires_at"))
        .col(big("revoked_at").null())
        .to_owned()
}

/// Keys of the house, such as that of pseudonyms.
fn secret() -> TableCreateStatement {
    Table::create().table("secret").col(text("name").primary_key()).col(blob("key")).to_owned()
}

/// One row: how many commits and events there are.
fn ledger() -> TableCreateStatement {
    Table::create()
        .table("ledger")
        .col(int("id").primary_key())
        .col(big("commits"))
        .col(big("events"))
        .to_owned()
}

/// The one gapless order of commits, and the events of each.
fn commit_log() -> TableCreateStatement {
    Table::create()
        .table("commit_log")
        .col(big("number").primary_key())
        .col(id("id"))
        .col(big("recorded_at"))
        .col(big("first_position"))
        .col(big("last_position"))
        .to_owned()
}

/// The last number of each day, without gaps.
fn ticket_number() -> TableCreateStatement {
    Table::create().table("ticket_number").col(int("day").primary_key()).col(big("last")).to_owned()
}

/// Publications of calendar notices that have been, or are being, worked into running deadlines.
fn publication() -> TableCreateStatement {
    Table::create()
        .table("publication")
        .col(int("day").primary_key())
        // A hash of what was known on that day: another text is another publication.
        .col(blob("edition"))
        // The last ticket that was looked at.
        .col(id("reached").null())
        .col(big("done_at").null())
        .to_owned()
}
