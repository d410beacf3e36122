//! Which clock a house lives by. Must never read one.

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Expr, ExprTrait, Query};

use super::{Store, StoreError};

const SYSTEM: &str = "system";
const SIMULATED: &str = "simulated";

impl Store {
    /// It is served by such a clock from now on; once by the system's is for ever, and then this is
    /// false for a simulated one.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn note_clock(&self, is_simulated: bool) -> Result<bool, StoreError> {
        let kind = if is_simulated { SIMULATED } else { SYSTEM };
        let is_other = Expr::col("clock").is_null().or(Expr::col("clock").eq(SIMULATED));
        let mut update = Query::update();
        update.table("ledger").value("clock", kind).and_where(Expr::col("id").eq(1));
        if is_simulated {
            update.and_where(is_other);
        }
        Ok(self.writer().await?.execute(&update).await?.rows_affected() > 0)
    }
}
