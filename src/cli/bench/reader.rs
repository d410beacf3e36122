//! Somebody who looks at tickets, one after another, while a herd runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant as Stopwatch};

use duban_core::role::Role;
use duban_core::time::Instant;
use serde_json::json;
use tokio::task::JoinHandle;

use super::scratch::Scratch;
use super::served::{self, Served};
use super::{herd, reads};
use crate::cli::Failure;
use crate::store::Store;

/// When each read began, and what it took in microseconds.
type Taken = Vec<(Stopwatch, u64)>;

/// A reader with a service of his own.
pub(super) struct Reader(Option<Reading>);

struct Reading {
    served: Served,
    ended: Arc<AtomicBool>,
    taken: JoinHandle<Result<Taken, Failure>>,
}

impl Reader {
    /// So many times a second.
    pub(super) async fn start(
        scratch: &Scratch,
        store: &Store,
        due: Instant,
        per_s: u64,
    ) -> Result<Self, Failure> {
        let Some(pause) = 1_000_000_u64.checked_div(per_s) else { return Ok(Self(None)) };
        let shift = herd::shift(due);
        let clock = json!({
            "roles": ["api"], "clock_offset_ms": shift, "database_clock_offset_ms": shift,
        });
        let served = Served::start(scratch, clock).await?;
        let numbers = reads::numbers(store, 2_000).await?;
        let token = served.token(Role::Supervisor).await?;
        let (http, address) = (served.http.clone(), served.address.clone());
        let ended = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&ended);
        let taken = tokio::spawn(async move {
            let mut tick = tokio::time::interval(Duration::from_micros(pause));
            let mut taken = Vec::new();
            for number in numbers.iter().cycle() {
                tick.tick().await;
                if told.load(Ordering::Relaxed) {
                    break;
                }
                let begun = Stopwatch::now();
                let url = format!("{address}/v1/tickets/{number}");
                taken.push((begun, served::get(&http, &url, &token).await?));
            }
            Ok(taken)
        });
        Ok(Self(Some(Reading { served, ended, taken })))
    }

    /// What each read took that began since then, sorted, in microseconds.
    pub(super) async fn end(self, since: Stopwatch) -> Result<Vec<u64>, Failure> {
        let Some(Reading { served, ended, taken }) = self.0 else { return Ok(Vec::new()) };
        ended.store(true, Ordering::Relaxed);
        let taken = taken.await.map_err(|_| Failure::Machine("查看中断".to_owned()))??;
        served.stop().await?;
        let since = taken.into_iter().filter(|(begun, _)| *begun >= since);
        let mut taken: Vec<u64> = since.map(|(_, one)| one).collect();
        taken.sort_unstable();
        Ok(taken)
    }
}
