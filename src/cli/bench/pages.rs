//! Pages of the console with many open tickets, as a supervisor's browser asks for them: how long the
//! server takes, and how much it sends. Must never count a page that was not shown.

use std::collections::BTreeMap;
use std::time::{Duration, Instant as Stopwatch};

use duban_core::role::Role;
use reqwest::header::{COOKIE, SET_COOKIE};
use serde::Serialize;
use serde_json::{Value, json};

use super::reads::numbers;
use super::scratch::{Scratch, Where};
use super::served::{Served, broken};
use super::{herd, percentile, tell};
use crate::cli::{Ended, Failure, usage};
use crate::store::Store;

/// Pages that supervisors look at all day; of a ticket another one each time.
const PAGES: &[(&str, &str)] = &[
    ("board", "/board"),
    ("board_by_district", "/board?by=district"),
    ("tickets", "/tickets?status=open&sort=due"),
    ("desk", "/desk"),
    ("tonight", "/tonight"),
    ("cards", "/registers/cards"),
];

#[derive(clap::Args)]
pub(in crate::cli) struct Pages {
    /// 在办工单的件数
    #[arg(long, value_name = "件数", default_value_t = 100_000)]
    #[arg(value_parser = usage::whole::<u64>(1_000..=1_000_000))]
    tickets: u64,
    /// 测量的秒数
    #[arg(long, value_name = "秒", default_value_t = 20)]
    #[arg(value_parser = usage::whole::<u64>(1..=600))]
    seconds: u64,
    #[command(flatten)]
    within: Where,
}

/// Of one page.
#[derive(Default)]
struct Taken {
    us: Vec<u64>,
    bytes: usize,
}

#[derive(Serialize)]
struct Shown {
    views: usize,
    p50_ms: f64,
    p95_ms: f64,
    kb: f64,
}

impl Pages {
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
        let settings = json!({"clock": "simulated", "roles": ["api"], "start_at": "2026-03-05T09:00:00+08:00"});
        let served = Served::start(scratch, settings).await?;
        let browser = Browser::enter(&served).await?;
        tell(&format!("看 {} 秒……", self.seconds));
        let mut taken: BTreeMap<&str, Taken> = BTreeMap::new();
        let (begun, mut rng) = (Stopwatch::now(), fastrand::Rng::with_seed(1));
        while begun.elapsed() < Duration::from_secs(self.seconds) {
            for (name, path) in PAGES {
                let number = &numbers[rng.usize(..numbers.len())];
                browser
                    .look(&format!("/tickets/{number}"), taken.entry("ticket").or_default())
                    .await?;
                browser.look(path, taken.entry(name).or_default()).await?;
            }
        }
        let dress_kb = kilo(browser.dress().await?);
        served.stop().await?;
        let pages: BTreeMap<&str, Shown> =
            taken.into_iter().map(|(name, one)| (name, one.into())).collect();
        Ok(json!({
            "store": scratch.kind(), "tickets": self.tickets, "stylesheet_and_script_kb": dress_kb,
            "pages": pages,
        }))
    }
}

impl From<Taken> for Shown {
    fn from(Taken { mut us, bytes }: Taken) -> Self {
        us.sort_unstable();
        #[expect(clippy::cast_precision_loss, reason = "microseconds of a page")]
        let ms = |share| (percentile(&us, share) as f64 / 100.0).round() / 10.0;
        Self { views: us.len(), p50_ms: ms(0.5), p95_ms: ms(0.95), kb: kilo(bytes) }
    }
}

#[expect(clippy::cast_precision_loss, reason = "bytes of a page")]
fn kilo(bytes: usize) -> f64 {
    (bytes as f64 / 100.0).round() / 10.0
}

/// What a browser does: it comes in once, and holds its session.
struct Browser<'s> {
    served: &'s Served,
    held: String,
}

impl<'s> Browser<'s> {
    async fn enter(served: &'s Served) -> Result<Self, Failure> {
        let token = served.token(Role::Supervisor).await?;
        let http =
            reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let http = http.build().map_err(|_| Failure::Machine("没有客户端".to_owned()))?;
        let entering = http.post(format!("{}/sign-in", served.address));
        let entering = entering.header("sec-fetch-site", "same-origin");
        let entering = entering.header("content-type", "application/x-www-form-urlencoded");
        let answer = entering.body(format!("token={token}")).send().await;
        let answer = answer.map_err(|_| broken("/sign-in"))?;
        let held = answer.headers().get(SET_COOKIE).and_then(|held| held.to_str().ok());
        let held = held.and_then(|held| held.split(';').next());
        let held = held.ok_or_else(|| Failure::Machine("没有会话".to_owned()))?.to_owned();
        Ok(Self { served, held })
    }

    async fn get(&self, path: &str) -> Result<String, Failure> {
        let asked = self.served.http.get(format!("{}{path}", self.served.address));
        let answer = asked.header(COOKIE, &self.held).send().await.map_err(|_| broken(path))?;
        let status = answer.status();
        let text = answer.text().await.map_err(|_| broken(path))?;
        if !status.is_success() {
            return Err(Failure::Machine(format!("{path}：{status}")));
        }
        Ok(text)
    }

    async fn look(&self, path: &str, taken: &mut Taken) -> Result<(), Failure> {
        let begun = Stopwatch::now();
        let page = self.get(path).await?;
        taken.us.push(begun.elapsed().as_micros().try_into().unwrap_or(u64::MAX));
        taken.bytes = taken.bytes.max(page.len());
        // Whoever is not inside any more is led to the door, which is a page too.
        if page.contains("class=\"enter\"") {
            return Err(Failure::Machine(format!("{path}：会话已结束")));
        }
        Ok(())
    }

    /// Bytes of what every page is dressed with: fetched once.
    async fn dress(&self) -> Result<usize, Failure> {
        let page = self.get("/board").await?;
        let mut bytes = 0;
        for part in page.split('"').filter(|part| part.starts_with("/assets/")) {
            bytes += self.get(part).await?.len();
        }
        Ok(bytes)
    }
}
