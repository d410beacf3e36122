//! What pages by light or due date are picked from where many tickets match: newest first, without
//! the tickets. Its condition is one that only they name: nobody else is to be led through it.

use sea_orm_migration::prelude::*;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = "CREATE INDEX ticket_lights ON ticket (id, red_at, yellow_at, status) \
                     WHERE red_at > 0";
        manager.get_connection().execute_unprepared(index).await?;
        Ok(())
    }
}
