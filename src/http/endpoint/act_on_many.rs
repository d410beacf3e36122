//! `POST /v1/tickets/actions/{action}`: the same on many tickets, each by itself. Must never let one
//! ticket decide about another.

use std::collections::BTreeSet;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::super::body::{Body, NoQuery, Path, Query};
use super::super::caller::Caller;
use super::super::document::Filled;
use super::super::policy::Endpoint;
use super::super::problem::Problem;
use super::super::sight::{Seen, Sight};
use super::super::view::ticket::TicketView;
use super::super::{Api, keys};
use super::act::Deed;
use crate::engine::{Arrival, Keyed, Task};

/// Tickets in one request.
const ITEMS_MAX: usize = 500;

/// One form for many tickets.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "items": [{"ticket_no": "HCP20260304000127-5", "revision": 1}],
    "form": {"agency": "SZ013"},
    "dry_run": true
}))]
pub(crate) struct Many {
    /// 逐件办理，互不影响；一次最多 500 件
    #[schema(max_items = 500, min_items = 1)]
    items: Vec<Item>,
    /// 该动作的表单，对每件工单相同
    #[serde(default = "empty")]
    #[schema(value_type = Filled)]
    form: Value,
    /// true：只预演，不办理
    #[serde(default)]
    dry_run: bool,
}

fn empty() -> Value {
    json!({})
}

/// A ticket.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Item {
    ticket_no: String,
    /// 所依据的修订
    #[serde(default)]
    revision: Option<u32>,
}

/// What became of each.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ManyView {
    /// Whether it was only tried.
    dry_run: bool,
    /// How many were done, or would be.
    done: usize,
    /// How many were refused.
    refused: usize,
    /// In the order of the request.
    results: Vec<ResultView>,
}

/// What became of one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ResultView {
    ticket_no: String,
    /// The status that the action alone would have been answered with.
    status: u16,
    /// The same key had asked for it before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    replayed: bool,
    /// As it is now, or would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<TicketView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

/// 对多件工单办理同一动作；dry_run 为 true 时只预演
#[utoipa::path(
    post, path = "/v1/tickets/actions/{action}", tag = "tickets", request_body = Many,
    params(
        ("action" = String, Path, example = "urge"),
        ("Idempotency-Key" = Option<String>, Header, description = "重试时使用同一个键；已办成的不再办，未办成的再办一次"),
    ),
    responses(
        (status = 200, description = "逐件的结果", body = ManyView),
        (status = 422, description = "件数不对，或有重复", body = Problem),
    )
)]
pub(crate) async fn post(
    State(api): State<Api>,
    caller: Caller,
    Query(NoQuery {}): Query<NoQuery>,
    Path(action): Path<String>,
    headers: HeaderMap,
    Body { value: many, bytes }: Body<Many>,
) -> Result<Response, Problem> {
    let arrival = api.engine.arrive().await;
    let operation = format!("POST /v1/tickets/actions/{action}");
    let key = keys::keyed(&headers, &caller, &operation, &bytes, 200)?;
    let reach = caller.may(Endpoint::Act)?;
    check(&many)?;
    let Many { items, form, dry_run } = many;
    let deed = Deed { api: &api, caller: &caller, reach: &reach, action: &action, form: &form };
    let work = Work(deed);
    let is_done = |one: &ResultView| one.problem.is_none();
    let (results, repeated) = if dry_run {
        if key.is_some() {
            let say = "预演不办理任何工单，不用 Idempotency-Key";
            return Err(Problem::bad_request(say));
        }
        (work.rehearse(&arrival, items).await?, false)
    } else {
        let turn = api.engine.turn(key.as_ref(), 0).await?;
        let results = work.carry_out(&arrival, items, key.as_ref(), &bytes).await;
        let is_known = |one: &ResultView| one.problem.as_ref().is_none_or(|it| it.status() < 500);
        if results.iter().any(is_done) {
            api.engine.end_turn(turn, 200).await;
        } else if results.iter().all(is_known) {
            // As a single request that was refused: it may come again, put right.
            api.engine.give_up_turn(turn).await;
        }
        // Items that were refused before may have been done now.
        let mut done = results.iter().filter(|one| is_done(one)).peekable();
        let repeated = done.peek().is_some() && done.all(|one| one.replayed);
        (results, repeated)
    };
    let done = results.iter().filter(|one| is_done(one)).count();
    let refused = results.len() - done;
    let mut response = Json(ManyView { dry_run, done, refused, results }).into_response();
    keys::mark(&mut response, repeated);
    Ok(response)
}

fn check(many: &Many) -> Result<(), Problem> {
    if !(1..=ITEMS_MAX).contains(&many.items.len()) {
        return Err(Problem::field("items", format!("应为 1 至 {ITEMS_MAX} 件")));
    }
    if !many.form.is_object() {
        return Err(Problem::field("form", "表单应为 JSON 对象"));
    }
    let mut seen = BTreeSet::new();
    let again = many.items.iter().position(|item| !seen.insert(item.ticket_no.as_str()));
    match again {
        Some(place) => Err(Problem::field(&format!("items/{place}/ticket_no"), "同一工单写了两次")),
        None => Ok(()),
    }
}

/// One action with one form, for many tickets.
struct Work<'w>(Deed<'w>);

impl Work<'_> {
    /// All are under way together: they share commits.
    async fn carry_out(
        &self,
        arrival: &Arrival<'_>,
        items: Vec<Item>,
        key: Option<&Keyed>,
        body: &Bytes,
    ) -> Vec<ResultView> {
        let each = items.into_iter().map(|item| async move {
            let key = key.map(|key| of_item(key, &item.ticket_no, body));
            let done = self.one(arrival, &item, key).await;
            ResultView::new(item.ticket_no, done)
        });
        futures::future::join_all(each).await
    }

    async fn one(
        &self,
        arrival: &Arrival<'_>,
        item: &Item,
        key: Option<Keyed>,
    ) -> Result<(TicketView, bool), Problem> {
        let seen = self.0.api.seen(self.0.reach, &item.ticket_no).await?;
        let (seen, done) = self.0.carry_out(arrival, seen, item.revision, key).await?;
        let view = self.shown(seen).await?;
        Ok((view.with_receipt(done.receipt), done.repeated))
    }

    /// What would become of each, if it were done now; nothing is.
    async fn rehearse(
        &self,
        arrival: &Arrival<'_>,
        items: Vec<Item>,
    ) -> Result<Vec<ResultView>, Problem> {
        let prepared = items.iter().map(|item| self.task(item));
        let prepared = futures::future::join_all(prepared).await;
        let (mut tasks, mut found) = (Vec::new(), Vec::new());
        for one in prepared {
            found.push(one.map(|(seen, task)| {
                tasks.push(task);
                seen
            }));
        }
        let mut tried = self.0.api.engine.rehearse(arrival, tasks).await.into_iter();
        let mut results = Vec::with_capacity(items.len());
        for (item, found) in items.into_iter().zip(found) {
            let would = match found {
                Ok(mut seen) => match tried.next().ok_or_else(Problem::fault)? {
                    Ok(instance) => {
                        seen.loaded.instance = instance;
                        self.shown(seen).await.map(|view| (view, false))
                    }
                    Err(declined) => Err(declined.into()),
                },
                Err(problem) => Err(problem),
            };
            results.push(ResultView::new(item.ticket_no, would));
        }
        Ok(results)
    }

    /// A ticket without its review. An agency that no longer has it sees its own part, here as
    /// everywhere.
    async fn shown(&self, seen: Seen) -> Result<TicketView, Problem> {
        if seen.sight == Sight::Whole {
            let at = self.0.api.engine.clock().now();
            return self.0.api.listed(self.0.caller, &seen.loaded, at);
        }
        self.0.api.view(self.0.caller, seen).await
    }

    async fn task(&self, item: &Item) -> Result<(Seen, Task), Problem> {
        let seen = self.0.api.seen(self.0.reach, &item.ticket_no).await?;
        let task = self.0.task(&seen, item.revision).await?;
        Ok((seen, task))
    }
}

/// Each ticket has the key for itself: what was done is not done again when the rest is.
fn of_item(key: &Keyed, ticket_no: &str, body: &Bytes) -> Keyed {
    let mut key = key.clone();
    key.key.operation = format!("{}#{ticket_no}", key.key.operation);
    key.body = body.as_ref().into();
    key
}

impl ResultView {
    fn new(ticket_no: String, done: Result<(TicketView, bool), Problem>) -> Self {
        match done {
            Ok((view, replayed)) => {
                Self { ticket_no, status: 200, replayed, ticket: Some(view), problem: None }
            }
            Err(problem) => {
                let status = problem.status();
                Self { ticket_no, status, replayed: false, ticket: None, problem: Some(problem) }
            }
        }
    }
}
