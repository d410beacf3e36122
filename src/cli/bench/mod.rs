//! `duban bench herd|intake|reads|pages|node|wake|audit`: how fast this machine is, on a database of its own
//! that is gone afterwards. Must never touch another database.

mod audit;
mod connection;
mod herd;
mod intake;
mod node;
mod pages;
mod reader;
mod reads;
mod scratch;
mod served;
mod wake;

use std::fs;

use super::Ended;

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// 同一时刻到期：一大批工单的联系时限在同一个 24:00 届满，各发一张黄牌、两条消息
    Herd(herd::Herd),
    /// 查询：许多在办工单，一边办理一边查看单件、各种条件的列表和看板
    Reads(reads::Reads),
    /// 页面：许多在办工单，看板、工单等页面要多久、有多大
    Pages(pages::Pages),
    /// 空闲：一个节点有许多在办工单而无一到期，就绪用时、占用的内存和处理器
    Node(node::Node),
    /// 唤醒：一个节点经 Redis 唤醒另一个节点要多久
    Wake(wake::Between),
    /// 核验：一个数据库的全部记录链、重演和比对
    Audit(audit::Audit),
    /// 受理评价：许多连接同时推送差评，每一条都成为工单
    Intake(intake::Intake),
}

impl Command {
    pub(super) fn run(self) -> Ended {
        match self {
            Self::Herd(herd) => herd.run(),
            Self::Reads(reads) => reads.run(),
            Self::Pages(pages) => pages.run(),
            Self::Node(node) => node.run(),
            Self::Wake(wake) => wake.run(),
            Self::Audit(audit) => audit.run(),
            Self::Intake(intake) => intake.run(),
        }
    }
}

/// What is going on, for whoever waits at a terminal.
fn tell(what: &str) {
    use std::io::{IsTerminal, Write};
    let mut out = std::io::stderr();
    if out.is_terminal() {
        // Progress that nobody can read is no reason to stop.
        let _ = writeln!(out, "{what}");
    }
}

/// The memory of this process, in MB; 0 where the system does not tell.
fn rss_mb() -> u64 {
    rss_mb_of(std::process::id())
}

/// The memory of a process, in MB; 0 where the system does not tell.
fn rss_mb_of(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kb = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
    kb.unwrap_or_default() / 1024
}

/// The value below which a share of them lies.
fn percentile(sorted: &[u64], share: f64) -> u64 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place in a list"
    )]
    let place = (sorted.len() as f64 * share) as usize;
    sorted.get(place.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// How many a second.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate, to be read"
)]
fn per_second(count: u64, seconds: f64) -> u64 {
    (count as f64 / seconds.max(1e-9)) as u64
}
