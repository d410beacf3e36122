//! How far this node's clock is from the database's, which is one for all nodes: one that is too far
//! off stands aside, so that it decides nothing by a wrong time (DESIGN, "What happens when" 12).
//! Must never be a part of a decision: what is right rests on the one order alone.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant as Stopwatch};

use super::Engine;

/// How far a clock may be off, in milliseconds: two nodes are then at most a second apart.
const SKEW_MS_MAX: i64 = 500;

/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Looks of which the one that was answered fastest counts.
const LOOKS: usize = 3;

/// What is known of a clock.
#[derive(Debug, Default)]
pub(super) struct Skew(AtomicI64);

impl Skew {
    fn ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
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
        self.skew_ms().abs() > SKEW_MS_MAX
    }

    /// Compares the clocks once.
    pub async fn compare_clocks(&self) {
        let clock = &self.inner.clock;
        if clock.is_simulated() || self.inner.store.is_embedded() {
            return;
        }
        let mut best: Option<(Duration, i64)> = None;
        for _ in 0..LOOKS {
            let begun = Stopwatch::now();
            let before = clock.now();
            // A database that does not answer is told of elsewhere.
            let Ok(Some(theirs)) = self.inner.store.clock().await else { continue };
            let took = begun.elapsed();
            let half = i64::try_from(took.as_millis() / 2).unwrap_or_default();
            let skew = theirs.ms() + clock.database_offset_ms() - before.plus_ms(half).ms();
            if best.is_none_or(|(fastest, _)| took < fastest) {
                best = Some((took, skew));
            }
        }
        let Some((took, skew)) = best else { return };
        let unsure = i64::try_from(took.as_millis() / 2).unwrap_or_default();
        // What may be due to the way there is not held against the clock.
        let sure = skew.signum() * (skew.abs() - unsure).max(0);
        let stood_aside = self.stands_aside();
        self.inner.skew.0.store(sure, Ordering::Relaxed);
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a skew fit into a float")]
        metrics::gauge!("duban_clock_skew_seconds").set(skew as f64 / 1_000.0);
        match (stood_aside, self.stands_aside()) {
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
