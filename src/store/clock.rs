//! Which clock a house lives by. Must never read one.

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Expr, ExprTrait, Query};

use super::{Store, StoreError};

const SYSTEM: &str = "system";
const SIMULATED: &str = "simulated";

impl Store {
    /// Whether it was ever served by the system's clock.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn lives_by_the_system(&self) -> Result<bool, StoreError> {
        let mut query = Query::select();
        query.column("clock").from("ledger").and_where(Expr::col("id").eq(1));
        let row = self.read.query_one(&query).await?;
        let clock: Option<String> = row.map(|row| row.try_get_by_index(0)).transpose()?.flatten();
        Ok(clock.as_deref() == Some(SYSTEM))
    }

    /// It is served by such a clock from now on; once by the system's is for ever.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn note_clock(&self, is_simulated: bool) -> Result<(), StoreError> {
        let kind = if is_simulated { SIMULATED } else { SYSTEM };
        let is_other = Expr::col("clock").is_null().or(Expr::col("clock").eq(SIMULATED));
        let mut update = Query::update();
        update.table("ledger").value("clock", kind).and_where(Expr::col("id").eq(1));
        update.and_where(is_other);
        self.writer().await?.execute(&update).await?;
        Ok(())
    }
}
