//! Intake over HTTP: many connections push bad reviews, and each acknowledged one is found again
//! afterwards. Must never count an answer that was not good.

use std::time::Instant as Stopwatch;

use duban_core::role::Role;
use duban_core::time::Instant;
use futures::stream::{self, StreamExt};
use serde::Serialize;
use serde_json::{Value, json};

use super::scratch::{Scratch, Where};
use super::served::Served;
use super::{per_second, percentile, rss_mb, tell};
use crate::cli::{Ended, Failure};
use crate::clock;

#[derive(clap::Args)]
pub(in crate::cli) struct Intake {
    /// 多少条评价
    #[arg(long, value_name = "条数", default_value_t = 20_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(100..=1_000_000))]
    reviews: u64,
    /// 多少个连接
    #[arg(long, value_name = "个数", default_value_t = 64)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1_024))]
    connections: u64,
    #[command(flatten)]
    within: Where,
}

#[derive(Serialize)]
struct Measured {
    store: &'static str,
    reviews: u64,
    connections: u64,
    acknowledged_per_s: u64,
    p50_ms: u64,
    p99_ms: u64,
    rss_mb: u64,
}

impl Intake {
    pub(super) fn run(self) -> Ended {
        self.within.measured(async |scratch| self.measure(scratch).await)
    }

    async fn measure(&self, scratch: &Scratch) -> Result<Measured, Failure> {
        let served = Served::start(scratch, json!({})).await?;
        let (http, address) = (served.http.clone(), served.address.clone());
        let tokens = [served.token(Role::Intake).await?, served.token(Role::Auditor).await?];
        let connections = usize::try_from(self.connections).unwrap_or(64);
        tell(&format!("推送 {} 条评价，然后逐条核对……", self.reviews));
        let begun = Stopwatch::now();
        let sends = (0..self.reviews).map(|nr| push(&http, &address, &tokens[0], nr));
        let answers = stream::iter(sends).buffer_unordered(connections).collect::<Vec<_>>().await;
        let seconds = begun.elapsed().as_secs_f64();
        let rss_mb = rss_mb();
        let mut taken_ms = Vec::with_capacity(answers.len());
        let mut numbers = Vec::with_capacity(answers.len());
        for answer in answers {
            let (number, ms) = answer?;
            numbers.push(number);
            taken_ms.push(ms);
        }
        let finds = numbers.iter().map(|number| find(&http, &address, &tokens[1], number));
        let found = stream::iter(finds).buffer_unordered(connections).collect::<Vec<_>>().await;
        let missing = found.iter().filter(|one| !**one).count();
        if missing > 0 {
            return Err(Failure::Machine(format!("{missing} 条已受理的评价没有找到工单")));
        }
        served.stop().await?;
        taken_ms.sort_unstable();
        Ok(Measured {
            store: scratch.kind(),
            reviews: self.reviews,
            connections: self.connections,
            acknowledged_per_s: per_second(self.reviews, seconds),
            p50_ms: percentile(&taken_ms, 0.5),
            p99_ms: percentile(&taken_ms, 0.99),
            rss_mb,
        })
    }
}

/// Pushes one review; the ticket's number and how long that took, in milliseconds.
async fn push(
    http: &reqwest::Client,
    address: &str,
    token: &str,
    nr: u64,
) -> Result<(String, u64), Failure> {
    let reviewed_at: Instant = clock::wall();
    let body = json!({
        "review_id": format!("B{nr}"), "source": "shenzhen", "class": "matter",
        "level": "dissatisfied", "reviewed_at": reviewed_at, "channel": "mobile",
        "project_no": format!("44030000{nr}"),
        "matter": {"code": "440300001", "name": "居住登记"},
        "agency": "SZ013", "district": "440304", "tags": ["110"],
        "comment": "网上显示5个工作日办结，今天已经第12天还没结果。",
        "reviewer": {"name": "张小三", "phone": "19900000001"},
    });
    let begun = Stopwatch::now();
    let call = http.post(format!("{address}/v1/reviews")).bearer_auth(token).json(&body);
    let broken = |_| Failure::Machine("服务没有应答".to_owned());
    let answer = call.send().await.map_err(broken)?;
    let (status, said) = (answer.status(), answer.json::<Value>().await.map_err(broken)?);
    let ms = begun.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
    match said["ticket_no"].as_str() {
        Some(number) if status.as_u16() == 201 => Ok((number.to_owned(), ms)),
        _ => Err(Failure::Machine(format!("第 {nr} 条评价未被受理：{status} {said}"))),
    }
}

async fn find(http: &reqwest::Client, address: &str, token: &str, number: &str) -> bool {
    let call = http.get(format!("{address}/v1/tickets/{number}")).bearer_auth(token);
    call.send().await.is_ok_and(|answer| answer.status().is_success())
}
