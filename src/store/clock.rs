//! Which clock a house lives by, and which node moves a simulated one. Must never read a clock: that
//! a node is gone is told by a count that rises no more.

use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{Condition, ConnectionTrait};
use uuid::Uuid;

use super::{Store, StoreError};

const SYSTEM: &str = "system";
const SIMULATED: &str = "simulated";

/// The node that moves a simulated clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockHolder {
    /// The node.
    pub node: Uuid,
    /// Rises while it lives.
    pub beats: i64,
}

/// A node that wants to serve a house.
#[derive(Clone, Copy, Debug)]
pub struct ClockClaim {
    /// The node.
    pub node: Uuid,
    /// By a simulated clock, and not the system's.
    pub is_simulated: bool,
    /// Although others have served it by the system's.
    pub accepts: bool,
    /// Whoever held it, and is known to be gone.
    pub gone: Option<ClockHolder>,
}

/// What a claim comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockClaimed {
    /// It may.
    Granted,
    /// Served by the system's clock once is for ever: no simulated one.
    LivesByTheSystem,
    /// Another node moves it.
    Held(ClockHolder),
}

impl Store {
    /// A node serves the house by such a clock from now on. A simulated one is that node's alone
    /// until it gives it back; a file has one process anyhow.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn claim_clock(&self, claim: ClockClaim) -> Result<ClockClaimed, StoreError> {
        let mut update = Query::update();
        update.table("ledger").and_where(Expr::col("id").eq(1));
        if claim.is_simulated {
            update.value("clock", Expr::col("clock").if_null(SIMULATED));
        } else {
            update.value("clock", SYSTEM);
        }
        if claim.is_simulated && !claim.accepts {
            let no_other = Expr::col("clock").is_null().or(Expr::col("clock").eq(SIMULATED));
            update.and_where(no_other);
        }
        if !self.is_embedded() {
            update.value("clock_node", claim.is_simulated.then_some(claim.node));
            update.value("clock_beats", Expr::col("clock_beats").add(1_i64));
            let gone = claim.gone.map(|gone| {
                Expr::col("clock_node").eq(gone.node).and(Expr::col("clock_beats").eq(gone.beats))
            });
            let is_free = Expr::col("clock_node").is_null();
            update.cond_where(Condition::any().add(is_free).add_option(gone));
        }
        if self.writer().await?.execute(&update).await?.rows_affected() > 0 {
            return Ok(ClockClaimed::Granted);
        }
        Ok(match self.clock_holder().await? {
            Some(holder) => ClockClaimed::Held(holder),
            None => ClockClaimed::LivesByTheSystem,
        })
    }

    /// The node that moves the simulated clock lives. False if another has it by now.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn keep_clock(&self, node: Uuid) -> Result<bool, StoreError> {
        let mut update = Query::update();
        update.table("ledger").value("clock_beats", Expr::col("clock_beats").add(1_i64));
        update.and_where(Expr::col("id").eq(1)).and_where(Expr::col("clock_node").eq(node));
        Ok(self.writer().await?.execute(&update).await?.rows_affected() > 0)
    }

    /// The node does not move the clock any more.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn give_clock_back(&self, node: Uuid) -> Result<(), StoreError> {
        let mut update = Query::update();
        update.table("ledger").value("clock_node", Option::<Uuid>::None);
        update.and_where(Expr::col("id").eq(1)).and_where(Expr::col("clock_node").eq(node));
        self.writer().await?.execute(&update).await?;
        Ok(())
    }

    async fn clock_holder(&self) -> Result<Option<ClockHolder>, StoreError> {
        let mut query = Query::select();
        query.columns(["clock_node", "clock_beats"]).from("ledger");
        query.and_where(Expr::col("id").eq(1));
        let Some(row) = self.read.query_one(&query).await? else { return Ok(None) };
        let node: Option<Uuid> = row.try_get_by_index(0)?;
        let beats = row.try_get_by_index(1)?;
        Ok(node.map(|node| ClockHolder { node, beats }))
    }
}
