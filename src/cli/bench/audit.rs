//! `duban bench audit`: how fast a database is verified. One JSON line.

use std::path::PathBuf;
use std::time::Instant as Stopwatch;

use serde_json::json;

use super::{Folder, herd, per_second, rss_mb};
use crate::audit::{AuditError, verify};
use crate::cli::{Ended, Failure, block_on, print};
use crate::store::Store;

#[derive(clap::Args)]
pub(in crate::cli) struct Audit {
    /// 多少件工单
    #[arg(long, value_name = "件数", default_value_t = 100_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    tickets: u64,
    /// 数据库放在这个目录中
    #[arg(long, value_name = "目录")]
    within: Option<PathBuf>,
}

impl Audit {
    pub(super) fn run(self) -> Ended {
        let folder = Folder::new(self.within.as_deref())?;
        let line = block_on(async {
            let (store, _) = Store::migrate(&folder.url("audit.db")).await?;
            herd::gather(&store, self.tickets).await?;
            store.fold().await?;
            let begun = Stopwatch::now();
            let checked = verify(&store, None, |_| ()).await.map_err(|error| match error {
                AuditError::Store(error) => error.into(),
                other => Failure::Machine(other.to_string()),
            })?;
            let seconds = begun.elapsed().as_secs_f64();
            store.close().await;
            Ok(json!({
                "store": "sqlite",
                "tickets": checked.tickets,
                "events": checked.events,
                "events_per_s": per_second(checked.events, seconds),
                "rss_mb": rss_mb(),
            }))
        })?;
        print(&format!("{line}\n"))
    }
}
