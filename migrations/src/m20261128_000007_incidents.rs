//! What an incident's decision depended on, so that it can be decided again.

use sea_orm_migration::prelude::*;

use crate::table::{big, int};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [
            // Up to when time was worked off; none of incidents from before.
            big("arrived_at").null(),
            // The day of the publication, counted from 1970, of a recomputation.
            int("known_on").null(),
        ] {
            let mut alter = Table::alter();
            alter.table("incident").add_column(column);
            manager.alter_table(alter).await?;
        }
        Ok(())
    }
}
