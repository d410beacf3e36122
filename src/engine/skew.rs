//! How far this node's clock is from the database's, which is one for all nodes: one that is too far
//! off, or has jumped since it was last compared, stands aside, so that it decides nothing by a wrong
//! time (DESIGN, "What happens when" 12).
//! Must never be a part of a decision: what is right rests on the one order alone.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant as Stopwatch};

use duban_core::time::Instant;

use super::{Engine, Inner};

/// How far a clock may be off, in milliseconds: two nodes are then at most a second apart.
const SKEW_MS_MAX: i64 = 500;

/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Looks of which the one that was answered fastest counts.
const LOOKS: usize = 3;

/// An answer that took longer tells too little to let a node work again, in milliseconds.
const UNSURE_MS_MAX: i64 = 250;

/// What is known of a clock.
#[derive(Debug, Default)]
pub(super) struct Skew {
    ms: AtomicI64,
    compared: Mutex<Option<Compared>>,
}

/// When a clock was last compared: what it showed, and what a stopwatch did, which nobody sets.
#[derive(Clone, Copy, Debug)]
struct Compared {
    showed: Instant,
    stopwatch: Stopwatch,
}

impl Compared {
    /// How far the clock has moved since in another way than time did, in milliseconds.
    fn jumped_ms(self, shows: Instant, elapsed: Duration) -> i64 {
        let elapsed = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
        (shows.ms() - self.showed.ms()).saturating_sub(elapsed)
    }
}

impl Skew {
    fn ms(&self) -> i64 {
        self.ms.load(Ordering::Relaxed)
    }

    fn compared(&self) -> Option<Compared> {
        *self.compared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a comparison says: how far the clock surely is off, and up to how far that may be wrong.
    /// False if that says nothing.
    fn note(&self, sure: i64, unsure: i64, compared: Compared) -> bool {
        if unsure > UNSURE_MS_MAX && sure.abs() <= SKEW_MS_MAX {
            return false;
        }
        self.ms.store(sure, Ordering::Relaxed);
        *self.compared.lock().unwrap_or_else(PoisonError::into_inner) = Some(compared);
        true
    }
}

impl Inner {
    /// Whether its clock is too far off for it to work.
    pub(super) fn stands_aside(&self) -> bool {
        self.is_off() || self.has_jumped()
    }

    fn is_off(&self) -> bool {
        self.skew.ms().abs() > SKEW_MS_MAX
    }

    /// Whether its clock was set since it was last compared: nobody knows to what. (That of a file's
    /// only node is compared with nothing.)
    fn has_jumped(&self) -> bool {
        let jumped =
            |compared: Compared| compared.jumped_ms(self.clock.now(), compared.stopwatch.elapsed());
        self.skew.compared().is_some_and(|compared| jumped(compared).abs() > SKEW_MS_MAX)
    }
}

impl Engine {
    /// How far this node's clock is behind the database's, in milliseconds; 0 where that is the same
    /// clock.
    #[must_use]
    pub fn skew_ms(&self) -> i64 {
        self.inner.skew.ms()
    }

    /// Whether its clock is too far off for it to work.
    #[must_use]
    pub fn stands_aside(&self) -> bool {
        self.inner.stands_aside()
    }

    /// Compares the clocks once.
    pub async fn compare_clocks(&self) {
        let clock = &self.inner.clock;
        if clock.is_simulated() || self.inner.store.is_embedded() {
            return;
        }
        let mut best: Option<(i64, i64, Compared)> = None;
        for _ in 0..LOOKS {
            // A database that does not answer is told of elsewhere.
            let Ok(Some((theirs, took))) = self.inner.store.clock().await else { continue };
            let compared = Compared { showed: clock.now(), stopwatch: Stopwatch::now() };
            let half = i64::try_from(took.as_millis() / 2).unwrap_or_default();
            let skew =
                theirs.plus_ms(clock.database_offset_ms() + half).ms() - compared.showed.ms();
            if best.is_none_or(|(least, ..)| half < least) {
                best = Some((half, skew, compared));
            }
        }
        let Some((unsure, skew, compared)) = best else { return };
        // What may be due to the way there is not held against the clock.
        let sure = skew.signum() * (skew.abs() - unsure).max(0);
        let (was_off, was_set) = (self.inner.is_off(), self.inner.has_jumped());
        if !self.inner.skew.note(sure, unsure, compared) {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a skew fit into a float")]
        metrics::gauge!("duban_clock_skew_seconds").set(skew as f64 / 1_000.0);
        if was_set {
            tracing::warn!(skew_ms = skew, "somebody has set the clock");
        }
        match (was_off, self.inner.is_off()) {
            (false, true) => {
                tracing::error!(skew_ms = skew, "the clock is off: this node stands aside");
            }
            (true, false) => tracing::info!(skew_ms = skew, "the clock is right: work goes on"),
            _ => {}
        }
    }

    /// Compares the clocks again and again.
    pub async fn watch_clocks(&self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            self.compare_clocks().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared() -> Compared {
        Compared { showed: Instant::from_ms(1_000_000), stopwatch: Stopwatch::now() }
    }

    #[test]
    fn a_slow_answer_lets_nobody_work_again() {
        let skew = Skew::default();
        assert!(skew.note(1_500, 1, compared()));
        assert!(!skew.note(400, 1_100, compared()), "it may be off by as much as before");
        assert_eq!(skew.ms(), 1_500);
        assert!(skew.note(-2_000, 1_100, compared()), "however slow, it surely is off");
        assert!(skew.note(0, 2, compared()));
        assert_eq!(skew.ms(), 0);
    }

    #[test]
    fn a_clock_that_is_set_is_told_from_time_that_passes() {
        let second = Duration::from_secs(1);
        let jumped = |shows| compared().jumped_ms(Instant::from_ms(shows), second);
        assert_eq!(jumped(1_001_000), 0);
        assert_eq!(jumped(1_000_000 + 3_600_000), 3_599_000);
        assert_eq!(jumped(400_000), -601_000);
    }
}
