//! `/incidents`: what could not be decided, and trying it again.

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
use crate::console::part::when;
use crate::console::sheet;
use crate::console::visit::Visit;

const RETRY: &str = "POST /v1/incidents/{id}/retry";

#[derive(Deserialize)]
struct Incidents {
    incidents: Vec<Incident>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Incident {
    id: String,
    #[serde(rename = "ticket_no")]
    number: Option<String>,
    command: String,
    code: String,
    message: String,
    at: Instant,
    resolved_at: Option<Instant>,
}

pub(in crate::console) async fn get(visit: Visit, asked: Asked) -> Response {
    let all = asked.one("all") == "true";
    let body = async {
        asked.only(visit.lang, &["all", "cursor"])?;
        let (limit, cursor) = (visit.ask.limit(50), asked.some(&["cursor"]));
        let path = format!("/v1/incidents?limit={limit}&all={all}{cursor}");
        let found = visit.ask.get::<Incidents>(&path).await;
        found.map(|found| show(&visit, &found, all))
    };
    let body = body.await;
    visit.page(visit.lang.of("异常", "Incidents"), body)
}

pub(in crate::console) async fn retry(
    visit: Visit,
    Path(id): Path<String>,
    Form(sealed): Form<Sealed>,
) -> Response {
    if !sealed.is_of(&visit) {
        return visit.foreign();
    }
    let path = format!("/v1/incidents/{}/retry", segment(&id));
    let tried = visit.ask.order(&path).await;
    done(&visit, visit.lang.of("异常", "Incidents"), "/incidents", tried)
}

fn show(visit: &Visit, found: &Incidents, all: bool) -> Markup {
    let lang = visit.lang;
    html! {
        section.panel id="incidents" data-live {
            header {
                h1 { (lang.of("异常", "Incidents")) }
                small { (lang.of("未能自动办理的事项；工单的到期事项随之暂停", "What could not be decided; it holds its ticket")) }
                div.right {
                    @if all { a href="/incidents" { (lang.of("只看未处理", "Open only")) } }
                    @else { a href="/incidents?all=true" { (lang.of("连同已处理", "Resolved too")) } }
                    (sheet::links(lang, "incidents", &format!("all={all}")))
                }
            }
            @if found.incidents.is_empty() { p.dim { (lang.of("没有异常。", "None.")) } }
            @else {
                div.scroll tabindex="0" role="region" aria-label=(lang.of("异常", "Incidents")) {
                    table {
                        thead { tr {
                            @for name in [lang.of("时间", "When"), lang.of("工单", "Ticket"), lang.of("事项", "What"), lang.of("原因", "Why"), lang.of("操作", "Action")] {
                                th scope="col" { (name) }
                            }
                        } }
                        tbody { @for one in &found.incidents { (row(visit, one)) } }
                    }
                }
            }
            @if let Some(next) = &found.next {
                div.foot { span {} a.button href={ "/incidents?all=" (all) "&cursor=" (segment(next)) } { (lang.of("下一页", "Next page")) } }
            }
        }
    }
}

fn row(visit: &Visit, one: &Incident) -> Markup {
    let lang = visit.lang;
    html! {
        tr {
            td { (when::moment(lang, one.at)) }
            th scope="row" {
                @match &one.number {
                    Some(number) if visit.me.may("GET /v1/tickets/{ticket_no}") => { a href={ "/tickets/" (number) } { (number) } }
                    Some(number) => { (number) }
                    None => { "—" }
                }
            }
            td { (one.command) " " small { (one.code) } }
            td { (one.message) }
            td.number {
                @match one.resolved_at {
                    Some(at) => { small { (lang.of("已处理 ", "Resolved ")) (when::minute(lang, at)) } }
                    None if visit.me.may(RETRY) => {
                        form method="post" action={ "/incidents/" (one.id) } data-once { (seal(visit)) button { (lang.of("重试", "Retry")) } }
                    }
                    None => { span.tag { (lang.of("未处理", "Open")) } }
                }
            }
        }
    }
}
