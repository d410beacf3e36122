//! Intake over HTTP: many connections push bad reviews, and each acknowledged one is found again
//! afterwards. Must never count an answer that was not good.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant as Stopwatch;

use duban_core::role::Role;
use duban_core::time::Instant;
use futures::future::try_join_all;
use hyper::Method;
use hyper::body::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::task::JoinSet;

use super::connection::Connection;
use super::scratch::{Scratch, Where};
use super::served::Served;
use super::{per_second, percentile, rss_mb, tell};
use crate::cli::{Ended, Failure, usage};
use crate::clock;

#[derive(clap::Args)]
pub(in crate::cli) struct Intake {
    /// 评价的条数
    #[arg(long, value_name = "条数", default_value_t = 20_000)]
    #[arg(value_parser = usage::whole::<u64>(100..=1_000_000))]
    reviews: u64,
    /// 连接的个数
    #[arg(long, value_name = "个数", default_value_t = 64)]
    #[arg(value_parser = usage::whole::<u64>(1..=1_024))]
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
        let tokens = [served.token(Role::Intake).await?, served.token(Role::Auditor).await?];
        tell(&format!("推送 {} 条评价，然后逐条核对……", self.reviews));
        let now = clock::wall();
        let reviews: Vec<Call> = (0..self.reviews).map(|nr| push(nr, now)).collect();
        let connections = self.open(&served.address, &tokens[0]).await?;
        let begun = Stopwatch::now();
        let answers = carry_out(connections, reviews).await?;
        let seconds = begun.elapsed().as_secs_f64();
        let rss_mb = rss_mb();
        let mut taken_ms: Vec<u64> = answers.iter().map(|answer| answer.ms).collect();
        let finds = answers.iter().map(number).collect::<Result<Vec<_>, _>>()?;
        let connections = self.open(&served.address, &tokens[1]).await?;
        let found =
            carry_out(connections, finds.iter().map(|number| find(number)).collect()).await?;
        let missing = found.iter().filter(|one| one.status != 200).count();
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

    async fn open(&self, address: &str, token: &str) -> Result<Vec<Connection>, Failure> {
        try_join_all((0..self.connections).map(|_| Connection::open(address, token))).await
    }
}

/// A request that is ready to be sent.
struct Call {
    method: Method,
    path: String,
    body: Bytes,
}

/// What was answered, and how long that took. The rest of an answer is not kept: it would be counted
/// as the service's memory.
struct Answer {
    status: u16,
    ticket_no: Option<String>,
    ms: u64,
}

#[derive(Deserialize)]
struct Said {
    ticket_no: Option<String>,
}

/// All calls, each by whichever connection is free.
async fn carry_out(connections: Vec<Connection>, calls: Vec<Call>) -> Result<Vec<Answer>, Failure> {
    let (calls, next) = (Arc::new(calls), Arc::new(AtomicUsize::new(0)));
    // Where one fails the others end with it.
    let mut callers = JoinSet::new();
    for mut connection in connections {
        let (calls, next) = (Arc::clone(&calls), Arc::clone(&next));
        callers.spawn(async move {
            let mut answers = Vec::new();
            while let Some(call) = calls.get(next.fetch_add(1, Ordering::Relaxed)) {
                let begun = Stopwatch::now();
                let (method, body) = (call.method.clone(), call.body.clone());
                let (status, body) = connection.call(method, &call.path, body).await?;
                let ms = begun.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
                let said = serde_json::from_slice::<Said>(&body).ok();
                let ticket_no = said.and_then(|said| said.ticket_no);
                answers.push(Answer { status, ticket_no, ms });
            }
            Ok::<_, Failure>(answers)
        });
    }
    let mut answers = Vec::new();
    while let Some(ended) = callers.join_next().await {
        let ended = ended.map_err(|_| Failure::Machine("测速中断".to_owned()))?;
        answers.extend(ended?);
    }
    Ok(answers)
}

/// A review that is pushed.
fn push(nr: u64, reviewed_at: Instant) -> Call {
    let body = json!({
        "review_id": format!("B{nr}"), "source": "shenzhen", "class": "matter",
        "level": "dissatisfied", "reviewed_at": reviewed_at, "channel": "mobile",
        "project_no": format!("44030000{nr}"),
        "matter": {"code": "440300001", "name": "居住登记"},
        "agency": "SZ013", "district": "440304", "tags": ["110"],
        "comment": "网上显示5个工作日办结，今天已经第12天还没结果。",
        "reviewer": {"name": "张小三", "phone": "19900000001"},
    });
    let path = "/v1/reviews".to_owned();
    Call { method: Method::POST, path, body: body.to_string().into() }
}

/// The number of the ticket that a review has become.
fn number(answer: &Answer) -> Result<String, Failure> {
    match &answer.ticket_no {
        Some(number) if answer.status == 201 => Ok(number.clone()),
        _ => Err(Failure::Machine(format!("一条评价未被受理：{}", answer.status))),
    }
}

fn find(number: &str) -> Call {
    Call { method: Method::GET, path: format!("/v1/tickets/{number}"), body: Bytes::new() }
}
