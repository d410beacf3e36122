//! What is done now and then: publications are worked in, closed tickets archived, old requests
//! forgotten. Must never do what a definition does not allow: archiving is an action like any.

use duban_core::definition::{Case, Next, Status};
use duban_core::instance::Instance;
use duban_core::name::Name;
use duban_core::role::{Actor, Role};
use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use serde_json::json;

use super::request::{Outcome, Request, Task, Work};
use super::{Engine, order};
use crate::clock;
use crate::store::StoreError;

const DAY_MS: i64 = 86_400_000;

/// How long after its closing a ticket is archived (`regulation/state-machines.md`, `closed`).
pub const ARCHIVE_AFTER_DAYS: i64 = 180;

/// How long the key of a repeated request is known (DESIGN, "What happens when" 10).
const REQUESTS_KEPT_DAYS: i64 = 7;

/// How long it is known who was in the console.
const SESSIONS_KEPT_DAYS: i64 = 30;

/// What one round came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Housekept {
    /// Tickets whose deadlines were computed anew.
    pub recomputed: usize,
    /// Tickets that were archived.
    pub archived: usize,
    /// Whether there is nothing left to do.
    pub finished: bool,
}

impl Engine {
    /// One round over up to `batch` tickets.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn housekeep(&self, batch: u64) -> Result<Housekept, StoreError> {
        let recomputed = self.recompute_published(batch).await?;
        let archived = self.archive_closed(batch).await?;
        let now = self.inner.clock.now();
        let before = now.plus_ms(-REQUESTS_KEPT_DAYS * DAY_MS);
        let forgotten = self.inner.store.forget_requests(before, batch).await?;
        // People come in by the clock on the wall, however fast a simulated one goes.
        let long_ago = clock::wall().plus_ms(-SESSIONS_KEPT_DAYS * DAY_MS);
        let sessions = self.inner.store.forget_sessions(long_ago, batch).await?;
        let finished =
            recomputed.finished && archived == 0 && forgotten < batch && sessions < batch;
        Ok(Housekept { recomputed: recomputed.recomputed, archived, finished })
    }

    /// When a closed ticket is next to be archived.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn next_archiving(&self) -> Result<Option<Instant>, StoreError> {
        let now = self.inner.clock.now();
        let far = Instant::from_ms(i64::MAX / 2);
        let since = now.plus_ms(-ARCHIVE_AFTER_DAYS * DAY_MS);
        // Those that could have been and were not wait for something else.
        let after = Some((since, TicketId::from_number(u128::MAX)));
        let next = self.inner.store.closed_until(far, after, 1).await?;
        Ok(next.first().map(|(since, ..)| since.plus_ms(ARCHIVE_AFTER_DAYS * DAY_MS)))
    }

    async fn archive_closed(&self, batch: u64) -> Result<usize, StoreError> {
        let inner = &self.inner;
        let now = inner.clock.now();
        let until = now.plus_ms(-ARCHIVE_AFTER_DAYS * DAY_MS);
        let mut after = None;
        loop {
            let closed = inner.store.closed_until(until, after, batch).await?;
            let Some((since, last, _)) = closed.last() else { return Ok(0) };
            after = Some((*since, *last));
            let closed: Vec<_> = closed.into_iter().map(|(_, id, one)| (id, one)).collect();
            let arrived_at = order::settled_until(now, inner.clock.settle_ms());
            let works: Vec<Work> = closed
                .iter()
                .filter_map(|(ticket, one)| {
                    let action = self.archiving(&one.as_ref().ok()?.instance)?;
                    let task = Task::Act {
                        ticket: *ticket,
                        action,
                        actor: Actor::system(),
                        form: json!({}),
                        revision: None,
                        fault: None,
                        original: None,
                    };
                    Some(Work::new(Request { arrived_at, task, key: None }))
                })
                .collect();
            if works.is_empty() {
                continue;
            }
            let outcomes = inner.carry_out(works, closed).await;
            let archived = outcomes.iter().filter(|one| matches!(one, Outcome::Done(_))).count();
            if archived > 0 {
                return Ok(archived);
            }
        }
    }

    /// The action by which duban itself archives a ticket of this definition.
    fn archiving(&self, instance: &Instance) -> Option<Name> {
        let definition = self.inner.knowledge.context().definition(instance).ok()?;
        let step = definition.step(instance.step.as_str())?;
        let archives = |case: &Case| match &case.next {
            Some(Next::Step(next)) => {
                definition.step(next.as_str()).is_some_and(|next| next.status == Status::Archived)
            }
            _ => false,
        };
        let mut possible = definition.possible_in(step);
        let found = possible
            .find(|action| action.by.contains(&Role::System) && action.cases.iter().any(archives));
        found.map(|action| action.name.clone())
    }
}
