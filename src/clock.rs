//! Floor 1: the one place that reads the time. Must never let the simulated clock move by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use duban_core::command::SETTLE_MS;
use duban_core::time::Instant;

/// The longest sleep: a system clock that somebody sets is heard of within this time.
const SLEEP_MAX: Duration = Duration::from_secs(30);

/// A clock; clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    System { offset_ms: i64, database_offset_ms: i64 },
    Simulated { now: Arc<AtomicI64> },
}

impl Clock {
    /// The system's clock, shifted: tests stand just before a deadline.
    #[must_use]
    pub const fn system(offset_ms: i64) -> Self {
        Self(Kind::System { offset_ms, database_offset_ms: 0 })
    }

    /// The same, where the database's clock is taken to be shifted too.
    #[must_use]
    pub const fn beside(offset_ms: i64, database_offset_ms: i64) -> Self {
        Self(Kind::System { offset_ms, database_offset_ms })
    }

    /// By how much the database's clock is taken to be shifted, in milliseconds.
    #[must_use]
    pub const fn database_offset_ms(&self) -> i64 {
        match self.0 {
            Kind::System { database_offset_ms, .. } => database_offset_ms,
            Kind::Simulated { .. } => 0,
        }
    }

    /// A clock that stands still until it is set.
    #[must_use]
    pub fn simulated(start: Instant) -> Self {
        Self(Kind::Simulated { now: Arc::new(AtomicI64::new(start.ms())) })
    }

    /// The instant.
    #[must_use]
    pub fn now(&self) -> Instant {
        match &self.0 {
            Kind::System { offset_ms, .. } => wall().plus_ms(*offset_ms),
            Kind::Simulated { now } => Instant::from_ms(now.load(Ordering::SeqCst)),
        }
    }

    /// Whether it stands still between advances.
    #[must_use]
    pub const fn is_simulated(&self) -> bool {
        matches!(self.0, Kind::Simulated { .. })
    }

    /// How long after an instant what is due then may be committed. A clock that stands still has
    /// nobody on the way.
    #[must_use]
    pub const fn settle_ms(&self) -> i64 {
        match self.0 {
            Kind::System { .. } => SETTLE_MS,
            Kind::Simulated { .. } => 0,
        }
    }

    /// Sets the simulated clock; it never goes back. Nothing happens to the system's.
    pub fn set(&self, at: Instant) {
        if let Kind::Simulated { now } = &self.0 {
            now.fetch_max(at.ms(), Ordering::SeqCst);
        }
    }

    /// Sleeps until an instant of the system's clock, or a little while: ask again then. On the
    /// simulated clock that little while is all there is.
    pub async fn sleep_until(&self, at: Instant) {
        let left = at.ms().saturating_sub(self.now().ms());
        let left = Duration::from_millis(u64::try_from(left).unwrap_or_default());
        tokio::time::sleep(left.min(SLEEP_MAX)).await;
    }
}

/// The system's time: tokens expire by it, whatever the clock of the tickets shows.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the time")]
pub fn wall() -> Instant {
    Instant::from_ms(chrono::Utc::now().timestamp_millis())
}
