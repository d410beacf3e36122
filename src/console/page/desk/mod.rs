//! `/desk`: what somebody owes, the earliest due first, with the one action that is expected; for an
//! agency how it stands besides. Must never leave out what is overdue.

mod contact;
mod owed;

use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

pub(in crate::console) use contact::post;

use crate::console::asked::Asked;
use crate::console::part::light::{self, Light};
use crate::console::told::Told;
use crate::console::visit::Visit;
use crate::console::words::Lang;
use owed::Owed;

#[derive(Deserialize)]
struct Board {
    total: Counts,
}

#[derive(Deserialize)]
struct Counts {
    open: u64,
    due_today: u64,
    due_next_working_day: u64,
    overdue: u64,
    returned: u64,
    in_appeal: u64,
}

pub(in crate::console) async fn get(visit: Visit, asked: Asked) -> Response {
    let body = body(&visit, &asked).await;
    visit.page(visit.lang.of("待办", "To do"), body)
}

async fn body(visit: &Visit, asked: &Asked) -> Result<Markup, Told> {
    let (lang, done) = (visit.lang, asked.one("done"));
    asked.only(lang, &["cursor", "done"])?;
    let own = async {
        // The hotline's own figures are the board.
        let is_asked = visit.me.is_agency();
        if is_asked { visit.ask.get::<Board>("/v1/board").await.map(Some) } else { Ok(None) }
    };
    let (owed, board) = tokio::join!(Owed::of(visit, asked.one("cursor")), own);
    let (owed, board) = (owed?, board?);
    Ok(html! {
        h1.hidden { (lang.of("待办", "To do")) }
        @if is_number(done) {
            p.panel.said.done role="status" {
                (lang.of("已登记：", "Done: ")) a href={ "/tickets/" (done) } { (done) }
            }
        }
        @if let Some(board) = &board { div id="own" data-live { (figures(lang, &board.total)) } }
        div.stack id="owed" data-live { (owed.show(visit)) }
    })
}

/// How an agency stands.
fn figures(lang: Lang, counts: &Counts) -> Markup {
    let figure = |name: &str, count: u64, list: &str, lit: Option<Light>| {
        html! {
            a.panel.figure href={ "/tickets?" (list) } {
                header { span { (name) } @if let Some(lit) = lit.filter(|_| count > 0) { (light::light(lang, lit)) } }
                b { (count) }
            }
        }
    };
    html! {
        div.figures {
            (figure(lang.of("在办", "Open"), counts.open, "status=open", None))
            (figure(lang.of("今日到期", "Due today"), counts.due_today, "due=today", Some(Light::Yellow)))
            (figure(lang.of("次一工作日到期", "Due the next working day"), counts.due_next_working_day, "due=next", None))
            (figure(lang.of("已超期", "Overdue"), counts.overdue, "due=over", Some(Light::Red)))
            @if counts.in_appeal > 0 {
                (figure(lang.of("复核申请期内", "In appeal"), counts.in_appeal, "window=appeal_window", None))
            } @else {
                (figure(lang.of("退单待审", "Returns"), counts.returned, "step=return_requested", None))
            }
        }
    }
}

/// What there is to do, where there is nothing.
fn nothing(lang: Lang) -> Markup {
    html! {
        section.panel { p.dim { (lang.of("没有待办事项。", "Nothing to do.")) } }
    }
}

/// Whether something has the form of a ticket's number: an address is no place for other words.
fn is_number(text: &str) -> bool {
    let is_of_it = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    !text.is_empty() && text.len() <= 32 && text.chars().all(is_of_it)
}
