//! Requests that may be repeated are about more than tickets: a token, an instant.

use sea_orm_migration::prelude::*;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (from, to) in [("ticket", "about"), ("seq", "number")] {
            let mut alter = Table::alter();
            alter.table("idempotency").rename_column(from, to);
            manager.alter_table(alter).await?;
        }
        Ok(())
    }
}
