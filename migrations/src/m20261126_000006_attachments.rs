//! What was uploaded to tickets; the files themselves lie beside the database.

use sea_orm_migration::prelude::*;

use crate::table::{big, blob, create, id, text};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, [attachment()], INDEXES).await
    }
}

const INDEXES: &[&str] = &[
    // The same file of the same agency, as the same type, is one attachment of a ticket.
    "CREATE UNIQUE INDEX attachment_file ON attachment (ticket, sm3, agency, content_type)",
];

fn attachment() -> TableCreateStatement {
    Table::create()
        .table("attachment")
        .col(id("id").primary_key())
        .col(id("ticket"))
        // The name of the file.
        .col(blob("sm3"))
        .col(big("bytes"))
        .col(text("content_type"))
        // Whose: empty for hotline and supervisors.
        .col(text("agency"))
        .col(text("uploaded_by"))
        .col(big("uploaded_at"))
        .to_owned()
}
