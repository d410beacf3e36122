//! What the hotline and the approver owe, by when: they are few among the obligations of agencies. Cards,
//! the newest first.

use sea_orm_migration::prelude::*;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in STATEMENTS {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

const STATEMENTS: &[&str] = &[
    "CREATE INDEX deadline_owed ON deadline (party, due_at, ticket, place) \
     WHERE state = 'running' AND kind = 'obligation' AND party <> 'agency'",
    "CREATE INDEX card_fired ON card (fired_at, ticket, place)",
    "DROP INDEX card_agency",
    "CREATE INDEX card_agency ON card (agency, fired_at, ticket, place)",
];
