//! What somebody does on a ticket, sent by its page: files first, then the form, on the revision that he
//! saw and under a key of its own. Must never do anything twice, nor lose what was typed.

use axum::extract::{Multipart, Path};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::deed::{Attempt, SCHEMA};
use super::{Page, files, path};
use crate::console::ask::{Told, segment};
use crate::console::part::form;
use crate::console::schema::{Files, Form, Sent, material};
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
    body: Multipart,
) -> Response {
    let Some(sent) = Sent::read(body).await else {
        let told = Told::too_large(visit.lang);
        return visit.page(&number, Err(told));
    };
    if !form::is_sealed(&visit, sent.one(form::SEAL)) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let (action, mut sent) = (sent.one("action").to_owned(), sent);
    match done(&visit, &number, &action, &mut sent).await {
        Ok(seq) => {
            Redirect::to(&format!("/tickets/{}?done={seq}", segment(&number))).into_response()
        }
        Err(told) => {
            let status = told.status();
            let attempt = Attempt { action, sent, told: Some(told) };
            let body = Page::of(&visit, &number, "").await.map(|page| page.show(&attempt, None));
            let mut response = visit.page(&number, body);
            *response.status_mut() = status;
            response
        }
    }
}

/// Does it; the number of its record.
async fn done(visit: &Visit, number: &str, action: &str, sent: &mut Sent) -> Result<u64, Told> {
    let path = path(number);
    let form = Form::of(&serde_json::from_str(sent.one(SCHEMA)).unwrap_or_default());
    let mut there = Files::new();
    for file in std::mem::take(&mut sent.files) {
        let sm3 = files::upload(visit, &path, &file).await?;
        there.push((file.pointer, format!("{sm3} {}", material(&file.content_type))));
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
