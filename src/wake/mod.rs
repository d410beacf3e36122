//! Floor 2: wake-ups between whoever commits and the lanes: within this process, and between nodes
//! where there is a Redis; and what else nodes tell each other there. Must never carry a decision:
//! a lane that misses a wake-up finds the same work at its next look.

mod bus;
mod presence;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use duban_core::time::Instant;
use tokio::sync::{Notify, watch};

use bus::Bus;
pub use bus::BusError;
pub use presence::Presence;

/// Wake-ups; clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Wake {
    local: Local,
    bus: Option<Bus>,
}

/// What Redis does for this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redis {
    /// There is none.
    None,
    /// It answers.
    Ready,
    /// It does not: nodes find each other's work by looking.
    Unavailable,
}

/// Wake-ups within this process.
#[derive(Clone, Debug)]
struct Local(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    due: Notify,
    /// For when the advance lane sleeps: only what is due before is worth waking it.
    sleeps_until: AtomicI64,
    messages: Notify,
    commits: watch::Sender<()>,
}

impl Default for Local {
    fn default() -> Self {
        let sleeps_until = AtomicI64::new(i64::MAX);
        let (due, messages, commits) = (Notify::new(), Notify::new(), watch::Sender::new(()));
        Self(Arc::new(Inner { due, sleeps_until, messages, commits }))
    }
}

impl Local {
    fn due_at(&self, at: Instant) {
        if at.ms() < self.0.sleeps_until.load(Ordering::SeqCst) {
            self.0.due.notify_one();
        }
    }

    fn committed(&self) {
        self.0.commits.send_replace(());
    }

    fn messages_waiting(&self) {
        self.0.messages.notify_one();
    }

    /// Something may have been missed.
    fn look(&self) {
        self.0.due.notify_one();
        self.messages_waiting();
        self.committed();
    }
}

impl Wake {
    /// Wake-ups that go through a Redis as well, for all nodes of one house. Whether it answers now
    /// does not matter.
    ///
    /// # Errors
    /// The address is none.
    pub fn between_nodes(url: &str, house: &str, node: Presence) -> Result<Self, BusError> {
        let local = Local::default();
        let bus = Bus::start(url, house, node, local.clone())?;
        Ok(Self { local, bus: Some(bus) })
    }

    /// Whether an address is one of a Redis.
    #[must_use]
    pub fn is_address(url: &str) -> bool {
        redis::Client::open(url).is_ok()
    }

    /// Something will be due at an instant.
    pub fn due_at(&self, at: Instant) {
        self.local.due_at(at);
        if let Some(bus) = &self.bus {
            bus.tell(|news| news.due = Some(news.due.map_or(at.ms(), |due| due.min(at.ms()))));
        }
    }

    /// The advance lane sleeps until something is due that is earlier.
    pub fn sleeping_until(&self, at: Option<Instant>) {
        self.local.0.sleeps_until.store(at.map_or(i64::MAX, Instant::ms), Ordering::SeqCst);
    }

    /// Waits until something is due earlier than was thought.
    pub async fn due(&self) {
        self.local.0.due.notified().await;
    }

    /// Something was committed.
    pub fn committed(&self) {
        self.local.committed();
        if let Some(bus) = &self.bus {
            bus.tell(|news| news.committed = true);
        }
    }

    /// Changes whenever something was committed.
    #[must_use]
    pub fn commits(&self) -> watch::Receiver<()> {
        self.local.0.commits.subscribe()
    }

    /// There are messages.
    pub fn messages_waiting(&self) {
        self.local.messages_waiting();
        if let Some(bus) = &self.bus {
            bus.tell(|news| news.messages = true);
        }
    }

    /// Waits until there are messages.
    pub async fn messages(&self) {
        self.local.0.messages.notified().await;
    }

    /// What Redis does.
    #[must_use]
    pub fn redis(&self) -> Redis {
        match &self.bus {
            None => Redis::None,
            Some(bus) if bus.is_up() => Redis::Ready,
            Some(_) => Redis::Unavailable,
        }
    }

    /// The nodes that have been seen of late; none where nobody tells.
    pub async fn nodes(&self) -> Option<Vec<Presence>> {
        self.bus.as_ref()?.nodes().await
    }

    /// So many of what somebody may ask for this second, out of `most` for all nodes together; none
    /// where nobody tells.
    pub async fn allowance(&self, whose: &str, ask: u32, most: u32) -> Option<u32> {
        self.bus.as_ref()?.allowance(whose, ask, most).await
    }

    /// This node goes.
    pub async fn leave(&self) {
        if let Some(bus) = &self.bus {
            bus.leave().await;
        }
    }
}
