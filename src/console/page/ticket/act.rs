//! What somebody does on a ticket, sent by its page: files first, then the form, on the revision that he
//! saw and under a key of its own. Must never do anything twice, nor lose what was typed.

use axum::extract::{Multipart, Path};
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;
use serde::Deserialize;

use super::deed::{Attempt, SCHEMA, typed};
use super::{Page, files, path};
use crate::console::ask::segment;
use crate::console::asked::Asked;
use crate::console::layout;
use crate::console::part::form;
use crate::console::schema::{Files, Form, Sent, material};
use crate::console::told::Told;
use crate::console::visit::Visit;

/// What an action answers, as far as it is told.
#[derive(Deserialize)]
struct Done {
    receipt: Receipt,
}

#[derive(Deserialize)]
struct Receipt {
    seq: u64,
}

pub(in crate::console) async fn post(
    visit: Visit,
    Path(number): Path<String>,
    asked: Asked,
    body: Multipart,
) -> Response {
    let sent = match Sent::read(body, visit.lang).await {
        Ok(sent) => sent,
        // What was typed is in the tab; the form to which it belongs stands on the page.
        Err(told) => {
            let attempt = Attempt { told: Some(told), ..Attempt::of(asked.one("do").to_owned()) };
            return refused(&visit, &number, attempt).await;
        }
    };
    if !form::is_sealed(&visit, sent.one(form::SEAL)) {
        return visit.foreign();
    }
    let (action, mut sent) = (sent.one("action").to_owned(), sent);
    match done(&visit, &number, &action, &mut sent).await {
        Ok(seq) => {
            Redirect::to(&format!("/tickets/{}?done={seq}", segment(&number))).into_response()
        }
        Err(told) => refused(&visit, &number, Attempt { action, sent, told: Some(told) }).await,
    }
}

/// The ticket's page with what was tried in vain; where there is none any more, what was typed.
pub(in crate::console) async fn refused(visit: &Visit, number: &str, attempt: Attempt) -> Response {
    let body = match Page::of(visit, number, "").await {
        Ok(page) => page.show(&attempt, None),
        Err(told) => html! {
            (layout::trouble(visit.lang, &told))
            section.panel { (typed(visit.lang, &attempt.sent)) }
        },
    };
    let mut response = visit.page(number, Ok(body));
    if let Some(told) = &attempt.told {
        *response.status_mut() = told.status();
    }
    response
}

/// Does it; the number of its record.
async fn done(visit: &Visit, number: &str, action: &str, sent: &mut Sent) -> Result<u64, Told> {
    let path = path(number);
    let form = Form::of(&serde_json::from_str(sent.one(SCHEMA)).unwrap_or_default());
    let mut there = Files::new();
    let files = std::mem::take(&mut sent.files);
    let of = files.len();
    for (place, file) in (1..).zip(files) {
        match files::upload(visit, &path, &file).await {
            Ok(sm3) => {
                let evidence = format!("{sm3} {}", material(file.media_type()));
                there.push((file.pointer.clone(), evidence));
            }
            Err(told) => {
                // Those that are there need not be sent again.
                sent.choose(there);
                return Err(files::not_taken(visit.lang, told, (place, &file), of));
            }
        }
    }
    sent.choose(there);
    let headers = [
        ("if-match", format!("\"{}\"", sent.one("revision"))),
        ("idempotency-key", sent.one("key").to_owned()),
    ];
    let asked = sent.json(&form);
    let address = format!("{path}/actions/{}", segment(action));
    let done: Done = visit.ask.post_with(&address, &headers, &asked).await?;
    Ok(done.receipt.seq)
}
