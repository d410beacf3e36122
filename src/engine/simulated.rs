//! The simulated clock moves: from instant to instant at which something falls due, each worked
//! off before the next. Must never move a system's clock, nor go back.

use duban_core::time::Instant;

use super::Engine;
use crate::store::StoreError;

/// Tickets and messages in one batch.
const BATCH: u64 = 256;

/// Batches that may follow one another at one instant: more are a circle.
const BATCHES_MAX: usize = 100_000;

/// What an advance came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockAdvanced {
    /// Instants at which something happened.
    pub stops: usize,
    /// Tickets that were moved on.
    pub moved: usize,
    /// Messages that arrived.
    pub delivered: usize,
}

/// Why the clock does not move.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdvanceError {
    /// The service runs by the system's clock.
    #[error("服务按系统时钟运行，不能拨动；以 --clock simulated 启动的服务才有此功能")]
    NotSimulated,
    /// Back in time.
    #[error("模拟时钟现在是 {now}，不能拨回 {to}")]
    Backwards {
        /// Where it stands.
        now: Instant,
        /// Where it was to go.
        to: Instant,
    },
    /// Something falls due again and again at one instant.
    #[error("{at} 的到期事项办理不完，时钟停在此处；请查看异常")]
    Stuck {
        /// When.
        at: Instant,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Moves the simulated clock, working off everything that falls due on the way, in order.
    /// Requests that are read meanwhile arrive at its end.
    ///
    /// # Errors
    /// [`AdvanceError`]; the clock stands where the work was done up to.
    pub async fn advance_clock(&self, to: Instant) -> Result<ClockAdvanced, AdvanceError> {
        let clock = &self.inner.clock;
        if !clock.is_simulated() {
            return Err(AdvanceError::NotSimulated);
        }
        let _nobody_arrives = self.inner.advancing.write().await;
        let now = clock.now();
        if to < now {
            return Err(AdvanceError::Backwards { now, to });
        }
        let mut advanced = ClockAdvanced::default();
        self.work_off(&mut advanced).await?;
        while let Some(next) = self.next_instant().await?.filter(|next| *next <= to) {
            clock.set(next);
            advanced.stops += 1;
            self.work_off(&mut advanced).await?;
        }
        clock.set(to);
        Ok(advanced)
    }

    /// The next instant at which something happens by itself.
    async fn next_instant(&self) -> Result<Option<Instant>, StoreError> {
        let store = &self.inner.store;
        let due = [store.next_wake().await?, store.next_message(&[]).await?];
        let kept = [self.next_publication(), self.next_archiving().await?];
        Ok(due.into_iter().chain(kept).flatten().min())
    }

    async fn work_off(&self, advanced: &mut ClockAdvanced) -> Result<(), AdvanceError> {
        for _ in 0..BATCHES_MAX {
            let kept = self.housekeep(BATCH).await?;
            let due = self.advance_due(BATCH).await?;
            let messages = self.deliver(BATCH).await?;
            advanced.moved += due.moved;
            advanced.delivered += messages.arrived;
            if kept.finished && due.due == 0 && messages.tried == 0 {
                return Ok(());
            }
        }
        Err(AdvanceError::Stuck { at: self.inner.clock.now() })
    }
}
