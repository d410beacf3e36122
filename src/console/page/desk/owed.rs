//! The list itself: tickets with what is owed on them, grouped by it where that is the hotline's or the
//! approver's. Must never be ordered by anything but when it is due.

use std::collections::BTreeSet;

use duban_core::time::Instant;
use futures::future::join_all;
use maud::{Markup, html};
use serde::Deserialize;

use super::contact;
use crate::console::ask::segment;
use crate::console::part::light::{self, Light};
use crate::console::part::pips::pips;
use crate::console::part::{class, flag, when};
use crate::console::shape::ticket::{Deadline, Ticket};
use crate::console::told::Told;
use crate::console::visit::Visit;
use crate::console::words::Lang;

/// Tickets on the page; whoever has more sees the most urgent.
const PAGE: u64 = 40;

/// What somebody owes.
pub(super) struct Owed {
    /// Its title, and what is owed under it.
    groups: Vec<(String, Vec<Item>)>,
    /// Numbers of tickets that cannot be read.
    unreadable: Vec<String>,
    next: Option<String>,
    /// Whether this is one page of several.
    is_part: bool,
}

/// Something that is owed on a ticket.
struct Item {
    ticket: Ticket,
    /// Which of its deadlines.
    deadline: String,
    due_at: Instant,
    expected: Option<Expected>,
}

/// The one action that comes first.
#[derive(Deserialize)]
struct Expected {
    #[serde(rename = "action")]
    name: String,
    title: String,
    #[serde(rename = "expected")]
    is_first: bool,
}

#[derive(Deserialize)]
struct Actions {
    actions: Vec<Expected>,
}

#[derive(Deserialize)]
struct Tickets {
    #[serde(rename = "tickets")]
    all: Vec<Ticket>,
    #[serde(default)]
    unreadable: Vec<String>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Running {
    #[serde(rename = "deadlines")]
    all: Vec<Due>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Due {
    #[serde(rename = "ticket_no")]
    number: String,
    name: String,
    title: String,
    #[serde(rename = "due_at")]
    at: Instant,
}

impl Owed {
    pub(super) async fn of(visit: &Visit, cursor: &str) -> Result<Self, Told> {
        let from = match cursor {
            "" => String::new(),
            cursor => format!("&cursor={}", segment(cursor)),
        };
        if visit.me.is_agency() {
            Self::of_agency(visit, &from).await
        } else {
            Self::of_party(visit, &from).await
        }
    }

    /// An agency's: tickets by their earliest obligation.
    async fn of_agency(visit: &Visit, from: &str) -> Result<Self, Told> {
        let limit = visit.ask.limit(PAGE);
        let path = format!("/v1/tickets?status=open&sort=due&limit={limit}{from}");
        let Tickets { all, unreadable, next } = visit.ask.get(&path).await?;
        // Those on which nothing ends come last: there is nothing to do on them.
        let next = next.filter(|_| all.iter().all(|ticket| ticket.owed().is_some()));
        let items = all.into_iter().filter_map(|ticket| {
            let owed = ticket.owed()?;
            let (deadline, due_at) = (owed.name.clone(), owed.due_at);
            Some(Item { deadline, due_at, ticket, expected: None })
        });
        let mut items: Vec<Item> = items.collect();
        expect(visit, &mut items).await?;
        let title = visit.lang.of("按到期先后", "The earliest due first").to_owned();
        let groups = if items.is_empty() { Vec::new() } else { vec![(title, items)] };
        let is_part = next.is_some() || !from.is_empty();
        Ok(Self { groups, unreadable, next, is_part })
    }

    /// The hotline's or the approver's: by what is owed.
    async fn of_party(visit: &Visit, from: &str) -> Result<Self, Told> {
        let party = if visit.me.role == "approver" { "approver" } else { "hotline" };
        let limit = visit.ask.limit(PAGE);
        let path = format!("/v1/deadlines?party={party}&limit={limit}{from}");
        let Running { all: mut deadlines, next } = visit.ask.get(&path).await?;
        // One row a ticket: what is due first on it.
        let mut seen = BTreeSet::new();
        deadlines.retain(|due| seen.insert(due.number.clone()));
        let paths: Vec<String> =
            deadlines.iter().map(|due| format!("/v1/tickets/{}", segment(&due.number))).collect();
        let tickets = join_all(paths.iter().map(|path| visit.ask.get::<Ticket>(path))).await;
        let (mut items, mut unreadable) = (Vec::new(), Vec::new());
        let mut titles: Vec<(String, String)> = Vec::new();
        for (due, ticket) in deadlines.into_iter().zip(tickets) {
            let ticket = match ticket {
                Ok(ticket) => ticket,
                // It has gone to somebody else meanwhile.
                Err(told) if told.status == 404 => continue,
                // One that cannot be read hides none of the others.
                Err(told) if told.status == 500 => {
                    unreadable.push(due.number);
                    continue;
                }
                Err(told) => return Err(told),
            };
            if titles.iter().all(|(name, _)| *name != due.name) {
                titles.push((due.name.clone(), due.title));
            }
            items.push(Item { ticket, deadline: due.name, due_at: due.at, expected: None });
        }
        expect(visit, &mut items).await?;
        let mut groups: Vec<(String, Vec<Item>)> = Vec::new();
        for (name, title) in titles {
            let (own, rest) = items.into_iter().partition(|item| item.deadline == name);
            items = rest;
            groups.push((title, own));
        }
        let is_part = next.is_some() || !from.is_empty();
        Ok(Self { groups, unreadable, next, is_part })
    }

    /// How many there are, or on this page of several.
    fn counted(&self, lang: Lang, count: usize) -> String {
        match lang {
            _ if !self.is_part => count.to_string(),
            Lang::Chinese => format!("本页 {count}"),
            Lang::English => format!("{count} on this page"),
        }
    }

    pub(super) fn show(&self, visit: &Visit) -> Markup {
        let lang = visit.lang;
        let is_empty = self.groups.is_empty() && self.unreadable.is_empty();
        html! {
            @if is_empty { (super::nothing(lang)) }
            @if !self.unreadable.is_empty() {
                p.panel.said.wrong { (lang.of("以下工单暂时读不出，请联系运维人员：", "These cannot be read; tell the operators: ")) (self.unreadable.join("、")) }
            }
            @for (title, items) in &self.groups {
                section.panel {
                    header { h2 { (title) } small { (self.counted(lang, items.len())) } }
                    div.scroll tabindex="0" role="region" aria-label=(title) {
                        table.desk { tbody { @for item in items { (row(visit, item)) } } }
                    }
                }
            }
            @if let Some(next) = &self.next {
                div.foot {
                    span.dim { (lang.of("本页列出最急的。", "The most urgent first.")) }
                    a.button href={ "/desk?cursor=" (segment(next)) } { (lang.of("下一页", "Next page")) }
                }
            }
        }
    }
}

/// Looks up what is expected on each.
async fn expect(visit: &Visit, items: &mut [Item]) -> Result<(), Told> {
    let path = |item: &Item| format!("/v1/tickets/{}/actions", segment(&item.ticket.number));
    let paths: Vec<String> = items.iter().map(path).collect();
    let found = join_all(paths.iter().map(|path| visit.ask.get::<Actions>(path))).await;
    for (item, found) in items.iter_mut().zip(found) {
        let all = match found {
            Ok(all) => all.actions,
            Err(told) if told.status == 429 || told.status == 503 => return Err(told),
            // A ticket may have gone to somebody else meanwhile.
            Err(_) => continue,
        };
        item.expected = all.into_iter().find(|one| one.is_first);
    }
    Ok(())
}

fn row(visit: &Visit, item: &Item) -> Markup {
    let (lang, ticket) = (visit.lang, &item.ticket);
    let of = |one: &&Deadline| one.is_running() && one.name == item.deadline;
    let deadline = ticket.deadlines.iter().find(of);
    let lit = deadline.map_or(Light::None, Deadline::light);
    html! {
        tr {
            td.fit { (light::light(lang, lit)) }
            th scope="row" {
                a href={ "/tickets/" (ticket.number) } { (ticket.number) }
                div { small { (class::title(lang, &ticket.class)) } (flag::flags(lang, &ticket.flags)) }
            }
            @if !visit.me.is_agency() { td { (ticket.whose().unwrap_or("—")) } }
            td { (ticket.step_title) }
            td {
                @if let Some(deadline) = deadline {
                    div { (deadline.title) " " small { (when::end(lang, item.due_at)) } " " (left(lang, deadline)) }
                    @if let Some(days) = deadline.days(visit.me.at, visit.me.working_day) { (pips(lang, days, lit)) }
                }
            }
            td.deeds {
                @if let Some(expected) = &item.expected {
                    @if expected.name == contact::ACTION { (contact::form(visit, ticket)) }
                    @else {
                        a.button.main href={ "/tickets/" (ticket.number) "?do=" (expected.name) "#do" } { (expected.title) }
                    }
                }
            }
        }
    }
}

/// How many working days are left, or how many it is late.
fn left(lang: Lang, deadline: &Deadline) -> String {
    match (deadline.overdue_working_days, deadline.remaining_working_days, lang) {
        (Some(0), _, Lang::Chinese) => "已超期".to_owned(),
        (Some(over), _, Lang::Chinese) => format!("超期第 {over} 个工作日"),
        (Some(over), _, Lang::English) => format!("{over} working days late"),
        (None, Some(left), Lang::Chinese) => format!("余 {left} 个工作日"),
        (None, Some(left), Lang::English) => format!("{left} working days left"),
        (None, None, _) => String::new(),
    }
}
