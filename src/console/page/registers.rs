//! `/registers/cards` and `/registers/overdue`: what supervision keeps: cards with how they were
//! delivered, and everything that is overdue now. Must never leave out a card that was revoked.

use axum::response::Response;
use duban_core::definition::Notice;
use duban_core::time::Instant;
use maud::{Markup, html};
use serde::Deserialize;

use crate::console::ask::segment;
use crate::console::asked::Asked;
use crate::console::part::choice::choice;
use crate::console::part::light::{self, Light};
use crate::console::part::{party, when};
use crate::console::shape::rules::Rules;
use crate::console::sheet;
use crate::console::told::Told;
use crate::console::visit::Visit;
use crate::console::words::Lang;

#[derive(Deserialize)]
struct Cards {
    cards: Vec<Card>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Card {
    #[serde(rename = "ticket_no")]
    number: String,
    kind: String,
    title: String,
    agency_name: Option<String>,
    party: String,
    due_at: Instant,
    fired_at: Instant,
    state: String,
    deliveries: Vec<Delivery>,
}

#[derive(Deserialize)]
struct Delivery {
    destination: String,
    state: String,
}

#[derive(Deserialize)]
struct Overdue {
    deadlines: Vec<Running>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Running {
    #[serde(rename = "ticket_no")]
    number: String,
    title: String,
    party: String,
    agency: Option<String>,
    due_at: Instant,
    certainty: String,
    escalation: Option<Escalation>,
}

/// Lines on a page.
const PAGE: u64 = 50;

/// How far it has come, and whether that has arrived.
#[derive(Deserialize)]
struct Escalation {
    at: Instant,
    notice: Option<String>,
    card: Option<String>,
    deliveries: Vec<Delivery>,
}

pub(in crate::console) async fn cards(visit: Visit, asked: Asked) -> Response {
    let body = async {
        asked.only(visit.lang, &["kind", "state", "agency", "district", "cursor"])?;
        let filters = asked.some(&["kind", "state", "agency", "district"]);
        let (limit, cursor) = (visit.ask.limit(PAGE), asked.some(&["cursor"]));
        let path = format!("/v1/cards?limit={limit}{filters}{cursor}");
        let found = visit.ask.get::<Cards>(&path);
        let (found, rules) = tokio::join!(found, Rules::of(&visit.ask));
        Ok::<_, Told>(card_list(&visit, &asked, &filters, &found?, &rules?))
    };
    let body = body.await;
    visit.page(visit.lang.of("牌登记册", "Cards"), body)
}

fn card_list(visit: &Visit, asked: &Asked, filters: &str, found: &Cards, rules: &Rules) -> Markup {
    let lang = visit.lang;
    let kinds =
        [("yellow_card", lang.of("▲ 黄牌", "▲ Yellow")), ("red_card", lang.of("■ 红牌", "■ Red"))];
    let states = ["issued", "contested", "revoked"].map(|state| (state, state_title(lang, state)));
    html! {
        section.panel {
            header {
                h1 { (lang.of("牌登记册", "Register of cards")) }
                small { a href="/registers/overdue" { (lang.of("超期登记册", "Overdue")) } }
                div.right { (sheet::links(lang, "cards", filters.trim_start_matches('&'))) }
            }
            form.filters method="get" action="/registers/cards" {
                (choice(lang, "kind", lang.of("牌", "Card"), kinds, asked.one("kind")))
                (choice(lang, "state", lang.of("状态", "State"), states, asked.one("state")))
                @if !visit.me.is_agency() { (choice(lang, "agency", lang.of("单位", "Agency"), rules.register.agencies(), asked.one("agency"))) }
                @if !asked.one("district").is_empty() { input type="hidden" name="district" value=(asked.one("district")); }
                button.main { (lang.of("筛选", "Filter")) }
            }
        }
        section.panel id="cards" data-live {
            @if found.cards.is_empty() { p.dim { (lang.of("没有符合条件的牌。", "No card matches.")) } }
            @else {
                div.scroll tabindex="0" role="region" aria-label=(lang.of("牌", "Cards")) {
                    table {
                        thead { tr {
                            @for name in [
                                lang.of("发牌时间", "Issued"), lang.of("牌", "Card"), lang.of("工单编号", "Number"),
                                lang.of("责任单位", "Charged"), lang.of("时限", "Deadline"), lang.of("应完成", "Was due"),
                                lang.of("状态", "State"), lang.of("送达", "Told"),
                            ] { th scope="col" { (name) } }
                        } }
                        tbody { @for card in &found.cards { (card_row(lang, rules, card)) } }
                    }
                }
            }
            (next_page(lang, "/registers/cards", filters, found.next.as_deref()))
        }
    }
}

fn card_row(lang: Lang, rules: &Rules, card: &Card) -> Markup {
    let lit = Light::of_card(&card.kind);
    html! {
        tr {
            td { (when::moment(lang, card.fired_at)) }
            td { (light::lit(lang, lit, lit.card(lang))) }
            th scope="row" { a href={ "/tickets/" (card.number) } { (card.number) } }
            td { (card.agency_name.as_deref().unwrap_or_else(|| party::title(lang, &card.party))) }
            td { (card.title) }
            td { (when::end(lang, card.due_at)) }
            td.fit { (state_title(lang, &card.state)) }
            td { (told(lang, rules, &card.deliveries)) }
        }
    }
}

/// Who was to be told, and whether he was.
fn told(lang: Lang, rules: &Rules, deliveries: &[Delivery]) -> Markup {
    html! {
        @for one in deliveries {
            div { small { (delivered(lang, &one.state)) " " (party::destination(lang, rules, &one.destination)) } }
        }
    }
}

/// The last step of an escalation.
fn rung(lang: Lang, last: &Escalation) -> Markup {
    html! {
        @if let Some(card) = &last.card {
            @let lit = Light::of_card(card);
            (light::lit(lang, lit, lit.card(lang))) " "
        }
        @if let Some(notice) = &last.notice {
            @let known = Notice::ALL.iter().find(|one| one.word() == notice);
            span.tag { (known.map_or_else(|| notice.clone(), |one| lang.of(one.title(), one.word()).replace('_', " "))) } " "
        }
        small { (when::minute(lang, last.at)) }
    }
}

pub(in crate::console) async fn overdue(visit: Visit, asked: Asked) -> Response {
    let body = async {
        asked.only(visit.lang, &["agency", "district", "party", "cursor"])?;
        let filters =
            format!("&light=red&escalation=true{}", asked.some(&["agency", "district", "party"]));
        let (limit, cursor) = (visit.ask.limit(PAGE), asked.some(&["cursor"]));
        let path = format!("/v1/deadlines?limit={limit}{filters}{cursor}");
        let found = visit.ask.get::<Overdue>(&path);
        let (found, rules) = tokio::join!(found, Rules::of(&visit.ask));
        Ok::<_, Told>(overdue_list(&visit, &asked, &filters, &found?, &rules?))
    };
    let body = body.await;
    visit.page(visit.lang.of("超期登记册", "Overdue"), body)
}

fn overdue_list(
    visit: &Visit,
    asked: &Asked,
    filters: &str,
    found: &Overdue,
    rules: &Rules,
) -> Markup {
    let lang = visit.lang;
    let parties = ["agency", "hotline", "approver"].map(|one| (one, party::title(lang, one)));
    html! {
        section.panel {
            header {
                h1 { (lang.of("超期登记册", "Register of what is overdue")) }
                small { a href="/registers/cards" { (lang.of("牌登记册", "Cards")) } }
                div.right { (sheet::links(lang, "overdue", filters.trim_start_matches('&'))) }
            }
            form.filters method="get" action="/registers/overdue" {
                (choice(lang, "party", lang.of("责任方", "Party"), parties, asked.one("party")))
                @if !visit.me.is_agency() { (choice(lang, "agency", lang.of("单位", "Agency"), rules.register.agencies(), asked.one("agency"))) }
                @if !asked.one("district").is_empty() { input type="hidden" name="district" value=(asked.one("district")); }
                button.main { (lang.of("筛选", "Filter")) }
            }
        }
        section.panel id="overdue" data-live {
            @if found.deadlines.is_empty() { p.dim { (lang.of("没有超期的时限。", "Nothing is overdue.")) } }
            @else {
                div.scroll tabindex="0" role="region" aria-label=(lang.of("超期时限", "Overdue")) {
                    table {
                        thead { tr {
                            @for name in [
                                lang.of("应完成", "Was due"), lang.of("工单编号", "Number"), lang.of("时限", "Deadline"),
                                lang.of("责任方", "Party"), lang.of("单位", "Agency"), lang.of("督办进展", "Escalation"), lang.of("送达", "Told"),
                            ] { th scope="col" { (name) } }
                        } }
                        tbody { @for one in &found.deadlines {
                            tr {
                                td { (when::end(lang, one.due_at)) @if one.certainty == "estimated" { " " span.tag { (lang.of("预计", "Estimated")) } } }
                                th scope="row" { a href={ "/tickets/" (one.number) } { (one.number) } }
                                td { (one.title) }
                                td { (party::title(lang, &one.party)) }
                                td { (one.agency.as_deref().map_or("—", |code| rules.agency(code))) }
                                @match &one.escalation {
                                    Some(last) => {
                                        td { (rung(lang, last)) }
                                        td { (told(lang, rules, &last.deliveries)) }
                                    }
                                    None => { td { "—" } td {} }
                                }
                            }
                        } }
                    }
                }
            }
            (next_page(lang, "/registers/overdue", filters, found.next.as_deref()))
        }
    }
}

fn next_page(lang: Lang, path: &str, filters: &str, next: Option<&str>) -> Markup {
    html! {
        @if let Some(next) = next {
            div.foot {
                span {}
                a.button href={ (path) "?" (filters.trim_start_matches('&')) "&cursor=" (segment(next)) } { (lang.of("下一页", "Next page")) }
            }
        }
    }
}

fn state_title(lang: Lang, state: &str) -> &str {
    match state {
        "issued" => lang.of("已发", "Issued"),
        "contested" => lang.of("异议中", "Contested"),
        "revoked" => lang.of("已撤销", "Revoked"),
        other => other,
    }
}

fn delivered(lang: Lang, state: &str) -> &str {
    match state {
        "delivered" => lang.of("✓ 已送达", "✓ told"),
        "waiting" => lang.of("… 投递中", "… on its way"),
        "dead" => lang.of("✗ 投递失败", "✗ failed"),
        other => other,
    }
}
