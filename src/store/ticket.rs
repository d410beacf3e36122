//! Tickets as the next decision needs them. Must never show a ticket to a person: that is what
//! lists and views are for.

use std::collections::BTreeMap;
use std::sync::Arc;

use duban_core::apply::replay;
use duban_core::definition::Status;
use duban_core::digest::Digest;
use duban_core::event::Event;
use duban_core::instance::Instance;
use duban_core::limits::EVENTS_MAX;
use duban_core::name::Name;
use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use sea_orm::Order::Asc;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryResult, QuerySelect};
use uuid::Uuid;

use super::claim::due;
use super::entity::ticket;
use super::legible::LAST_NUMBER;
use super::rows::word;
use super::{Store, StoreError, stored};

/// A ticket as the next decision needs it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The number that people use.
    pub ticket_no: String,
    /// Guards the row.
    pub version: i64,
    /// The hash of its last event.
    pub head: Digest,
    /// Where its review came from.
    pub source: Name,
    /// The code of the matter that was rated.
    pub matter: Name,
    /// When the lane looks at it next, by its row; none where an incident keeps time from moving it
    /// on, or there is nothing to come.
    pub wake_at: Option<Instant>,
    /// The ticket.
    pub instance: Arc<Instance>,
}

impl Loaded {
    /// Whether an incident keeps time from moving it on.
    #[must_use]
    pub fn is_held(&self) -> bool {
        // Only an incident takes the wake-up away from a ticket that has one.
        self.wake_at.is_none() && self.instance.next_wake().is_some()
    }
}

/// A ticket, or why its stored bytes could not be read.
pub type Readable = Result<Loaded, StoreError>;

impl Store {
    /// These tickets, in the order in which rows are locked. A ticket that cannot be read stands
    /// alone with its error; one that is not there is left out.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn load(&self, ids: &[TicketId]) -> Result<Vec<(TicketId, Readable)>, StoreError> {
        // Without a limit, since there are no more: see [`Store::ticket_of`].
        let of_these = |_| {
            let mut query = stored::of_tickets();
            query.and_where(Expr::col(("ticket", "id")).is_in(ids.iter().map(|id| id.0)));
            query.order_by(("ticket", "root"), Asc).order_by(("ticket", "id"), Asc);
            query
        };
        self.readable(ids.len() as u64, of_these).await
    }

    /// The tickets of which something is due at or before an instant, the earliest first, in the
    /// state in which they are.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn due(
        &self,
        at: Instant,
        limit: u64,
    ) -> Result<Vec<(TicketId, Readable)>, StoreError> {
        self.readable(limit, |limit| due(at, None, limit)).await
    }

    /// When time next brings something about on any ticket.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn next_wake(&self) -> Result<Option<Instant>, StoreError> {
        // Of a ticket that can be found: else time would wait for what nobody works off.
        let read = |row: &QueryResult| {
            row.try_get_by_index::<Uuid>(1)?;
            Ok(Instant::from_ms(row.try_get_by_index(0)?))
        };
        Ok(self.read.legible("snapshot", 1, first_to_wake, read).await?.pop())
    }

    /// Tickets that were closed at or before an instant and are not archived, the earliest first,
    /// each with when that was.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn closed_until(
        &self,
        at: Instant,
        after: Option<(Instant, TicketId)>,
        limit: u64,
    ) -> Result<Vec<(Instant, TicketId, Readable)>, StoreError> {
        let mut closed = Vec::new();
        for (id, row) in self.read.rows(limit, |limit| closed_until(at, after, limit)).await? {
            let since = match &row {
                Ok(row) => Some(row.step_since),
                Err(_) => self.instant(("ticket", "id"), id, "step_since").await?,
            };
            let since = Instant::from_ms(since.unwrap_or_else(|| at.ms()));
            closed.push((since, TicketId(id), self.loaded(id, row).await));
        }
        Ok(closed)
    }

    /// The ticket of a number.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn ticket_of(&self, ticket_no: &str) -> Result<Option<TicketId>, StoreError> {
        let query = ticket::Entity::find()
            .select_only()
            .column(ticket::Column::Id)
            .filter(ticket::Column::TicketNo.eq(ticket_no));
        // Not `one`: SQLite plans a statement with a bound limit anew each time.
        Ok(query.into_tuple::<Uuid>().all(&self.read).await?.pop().map(TicketId))
    }

    /// The numbers of tickets.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn ticket_numbers(
        &self,
        ids: &[TicketId],
    ) -> Result<BTreeMap<TicketId, String>, StoreError> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let query = ticket::Entity::find()
            .select_only()
            .columns([ticket::Column::Id, ticket::Column::TicketNo])
            .filter(ticket::Column::Id.is_in(ids.iter().map(|id| id.0)));
        let rows = query.into_tuple::<(Uuid, String)>().all(&self.read).await?;
        Ok(rows.into_iter().map(|(id, number)| (TicketId(id), number)).collect())
    }

    /// A ticket out of its whole history.
    ///
    /// # Errors
    /// The database does not answer, or its history is none.
    pub async fn replayed(&self, id: TicketId) -> Result<Instance, StoreError> {
        relived(&self.events_until(id, EVENTS_MAX).await?)
    }

    async fn readable(
        &self,
        limit: u64,
        statement: impl Fn(u64) -> SelectStatement,
    ) -> Result<Vec<(TicketId, Readable)>, StoreError> {
        let mut loaded = Vec::new();
        for (id, row) in self.read.rows(limit, statement).await? {
            loaded.push((TicketId(id), self.loaded(id, row).await));
        }
        Ok(loaded)
    }
}

fn first_to_wake(limit: u64) -> SelectStatement {
    let mut query = Query::select();
    query.columns(["wake_at", "ticket"]).from("snapshot");
    query.and_where(Expr::col("wake_at").is_not_null());
    query.and_where(Expr::col("wake_at").lte(LAST_NUMBER));
    query.order_by("wake_at", Asc).limit(limit);
    query
}

fn closed_until(at: Instant, after: Option<(Instant, TicketId)>, limit: u64) -> SelectStatement {
    let since = || Expr::col(("ticket", "step_since"));
    let mut query = stored::of_tickets();
    query.and_where(Expr::col(("ticket", "status")).eq(word(Status::Closed.word())));
    query.and_where(since().lte(at.ms()));
    if let Some((last, id)) = after {
        let later = since().eq(last.ms()).and(Expr::col(("ticket", "id")).gt(id.0));
        query.and_where(since().gt(last.ms()).or(later));
    }
    query.order_by(("ticket", "step_since"), Asc).order_by(("ticket", "id"), Asc);
    query.limit(limit);
    query
}

/// The ticket that events make.
///
/// # Errors
/// They are no history, or not from its beginning.
pub fn relived(events: &[Event]) -> Result<Instance, StoreError> {
    let ticket = |error| StoreError::unreadable(format!("工单的历史：{error}"));
    replay(events).map_err(ticket)
}
