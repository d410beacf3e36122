//! Many rows into one table, in as few statements as they fit into. Must never know what a row
//! means.

use sea_orm::sea_query::{
    Alias, Expr, Func, FunctionCall, IntoCondition, OnConflict, Query, Value,
};
use sea_orm::{ConnectionTrait, DatabaseTransaction};

use super::StoreError;
use super::dialect::rows_max;

/// A table with the columns that are written.
pub(super) struct Rows<const N: usize> {
    pub(super) table: &'static str,
    pub(super) columns: [&'static str; N],
}

impl<const N: usize> Rows<N> {
    /// Writes rows; how many were written. Without rows there is no statement.
    pub(super) async fn write(
        &self,
        tx: &DatabaseTransaction,
        rows: Vec<[Value; N]>,
        conflict: Option<OnConflict>,
    ) -> Result<u64, StoreError> {
        let mut rows = rows.into_iter();
        let mut written = 0;
        while rows.len() > 0 {
            let mut insert = Query::insert();
            insert.into_table(self.table).columns(self.columns);
            for row in rows.by_ref().take(rows_max(N)) {
                insert.values_panic(row.map(Expr::Value));
            }
            if let Some(conflict) = &conflict {
                insert.on_conflict(conflict.clone());
            }
            written += tx.execute(&insert).await?.rows_affected();
        }
        Ok(written)
    }

    /// What to do with rows that are there: every column but the keys takes the new value.
    pub(super) fn replace(&self, keys: &[&'static str]) -> OnConflict {
        let mut conflict = OnConflict::columns(keys.iter().map(|key| Alias::new(*key)));
        let others = self.columns.iter().filter(|column| !keys.contains(column));
        conflict.update_columns(others.map(|column| Alias::new(*column)));
        conflict
    }
}

/// A count, a number or an instant.
pub(super) fn number(value: impl TryInto<i64>) -> i64 {
    value.try_into().unwrap_or(i64::MAX)
}

/// A word in the statement itself: an index over a part of a table is only used where the statement
/// says which part.
pub(super) fn word(word: &'static str) -> Expr {
    Expr::Constant(word.into())
}

/// How many rows of a group meet a condition.
pub(super) fn count_where(condition: impl IntoCondition) -> FunctionCall {
    Func::count(Expr::val(1_i64)).filter(condition.into_condition())
}
