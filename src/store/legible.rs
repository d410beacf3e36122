//! Rows that can be read among rows that cannot: of a file, in which anybody can write a word where a
//! number stands. Must never end a list early because of one, nor say what stands in it.

use sea_orm::sea_query::SelectStatement;
use sea_orm::{ConnectionTrait, QueryResult};

use super::StoreError;
use super::dialect::Connections;

/// What is no number, which `SQLite` lets anybody write, stands behind all numbers.
pub(super) const LAST_NUMBER: i64 = i64::MAX;

impl Connections {
    /// Up to `limit` rows of a statement that is made for so many. Rows that cannot be read are left
    /// out, the next taken instead; the log names their table, and an audit the row.
    pub(super) async fn legible<T>(
        &self,
        table: &'static str,
        limit: u64,
        statement: impl Fn(u64) -> SelectStatement,
        read: impl Fn(&QueryResult) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut left_out = 0;
        loop {
            let asked = limit.saturating_add(left_out);
            let found = self.query_all(&statement(asked)).await?;
            let rows = legible(table, &found, &read)?;
            let missing = (found.len() - rows.len()) as u64;
            if missing == left_out || (found.len() as u64) < asked {
                return Ok(rows);
            }
            left_out = missing;
        }
    }
}

/// Where something cannot be read that nobody can do without.
pub(super) fn in_table(table: &'static str) -> impl Fn(StoreError) -> StoreError {
    move |error| match error {
        StoreError::Unreadable(what) => StoreError::unreadable(format!("表 {table}，{what}")),
        error => error,
    }
}

/// Those that can be read; the others are left out, and said.
pub(super) fn legible<T>(
    table: &'static str,
    rows: &[QueryResult],
    read: impl Fn(&QueryResult) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut legible = Vec::with_capacity(rows.len());
    for row in rows {
        match read(row) {
            Ok(one) => legible.push(one),
            Err(StoreError::Unreadable(why)) => {
                tracing::error!(db.table = table, why, "a row cannot be read and is left out");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(legible)
}
