//! The clock that a service lives by, and that a simulated one is moved by one process alone. Must
//! never start a node beside one that moves such a clock. (One that stood still for so long that
//! another took its place goes on for as long as it takes to see that: a second.)

use std::time::Duration;

use duban_core::time::Instant;
use uuid::Uuid;

use super::Failure;
use crate::clock::{self, Clock};
use crate::config::{ClockKind, Settings};
use crate::store::{ClockClaim, ClockClaimed, ClockHolder, Store, StoreError};

/// How far the clock may be behind the newest commit: more would hold up everything that is due.
const BEHIND_MS_MAX: i64 = 5 * 60_000;

/// How often the node that moves a simulated clock says that it lives, and how long another one
/// waits to hear that before it takes its place.
const BEAT: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a clock is given back.
const GIVE_BACK_TIMEOUT: Duration = Duration::from_secs(2);

/// The clock that the settings name.
pub(super) async fn clock(settings: &Settings, store: &Store) -> Result<Clock, Failure> {
    let newest = store.newest_commit().await?;
    if settings.clock == ClockKind::Simulated {
        let start = settings.start_at.unwrap_or_else(clock::wall);
        return Ok(Clock::simulated(newest.map_or(start, |newest| newest.max(start))));
    }
    let clock = Clock::beside(settings.clock_offset_ms, settings.database_clock_offset_ms);
    let now = clock.now();
    let behind = newest.filter(|newest| newest.ms() - now.ms() > BEHIND_MS_MAX);
    match behind {
        Some(newest) if !settings.accept_clock => Err(Failure::Input(behind_by(now, newest))),
        _ => Ok(clock),
    }
}

/// What a node holds that serves a house.
pub(super) struct Clocked {
    store: Store,
    node: Uuid,
    /// A simulated clock on a server: others could move another one.
    is_held: bool,
}

impl Clocked {
    /// Serves the house by the settings' clock from now on, unless another node moves a simulated
    /// one there. One that was killed is told from one that lives by waiting for a sign of it.
    pub(super) async fn claim(
        settings: &Settings,
        (store, clock): (&Store, &Clock),
        node: Uuid,
    ) -> Result<Self, Failure> {
        let is_simulated = settings.clock == ClockKind::Simulated;
        let accepts = settings.accept_clock;
        let claim = |gone| ClockClaim { node, is_simulated, accepts, gone };
        let mut claimed = store.claim_clock(claim(None)).await?;
        if let ClockClaimed::Held(holder) = claimed {
            tracing::info!(node = %holder.node, "waiting whether the node that moves the simulated clock lives");
            tokio::time::sleep(PATIENCE).await;
            claimed = store.claim_clock(claim(Some(holder))).await?;
        }
        match claimed {
            ClockClaimed::Granted => {}
            ClockClaimed::LivesByTheSystem => {
                return Err(Failure::Input(LIVES_BY_THE_SYSTEM.to_owned()));
            }
            ClockClaimed::Held(holder) => return Err(Failure::Input(moved_by(holder))),
        }
        // Whoever held it may have moved it on while this one waited.
        if let Some(newest) = store.newest_commit().await? {
            clock.set(newest);
        }
        Ok(Self { store: store.clone(), node, is_held: is_simulated && !store.is_embedded() })
    }

    /// Says again and again that this node lives; returns when another has taken its place.
    pub(super) async fn lost(&self) {
        if !self.is_held {
            std::future::pending::<()>().await;
        }
        loop {
            tokio::time::sleep(BEAT).await;
            match self.store.keep_clock(self.node).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => tracing::warn!(store.error = %error, "no sign of life for now"),
            }
        }
    }

    /// Another node may move the clock at once.
    pub(super) async fn give_back(&self) {
        if self.is_held {
            let given = self.store.give_clock_back(self.node);
            // A courtesy: otherwise the next one waits a little.
            let _: Result<Result<(), StoreError>, _> =
                tokio::time::timeout(GIVE_BACK_TIMEOUT, given).await;
        }
    }
}

/// What a simulated clock has moved on cannot be moved back.
const LIVES_BY_THE_SYSTEM: &str = "这个数据库由按系统时钟运行的服务使用：以模拟时钟启动会把其中的时间拨向将来，\
     不能复原；请另用一个数据库（--database-url；演示则用 --fresh 重建演示库），确需照此启动的，加 --accept-clock";

/// What a node says that stops because of that.
pub(super) const TAKEN_OVER: &str =
    "另一个节点已接管这个数据库的时钟（本节点一段时间没有应答）：本节点停止运行";

fn moved_by(holder: ClockHolder) -> String {
    format!(
        "节点 {} 正以模拟时钟使用这个数据库：模拟时钟只能由一个进程拨动，其他节点不能同时运行；\
         请先停止该节点，或另用一个数据库（--database-url）",
        holder.node
    )
}

fn behind_by(now: Instant, newest: Instant) -> String {
    format!(
        "系统时钟（{now}）比数据库中最近一次提交（{newest}）慢 5 分钟以上：\
         请校准时钟；确需照此启动的，加 --accept-clock"
    )
}
