//! What waits before a message is found by the key of messages: a ticket has few, and an index of
//! their order by destination was two entries more for every rung of a herd.

use sea_orm_migration::prelude::*;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP INDEX outbox_order").await.map(drop)
    }
}
