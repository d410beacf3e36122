//! Which node moves a house's simulated clock: there is one such clock, not one for each node.

use sea_orm_migration::prelude::*;

use crate::table::{big, id};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // None where nobody moves it; the count rises while the node lives.
        for column in [id("clock_node").null().take(), big("clock_beats").default(0).take()] {
            let mut alter = Table::alter();
            manager.alter_table(alter.table("ledger").add_column(column).take()).await?;
        }
        Ok(())
    }
}
