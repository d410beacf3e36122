//! What the hotline and the approver owe, by when: they are few among the obligations of agencies.

use sea_orm_migration::prelude::*;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let statement = "CREATE INDEX deadline_owed ON deadline (party, due_at, ticket, place) \
                         WHERE state = 'running' AND kind = 'obligation' AND party <> 'agency'";
        manager.get_connection().execute_unprepared(statement).await?;
        Ok(())
    }
}
