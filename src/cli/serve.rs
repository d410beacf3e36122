//! `duban serve`: the service, until it is stopped. Must never start on half of its settings.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;

use duban_core::time::Instant;
use serde::Serialize;

use super::place::{AttachmentsFlag, LawFlags, Place, RegisterFlag};
use super::service::{Service, stopped};
use super::supervised;
use super::{Ended, Failure, block_on};
use crate::config::{ClockKind, NodeRole, Settings};
use crate::telemetry::traces::Traces;
use crate::{crypto, telemetry};

/// What is set by file or environment alone.
const OTHERS: &str = "其他设置写在配置文件中，或用环境变量 DUBAN_…：
  hotline_agencies      承担热线的单位 [默认：SZ002]
  trusted_proxies       前置反向代理的 IP 地址：登录失败按其转告的来源（X-Forwarded-For）计数 [默认：无]
  token_requests_per_s  一个令牌每秒请求数的上限 [默认：1000]；推送评价的系统：token_reviews_per_s [默认：20000]
  token_streams         一个令牌同时订阅数的上限 [默认：8]；上传、下载和成批推送：token_transfers [默认：4]
  body_kib              请求体的大小上限（KiB） [默认：256]
  page_max              一页条数的上限 [默认：200]
消息的投递目的地（[[destinations]]：to、url、secret、private）只能写在配置文件中。";

#[derive(clap::Args)]
#[command(after_help = OTHERS)]
pub(super) struct Serve {
    #[command(flatten)]
    place: Place<Flags>,
}

#[derive(clap::Args, Serialize)]
pub(super) struct Flags {
    /// 监听的地址和端口 [默认：127.0.0.1:8080；环境变量 DUBAN_LISTEN]
    #[arg(long, value_name = "地址:端口")]
    #[serde(skip_serializing_if = "Option::is_none")]
    listen: Option<SocketAddr>,
    /// 各节点之间的 Redis（redis://主机:6379/0）；没有也能运行，只是互相唤醒慢一些 [环境变量 DUBAN_REDIS_URL]
    #[arg(long, value_name = "网址")]
    #[serde(skip_serializing_if = "Option::is_none")]
    redis_url: Option<String>,
    /// 链路追踪送往何处：OTLP 收集器的地址（如 http://127.0.0.1:4318/v1/traces） [环境变量 DUBAN_OTLP_ENDPOINT]
    #[arg(long, value_name = "网址")]
    #[serde(skip_serializing_if = "Option::is_none")]
    otlp_endpoint: Option<String>,
    #[command(flatten)]
    #[serde(flatten)]
    files: AttachmentsFlag,
    /// 时钟：system（系统）或 simulated（模拟，由接口拨动） [默认：system；环境变量 DUBAN_CLOCK]
    #[arg(long, value_name = "时钟", value_parser = clock)]
    #[serde(skip_serializing_if = "Option::is_none")]
    clock: Option<ClockKind>,
    /// 模拟时钟的起点；数据库中已有更晚的提交则从那时起 [环境变量 DUBAN_START_AT]
    #[arg(long, value_name = "时刻", value_parser = str::parse::<Instant>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    start_at: Option<Instant>,
    /// 系统时钟的偏移（毫秒），用于测试 [默认：0；环境变量 DUBAN_CLOCK_OFFSET_MS]
    #[arg(long, value_name = "毫秒", allow_hyphen_values = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    clock_offset_ms: Option<i64>,
    /// 时钟比数据库中最近一次提交慢 5 分钟以上，或数据库此前按系统时钟使用而现用模拟时钟，
    /// 也启动 [环境变量 DUBAN_ACCEPT_CLOCK]
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    accept_clock: bool,
    /// 本节点承担的任务：api（接口）、jobs（到期办理），逗号分隔 [默认：api,jobs；环境变量 DUBAN_ROLES]
    #[arg(long, value_name = "角色", value_delimiter = ',', value_parser = role)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<NodeRole>,
    #[command(flatten)]
    #[serde(flatten)]
    law: LawFlags,
    #[command(flatten)]
    #[serde(flatten)]
    register: RegisterFlag,
}

fn clock(text: &str) -> Result<ClockKind, String> {
    match text {
        "system" => Ok(ClockKind::System),
        "simulated" => Ok(ClockKind::Simulated),
        _ => Err("应为 system 或 simulated".to_owned()),
    }
}

fn role(text: &str) -> Result<NodeRole, String> {
    match text {
        "api" => Ok(NodeRole::Api),
        "jobs" => Ok(NodeRole::Jobs),
        _ => Err("应为 api 或 jobs".to_owned()),
    }
}

/// Whoever started it by hand is told what to do next.
fn greet(address: SocketAddr) {
    let mut errors = std::io::stderr();
    if errors.is_terminal() {
        // Where nobody can be told, nothing is amiss.
        let _ = writeln!(
            errors,
            "督办已启动：http://{address}/ （以 duban token issue 签发的令牌登录；按 Ctrl-C 停止）"
        );
    }
}

/// A variable that sets nothing is most likely a slip.
fn tell_unknown_variables() {
    for name in Settings::unknown_in_environment() {
        tracing::warn!(name, "this variable of the environment is no setting of duban");
    }
}

impl Serve {
    pub(super) fn run(self) -> Ended {
        let settings = self.place.settings()?;
        let node = crypto::identity();
        let traces = settings.otlp_endpoint.as_deref().map(|address| Traces::to(address, node));
        let traces = traces.transpose().map_err(Failure::Input)?;
        telemetry::log(traces.as_ref());
        telemetry::quiet_faults();
        tell_unknown_variables();
        let ended = block_on(async {
            let service = Service::ready(settings, node).await?;
            let stop = stopped();
            let clock = service.engine.clock().now();
            if let Some(address) = service.address() {
                tracing::info!(%address, %clock, "duban serves");
                greet(address);
            }
            supervised::ready();
            let alive = tokio::spawn(supervised::alive(service.engine.clone()));
            let stop = async {
                stop.await;
                supervised::stopping();
            };
            let ended = service.run(stop).await;
            alive.abort();
            ended
        });
        if let Some(traces) = traces {
            traces.close();
        }
        ended
    }
}
