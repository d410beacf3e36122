//! `/outbox`: messages with the state of their delivery; dead ones are sent again.

use axum::Form;
use axum::extract::Path;
use axum::response::Response;
use duban_core::time::Instant;
use maud::{Markup, html};
use serde::Deserialize;

use super::done;
use crate::console::ask::segment;
use crate::console::asked::Asked;
use crate::console::part::form::{Sealed, seal};
use crate::console::part::{effect, party, when};
use crate::console::shape::rules::Rules;
use crate::console::sheet;
use crate::console::told::Told;
use crate::console::visit::Visit;
use crate::console::words::Lang;

const AGAIN: &str = "POST /v1/outbox/{id}/redeliver";

/// The states of a message.
const STATES: &[(&str, &str, &str)] = &[
    ("", "全部", "All"),
    ("waiting", "待投递", "Waiting"),
    ("delivered", "已投递", "Delivered"),
    ("dead", "投递失败", "Dead"),
];

#[derive(Deserialize)]
struct Outbox {
    messages: Vec<Message>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    id: String,
    #[serde(rename = "ticket_no")]
    number: Option<String>,
    kind: String,
    destination: String,
    created_at: Instant,
    state: String,
    attempts: u32,
    done_at: Option<Instant>,
    failure: Option<String>,
}

pub(in crate::console) async fn get(visit: Visit, asked: Asked) -> Response {
    let body = async {
        const KNOWN: &[&str] = &["state", "ticket_no", "cursor"];
        asked.only(visit.lang, KNOWN)?;
        let path = format!("/v1/outbox?limit={}{}", visit.ask.limit(50), asked.some(KNOWN));
        let found = visit.ask.get::<Outbox>(&path);
        let (found, rules) = tokio::join!(found, Rules::of(&visit.ask));
        Ok::<_, Told>(show(&visit, &rules?, &found?, &asked))
    };
    let body = body.await;
    visit.page(visit.lang.of("消息", "Messages"), body)
}

pub(in crate::console) async fn again(
    visit: Visit,
    Path(id): Path<String>,
    Form(sealed): Form<Sealed>,
) -> Response {
    if !sealed.is_of(&visit) {
        return visit.foreign();
    }
    let path = format!("/v1/outbox/{}/redeliver", segment(&id));
    let tried = visit.ask.order(&path).await;
    done(&visit, visit.lang.of("消息", "Messages"), "/outbox?state=dead", tried)
}

fn show(visit: &Visit, rules: &Rules, found: &Outbox, asked: &Asked) -> Markup {
    let (lang, state, of) = (visit.lang, asked.one("state"), asked.some(&["ticket_no"]));
    let filters = asked.some(&["state", "ticket_no"]);
    html! {
        section.panel id="outbox" data-live {
            header {
                h1 { (lang.of("消息", "Messages")) }
                nav.right aria-label=(lang.of("投递状态", "State of delivery")) {
                    @for (name, chinese, english) in STATES {
                        a href={ "/outbox?state=" (name) (of) } aria-current=[(*name == state).then_some("true")] { (lang.of(chinese, english)) }
                    }
                    (sheet::links(lang, "outbox", filters.trim_start_matches('&')))
                }
            }
            @if found.messages.is_empty() { p.dim { (lang.of("没有消息。", "None.")) } }
            @else {
                div.scroll tabindex="0" role="region" aria-label=(lang.of("消息", "Messages")) {
                    table {
                        thead { tr {
                            @for name in [
                                lang.of("时间", "When"), lang.of("工单", "Ticket"), lang.of("内容", "What"),
                                lang.of("送往", "To"), lang.of("状态", "State"), lang.of("操作", "Action"),
                            ] { th scope="col" { (name) } }
                        } }
                        tbody { @for one in &found.messages { (row(visit, rules, one)) } }
                    }
                }
            }
            @if let Some(next) = &found.next {
                div.foot { span {} a.button href={ "/outbox?cursor=" (segment(next)) (filters) } { (lang.of("下一页", "Next page")) } }
            }
        }
    }
}

fn row(visit: &Visit, rules: &Rules, one: &Message) -> Markup {
    let lang = visit.lang;
    html! {
        tr {
            td { (when::moment(lang, one.created_at)) }
            th scope="row" { (one.number.as_deref().unwrap_or("—")) }
            td { (effect::title(lang, &one.kind)) }
            td { (party::destination(lang, rules, &one.destination)) }
            td {
                (title(lang, &one.state))
                @if let Some(at) = one.done_at { " " small { (when::minute(lang, at)) } }
                @if one.attempts > 1 {
                    " " small { @match lang { Lang::Chinese => { "共试 " (one.attempts) " 次" } Lang::English => { (one.attempts) " attempts" } } }
                }
                @if let Some(failure) = &one.failure { div.fault { (failure) } }
            }
            td.number {
                @if one.state == "dead" && visit.me.may(AGAIN) {
                    form method="post" action={ "/outbox/" (one.id) } data-once { (seal(visit)) button { (lang.of("重新投递", "Send again")) } }
                }
            }
        }
    }
}

fn title(lang: Lang, state: &str) -> &str {
    let found = STATES.iter().find(|(name, ..)| *name == state);
    found.map_or(state, |(_, chinese, english)| lang.of(chinese, english))
}
