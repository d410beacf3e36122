//! What comes in: reviews by their source's number, the people in them, keys of repeated requests.

use sea_orm_migration::prelude::*;

use crate::table::{big, blob, create, id, int, key, text};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, [review(), personal_data(), idempotency()], INDEXES).await
    }
}

const INDEXES: &[&str] = &[
    "CREATE INDEX review_ticket ON review (ticket)",
    "CREATE INDEX personal_data_ticket ON personal_data (ticket)",
    "CREATE INDEX idempotency_age ON idempotency (created_at)",
];

fn review() -> TableCreateStatement {
    Table::create()
        .table("review")
        .col(text("source"))
        .col(text("review_id"))
        .col(id("ticket"))
        // A commitment to the whole content, under the key of its personal data.
        .col(blob("commitment"))
        // Codes only, as JSON.
        .col(text("codes"))
        // The row of personal data.
        .col(text("reference"))
        .primary_key(&mut key(&["source", "review_id"]))
        .to_owned()
}

fn personal_data() -> TableCreateStatement {
    Table::create()
        .table("personal_data")
        .col(text("reference").primary_key())
        .col(id("ticket"))
        .col(blob("key"))
        .col(blob("body"))
        .col(big("created_at"))
        .to_owned()
}

fn idempotency() -> TableCreateStatement {
    Table::create()
        .table("idempotency")
        .col(text("subject"))
        // Method and path.
        .col(text("operation"))
        .col(text("key"))
        // A commitment to the body, under a key of its own.
        .col(blob("secret"))
        .col(blob("commitment"))
        // What the answer is rendered from.
        .col(int("status"))
        .col(id("ticket").null())
        .col(big("seq").null())
        .col(big("created_at"))
        .primary_key(&mut key(&["subject", "operation", "key"]))
        .to_owned()
}
