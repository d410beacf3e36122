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
mod keyed;
mod knowledge;
mod order;
mod recompute;
mod rehearse;
mod request;
mod simulated;
mod skew;

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use duban_core::time::Instant;
use tokio::sync::{mpsc, oneshot};
use tracing::Span;

pub use advance::{ADVANCES_AT_ONCE, Advanced};
pub use declined::Declined;
pub use deliver::{ATTEMPTS_MAX, Carrier, Delivered};
pub use housekeep::{ARCHIVE_AFTER_DAYS, Housekept};
pub use keyed::Turn;
pub use knowledge::{Knowledge, KnowledgeError};
pub use recompute::Recomputed;
pub use request::{Done, Keyed, NewReview, Original, Receipt, Request, Task};
pub use simulated::{AdvanceError, ClockAdvanced};

use crate::clock::Clock;
use crate::store::{RequestKey, Store};
use crate::wake::Wake;
use request::Submitted;
use skew::Skew;

/// Commands that may wait for a committer; more are answered with “busy”.
const QUEUE_MAX: usize = 4_096;

/// Committers to a server: one decides while another commits. What is about one ticket, or one
/// review, always comes to the same. A file takes one commit after another, and rather a large one
/// than two small ones: there one is enough.
const COMMITTERS: usize = 2;

/// The engine of one process; clones are the same.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
    queues: Vec<mpsc::Sender<Submitted>>,
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
    skew: Skew,
    /// Couriers set out no more.
    leaving: AtomicBool,
}

impl Engine {
    /// Starts the engine: the committers run until the last clone is dropped.
    #[must_use]
    pub fn start(
        store: Store,
        knowledge: Knowledge,
        clock: Clock,
        wake: Wake,
        carrier: Carrier,
    ) -> Self {
        let committers = if store.is_embedded() { 1 } else { COMMITTERS };
        let advancing = tokio::sync::RwLock::new(());
        let running = Mutex::new(BTreeSet::new());
        let couriers = Mutex::new(BTreeSet::new());
        let skew = Skew::default();
        let inner = Arc::new(Inner {
            store,
            knowledge,
            clock,
            wake,
            carrier,
            advancing,
            couriers,
            running,
            skew,
            leaving: AtomicBool::new(false),
        });
        let committer = |_| {
            let (queue, waiting) = mpsc::channel(QUEUE_MAX);
            tokio::spawn(committer::run(Arc::clone(&inner), queue.downgrade(), waiting));
            queue
        };
        let queues = (0..committers).map(committer).collect();
        Self { inner, queues }
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
        !self.queues.iter().any(mpsc::Sender::is_closed)
    }

    /// Returns when a committer is gone, which nobody should live to see.
    pub async fn broken(&self) {
        let closed = self.queues.iter().map(|queue| Box::pin(queue.closed()));
        futures::future::select_all(closed).await;
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
        if self.stands_aside() {
            return Err(Declined::Aside);
        }
        let keyed = key.clone();
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
        let queue = &self.queues[request.task.turn(self.queues.len())];
        let submitted = Submitted { request, running, answer, span: Span::current() };
        queue.try_send(submitted).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Declined::Busy,
            mpsc::error::TrySendError::Closed(_) => Declined::Stopping,
        })?;
        // Whoever should have answered is gone, and may have committed before.
        let answer = answered.await.unwrap_or(Err(Declined::OutcomeUnknown));
        if let Some(keyed) = keyed.as_ref().filter(|_| !self.inner.store.is_embedded())
            && let Some(elsewhere) = self.done_elsewhere(keyed, &answer).await
        {
            return elsewhere;
        }
        let done = answer?;
        if let Some(keyed) = keyed.filter(|_| done.replayed && !done.repeated) {
            self.remember(&keyed, &done).await;
        }
        Ok(done)
    }
}

/// When a request arrived. The simulated clock stands while it lives.
pub struct Arrival<'e> {
    /// The stamp.
    pub at: Instant,
    _stands: tokio::sync::RwLockReadGuard<'e, ()>,
}
