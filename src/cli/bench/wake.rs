//! A wake-up on its way from one node to another through Redis. Must never wake a house that is
//! served.

use std::time::{Duration, Instant as Stopwatch};

use serde_json::{Value, json};

use super::percentile;
use crate::cli::{Ended, Failure, block_on, print, usage};
use crate::clock::wall;
use crate::crypto;
use crate::wake::{Presence, Redis, Wake};

/// How long a wake-up may be on its way before it counts as lost.
const LOST: Duration = Duration::from_secs(5);

/// The longest pause before the next one: they come when nobody expects them.
const PAUSE_MS_MAX: u64 = 20;

#[derive(clap::Args)]
pub(in crate::cli) struct Between {
    /// 节点之间的 Redis（redis://主机:6379/0）
    #[arg(long, value_name = "地址")]
    redis_url: String,
    /// 唤醒的次数
    #[arg(long, value_name = "次数", default_value_t = 2_000)]
    #[arg(value_parser = usage::whole::<u64>(100..=1_000_000))]
    rounds: u64,
}

impl Between {
    pub(super) fn run(self) -> Ended {
        let measured = block_on(self.measure())?;
        print(&format!("{measured}\n"))
    }

    async fn measure(&self) -> Result<Value, Failure> {
        // A house of nobody: its name is drawn.
        let house = crypto::identity().simple().to_string();
        let node = || Wake::between_nodes(&self.redis_url, &house, presence());
        let node = || node().map_err(|error| Failure::Input(error.to_string()));
        let (one, other) = (node()?, node()?);
        let begun = Stopwatch::now();
        while !matches!((one.redis(), other.redis()), (Redis::Ready, Redis::Ready)) {
            if begun.elapsed() > LOST {
                return Err(Failure::Machine("Redis 没有应答".to_owned()));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // What the beginning itself has set off.
        while tokio::time::timeout(Duration::from_millis(300), other.due()).await.is_ok() {}
        let mut taken = Vec::new();
        for _ in 0..self.rounds {
            tokio::time::sleep(Duration::from_millis(fastrand::u64(0..=PAUSE_MS_MAX))).await;
            other.sleeping_until(None);
            let begun = Stopwatch::now();
            one.due_at(wall());
            let woken = tokio::time::timeout(LOST, other.due()).await;
            woken.map_err(|_| Failure::Machine("一次唤醒没有到达".to_owned()))?;
            taken.push(begun.elapsed().as_micros().try_into().unwrap_or(u64::MAX));
        }
        one.leave().await;
        other.leave().await;
        taken.sort_unstable();
        let us = |share| percentile(&taken, share);
        Ok(json!({
            "rounds": self.rounds, "p50_us": us(0.5), "p99_us": us(0.99), "max_us": us(1.0),
        }))
    }
}

fn presence() -> Presence {
    Presence {
        node: crypto::identity(),
        host: "bench".to_owned(),
        roles: Vec::new(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: wall(),
        seen_at: wall(),
    }
}
