//! `/bulk`: the same on many tickets: what it would do to each is shown first, then what it did. Must
//! never do anything that was not tried on the page before.

mod outcome;

use std::collections::BTreeSet;

use axum::extract::Multipart;
use axum::http::StatusCode;
use axum::response::Response;
use futures::future::join_all;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::console::ask::segment;
use crate::console::part::form;
use crate::console::schema::{Choices, Draw, Form, Sent};
use crate::console::shape::rules::Rules;
use crate::console::told::Told;
use crate::console::visit::Visit;
use crate::console::words::Lang;
use crate::crypto;
use outcome::Many;

/// What can be done on many tickets: the action, and how it is called.
const ACTIONS: &[(&str, &str, &str)] = &[
    ("urge", "催办", "Urge"),
    ("supervise", "督办", "Supervise"),
    ("dispatch", "转办", "Dispatch"),
    ("sign", "签收", "Sign"),
];

/// What the form was drawn from.
const SCHEMA: &str = "schema";

/// What was filled in when it was tried.
const TRIED: &str = "tried";

/// Tickets that are looked at together for the form.
const LOOKED_AT: usize = 20;

/// Those that somebody of a role may do on many tickets.
pub(in crate::console) fn actions(
    lang: Lang,
    role: &str,
) -> impl Iterator<Item = (&'static str, &'static str)> {
    let own: &[&str] = match role {
        "hotline" | "supervisor" => &["urge", "supervise", "dispatch"],
        "agency" | "agency_lead" => &["sign"],
        _ => &[],
    };
    let all = ACTIONS.iter().filter(|(name, ..)| own.contains(name));
    all.map(move |(name, chinese, english)| (*name, lang.of(chinese, english)))
}

fn title(lang: Lang, action: &str) -> &str {
    let found = ACTIONS.iter().find(|(name, ..)| *name == action);
    found.map_or(action, |(_, chinese, english)| lang.of(chinese, english))
}

#[derive(Deserialize)]
struct Actions {
    actions: Vec<Open>,
}

#[derive(Deserialize)]
struct Open {
    action: String,
    schema: Value,
}

/// How far somebody is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The form is to be filled in.
    Asked,
    /// It was tried.
    Tried,
    Done,
}

pub(in crate::console) async fn post(visit: Visit, body: Multipart) -> Response {
    let title = visit.lang.of("批量办理", "Many at once");
    let sent = match Sent::read(body, visit.lang).await {
        Ok(sent) => sent,
        Err(told) => return visit.page(title, Err(told)),
    };
    if !form::is_sealed(&visit, sent.one(form::SEAL)) {
        return visit.foreign();
    }
    let (body, status) = match work(&visit, &sent).await {
        Ok((body, told)) => (Ok(body), told.map_or(StatusCode::OK, |told| told.status())),
        Err(told) => return visit.page(title, Err(told)),
    };
    let mut response = visit.page(title, body);
    *response.status_mut() = status;
    response
}

/// The page, and why nothing was tried or done.
async fn work(visit: &Visit, sent: &Sent) -> Result<(Markup, Option<Told>), Told> {
    let lang = visit.lang;
    // One that two of its deadlines brought into a list is one ticket.
    let mut numbers = BTreeSet::new();
    let tickets = sent.all("ticket").filter(|ticket| numbers.insert(split(ticket).0));
    let tickets: Vec<&str> = tickets.collect();
    if tickets.is_empty() {
        return Err(Told::nothing_chosen(lang));
    }
    let action = sent.one("action");
    let schema = match serde_json::from_str(sent.one(SCHEMA)) {
        Ok(schema) => schema,
        Err(_) => schema_of(visit, action, &tickets).await?,
    };
    let form = Form::of(&schema);
    let rules = Rules::of(&visit.ask).await?;
    // What is filled in otherwise than it was tried is tried anew.
    let is_tried = sent.one(TRIED) == tried(&tickets, sent, &form);
    let stage = match sent.one("stage") {
        "do" if is_tried => Stage::Done,
        "" if !form.needs_nothing() => Stage::Asked,
        _ => Stage::Tried,
    };
    let mut told = None;
    let mut many = None;
    if stage != Stage::Asked {
        match carry_out(visit, sent, action, &tickets, &form, stage == Stage::Tried).await {
            Ok(done) => many = Some(done),
            // Nothing that was chosen or typed is lost: it can be sent again.
            Err(problem) => told = Some(problem),
        }
    }
    let draw = Draw {
        lang,
        choices: &choices(&rules),
        sent,
        told: match (&told, &many) {
            (Some(told), _) => &told.errors,
            (None, Some(many)) => many.faults(),
            (None, None) => &[],
        },
        now: visit.me.at,
    };
    let is_done = stage == Stage::Done && many.is_some();
    let is_over = is_done && many.as_ref().is_some_and(|many| many.passing() == 0);
    let next = many.as_ref().and_then(|many| many.next(lang, title(lang, action), is_done));
    let own = sent.one("key");
    // What was sent under a key before, and otherwise, is something else now.
    let is_used = own.is_empty() || told.as_ref().is_some_and(Told::is_repeated);
    let key = if is_used { crypto::identity().to_string() } else { own.to_owned() };
    let page = html! {
        section.panel {
            header { h1 { (title(lang, action)) } small { (counted(lang, tickets.len())) } }
            @if let Some(many) = &many { (many.summary(lang, is_done)) }
            @if let Some(told) = &told { div.said.wrong role="alert" {
                p { b { (told.title(lang)) } "：" (told.detail) }
                @for fault in told.errors.iter().filter(|fault| !fault.field.starts_with("/form")) { p { (fault.message) } }
            } }
            @if !is_over { (again(visit, sent, (action, &schema, &key), &tickets, next.as_deref(), &draw.form(&form))) }
            @else { p { a.button href="/tickets" { (lang.of("回到工单", "Back to tickets")) } } }
        }
        @if let Some(many) = &many { (many.outcomes(lang, is_done)) }
    };
    Ok((page, told))
}

/// What can be chosen for many: agencies.
fn choices(rules: &Rules) -> Choices {
    let agencies = rules.register.agencies();
    let agencies = agencies.map(|(code, name)| (code.to_owned(), name.to_owned())).collect();
    Choices { agencies, ..Choices::default() }
}

/// What is tried: this form on these tickets.
fn tried(tickets: &[&str], sent: &Sent, form: &Form) -> String {
    json!([tickets, sent.json(form)]).to_string()
}

/// The form of an action: of the first of these tickets on which it can be done.
async fn schema_of(visit: &Visit, action: &str, tickets: &[&str]) -> Result<Value, Told> {
    let path = |ticket: &&str| format!("/v1/tickets/{}/actions", segment(split(ticket).0));
    for some in tickets.chunks(LOOKED_AT) {
        let paths: Vec<String> = some.iter().map(path).collect();
        let found = join_all(paths.iter().map(|path| visit.ask.get::<Actions>(path))).await;
        // One that has gone to somebody else meanwhile is told with the others.
        let mut open = found.into_iter().flatten().flat_map(|open| open.actions);
        if let Some(open) = open.find(|open| open.action == action) {
            return Ok(open.schema);
        }
    }
    Err(Told::not_possible(visit.lang))
}

/// Tries it, or does it.
async fn carry_out(
    visit: &Visit,
    sent: &Sent,
    action: &str,
    tickets: &[&str],
    form: &Form,
    is_trial: bool,
) -> Result<Many, Told> {
    let items: Vec<Value> = tickets
        .iter()
        .map(|ticket| {
            let (number, revision) = split(ticket);
            json!({"ticket_no": number, "revision": revision})
        })
        .collect();
    let asked = json!({"items": items, "form": sent.json(form), "dry_run": is_trial});
    let key = [("idempotency-key", sent.one("key").to_owned())];
    let headers = if is_trial { &[][..] } else { &key[..] };
    let path = format!("/v1/tickets/actions/{}", segment(action));
    Ok(visit.ask.post_with::<Many>(&path, headers, &asked).await?.plain(visit.lang))
}

/// A ticket with the revision that was seen of it, as a list sends it.
pub(in crate::console) fn chosen(number: &str, revision: Option<u32>) -> String {
    revision.map_or_else(|| number.to_owned(), |revision| format!("{number} {revision}"))
}

/// A ticket's number and the revision that was seen of it.
fn split(ticket: &str) -> (&str, Option<u32>) {
    let (number, revision) = ticket.split_once(' ').unwrap_or((ticket, ""));
    (number, revision.parse().ok())
}

fn counted(lang: Lang, count: usize) -> String {
    match lang {
        Lang::Chinese => format!("已选 {count} 件"),
        Lang::English => format!("{count} chosen"),
    }
}

/// The form once more: to be tried, and once it was, to be done.
fn again(
    visit: &Visit,
    sent: &Sent,
    (action, schema, key): (&str, &Value, &str),
    tickets: &[&str],
    next: Option<&str>,
    fields: &Markup,
) -> Markup {
    let lang = visit.lang;
    let filled = tried(tickets, sent, &Form::of(schema));
    html! {
        form.deed method="post" action="/bulk" enctype="multipart/form-data" data-once {
            (form::seal(visit))
            input type="hidden" name="action" value=(action);
            input type="hidden" name="key" value=(key);
            input type="hidden" name=(SCHEMA) value=(schema);
            input type="hidden" name=(TRIED) value=(filled);
            @for ticket in tickets { input type="hidden" name="ticket" value=(ticket); }
            (fields)
            div.foot {
                button name="stage" value="try" { (lang.of("预演", "Try")) }
                @if let Some(next) = next { button.main name="stage" value="do" { (next) } }
            }
        }
    }
}
