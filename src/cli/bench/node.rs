//! A node of its own with many open tickets of which none is due: how soon it is ready, what it takes
//! of memory, and of a core while nothing happens. Must never measure another process.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant as Stopwatch};

use duban_core::role::Role;
use duban_core::time::Instant;
use serde::Serialize;

use super::scratch::{Scratch, Where};
use super::{herd, rss_mb_of, served, tell};
use crate::cli::{Ended, Failure, usage};
use crate::clock::{Clock, wall};
use crate::store::Store;

/// How long a start may take.
const START_TIMEOUT: Duration = Duration::from_mins(1);

/// How long it is left alone before it is looked at: what a start leaves behind is done by then.
const SETTLE: Duration = Duration::from_secs(5);

/// Ticks of the system in a second (`USER_HZ`, the same on every Linux).
const TICKS_PER_S: f64 = 100.0;

#[derive(clap::Args)]
pub(in crate::cli) struct Node {
    /// 在办工单的件数
    #[arg(long, value_name = "件数", default_value_t = 100_000)]
    #[arg(value_parser = usage::whole::<u64>(1_000..=2_000_000))]
    tickets: u64,
    /// 空闲时测量的秒数
    #[arg(long, value_name = "秒", default_value_t = 30)]
    #[arg(value_parser = usage::whole::<u64>(5..=600))]
    seconds: u64,
    #[command(flatten)]
    within: Where,
}

#[derive(Serialize)]
struct Measured {
    store: &'static str,
    tickets: u64,
    ready_ms: u64,
    rss_mb: u64,
    idle_percent_of_core: f64,
    rss_after_reads_mb: u64,
}

impl Node {
    pub(super) fn run(self) -> Ended {
        self.within.measured(async |scratch| self.measure(scratch).await)
    }

    async fn measure(&self, scratch: &Scratch) -> Result<Measured, Failure> {
        tell(&format!("正在生成 {} 件在办工单……", self.tickets));
        let (store, _) = Store::migrate(&scratch.url).await?;
        settled(&store).await?;
        let due = herd::gather(&store, self.tickets).await?;
        Store::all_delivered(&scratch.url).await?;
        let token = served::token(&store, Role::Supervisor).await?;
        store.close().await;
        tell("启动节点并保持空闲……");
        let http = served::client()?;
        let begun = Stopwatch::now();
        let mut node = Started::on(scratch, due)?;
        while !is_ready(&http, &node.address).await {
            if begun.elapsed() > START_TIMEOUT || !matches!(node.child.try_wait(), Ok(None)) {
                return Err(Failure::Machine("节点一直没有就绪".to_owned()));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let ready_ms = begun.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
        tokio::time::sleep(SETTLE).await;
        let (before, begun) = (node.ticks()?, Stopwatch::now());
        tokio::time::sleep(Duration::from_secs(self.seconds)).await;
        let seconds = begun.elapsed().as_secs_f64();
        let used = (node.ticks()? - before) / TICKS_PER_S / seconds * 100.0;
        let rss_mb = rss_mb_of(node.child.id());
        for path in ["/v1/board", "/v1/tickets", "/v1/tickets?status=open&sort=due"] {
            for _ in 0..10 {
                served::get(&http, &format!("{}{path}", node.address), &token).await?;
            }
        }
        Ok(Measured {
            store: scratch.kind(),
            tickets: self.tickets,
            ready_ms,
            rss_mb,
            idle_percent_of_core: (used * 100.0).round() / 100.0,
            rss_after_reads_mb: rss_mb_of(node.child.id()),
        })
    }
}

/// A house that has worked in all notices before its first ticket, as one is that has been served.
async fn settled(store: &Store) -> Result<(), Failure> {
    // Unwrap safety: an instant of this file.
    let before = "2026-03-02T09:00:00+08:00".parse().expect("an instant");
    let engine = herd::engine(store, Clock::simulated(before)).await?;
    while !engine.housekeep(1_000).await?.finished {}
    Ok(())
}

async fn is_ready(http: &reqwest::Client, address: &str) -> bool {
    let asked = http.get(format!("{address}/readyz")).send().await;
    asked.is_ok_and(|answer| answer.status().is_success())
}

/// This program as a service, in a process of its own; killed when it is dropped.
struct Started {
    child: Child,
    address: String,
}

impl Started {
    /// Half a day before anything is due.
    fn on(scratch: &Scratch, due: Instant) -> Result<Self, Failure> {
        let cannot = |_| Failure::Machine("无法启动节点".to_owned());
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|one| one.local_addr());
        let address = port.map_err(cannot)?.to_string();
        let offset = (due.plus_ms(-12 * 3_600_000).ms() - wall().ms()).to_string();
        let program = std::env::current_exe().map_err(cannot)?;
        let mut command = Command::new(program);
        command.args(["serve", "--listen", &address, "--database-url", &scratch.url]);
        command.args(["--clock-offset-ms", &offset]);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("DUBAN_") {
                command.env_remove(name);
            }
        }
        command.env("DUBAN_DATABASE_CLOCK_OFFSET_MS", &offset);
        command.env("DUBAN_ATTACHMENTS", scratch.file("attachments"));
        // Nobody else's settings: neither a file nor the environment of some other service.
        command.current_dir(scratch.file(""));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(cannot)?;
        Ok(Self { child, address: format!("http://{address}") })
    }

    /// What it has had of all cores since its start.
    fn ticks(&self) -> Result<f64, Failure> {
        let gone = || Failure::Machine("节点已经退出".to_owned());
        let path = format!("/proc/{}/stat", self.child.id());
        let stat = fs::read_to_string(path).map_err(|_| gone())?;
        // The name stands in brackets, and may hold anything.
        let (_, rest) = stat.rsplit_once(')').ok_or_else(gone)?;
        let fields = rest.split_whitespace().skip(11).take(2);
        Ok(fields.filter_map(|field| field.parse::<f64>().ok()).sum())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
