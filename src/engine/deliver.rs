//! Messages leave: claimed under a lease, carried, and noted. A message may arrive twice, with the
//! same identity; never out of order for one ticket and destination. Must never know how a message
//! is carried.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use duban_core::time::Instant;
use tracing::Instrument;
use tracing::field::Empty;

use uuid::Uuid;

use super::Engine;
use crate::crypto;
use crate::store::{Carried, Finished, MessageId, Posted, StoreError};

/// How long one attempt may take before others may try.
const LEASE_MS: i64 = 120_000;

/// After so many attempts a message is dead, and people look into it: about nine hours.
pub const ATTEMPTS_MAX: u32 = 12;

/// The first retry; each further one waits twice as long, up to [`RETRY_MS_MAX`].
const RETRY_MS_FIRST: i64 = 10_000;

/// How often he tries to note what became of what he carried, which may be noted twice.
const NOTES_MAX: u32 = 5;

/// How long a courier rests when the database does not answer.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);

/// How long a stopping node waits for its couriers, and how often it looks.
const COURIERS_TIMEOUT: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(20);

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

/// A courier on his way; however that ends, his destination can have another one.
struct UnderWay {
    engine: Engine,
    destination: String,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.engine.couriers().remove(&self.destination);
        self.engine.inner.wake.messages_waiting();
    }
}

impl Engine {
    /// Carries up to `batch` messages that are due for each destination, at most one for each ticket
    /// of it. Returns when all have been tried.
    ///
    /// # Errors
    /// The database does not answer. What was carried is carried again after the lease.
    pub async fn deliver(&self, batch: u64) -> Result<Delivered, StoreError> {
        let due = self.inner.store.due_destinations(self.inner.clock.now(), &[]).await?;
        let carried = due.iter().map(|destination| self.deliver_to(destination, batch));
        let mut all = Delivered::default();
        for one in futures::future::join_all(carried).await {
            let Delivered { tried, arrived } = one?;
            all.tried += tried;
            all.arrived += arrived;
        }
        Ok(all)
    }

    /// Sends a courier to each destination for which a message is due and that has none. Each goes
    /// on until nothing is due there: one that hangs holds up nobody else.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn send_couriers(&self, batch: u64) -> Result<usize, StoreError> {
        let busy = self.busy();
        let due = self.inner.store.due_destinations(self.inner.clock.now(), &busy).await?;
        let sent = due.len();
        for destination in due {
            self.couriers().insert(destination.clone());
            let engine = self.clone();
            tokio::spawn(async move {
                let under_way = UnderWay { engine, destination };
                under_way.engine.courier(&under_way.destination, batch).await;
            });
        }
        Ok(sent)
    }

    async fn courier(&self, destination: &str, batch: u64) {
        let mut is_first = true;
        while !self.inner.leaving.load(Ordering::Relaxed) && !self.stands_aside() {
            match self.deliver_to(destination, batch).await {
                Ok(delivered) if delivered.tried > 0 => is_first = false,
                Ok(_) => {
                    // Sent for what others have in hand, or nobody can read: not again at once.
                    if is_first {
                        tokio::time::sleep(FAILURE_PAUSE).await;
                    }
                    return;
                }
                Err(error) => {
                    tracing::warn!(store.error = %error, "a courier cannot go on for now");
                    tokio::time::sleep(FAILURE_PAUSE).await;
                    return;
                }
            }
        }
    }

    /// When the next message is due that a courier could be sent with.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn next_delivery(&self) -> Result<Option<Instant>, StoreError> {
        self.inner.store.next_message(&self.busy()).await
    }

    /// Waits until every courier is back with what he has in hand, or for some seconds: what one
    /// still carries is carried again after its lease.
    pub async fn couriers_back(&self) {
        self.inner.leaving.store(true, Ordering::Relaxed);
        let mut waited = Duration::ZERO;
        while !self.couriers().is_empty() && waited < COURIERS_TIMEOUT {
            tokio::time::sleep(LOOK).await;
            waited += LOOK;
        }
    }

    fn busy(&self) -> Vec<String> {
        self.couriers().iter().cloned().collect()
    }

    fn couriers(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.inner.couriers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn deliver_to(&self, destination: &str, batch: u64) -> Result<Delivered, StoreError> {
        let inner = &self.inner;
        let now = inner.clock.now();
        let lease = crypto::identity();
        let until = now.plus_ms(LEASE_MS);
        let claimed = inner.store.claim_messages(lease, destination, now, until, batch).await?;
        if claimed.is_empty() {
            return Ok(Delivered::default());
        }
        let carried = futures::future::join_all(claimed.iter().map(|message| {
            let span = tracing::info_span!(
                "deliver",
                otel.kind = "client",
                otel.status_code = Empty,
                message.kind = message.kind,
                message.destination = message.destination,
                message.attempts = message.attempts,
            );
            let carrying = (inner.carrier)(message.clone()).instrument(span.clone());
            async move {
                let carried = carrying.await;
                if !matches!(carried, Carried::Arrived) {
                    span.record("otel.status_code", "ERROR");
                }
                (message.id, message.attempts, carried)
            }
        }))
        .await;
        let now = inner.clock.now();
        let noted = |(id, tried, carried)| (id, finish(carried, tried, now));
        let finished: Vec<(MessageId, Finished)> = carried.into_iter().map(noted).collect();
        self.note(lease, now, &finished).await?;
        let arrived = finished.iter().filter(|(_, one)| *one == Finished::Delivered).count();
        Ok(Delivered { tried: finished.len(), arrived })
    }
}

impl Engine {
    /// Notes what became of messages: what is not noted is carried once more.
    async fn note(
        &self,
        lease: Uuid,
        at: Instant,
        finished: &[(MessageId, Finished)],
    ) -> Result<(), StoreError> {
        let mut tried = 1;
        loop {
            match self.inner.store.finish_messages(lease, at, finished).await {
                Err(_) if tried < NOTES_MAX => tried += 1,
                noted => return noted,
            }
            tokio::time::sleep(FAILURE_PAUSE).await;
        }
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
