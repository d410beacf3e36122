//! What pages by light or due date are picked from, without the tickets.

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
    // Where many match: newest first. The condition is one that only such pages name: nobody else
    // is to be led through it.
    "CREATE INDEX ticket_lights ON ticket (id, red_at, yellow_at, status) WHERE red_at > 0",
    // By their instants, with all that is asked of them.
    "DROP INDEX ticket_red",
    "CREATE INDEX ticket_red ON ticket (red_at, id, yellow_at, status) WHERE red_at IS NOT NULL",
    "DROP INDEX ticket_yellow",
    "CREATE INDEX ticket_yellow ON ticket (yellow_at, red_at, id, status) \
     WHERE yellow_at IS NOT NULL",
];
