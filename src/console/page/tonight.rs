//! `/tonight`: which tickets turn yellow or red at 24:00 if nobody acts, with the one thing that answers
//! it. Must never count another midnight than the next one.

use axum::response::Response;
use duban_core::time::Instant;
use maud::{Markup, html};
use serde::Deserialize;

use super::bulk;
use crate::console::ask::segment;
use crate::console::asked::Asked;
use crate::console::part::form::seal;
use crate::console::part::light::{self, Light};
use crate::console::part::when;
use crate::console::shape::rules::Rules;
use crate::console::sheet;
use crate::console::told::Told;
use crate::console::visit::Visit;
use crate::console::words::Lang;

/// Tickets on the page.
const PAGE: u64 = 200;

#[derive(Deserialize)]
struct Turnings {
    until: Instant,
    agencies: Vec<Agency>,
    tickets: Vec<Turning>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Agency {
    yellow: u64,
    red: u64,
}

#[derive(Deserialize)]
struct Turning {
    #[serde(rename = "ticket_no")]
    number: String,
    revision: Option<u32>,
    agency: Option<String>,
    light: String,
    title: Option<String>,
    due_at: Option<Instant>,
}

pub(in crate::console) async fn get(visit: Visit, asked: Asked) -> Response {
    let body = body(&visit, &asked).await;
    visit.page(visit.lang.of("今晚到期", "Tonight"), body)
}

async fn body(visit: &Visit, asked: &Asked) -> Result<Markup, Told> {
    asked.only(visit.lang, &["agency", "district", "light", "cursor"])?;
    let tonight = when::end_of_day(visit.me.at);
    let whose = asked.some(&["agency", "district"]);
    let kept = asked.some(&["agency", "district", "light"]);
    let until = segment(&tonight.to_string());
    let (limit, cursor) = (visit.ask.limit(PAGE), asked.some(&["cursor"]));
    let path = format!("/v1/forecast?limit={limit}&until={until}{kept}{cursor}");
    let turnings = visit.ask.get::<Turnings>(&path);
    let (turnings, rules) = tokio::join!(turnings, Rules::of(&visit.ask));
    let (turnings, rules) = (turnings?, rules?);
    let lang = visit.lang;
    Ok(html! {
        section.panel id="tonight" data-live {
            header {
                h1 { (lang.of("今晚 24:00", "Tonight at 24:00")) }
                small { (lang.of("若无人办理", "if nobody acts")) " · " (when::end(lang, turnings.until)) }
                div.right {
                    (totals(lang, &turnings, &whose))
                    (sheet::links(lang, "tonight", &format!("until={until}{kept}")))
                }
            }
            (list(visit, &turnings, &rules))
            @if let Some(next) = &turnings.next {
                div.foot { span {} a.button href={ "/tonight?cursor=" (segment(next)) (kept) } { (lang.of("下一页", "Next page")) } }
            }
        }
    })
}

fn totals(lang: Lang, turnings: &Turnings, whose: &str) -> Markup {
    let sum = |of: fn(&Agency) -> u64| turnings.agencies.iter().map(of).sum::<u64>();
    let total = |light: Light, word: &str, count: u64| {
        html! { a href={ "/tonight?light=" (word) (whose) } { (light::lit(lang, light, &count.to_string())) } }
    };
    html! {
        (total(Light::Yellow, "yellow", sum(|one| one.yellow)))
        (total(Light::Red, "red", sum(|one| one.red)))
        a href={ "/tonight" (whose.replacen('&', "?", 1)) } { (lang.of("全部", "All")) }
    }
}

fn list(visit: &Visit, turnings: &Turnings, rules: &Rules) -> Markup {
    let lang = visit.lang;
    let many: Vec<_> =
        bulk::actions(lang, &visit.me.role).filter(|(name, _)| *name != "dispatch").collect();
    html! {
        @if turnings.tickets.is_empty() {
            p.dim { (lang.of("今晚没有工单变灯。", "No light turns tonight.")) }
        } @else {
            form method="post" action="/bulk" enctype="multipart/form-data" {
                (seal(visit))
                div.scroll tabindex="0" role="region" aria-label=(lang.of("今晚变灯的工单", "Lights that turn")) {
                    table {
                        thead { tr {
                            @if !many.is_empty() { th.fit scope="col" { input type="checkbox" data-all aria-label=(lang.of("全选本页", "All on this page")); } }
                            @for name in [
                                lang.of("工单编号", "Number"),
                                lang.of("将变为", "Turns"),
                                lang.of("承办单位", "Agency"),
                                lang.of("时限", "Deadline"),
                                lang.of("终点", "Ends"),
                            ] { th scope="col" { (name) } }
                        } }
                        tbody { @for one in &turnings.tickets { (row(lang, one, rules, !many.is_empty())) } }
                    }
                }
                @if !many.is_empty() {
                    div.foot.many {
                        span.chosen { (lang.of("对勾选的工单：", "With those chosen:")) }
                        @for (name, title) in &many { button name="action" value=(name) { (title) "…" } }
                    }
                }
            }
        }
    }
}

fn row(lang: Lang, one: &Turning, rules: &Rules, is_chosen_from: bool) -> Markup {
    html! {
        tr {
            @if is_chosen_from {
                td.fit {
                    input type="checkbox" name="ticket" value=(bulk::chosen(&one.number, one.revision))
                        aria-label={ (lang.of("选择 ", "Choose ")) (one.number) };
                }
            }
            th scope="row" { a href={ "/tickets/" (one.number) } { (one.number) } }
            td { (light::light(lang, Light::named(Some(&one.light)))) }
            td { (one.agency.as_deref().map_or("—", |code| rules.agency(code))) }
            td { (one.title.as_deref().unwrap_or("—")) }
            td { @if let Some(at) = one.due_at { (when::end(lang, at)) } }
        }
    }
}
