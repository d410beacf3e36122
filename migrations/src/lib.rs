//! The tables of duban. Must never change a migration that has shipped (another one follows it),
//! and never use what only one of SQLite and PostgreSQL has.
//!
//! Instants are milliseconds since 1970 (UTC), identities UUIDs; snapshots, events and hashes are
//! bytes that nobody looks into. Only `personal_data` holds what is about people.

mod m20261125_000001_tickets;
mod m20261125_000002_reviews;
mod m20261125_000003_house;
mod m20261126_000004_lists;
mod m20261126_000005_requests;
mod m20261126_000006_attachments;
mod m20261128_000007_incidents;
mod m20261129_000008_lights;
mod m20261129_000009_snapshots;
mod m20261129_000010_clock;
mod m20261129_000011_one_clock;
mod m20261129_000012_outbox;
mod m20261130_000013_sessions;
mod m20261130_000014_registers;
mod table;

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;

/// All migrations in order.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let all: Vec<Box<dyn MigrationTrait>> = vec![
            Box::new(m20261125_000001_tickets::Migration),
            Box::new(m20261125_000002_reviews::Migration),
            Box::new(m20261125_000003_house::Migration),
            Box::new(m20261126_000004_lists::Migration),
            Box::new(m20261126_000005_requests::Migration),
            Box::new(m20261126_000006_attachments::Migration),
            Box::new(m20261128_000007_incidents::Migration),
            Box::new(m20261129_000008_lights::Migration),
            Box::new(m20261129_000009_snapshots::Migration),
            Box::new(m20261129_000010_clock::Migration),
            Box::new(m20261129_000011_one_clock::Migration),
            Box::new(m20261129_000012_outbox::Migration),
            Box::new(m20261130_000013_sessions::Migration),
            Box::new(m20261130_000014_registers::Migration),
        ];
        all.into_iter().map(|one| Box::new(Whole(one)) as Box<dyn MigrationTrait>).collect()
    }
}

/// A step that is done whole, with the row that says so, or not at all: on SQLite too, where whoever is
/// killed half-way would else leave tables that no step fits any more.
struct Whole(Box<dyn MigrationTrait>);

impl MigrationName for Whole {
    fn name(&self) -> &str {
        self.0.name()
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Whole {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.up(manager).await
    }
}
