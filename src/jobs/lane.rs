//! A lane: when it has something to do, and what one turn of it does. Must never decide what is
//! done: that is the engine's.

use std::time::Duration;

use duban_core::time::Instant;

use crate::engine::{ADVANCES_AT_ONCE, Engine};
use crate::store::StoreError;

/// Tickets in one turn: the herd goes fastest in batches of about a thousand, and nobody else's commit
/// waits longer than for one of them.
const TICKETS_MAX: u64 = 1_000;

/// Messages that one destination is given at once.
const MESSAGES_MAX: u64 = 16;

/// A full look at least this often: a wake-up may be missed; where there are other nodes, those of
/// theirs are.
const LOOK_EVERY: Duration = Duration::from_secs(30);
const LOOK_EVERY_FOR_OTHERS: Duration = Duration::from_secs(1);

/// After a failure of the database, or a turn that came to nothing.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);

/// How long what other nodes have in hand is left to them.
const OTHERS_PAUSE: Duration = Duration::from_millis(50);

/// A lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    Advance,
    Deliver,
    Housekeeping,
}

impl Lane {
    pub(super) const ALL: [Self; 3] = [Self::Advance, Self::Deliver, Self::Housekeeping];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Advance => "advance",
            Self::Deliver => "deliver",
            Self::Housekeeping => "housekeeping",
        }
    }

    /// Turns at once.
    pub(super) const fn at_once(self) -> usize {
        match self {
            Self::Advance => ADVANCES_AT_ONCE,
            Self::Deliver | Self::Housekeeping => 1,
        }
    }

    /// One turn; after one that came to nothing the lane pauses, whatever the reason.
    pub(super) async fn work(self, engine: &Engine) -> Result<(), StoreError> {
        let worked = self.turn(engine).await;
        if !matches!(worked, Ok(true)) {
            tokio::time::sleep(FAILURE_PAUSE).await;
        }
        worked.map(drop)
    }

    /// Whether something came of it.
    async fn turn(self, engine: &Engine) -> Result<bool, StoreError> {
        if engine.stands_aside() {
            return Ok(false);
        }
        let _stands = engine.stand().await;
        match self {
            Self::Advance => {
                let advanced = engine.advance_due(TICKETS_MAX).await?;
                if advanced.due == 0 {
                    // Others have it in hand.
                    tokio::time::sleep(OTHERS_PAUSE).await;
                }
                Ok(advanced.due == 0 || advanced.moved > 0)
            }
            Self::Deliver => engine.send_couriers(MESSAGES_MAX).await.map(|_| true),
            Self::Housekeeping => loop {
                if engine.stands_aside() {
                    return Ok(false);
                }
                if engine.housekeep(TICKETS_MAX).await?.finished {
                    return Ok(true);
                }
            },
        }
    }

    /// Waits until there is something to do.
    pub(super) async fn wait(self, engine: &Engine) {
        if self == Self::Housekeeping {
            return pause(engine, engine.next_publication(), LOOK_EVERY).await;
        }
        loop {
            let next = match self {
                Self::Advance => engine.next_due().await,
                _ => engine.next_delivery().await,
            };
            match next {
                Ok(Some(at)) if at <= engine.clock().now() => return,
                Ok(next) => self.sleep(engine, next).await,
                Err(error) => {
                    tracing::warn!(lane = self.name(), store.error = %error, "the lane cannot look");
                    tokio::time::sleep(FAILURE_PAUSE).await;
                }
            }
        }
    }

    /// Until something is due, or earlier than was thought, or it is time for a look.
    async fn sleep(self, engine: &Engine, next: Option<Instant>) {
        let wake = engine.wake();
        if self == Self::Advance {
            wake.sleeping_until(next);
        }
        let embedded = engine.store().is_embedded();
        let look_every = if embedded { LOOK_EVERY } else { LOOK_EVERY_FOR_OTHERS };
        let woken = async {
            match self {
                Self::Advance => wake.due().await,
                _ => wake.messages().await,
            }
        };
        tokio::select! {
            () = woken => {}
            () = pause(engine, next, look_every) => {}
        }
        if self == Self::Advance {
            wake.sleeping_until(None);
        }
    }
}

async fn pause(engine: &Engine, next: Option<Instant>, most: Duration) {
    let next = async {
        match next {
            Some(at) => engine.clock().sleep_until(at).await,
            None => std::future::pending().await,
        }
    };
    // A look that is not needed costs two reads of an index.
    let _ = tokio::time::timeout(most, next).await;
}
