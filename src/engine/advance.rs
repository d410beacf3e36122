//! What falls due: one batch of tickets at a time, when it has settled. Must never fire anything
//! itself: that is the core's.

use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use tracing::Instrument;

use super::request::{Outcome, Request, Task, Work};
use super::{Declined, Engine, order};
use crate::store::{Readable, StoreError};

/// Batches that one process works off at once: one is decided while another is committed.
pub const ADVANCES_AT_ONCE: usize = 2;

/// What one batch came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Advanced {
    /// Tickets that were due.
    pub due: usize,
    /// Those that were moved on.
    pub moved: usize,
}

impl Engine {
    /// Works off what is due on up to `batch` tickets, the earliest first. Nothing was due when
    /// none of them was.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn advance_due(&self, batch: u64) -> Result<Advanced, StoreError> {
        let inner = &self.inner;
        let now = inner.clock.now();
        if self.stands_aside() {
            return Ok(Advanced::default());
        }
        let until = order::settled_until(now, inner.clock.settle_ms());
        let (claim, loaded) = inner.store.claim_due(until, batch).await?;
        if loaded.is_empty() {
            return Ok(Advanced::default());
        }
        let lag_ms = now.ms() - earliest(&loaded).map_or(now.ms(), Instant::ms);
        metrics::histogram!("duban_timer_lag_seconds").record(seconds(lag_ms));
        let task = |ticket| Task::Advance { ticket };
        let works = loaded
            .iter()
            .map(|(ticket, _)| Request { arrived_at: until, task: task(*ticket), key: None })
            .map(Work::new)
            .collect();
        let due = loaded.len();
        let early: Vec<_> = loaded.iter().filter_map(|(id, one)| early(*id, one, until)).collect();
        let span = tracing::info_span!("advance", tickets = due);
        let outcomes = inner.carry_out_claimed(works, loaded, claim).instrument(span).await;
        self.put_right(&early).await?;
        let done = outcomes.iter().filter(|one| matches!(one, Outcome::Done(_))).count();
        let moved = done.saturating_sub(early.len());
        let failed = outcomes.into_iter().find_map(|one| match one {
            Outcome::Declined(Declined::Store(error)) => Some(error),
            _ => None,
        });
        if let Some(error) = failed.filter(|_| moved == 0) {
            return Err(error);
        }
        Ok(Advanced { due, moved })
    }

    /// Gives tickets of which nothing was due the wake-ups that they should have: else they would be
    /// found again and again.
    async fn put_right(&self, early: &[Early]) -> Result<(), StoreError> {
        for Early { ticket, version, wake_at } in early {
            tracing::error!(ticket.id = %ticket, "a wake-up was too early; its row is put right");
            let at = self.inner.clock.now();
            self.inner.store.release(*ticket, Some(*version), *wake_at, at).await?;
        }
        Ok(())
    }

    /// When the lane has something to do next.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn next_due(&self) -> Result<Option<Instant>, StoreError> {
        let wake = self.inner.store.next_wake().await?;
        Ok(wake.map(|at| at.plus_ms(self.inner.clock.settle_ms())))
    }
}

/// A ticket whose row says that something is due, and nothing is.
struct Early {
    ticket: TicketId,
    version: i64,
    wake_at: Option<Instant>,
}

fn early(ticket: TicketId, one: &Readable, until: Instant) -> Option<Early> {
    let one = one.as_ref().ok()?;
    let wake_at = one.instance.next_wake();
    let is_due = wake_at.is_some_and(|at| at <= until);
    (!is_due).then_some(Early { ticket, version: one.version, wake_at })
}

fn earliest(loaded: &[(TicketId, Readable)]) -> Option<Instant> {
    let readable = loaded.iter().filter_map(|(_, one)| one.as_ref().ok());
    readable.filter_map(|one| one.instance.next_wake()).min()
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a lag fit into a float")]
fn seconds(ms: i64) -> f64 {
    ms as f64 / 1_000.0
}
