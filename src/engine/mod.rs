//! Floor 3: load, decide, commit; in batches. Commands that arrive while a commit runs share the
//! next one.
//!
//! Must never decide by itself (that is the core's), answer before the commit is durable, or know
//! who asks by which way.

mod advance;
mod batch;
mod committer;
mod declined;
mod deliver;
mod desk;
mod housekeep;
mod incident;
mod knowledge;
mod order;
mod recompute;
mod request;
mod simulated;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use duban_core::digest::Digest;
use duban_core::time::Instant;
use tokio::sync::{mpsc, oneshot};

pub use advance::Advanced;
pub use declined::Declined;
pub use deliver::{ATTEMPTS_MAX, Carrier, Delivered};
pub use housekeep::{ARCHIVE_AFTER_DAYS, Housekept};
pub use knowledge::{Knowledge, KnowledgeError};
pub use recompute::Recomputed;
pub use request::{Done, Keyed, NewReview, Receipt, Request, Task};
pub use simulated::{AdvanceError, ClockAdvanced};

use crate::clock::Clock;
use crate::store::{RequestKey, Store};
use crate::wake::Wake;
use request::Submitted;

/// Commands that may wait for the committer; more are answered with «busy».
const QUEUE_MAX: usize = 8_192;

/// The engine of one process; clones are the same.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
    queue: mpsc::Sender<Submitted>,
}

struct Inner {
    store: Store,
    knowledge: Knowledge,
    clock: Clock,
    wake: Wake,
    carrier: Carrier,
    /// Held for reading while a request is on its way; the simulated clock moves when it is free.
    advancing: tokio::sync::RwLock<()>,
    /// Destinations to which a courier is under way.
    couriers: Mutex<BTreeSet<String>>,
    /// Keys of requests that are being carried out.
    running: Mutex<BTreeSet<RequestKey>>,
}

impl Engine {
    /// Starts the engine: the committer runs until the last clone is dropped.
    #[must_use]
    pub fn start(
        store: Store,
        knowledge: Knowledge,
        clock: Clock,
        wake: Wake,
        carrier: Carrier,
    ) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let advancing = tokio::sync::RwLock::new(());
        let running = Mutex::new(BTreeSet::new());
        let couriers = Mutex::new(BTreeSet::new());
        let inner = Inner { store, knowledge, clock, wake, carrier, advancing, couriers, running };
        let inner = Arc::new(inner);
        tokio::spawn(committer::run(Arc::clone(&inner), queue.downgrade(), waiting));
        Self { inner, queue }
    }

    /// The database, for reading.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Definitions and calendars.
    #[must_use]
    pub fn knowledge(&self) -> &Knowledge {
        &self.inner.knowledge
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// Wake-ups.
    #[must_use]
    pub fn wake(&self) -> &Wake {
        &self.inner.wake
    }

    /// Whether commands are still taken.
    #[must_use]
    pub fn is_working(&self) -> bool {
        !self.queue.is_closed()
    }

    /// A request has been read: its stamp. While it is on its way the simulated clock stands.
    pub async fn arrive(&self) -> Arrival<'_> {
        let stands = self.inner.advancing.read().await;
        Arrival { at: self.inner.clock.now(), _stands: stands }
    }

    /// Keeps the simulated clock from moving while this lives: a lane is at work.
    pub async fn stand(&self) -> impl Drop + use<'_> {
        self.inner.advancing.read().await
    }

    /// Carries out a request and waits until it is durable.
    ///
    /// # Errors
    /// Why nothing has happened, or that this is not known.
    pub async fn submit(
        &self,
        arrival: &Arrival<'_>,
        task: Task,
        key: Option<Keyed>,
    ) -> Result<Done, Declined> {
        let running = match &key {
            None => None,
            Some(keyed) => {
                let running = self.claim(&keyed.key)?;
                if let Some(done) = self.repeated(keyed).await? {
                    return Ok(done);
                }
                Some(running)
            }
        };
        let (answer, answered) = oneshot::channel();
        let request = Request { arrived_at: arrival.at, task, key };
        self.queue.try_send(Submitted { request, running, answer }).map_err(
            |error| match error {
                mpsc::error::TrySendError::Full(_) => Declined::Busy,
                mpsc::error::TrySendError::Closed(_) => Declined::Stopping,
            },
        )?;
        answered.await.unwrap_or(Err(Declined::Stopping))
    }

    /// What became of the same request before, if it came before.
    async fn repeated(&self, keyed: &Keyed) -> Result<Option<Done>, Declined> {
        let known = self.inner.store.known_request(&keyed.key).await.map_err(Declined::Store)?;
        let Some(known) = known else { return Ok(None) };
        if Digest::commitment(&known.secret, &keyed.body) != known.commitment {
            return Err(Declined::KeyReused);
        }
        let Some(ticket) = known.ticket else { return Err(Declined::KeyReused) };
        let numbers = self.inner.store.ticket_numbers(&[ticket]).await.map_err(Declined::Store)?;
        let seq = known.seq.unwrap_or(1);
        let history =
            self.inner.store.history(ticket, seq - 1, 1).await.map_err(Declined::Store)?;
        let event = history.first().map(|one| one.event().map(|event| (one.hash, event)));
        let event = event.transpose().map_err(Declined::Store)?;
        let receipt = event.map(|(hash, event)| Receipt {
            seq,
            hash,
            at: event.at,
            arrived_at: event.arrived_at,
        });
        let ticket_no = numbers.get(&ticket).cloned().unwrap_or_default();
        let (repeated, replayed) = (true, true);
        Ok(Some(Done { repeated, ticket, ticket_no, instance: None, receipt, replayed }))
    }

    fn claim(&self, key: &RequestKey) -> Result<Running, Declined> {
        let mut running = self.inner.running.lock().unwrap_or_else(PoisonError::into_inner);
        if !running.insert(key.clone()) {
            return Err(Declined::KeyRunning);
        }
        Ok(Running { inner: Arc::clone(&self.inner), key: key.clone() })
    }
}

/// When a request arrived. The simulated clock stands while it lives.
pub struct Arrival<'e> {
    /// The stamp.
    pub at: Instant,
    _stands: tokio::sync::RwLockReadGuard<'e, ()>,
}

/// A key whose request is being carried out; free again when this is dropped.
pub(crate) struct Running {
    inner: Arc<Inner>,
    key: RequestKey,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Running").finish_non_exhaustive()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut running = self.inner.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.remove(&self.key);
    }
}
