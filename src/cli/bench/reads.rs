//! Reads over HTTP with many open tickets, while commands run: one ticket, pages by every filter, the
//! board. Must never count an answer that was not good.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant as Stopwatch};

use duban_core::role::Role;
use serde::Serialize;
use serde_json::{Value, json};

use super::scratch::{Scratch, Where};
use super::served::{self, Served, broken};
use super::{herd, per_second, percentile, tell};
use crate::cli::{Ended, Failure, usage};
use crate::store::{Store, TicketFilter};

/// Reads that people do all day, by what is told of them.
const READS: &[(&str, &str)] = &[
    ("board", "/v1/board"),
    ("board_by_district", "/v1/board?by=district"),
    ("page_newest", "/v1/tickets"),
    ("page_agency", "/v1/tickets?agency=SZ013"),
    ("page_district", "/v1/tickets?district=440304"),
    ("page_step", "/v1/tickets?step=delivered"),
    ("page_class", "/v1/tickets?class=matter"),
    ("page_green", "/v1/tickets?light=green"),
    ("page_yellow", "/v1/tickets?light=yellow"),
    ("page_red", "/v1/tickets?light=red&agency=SZ013"),
    ("page_due", "/v1/tickets?status=open&sort=due"),
    ("page_due_before", "/v1/tickets?due_before=2026-12-31T00:00:00%2B08:00"),
    ("page_flag", "/v1/tickets?flag=anonymous"),
    ("page_number", "/v1/tickets?q=HCP20260302"),
    ("page_agencies_by_name", "/v1/tickets?q=%E5%B1%80"),
    ("deadlines", "/v1/deadlines?agency=SZ013"),
    ("deadlines_yellow", "/v1/deadlines?light=yellow"),
    ("forecast", "/v1/forecast?until=2026-03-20T00:00:00%2B08:00"),
];

#[derive(clap::Args)]
pub(in crate::cli) struct Reads {
    /// 在办工单的件数
    #[arg(long, value_name = "件数", default_value_t = 100_000)]
    #[arg(value_parser = usage::whole::<u64>(1_000..=1_000_000))]
    tickets: u64,
    /// 测量的秒数
    #[arg(long, value_name = "秒", default_value_t = 20)]
    #[arg(value_parser = usage::whole::<u64>(1..=600))]
    seconds: u64,
    /// 同时每秒办理的动作数
    #[arg(long, value_name = "个数", default_value_t = 200)]
    #[arg(value_parser = usage::whole::<u64>(1..=900))]
    commands: u64,
    #[command(flatten)]
    within: Where,
}

/// Of one kind of read.
#[derive(Serialize)]
struct Taken {
    reads: usize,
    p50_ms: f64,
    p99_ms: f64,
}

impl Reads {
    pub(super) fn run(self) -> Ended {
        self.within.measured(async |scratch| self.measure(scratch).await)
    }

    async fn measure(&self, scratch: &Scratch) -> Result<Value, Failure> {
        tell(&format!("正在生成 {} 件在办工单……", self.tickets));
        let (store, _) = Store::migrate(&scratch.url).await?;
        herd::gather(&store, self.tickets).await?;
        store.settle().await?;
        let numbers = numbers(&store, self.tickets.min(2_000)).await?;
        store.close().await;
        let served = Served::start(
            scratch,
            json!({
                "clock": "simulated",
                // Only who asks: nobody delivers the messages of so many tickets meanwhile.
                "roles": ["api"],
                // Where the early warning has been given, and nothing is late yet.
                "start_at": "2026-03-05T09:00:00+08:00",
            }),
        )
        .await?;
        let (http, address) = (served.http.clone(), served.address.clone());
        let token = served.token(Role::Supervisor).await?;
        let caller = Arc::new(Caller { http, address, token, numbers });
        tell(&format!("读 {} 秒，同时办理……", self.seconds));
        let ended = Arc::new(AtomicBool::new(false));
        let done = Arc::new(AtomicU64::new(0));
        let pause = Duration::from_micros(1_000_000 / self.commands);
        let acting = {
            let (caller, ended, done) = (caller.clone(), ended.clone(), done.clone());
            tokio::spawn(async move { caller.act(pause, &ended, &done).await })
        };
        let begun = Stopwatch::now();
        let taken = caller.read(Duration::from_secs(self.seconds)).await?;
        let seconds = begun.elapsed().as_secs_f64();
        ended.store(true, Ordering::Relaxed);
        acting.await.map_err(|_| Failure::Machine("办理中断".to_owned()))??;
        served.stop().await?;
        let commands_per_s = per_second(done.load(Ordering::Relaxed), seconds);
        Ok(json!({
            "store": scratch.kind(), "tickets": self.tickets, "commands_per_s": commands_per_s,
            "reads": taken,
        }))
    }
}

/// The numbers of some tickets.
pub(super) async fn numbers(store: &Store, many: u64) -> Result<Vec<String>, Failure> {
    let filter = TicketFilter { limit: many, ..TicketFilter::default() };
    let found = store.tickets(&filter).await?.into_iter().map(|one| one.ticket);
    Ok(found.filter_map(|one| Some(one.ok()?.ticket_no)).collect())
}

struct Caller {
    http: reqwest::Client,
    address: String,
    token: String,
    numbers: Vec<String>,
}

impl Caller {
    /// Every read in turn, again and again.
    async fn read(&self, during: Duration) -> Result<BTreeMap<String, Taken>, Failure> {
        let mut taken: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        let begun = Stopwatch::now();
        let mut rng = fastrand::Rng::with_seed(1);
        while begun.elapsed() < during {
            for (name, path) in READS {
                let number = &self.numbers[rng.usize(..self.numbers.len())];
                let one = self.get(&format!("/v1/tickets/{number}")).await?;
                taken.entry("ticket").or_default().push(one);
                taken.entry(name).or_default().push(self.get(path).await?);
            }
        }
        let of = |(name, mut all): (&str, Vec<u64>)| {
            all.sort_unstable();
            #[expect(clippy::cast_precision_loss, reason = "microseconds of a request")]
            let ms = |share| (percentile(&all, share) as f64 / 100.0).round() / 10.0;
            let (p50_ms, p99_ms) = (ms(0.5), ms(0.99));
            (name.to_owned(), Taken { reads: all.len(), p50_ms, p99_ms })
        };
        Ok(taken.into_iter().map(of).collect())
    }

    /// How long a read takes, in microseconds.
    async fn get(&self, path: &str) -> Result<u64, Failure> {
        served::get(&self.http, &format!("{}{path}", self.address), &self.token).await
    }

    /// Somebody urges, ticket after ticket.
    async fn act(
        &self,
        pause: Duration,
        ended: &AtomicBool,
        done: &AtomicU64,
    ) -> Result<(), Failure> {
        let mut tick = tokio::time::interval(pause);
        for number in self.numbers.iter().cycle() {
            if ended.load(Ordering::Relaxed) {
                break;
            }
            tick.tick().await;
            let path = format!("/v1/tickets/{number}/actions/urge");
            let call = self.http.post(format!("{}{path}", self.address)).bearer_auth(&self.token);
            let answer = call.json(&json!({})).send().await.map_err(|_| broken(&path))?;
            if !answer.status().is_success() {
                return Err(Failure::Machine(format!("{path}：{}", answer.status())));
            }
            done.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}
