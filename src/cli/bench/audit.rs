//! `duban bench audit`: how fast a database is verified. One JSON line.

use std::time::Instant as Stopwatch;

use serde_json::{Value, json};

use super::scratch::{Scratch, Where};
use super::{herd, per_second, rss_mb};
use crate::audit::{AuditError, verify};
use crate::cli::{Ended, Failure, usage};
use crate::store::Store;

#[derive(clap::Args)]
pub(in crate::cli) struct Audit {
    /// 工单的件数
    #[arg(long, value_name = "件数", default_value_t = 100_000)]
    #[arg(value_parser = usage::whole::<u64>(1..=1_000_000))]
    tickets: u64,
    #[command(flatten)]
    within: Where,
}

impl Audit {
    pub(super) fn run(self) -> Ended {
        self.within.measured(async |scratch| self.measure(scratch).await)
    }

    async fn measure(&self, scratch: &Scratch) -> Result<Value, Failure> {
        let (store, _) = Store::migrate(&scratch.url).await?;
        herd::gather(&store, self.tickets).await?;
        let begun = Stopwatch::now();
        let checked = verify(&store, None, |_| ()).await.map_err(|error| match error {
            AuditError::Store(error) => error.into(),
            other => Failure::Machine(other.to_string()),
        })?;
        let seconds = begun.elapsed().as_secs_f64();
        store.close().await;
        Ok(json!({
            "store": scratch.kind(),
            "tickets": checked.tickets,
            "events": checked.events,
            "events_per_s": per_second(checked.events, seconds),
            "rss_mb": rss_mb(),
        }))
    }
}
