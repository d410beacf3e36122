//! What lists and the board are found by.

use sea_orm_migration::prelude::*;

use crate::table::text;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The ticket's, which never changes: so no list of deadlines has to look at tickets.
        let mut alter = Table::alter();
        alter.table("deadline").add_column(text("district").null());
        manager.alter_table(alter).await?;
        for statement in STATEMENTS {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

const STATEMENTS: &[&str] = &[
    "UPDATE deadline SET district = \
     (SELECT ticket.district FROM ticket WHERE ticket.id = deadline.ticket)",
    // Lists of operators, newest first.
    "DROP INDEX incident_open",
    "CREATE INDEX incident_open ON incident (id) WHERE resolved_at IS NULL",
    "DROP INDEX outbox_dead",
    "CREATE INDEX outbox_dead ON outbox (ticket, seq, nth) WHERE state = 'dead'",
    // Filters, newest first.
    "CREATE INDEX ticket_district ON ticket (district, id)",
    "CREATE INDEX ticket_class ON ticket (class, id)",
    "CREATE INDEX ticket_flagged ON ticket (id, flags) WHERE flags <> ''",
    // A yellow light ends where it turns red.
    "DROP INDEX ticket_yellow",
    "CREATE INDEX ticket_yellow ON ticket (yellow_at, red_at, id) WHERE yellow_at IS NOT NULL",
    // The board: all that it counts on tickets, without the tickets.
    "CREATE INDEX ticket_board ON ticket \
     (status, agency, district, step, red_at, yellow_at, id)",
    // In the whole order of their list: many end at one midnight.
    "DROP INDEX deadline_running",
    "DROP INDEX deadline_agency",
    "CREATE INDEX deadline_running ON deadline (due_at, ticket, place) WHERE state = 'running'",
    "CREATE INDEX deadline_agency ON deadline (agency, due_at, ticket, place) \
     WHERE state = 'running'",
    "CREATE INDEX deadline_district ON deadline (district, due_at, ticket, place) \
     WHERE state = 'running'",
    // With the columns of their condition: else it is looked up again in the rows.
    "CREATE INDEX deadline_window ON deadline (name, agency, district, kind, state) \
     WHERE state = 'running' AND kind = 'window'",
    "CREATE INDEX deadline_estimated \
     ON deadline (party, agency, district, ticket, kind, state, certainty) \
     WHERE state = 'running' AND kind = 'obligation' AND certainty = 'estimated'",
];
