//! Intake over HTTP: many connections push bad reviews, and each acknowledged one is found again
//! afterwards. Must never count an answer that was not good.

use std::time::Instant as Stopwatch;

use duban_core::role::Role;
use duban_core::time::Instant;
use futures::stream::{self, StreamExt};
use serde::Serialize;
use serde_json::{Value, json};

use super::scratch::{Scratch, Where};
use super::{per_second, percentile, rss_mb, tell};
use crate::access::Holder;
use crate::catalog::{Register, Source};
use crate::cli::service::Service;
use crate::cli::token::issue;
use crate::cli::{Ended, Failure, block_on, print};
use crate::clock;
use crate::config::Settings;
use crate::crypto;

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
        let measured = block_on(async {
            let scratch = self.within.scratch().await?;
            let measured = self.measure(&scratch).await;
            scratch.gone().await.and(measured)
        })?;
        print(&format!("{}\n", json!(measured)))
    }

    async fn measure(&self, scratch: &Scratch) -> Result<Measured, Failure> {
        let flags = json!({
            "listen": "127.0.0.1:0", "database_url": scratch.url,
            "attachments": scratch.file("attachments"), "token_requests_per_s": 1_000_000,
        });
        let service = Service::ready(Settings::alone(flags)?, crypto::identity()).await?;
        let address = service.address().map(|address| format!("http://{address}"));
        let address = address.ok_or_else(|| Failure::Machine("没有地址".to_owned()))?;
        let store = service.engine.store().clone();
        let (stop, told) = tokio::sync::oneshot::channel::<()>();
        let running = tokio::spawn(service.run(async {
            let _ = told.await;
        }));
        let mut tokens = Vec::new();
        for role in [Role::Intake, Role::Auditor] {
            let register = Register::read(&Source::Embedded)?;
            let subject = format!("bench-{role}");
            let holder = Holder { role, subject, agency: None, district: None, days: 1 };
            tokens.push(issue(&store, &register, holder).await?.0);
        }
        // One provider for the process; whoever was first stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build();
        let http = http.map_err(|_| Failure::Machine("没有客户端".to_owned()))?;
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
        let _ = stop.send(());
        running.await.unwrap_or_else(|_| Err(Failure::Machine("服务中断".to_owned())))?;
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
