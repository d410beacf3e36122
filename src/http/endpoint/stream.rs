//! `GET /v1/stream`: every commit once, in the one order, as it is made; who was away goes on where
//! he was. Must never show a caller what his token does not reach, nor how much that is.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use duban_core::ticket_id::TicketId;
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::Instant;
use utoipa::IntoParams;

use super::super::Api;
use super::super::body::Query;
use super::super::caller::Caller;
use super::super::limits::Slot;
use super::super::policy::{Endpoint, Reach};
use super::super::problem::Problem;
use super::super::view::commit::{ChangedView, CommitView};
use super::super::view::event::EventView;
use crate::crypto;
use crate::store::{CommitPlace, Loaded, Recorded};

/// A sign of life, so that nobody in between thinks that the connection is dead; and how long a
/// token may have been revoked before the stream ends.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How often commits of other processes are looked for.
const LOOK: Duration = Duration::from_secs(1);

/// Commits read at once.
const COMMITS: u64 = 64;

/// Events after which no further commit is read at once.
const EVENTS: i64 = 2_000;

/// How soon a reader comes again, in milliseconds.
const RETRY: Duration = Duration::from_secs(1);

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct From {
    /// 从此处之后起：此前收到的 id；start 为从头起；不写则从现在起。请求头 Last-Event-ID 优先
    #[param(example = "start")]
    after: Option<String>,
}

/// 订阅变更：每次提交一条，按先后，不漏不重（server-sent events）
#[utoipa::path(
    get, path = "/v1/stream", tag = "tickets",
    params(
        From,
        ("Last-Event-ID" = Option<String>, Header, description = "此前收到的最后一个 id"),
    ),
    responses(
        (status = 200, description = "event: commit；data 为 CommitView", body = CommitView, content_type = "text/event-stream"),
        (status = 422, description = "不是本接口给出的 id", body = Problem),
    )
)]
pub(crate) async fn get(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Query(From { after }): Query<From>,
) -> Result<Response, Problem> {
    let reach = caller.may(Endpoint::ReadTickets)?;
    let header = headers.get("last-event-id").map(|id| id.to_str().unwrap_or("?"));
    let head = api.engine.store().commits_head().await?;
    let at = match header.or(after.as_deref()) {
        None => head,
        Some("start") if header.is_none() => 0,
        Some(id) => {
            let number = crypto::reveal(&api.keys.stream, id).filter(|number| *number <= head);
            let wrong =
                || Problem::field("after", "不是本接口给出的 id；请从头（start）或从现在起");
            number.ok_or_else(wrong)?
        }
    };
    let slot = api.limits.stream(caller.token)?;
    let reader = Reader::new(api, caller, reach, at, slot);
    let events = futures::stream::unfold(reader, |mut reader| async move {
        let event = reader.next().await?;
        Some((Ok::<_, Infallible>(event), reader))
    });
    let mut response = Sse::new(events).into_response();
    // A proxy that gathers would keep everybody waiting.
    let unbuffered = (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response.headers_mut().extend([unbuffered]);
    Ok(response)
}

/// Somebody who reads along.
struct Reader {
    api: Api,
    caller: Caller,
    reach: Reach,
    /// The last commit that he has been shown, or that was none of his.
    at: i64,
    ready: VecDeque<Event>,
    commits: watch::Receiver<()>,
    stopping: watch::Receiver<bool>,
    heartbeat: Instant,
    _slot: Slot,
}

impl Reader {
    fn new(api: Api, caller: Caller, reach: Reach, at: i64, slot: Slot) -> Self {
        let (commits, stopping) = (api.engine.wake().commits(), api.stopping.clone());
        // Where he is, even if he is gone before anything happens.
        let first = Event::default().id(api.place(at)).retry(RETRY);
        let (ready, heartbeat) = (VecDeque::from([first]), Instant::now() + HEARTBEAT);
        Self { api, caller, reach, at, ready, commits, stopping, heartbeat, _slot: slot }
    }

    /// The next event; none where the stream ends.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if *self.stopping.borrow() {
                return None;
            }
            self.commits.borrow_and_update();
            // Whoever cannot be shown more now comes again later.
            let Ok(is_behind) = self.read().await else { return None };
            let now = Instant::now();
            if now >= self.heartbeat {
                self.heartbeat = now + HEARTBEAT;
                self.caller.still_counts(&self.api).await.ok()?;
                // Behind what he has just read stands where that ends.
                let here = Event::default().id(self.api.place(self.at));
                self.ready.push_back(here);
            }
            if is_behind || !self.ready.is_empty() {
                continue;
            }
            tokio::select! {
                _ = self.commits.changed() => {}
                _ = self.stopping.wait_for(|stopping| *stopping) => return None,
                () = tokio::time::sleep_until(self.heartbeat.min(now + LOOK)) => {}
            }
        }
    }

    /// Reads on; whether there was anything.
    async fn read(&mut self) -> Result<bool, Problem> {
        let store = self.api.engine.store();
        let mut commits = store.commits_after(self.at, COMMITS).await?;
        let mut events = 0;
        let fit = commits.iter().take_while(|commit| {
            let fits = events < EVENTS;
            events += commit.last_position + 1 - commit.first_position;
            fits
        });
        commits.truncate(fit.count());
        let (Some(first), Some(last)) = (commits.first(), commits.last()) else {
            return Ok(false);
        };
        self.caller.still_counts(&self.api).await?;
        let events = store.events_between(first.first_position, last.last_position).await?;
        let mut ids: Vec<TicketId> = events.iter().map(|event| event.ticket).collect();
        ids.sort_unstable();
        ids.dedup();
        let loaded = store.load(&ids).await?.into_iter();
        let tickets: BTreeMap<TicketId, Loaded> =
            loaded.filter_map(|(id, one)| Some((id, one.ok()?))).collect();
        for commit in &commits {
            let of = |event: &&Recorded| {
                (commit.first_position..=commit.last_position).contains(&event.position)
            };
            let events: Vec<&Recorded> = events.iter().filter(of).collect();
            if let Some(event) = self.shown(commit, &events, &tickets).await? {
                self.ready.push_back(event);
            }
            self.at = commit.number;
        }
        Ok(true)
    }

    /// A commit as this reader sees it; none where nothing of it is his.
    async fn shown(
        &self,
        commit: &CommitPlace,
        events: &[&Recorded],
        tickets: &BTreeMap<TicketId, Loaded>,
    ) -> Result<Option<Event>, Problem> {
        let (mut changed, mut unreadable) = (Vec::new(), Vec::new());
        let is_all = self.reach == Reach::All;
        for of_ticket in events.chunk_by(|one, next| one.ticket == next.ticket) {
            let Some(ticket) = of_ticket.first().map(|one| one.ticket) else { continue };
            let Some(loaded) = tickets.get(&ticket) else {
                // Whose it is cannot be said; whoever sees everything is told.
                unreadable.extend(is_all.then_some(ticket));
                continue;
            };
            let Some(sight) = self.api.sight(&self.reach, &loaded.instance).await? else {
                continue;
            };
            let until = sight.until(&loaded.instance);
            let seen: Vec<_> = of_ticket.iter().filter(|event| event.seq <= until).collect();
            if seen.is_empty() {
                continue;
            }
            let context = self.api.engine.knowledge().context();
            let Ok(definition) = context.definition(&loaded.instance) else {
                unreadable.push(ticket);
                continue;
            };
            let hides = |deadline: &str| definition.hides(deadline, self.caller.role);
            let events: Result<Vec<EventView>, Problem> =
                seen.into_iter().map(|event| EventView::new(event, hides)).collect();
            match events {
                Ok(events) => {
                    let ticket_no = loaded.ticket_no.clone();
                    changed.push(ChangedView { ticket_no, events });
                }
                // One bad event must not end the stream for all that comes after it.
                Err(_) => unreadable.push(ticket),
            }
        }
        let unreadable: Vec<String> =
            self.api.engine.store().ticket_numbers(&unreadable).await?.into_values().collect();
        if !unreadable.is_empty() {
            let view = CommitView::new(commit, is_all, changed, unreadable);
            return self.event(commit, view).map(Some);
        }
        if changed.is_empty() && !is_all {
            return Ok(None);
        }
        self.event(commit, CommitView::new(commit, is_all, changed, unreadable)).map(Some)
    }

    fn event(&self, commit: &CommitPlace, view: CommitView) -> Result<Event, Problem> {
        let event = Event::default().event("commit").id(self.api.place(commit.number));
        event.json_data(view).map_err(|_| Problem::fault())
    }
}

impl Api {
    /// A place in the order of commits as callers carry it: of two places nobody can tell how far
    /// they are apart.
    fn place(&self, number: i64) -> String {
        crypto::conceal(&self.keys.stream, number)
    }
}
