//! What happened, in plain language, newest first; that nothing is missing; and the way to any instant
//! of the past. Must never leave out an event.

use maud::{Markup, html};

use super::{PAGES_MAX, Page};
use crate::console::part::light::{self, Light};
use crate::console::part::when;
use crate::console::shape::history::{Event, History, Statement};
use crate::console::told::Told;
use crate::console::visit::Visit;
use crate::console::words::Lang;

/// Events that are shown at once; older ones can be opened.
const AT_ONCE: usize = 40;

/// The whole history of a ticket, as far as somebody sees it.
pub(super) async fn history(visit: &Visit, path: &str) -> Result<History, Told> {
    #[derive(serde::Deserialize)]
    struct Part {
        #[serde(flatten)]
        history: History,
        next: Option<u64>,
    }
    let mut part = visit.ask.get::<Part>(&format!("{path}/history")).await?;
    let mut whole = part.history;
    for _ in 1..PAGES_MAX {
        let Some(after) = part.next else { break };
        part = visit.ask.get::<Part>(&format!("{path}/history?after={after}")).await?;
        whole.verified &= part.history.verified;
        whole.events.append(&mut part.history.events);
    }
    Ok(whole)
}

/// What everybody wrote on a ticket.
pub(super) async fn statements(visit: &Visit, path: &str) -> Result<Vec<Statement>, Told> {
    #[derive(serde::Deserialize)]
    struct Statements {
        statements: Vec<Statement>,
    }
    Ok(visit.ask.get::<Statements>(&format!("{path}/statements")).await?.statements)
}

/// What was written, field by field.
pub(super) fn written(statement: &Statement) -> Markup {
    html! {
        div.written {
            @for one in &statement.fields { p { small { (one.title) } " " (one.text) } }
        }
    }
}

impl Page<'_> {
    pub(super) fn past(&self) -> Markup {
        let lang = self.visit.lang;
        let events: Vec<&Event> = self.history.events.iter().rev().collect();
        let (recent, older) = events.split_at(events.len().min(AT_ONCE));
        html! {
            section.panel id="past" data-live=(self.ticket.number) {
                header { h2 { (lang.of("经过", "History")) } }
                (self.events(recent))
                @if !older.is_empty() {
                    details {
                        summary { (lang.of("更早的记录", "Older")) "（" (older.len()) "）" }
                        (self.events(older))
                    }
                }
                (self.proof())
                (self.travel())
            }
        }
    }

    fn events(&self, events: &[&Event]) -> Markup {
        let lang = self.visit.lang;
        html! {
            table.events { tbody {
                @for event in events {
                    @if let (Some(at), Some(text)) = (event.at, &event.text) {
                        tr id={ "event-" (event.seq) } {
                            td.time { (when::moment(lang, at)) }
                            td {
                                @if let Some(card) = event.card() {
                                    @let card = Light::of_card(card);
                                    (light::lit(lang, card, card.card(lang))) " "
                                }
                                (self.rules.named(text))
                                @if let Some(one) = self.statement(event.seq) { (written(one)) }
                            }
                            td.number { small { (number(lang, event.seq)) } }
                        }
                    }
                }
            } }
        }
    }

    fn statement(&self, seq: u64) -> Option<&Statement> {
        self.statements.iter().find(|one| one.seq == seq)
    }

    /// Whether the chain holds, and its last link.
    fn proof(&self) -> Markup {
        let lang = self.visit.lang;
        let events = &self.history.events;
        let Some(last) = events.last() else { return html! {} };
        let hidden = events.iter().filter(|event| event.at.is_none()).count();
        html! {
            p.proof {
                @if self.history.verified {
                    b { "✓ " (lang.of("历史完整", "History intact")) }
                    @match lang {
                        Lang::Chinese => { "：" (last.seq) " 条记录首尾相连，摘要 " }
                        Lang::English => { ": " (last.seq) " records, each linked to the one before; digest " }
                    }
                } @else {
                    b.fault { "✗ " (lang.of("历史不完整，请立即报告效能监督部门", "History broken: report it at once")) }
                    (lang.of("，摘要 ", "; digest "))
                }
                code { (last.hash.get(..8).unwrap_or_default()) "…" (last.hash.get(56..).unwrap_or_default()) }
                @if hidden > 0 {
                    " " small {
                        @match lang {
                            Lang::Chinese => { "其中 " (hidden) " 条不向本角色展示" }
                            Lang::English => { (hidden) " of them are not shown to this role" }
                        }
                    }
                }
            }
        }
    }

    /// The way to how it stood then.
    fn travel(&self) -> Markup {
        let lang = self.visit.lang;
        html! {
            form.travel method="get" action={ "/tickets/" (self.ticket.number) } {
                label for="as_of" { (lang.of("查看过去某一时刻的状态", "How it stood at")) }
                input id="as_of" name="as_of" type="datetime-local" required
                    min=(when::field(self.ticket.received_at)) max=(when::field(self.visit.me.at)) value=(when::field(self.at));
                button { (lang.of("查看", "Show")) }
            }
        }
    }
}

fn number(lang: Lang, seq: u64) -> String {
    match lang {
        Lang::Chinese => format!("第 {seq} 号"),
        Lang::English => format!("no. {seq}"),
    }
}
