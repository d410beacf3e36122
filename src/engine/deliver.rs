//! Messages leave: claimed under a lease, carried, and noted. A message may arrive twice, with the
//! same identity; never out of order for one ticket and destination. Must never know how a message
//! is carried.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use duban_core::time::Instant;

use super::Engine;
use crate::crypto;
use crate::store::{Carried, Finished, MessageId, Posted, StoreError};

/// How long one attempt may take before others may try.
const LEASE_MS: i64 = 120_000;

/// After so many attempts a message is dead, and people look into it: about nine hours.
pub const ATTEMPTS_MAX: u32 = 12;

/// The first retry; each further one waits twice as long, up to [`RETRY_MS_MAX`].
const RETRY_MS_FIRST: i64 = 10_000;

/// The longest wait between two attempts.
const RETRY_MS_MAX: i64 = 2 * 3_600_000;

/// Carries a message to its destination.
pub type Carrier =
    Arc<dyn Fn(Posted) -> Pin<Box<dyn Future<Output = Carried> + Send>> + Send + Sync>;

/// What one batch came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Messages that were tried.
    pub tried: usize,
    /// Those that arrived.
    pub arrived: usize,
}

impl Engine {
    /// Carries up to `batch` messages that are due, at most one for each ticket and destination.
    ///
    /// # Errors
    /// The database does not answer. What was carried is carried again after the lease.
    pub async fn deliver(&self, batch: u64) -> Result<Delivered, StoreError> {
        let inner = &self.inner;
        let now = inner.clock.now();
        let lease = crypto::identity();
        let until = now.plus_ms(LEASE_MS);
        let claimed = inner.store.claim_messages(lease, now, until, batch).await?;
        if claimed.is_empty() {
            return Ok(Delivered::default());
        }
        let carried = futures::future::join_all(claimed.iter().map(|message| {
            let carrying = (inner.carrier)(message.clone());
            async move { (message.id, message.attempts, carrying.await) }
        }))
        .await;
        let now = inner.clock.now();
        let finished: Vec<(MessageId, Finished)> = carried
            .into_iter()
            .map(|(id, tried, carried)| (id, finish(carried, tried, now)))
            .collect();
        inner.store.finish_messages(lease, now, &finished).await?;
        let arrived = finished.iter().filter(|(_, one)| *one == Finished::Delivered).count();
        Ok(Delivered { tried: finished.len(), arrived })
    }
}

fn finish(carried: Carried, attempts: u32, now: Instant) -> Finished {
    match carried {
        Carried::Arrived => Finished::Delivered,
        Carried::Failed(why) if attempts < ATTEMPTS_MAX => {
            let doubled = RETRY_MS_FIRST.saturating_mul(1 << attempts.saturating_sub(1).min(30));
            let next_at = now.plus_ms(doubled.min(RETRY_MS_MAX));
            Finished::Retry { next_at, failure: why.to_owned() }
        }
        Carried::Failed(why) | Carried::Refused(why) => Finished::Dead { failure: why.to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_wait_twice_as_long_each_time_and_end() {
        let now = Instant::from_ms(0);
        let wait = |attempts| match finish(Carried::Failed("x"), attempts, now) {
            Finished::Retry { next_at, .. } => Some(next_at.ms() / 1_000),
            _ => None,
        };
        let waits: Vec<_> = (1..=ATTEMPTS_MAX).map(wait).collect();
        let expected = [10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 5_120, 7_200];
        assert_eq!(waits[..11], expected.map(Some));
        assert_eq!(waits[11], None);
        assert_eq!(finish(Carried::Arrived, 99, now), Finished::Delivered);
        assert!(matches!(finish(Carried::Refused("x"), 1, now), Finished::Dead { .. }));
    }
}
