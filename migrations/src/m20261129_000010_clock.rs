//! Which clock a house lives by: one that was served by the system's clock is not to be moved on by
//! a simulated one by mistake.

use sea_orm_migration::prelude::*;

use crate::table::text;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut alter = Table::alter();
        // system or simulated; none before it was first served.
        alter.table("ledger").add_column(text("clock").null());
        manager.alter_table(alter).await
    }
}
