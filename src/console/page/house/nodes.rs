//! `/nodes`: who is at work, and, where the clock is simulated, moving it.

use axum::Form;
use axum::response::{IntoResponse, Redirect, Response};
use duban_core::time::Instant;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::console::part::form::{is_sealed, seal};
use crate::console::part::when;
use crate::console::visit::Visit;
use crate::crypto;

const ADVANCE: &str = "POST /v1/clock/advance";

#[derive(Deserialize)]
struct Nodes {
    redis: String,
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    #[serde(rename = "node")]
    id: String,
    host: String,
    roles: Vec<String>,
    version: String,
    started_at: Instant,
    seen_at: Instant,
    answers: bool,
}

#[derive(Deserialize)]
pub(in crate::console) struct Advance {
    #[serde(default)]
    seal: String,
    #[serde(default)]
    by: String,
    #[serde(default)]
    key: String,
}

pub(in crate::console) async fn get(visit: Visit) -> Response {
    let found = visit.ask.get::<Nodes>("/v1/nodes").await;
    let body = found.map(|found| show(&visit, &found));
    visit.page(visit.lang.of("节点", "Nodes"), body)
}

/// `POST /clock`.
pub(in crate::console) async fn advance(visit: Visit, Form(asked): Form<Advance>) -> Response {
    if !is_sealed(&visit, &asked.seal) {
        return visit.foreign();
    }
    let headers = [("idempotency-key", asked.key)];
    let by = json!({"by": asked.by});
    match visit.ask.post_with::<Value>("/v1/clock/advance", &headers, &by).await {
        Ok(_) => Redirect::to("/nodes").into_response(),
        Err(told) => visit.page(visit.lang.of("时钟", "Clock"), Err(told)),
    }
}

fn show(visit: &Visit, found: &Nodes) -> Markup {
    let lang = visit.lang;
    let redis = match found.redis.as_str() {
        "ready" => lang.of("Redis 正常", "Redis is ready"),
        "unavailable" => lang.of(
            "Redis 不可用：各节点每秒自查，不影响办理",
            "Redis does not answer: nodes look by themselves",
        ),
        _ => lang.of("未配置 Redis：只知道本节点", "Without Redis: only this node is known"),
    };
    html! {
        section.panel {
            header { h1 { (lang.of("节点", "Nodes")) } small { (redis) } div.right { a href="/metrics" { (lang.of("指标", "Metrics")) } } }
            div.scroll tabindex="0" role="region" aria-label=(lang.of("节点", "Nodes")) {
                table {
                    thead { tr {
                        @for name in [
                            lang.of("主机", "Host"), lang.of("职责", "Roles"), lang.of("版本", "Version"),
                            lang.of("启动", "Started"), lang.of("最近露面", "Last seen"), lang.of("节点", "Node"),
                        ] { th scope="col" { (name) } }
                    } }
                    tbody { @for one in &found.nodes {
                        tr {
                            th scope="row" { (one.host) @if one.answers { " " span.tag { (lang.of("本页", "this page")) } } }
                            td { (one.roles.join("、")) }
                            td { (one.version) }
                            td { (when::moment(lang, one.started_at)) }
                            td { (when::moment(lang, one.seen_at)) }
                            td { code { (one.id.get(..8).unwrap_or_default()) } }
                        }
                    } }
                }
            }
        }
        @if visit.me.simulated && visit.me.may(ADVANCE) { (clock(visit)) }
    }
}

fn clock(visit: &Visit) -> Markup {
    let lang = visit.lang;
    html! {
        section.panel {
            header { h2 { (lang.of("模拟时钟", "Simulated clock")) } small { (when::moment(lang, visit.me.at)) } }
            p { (lang.of("拨快之后，到期的预警、催办、发牌随之发生，不能拨回。", "What falls due on the way happens; it can't be turned back.")) }
            form.filters method="post" action="/clock" data-once {
                (seal(visit))
                input type="hidden" name="key" value=(crypto::identity());
                @for (by, chinese, english) in [("1h", "1 小时", "1 hour"), ("1wd", "1 个工作日", "1 working day"), ("3wd", "3 个工作日", "3 working days")] {
                    button name="by" value=(by) { (lang.of("拨快 ", "By ")) (lang.of(chinese, english)) }
                }
            }
        }
    }
}
