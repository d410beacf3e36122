//! `/tickets`: the queue, with its filters in the address, so that a list can be sent to somebody else.
//! Must never leave out what a filter does not.

mod filters;

use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use crate::console::asked::Asked;
use crate::console::page::bulk;
use crate::console::part::form::seal;
use crate::console::part::light;
use crate::console::part::pips::pips;
use crate::console::part::{class, flag, when};
use crate::console::shape::rules::Rules;
use crate::console::shape::ticket::{Deadline, Ticket};
use crate::console::sheet;
use crate::console::told::Told;
use crate::console::visit::Visit;
use filters::Filters;

/// Tickets on a page.
const PAGE: u64 = 50;

#[derive(Deserialize)]
struct Queue {
    tickets: Vec<Ticket>,
    #[serde(default)]
    unreadable: Vec<String>,
    next: Option<String>,
}

pub(in crate::console) async fn get(visit: Visit, asked: Asked) -> Response {
    let body = body(&visit, &Filters::new(asked)).await;
    visit.page(visit.lang.of("工单", "Tickets"), body)
}

async fn body(visit: &Visit, filters: &Filters) -> Result<Markup, Told> {
    let asked = filters.asked(visit).await?;
    let queue = format!("/v1/tickets?limit={}&{asked}", visit.ask.limit(PAGE));
    let queue = visit.ask.get::<Queue>(&queue);
    let (queue, rules) = tokio::join!(queue, Rules::of(&visit.ask));
    let (queue, rules) = (queue?, rules?);
    let lang = visit.lang;
    Ok(html! {
        section.panel {
            header {
                h1 { (lang.of("工单", "Tickets")) }
                div.right { (sheet::links(lang, "tickets", &asked)) }
            }
            (filters.form(visit, &rules))
        }
        section.panel id="queue" data-live { (list(visit, filters, &queue)) }
    })
}

fn list(visit: &Visit, filters: &Filters, queue: &Queue) -> Markup {
    let lang = visit.lang;
    html! {
        @let many: Vec<_> = bulk::actions(lang, &visit.me.role).collect();
        form method="post" action="/bulk" enctype="multipart/form-data" {
        (seal(visit))
        div.scroll tabindex="0" role="region" aria-label=(lang.of("工单列表", "Tickets")) {
            table {
                thead { tr {
                    @if !many.is_empty() { th.fit scope="col" { input type="checkbox" data-all aria-label=(lang.of("全选本页", "All on this page")); } }
                    @for name in [
                        lang.of("工单编号", "Number"),
                        lang.of("灯", "Light"),
                        lang.of("承办单位", "Agency"),
                        lang.of("环节", "Step"),
                        lang.of("最近的时限", "Next deadline"),
                        lang.of("类别", "Class"),
                        lang.of("收到", "Received"),
                    ] { th scope="col" { (name) } }
                } }
                tbody { @for ticket in &queue.tickets { (row(visit, ticket, !many.is_empty())) } }
            }
        }
        @if !many.is_empty() && !queue.tickets.is_empty() {
            div.foot.many {
                span.chosen { (lang.of("对勾选的工单：", "With those chosen:")) }
                @for (name, title) in &many { button name="action" value=(name) { (title) "…" } }
            }
        }
        }
        @if queue.tickets.is_empty() {
            p.dim { (lang.of("没有符合条件的工单。", "No ticket matches.")) }
        }
        @if !queue.unreadable.is_empty() {
            p.fault {
                (lang.of("有工单不能读取，运维人员已可见：", "Some tickets cannot be read, operators know: "))
                (queue.unreadable.join("、"))
            }
        }
        @if let Some(next) = &queue.next {
            div.foot {
                span {}
                a.button href=(filters.next(next)) { (lang.of("下一页", "Next page")) }
            }
        }
    }
}

fn row(visit: &Visit, ticket: &Ticket, is_chosen_from: bool) -> Markup {
    let lang = visit.lang;
    html! {
        tr {
            @if is_chosen_from {
                td.fit {
                    input type="checkbox" name="ticket" value=(bulk::chosen(&ticket.number, Some(ticket.revision)))
                        aria-label={ (lang.of("选择 ", "Choose ")) (ticket.number) };
                }
            }
            th scope="row" { a href={ "/tickets/" (ticket.number) } { (ticket.number) } }
            td { (light::light(lang, ticket.light())) }
            td { (ticket.whose().unwrap_or("—")) }
            td {
                (ticket.step_title)
                @if ticket.incident { " " span.tag { (lang.of("异常", "Incident")) } }
                (flag::flags(lang, &ticket.flags))
            }
            td { @if let Some(next) = ticket.owed() { (deadline(visit, next)) } }
            td { (class::title(lang, &ticket.class)) }
            td { (when::minute(lang, ticket.received_at)) }
        }
    }
}

fn deadline(visit: &Visit, next: &Deadline) -> Markup {
    let lang = visit.lang;
    html! {
        div { (next.title) " " small { (when::end(lang, next.due_at)) }
            @if next.is_estimated() { " " span.tag { (lang.of("预计", "Estimated")) } } }
        @if let Some(days) = next.days(visit.me.at, visit.me.working_day) { (pips(lang, days, next.light())) }
    }
}
