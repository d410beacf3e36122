//! Floor 2: wake-ups between whoever commits and the lanes of this process. Must never carry a
//! decision: a lane that misses one finds the same work at its next look.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use duban_core::time::Instant;
use tokio::sync::{Notify, watch};

/// Wake-ups; clones are the same.
#[derive(Clone, Debug)]
pub struct Wake(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    due: Notify,
    /// For when the advance lane sleeps: only what is due before is worth waking it.
    sleeps_until: AtomicI64,
    messages: Notify,
    commits: watch::Sender<()>,
}

impl Default for Wake {
    fn default() -> Self {
        let sleeps_until = AtomicI64::new(i64::MAX);
        let (due, messages, commits) = (Notify::new(), Notify::new(), watch::Sender::new(()));
        Self(Arc::new(Inner { due, sleeps_until, messages, commits }))
    }
}

impl Wake {
    /// Something will be due at an instant.
    pub fn due_at(&self, at: Instant) {
        if at.ms() < self.0.sleeps_until.load(Ordering::SeqCst) {
            self.0.due.notify_one();
        }
    }

    /// The advance lane sleeps until something is due that is earlier.
    pub fn sleeping_until(&self, at: Option<Instant>) {
        self.0.sleeps_until.store(at.map_or(i64::MAX, Instant::ms), Ordering::SeqCst);
    }

    /// Waits until something is due earlier than was thought.
    pub async fn due(&self) {
        self.0.due.notified().await;
    }

    /// Something was committed.
    pub fn committed(&self) {
        self.0.commits.send_replace(());
    }

    /// Changes whenever something was committed.
    #[must_use]
    pub fn commits(&self) -> watch::Receiver<()> {
        self.0.commits.subscribe()
    }

    /// There are messages.
    pub fn messages_waiting(&self) {
        self.0.messages.notify_one();
    }

    /// Waits until there are messages.
    pub async fn messages(&self) {
        self.0.messages.notified().await;
    }
}
