//! `GET /v1/tickets/{ticket_no}/statements`: what everybody wrote in forms (reasons, findings, notes),
//! without what names somebody. Whoever sees an event reads what was written with it: an agency to
//! which a ticket comes reads why the one before gave it back. Must never show more of it than of the
//! events that it belongs to, nor a name otherwise than the caller's mask shows it.

use axum::Json;
use axum::extract::State;
use duban_core::definition::{Pin, Shelf};
use duban_core::event::{Acted, Event, Fact};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::super::Api;
use super::super::body::{NoQuery, Path, Query};
use super::super::caller::Caller;
use super::super::policy::Endpoint;
use super::super::problem::Problem;
use super::super::view::ticket::people;

/// What was written on a ticket, the oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatementsView {
    statements: Vec<StatementView>,
}

/// What was written with one action. None of what has been erased.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatementView {
    /// The number of its event.
    seq: u64,
    #[schema(example = "request_return")]
    action: String,
    /// In which role.
    #[schema(example = "agency")]
    role: String,
    agency: Option<String>,
    fields: Vec<WrittenView>,
}

/// A field with what was written.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WrittenView {
    /// JSON pointer within the form.
    #[schema(example = "/reason")]
    field: String,
    #[schema(example = "退单理由")]
    title: String,
    /// Names of people on the ticket, phones, identity numbers and the like are covered.
    text: String,
}

/// 各方在表单中填写的说明（已脱敏）
#[utoipa::path(
    get, path = "/v1/tickets/{ticket_no}/statements", tag = "tickets",
    params(("ticket_no" = String, Path, example = "HCP20260304000127-5")),
    responses(
        (status = 200, description = "按先后排列", body = StatementsView),
        (status = 404, description = "没有，或不在本单位", body = Problem),
    )
)]
pub(crate) async fn get(
    State(api): State<Api>,
    caller: Caller,
    Path(ticket_no): Path<String>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Json<StatementsView>, Problem> {
    let reach = caller.may(Endpoint::ReadTickets)?;
    let seen = api.seen(&reach, &ticket_no).await?;
    let store = api.engine.store();
    let until = seen.sight.until(&seen.loaded.instance);
    let events = store.events_until(seen.id, until).await?;
    let written = |event: &Event| match &event.fact {
        Fact::Acted(acted) => {
            Some((event.seq, acted.clone(), acted.sealed.as_ref()?.reference.to_string()))
        }
        _ => None,
    };
    let written: Vec<_> = events.iter().filter_map(written).collect();
    let references: Vec<&str> = written.iter().map(|(.., reference)| reference.as_str()).collect();
    let bodies = store.personal_of(&references).await?;
    let review = store.review_of(seen.id).await?;
    let review = match review {
        Some(review) => store.personal(&review.reference).await?,
        None => None,
    };
    let review: Value =
        review.and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default();
    let people = people(&review);
    let shown = |text: &str| caller.mask().text(text, &people);
    let shelf = api.engine.knowledge().context().shelf;
    let pin = &seen.loaded.instance.definition;
    let statement = |(seq, acted, reference): &(u64, Box<Acted>, String)| {
        let body: Value = serde_json::from_slice(bodies.get(reference)?).ok()?;
        let mut fields = Vec::new();
        collect(&body, schema(shelf, pin, acted), "", &mut |place, title, text| {
            fields.push(WrittenView { field: place, title, text: shown(text) });
        });
        Some(StatementView {
            seq: *seq,
            action: acted.action.to_string(),
            role: acted.role.word().to_owned(),
            agency: acted.agency.as_ref().map(ToString::to_string),
            fields,
        })
    };
    Ok(Json(StatementsView { statements: written.iter().filter_map(statement).collect() }))
}

/// The form of an action as the ticket's own workflow has it; what was done before a reclassification
/// has its form in another.
fn schema<'s>(shelf: &'s Shelf, pin: &Pin, acted: &Acted) -> Option<&'s Value> {
    shelf.pinned(pin).into_iter().chain(shelf.all()).find_map(|definition| {
        let action = definition.action(acted.action.as_str())?;
        Some(&definition.form(action.form.as_str())?.schema)
    })
}

/// Every text of a form's private part, with its place and its title.
fn collect(
    value: &Value,
    schema: Option<&Value>,
    place: &str,
    found: &mut dyn FnMut(String, String, &str),
) {
    match value {
        Value::Object(all) => {
            for (name, value) in all {
                let schema = schema.and_then(|schema| schema["properties"].get(name));
                collect(value, schema, &format!("{place}/{name}"), found);
            }
        }
        Value::Array(all) => {
            for (nth, value) in all.iter().enumerate() {
                let schema = schema.and_then(|schema| schema.get("items"));
                collect(value, schema, &format!("{place}/{nth}"), found);
            }
        }
        Value::String(text) => {
            let title = schema.and_then(|schema| schema["title"].as_str());
            let name = place.rsplit('/').next().unwrap_or_default();
            found(place.to_owned(), title.unwrap_or(name).to_owned(), text);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
