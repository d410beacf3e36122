//! The limit of a machine: the rows that a herd leaves behind, written again by statements over
//! whole tables in one durable transaction. Only benchmarks come here. Must never touch a database
//! that is served.

use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, TransactionTrait};

use super::{Store, StoreError};

/// Columns of a ticket that a rung may change: what the commit path writes too.
const CHANGED: &str = "version, revision, seq, head, class, workflow, workflow_version, step, \
     step_since, status, agency, flags, finding, outcome, recorded_at, yellow_at, red_at, wake_at, \
     snapshot";

impl Store {
    /// Writes what `after` (a file of SQLite) has and this database does not: the changed tickets,
    /// new events, cards and messages. How long the transaction took, its end included.
    ///
    /// # Errors
    /// The database refuses, or is no SQLite.
    pub async fn write_again(&self, after: &str) -> Result<Duration, StoreError> {
        let quoted = after.replace('\'', "''");
        self.write.execute_unprepared(&format!("ATTACH DATABASE '{quoted}' AS after")).await?;
        let set: Vec<String> =
            CHANGED.split(", ").map(|column| format!("{column} = excluded.{column}")).collect();
        let statements = [
            format!(
                "INSERT INTO main.ticket SELECT * FROM after.ticket WHERE true \
                 ON CONFLICT (id) DO UPDATE SET {}",
                set.join(", ")
            ),
            "INSERT INTO main.event SELECT * FROM after.event WHERE position > \
             (SELECT coalesce(max(position), 0) FROM main.event)"
                .to_owned(),
            "INSERT INTO main.card SELECT * FROM after.card".to_owned(),
            "INSERT INTO main.outbox SELECT * FROM after.outbox WHERE created_at > \
             (SELECT coalesce(max(created_at), 0) FROM main.outbox)"
                .to_owned(),
        ];
        let begun = Instant::now();
        let tx = self.write.begin().await?;
        for statement in statements {
            tx.execute_unprepared(&statement).await?;
        }
        tx.commit().await?;
        Ok(begun.elapsed())
    }

    /// Folds the log into the file, so that a copy of the file alone is whole.
    ///
    /// # Errors
    /// The database refuses, or is no SQLite.
    pub async fn fold(&self) -> Result<(), StoreError> {
        self.write.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await?;
        Ok(())
    }
}
