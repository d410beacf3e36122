//! Tickets as the next decision needs them. Must never show a ticket to a person: that is what
//! lists and views are for.

use std::collections::BTreeMap;

use duban_core::apply::replay;
use duban_core::definition::Status;
use duban_core::digest::Digest;
use duban_core::event::Event;
use duban_core::instance::Instance;
use duban_core::limits::EVENTS_MAX;
use duban_core::name::Name;
use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use uuid::Uuid;

use super::entity::ticket;
use super::event::digest;
use super::rows::word;
use super::{Store, StoreError};

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
    pub instance: Instance,
}

impl Loaded {
    /// Whether an incident keeps time from moving it on.
    #[must_use]
    pub fn is_held(&self) -> bool {
        // Only an incident takes the wake-up away from a ticket that has one.
        self.wake_at.is_none() && self.instance.next_wake().is_some()
    }
}

/// The row of a ticket, or why it is none.
pub(super) type Row = Result<ticket::Model, StoreError>;

/// A ticket, or why its stored bytes could not be read.
pub type Readable = Result<Loaded, StoreError>;

impl Store {
    /// These tickets, in the order in which rows are locked. A ticket that cannot be read stands
    /// alone with its error; one that is not there is left out.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn load(&self, ids: &[TicketId]) -> Result<Vec<(TicketId, Readable)>, StoreError> {
        let query = ticket::Entity::find()
            .filter(ticket::Column::Id.is_in(ids.iter().map(|id| id.0)))
            .order_by_asc(ticket::Column::Root)
            .order_by_asc(ticket::Column::Id);
        self.readable(query).await
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
        let query = ticket::Entity::find()
            .filter(ticket::Column::WakeAt.lte(at.ms()))
            .order_by_asc(ticket::Column::WakeAt)
            .order_by_asc(ticket::Column::Id)
            .limit(limit);
        self.readable(query).await
    }

    /// When time next brings something about on any ticket.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn next_wake(&self) -> Result<Option<Instant>, StoreError> {
        let query = ticket::Entity::find()
            .select_only()
            .column(ticket::Column::WakeAt)
            .filter(ticket::Column::WakeAt.is_not_null())
            // What is no number, which SQLite lets anybody write, stands behind all numbers.
            .filter(ticket::Column::WakeAt.lte(i64::MAX))
            .order_by_asc(ticket::Column::WakeAt)
            .limit(1);
        let at = query.into_tuple::<Option<i64>>().one(&self.read).await?;
        Ok(at.flatten().map(Instant::from_ms))
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
        let mut query = ticket::Entity::find()
            .filter(Expr::col(ticket::Column::Status).eq(word(Status::Closed.word())))
            .filter(ticket::Column::StepSince.lte(at.ms()));
        if let Some((since, id)) = after {
            let later = ticket::Column::StepSince.eq(since.ms()).and(ticket::Column::Id.gt(id.0));
            query = query.filter(ticket::Column::StepSince.gt(since.ms()).or(later));
        }
        let query = query
            .order_by_asc(ticket::Column::StepSince)
            .order_by_asc(ticket::Column::Id)
            .limit(limit);
        let mut closed = Vec::new();
        for (id, row) in self.rows(query).await? {
            let since = match &row {
                Ok(row) => Some(row.step_since),
                Err(_) => self.instant(id, ticket::Column::StepSince).await?,
            };
            let since = Instant::from_ms(since.unwrap_or_else(|| at.ms()));
            closed.push((since, TicketId(id), self.loaded(row).await));
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
        Ok(query.into_tuple::<Uuid>().one(&self.read).await?.map(TicketId))
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
        query: Select<ticket::Entity>,
    ) -> Result<Vec<(TicketId, Readable)>, StoreError> {
        let mut loaded = Vec::new();
        for (id, row) in self.rows(query).await? {
            loaded.push((TicketId(id), self.loaded(row).await));
        }
        Ok(loaded)
    }

    /// The rows that a query finds, in its order; one that is none stands alone with its error.
    pub(super) async fn rows(
        &self,
        query: Select<ticket::Entity>,
    ) -> Result<Vec<(Uuid, Row)>, StoreError> {
        match query.clone().all(&self.read).await.map_err(StoreError::from) {
            Ok(rows) => Ok(rows.into_iter().map(|row| (row.id, Ok(row))).collect()),
            // One of them is to blame, and not the others.
            Err(StoreError::Unreadable(_)) => self.one_by_one(query).await,
            Err(error) => Err(error),
        }
    }

    async fn one_by_one(
        &self,
        query: Select<ticket::Entity>,
    ) -> Result<Vec<(Uuid, Row)>, StoreError> {
        let ids = query.select_only().column(ticket::Column::Id).into_tuple::<Uuid>();
        let mut found = Vec::new();
        for id in ids.all(&self.read).await? {
            match ticket::Entity::find_by_id(id).one(&self.read).await.map_err(StoreError::from) {
                Ok(None) => {}
                Ok(Some(row)) => found.push((id, Ok(row))),
                Err(error @ StoreError::Unreadable(_)) => found.push((id, Err(error))),
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// An instant by which rows are sorted, also where the rest of the row cannot be read; none
    /// where that is none either.
    pub(super) async fn instant(
        &self,
        id: Uuid,
        column: ticket::Column,
    ) -> Result<Option<i64>, StoreError> {
        let query = ticket::Entity::find_by_id(id).select_only().column(column);
        match query.into_tuple::<Option<i64>>().one(&self.read).await.map_err(StoreError::from) {
            Ok(found) => Ok(found.flatten()),
            Err(StoreError::Unreadable(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The ticket of a row.
    pub(super) async fn loaded(&self, row: Row) -> Readable {
        let row = row?;
        let instance = if let Ok(instance) = Instance::from_bytes(&row.snapshot) {
            instance
        } else {
            // Another shape, or none: history knows.
            let ticket = TicketId(row.id);
            tracing::warn!(ticket.id = %ticket, "a snapshot is rebuilt out of its history");
            self.replayed(ticket).await?
        };
        with(row, instance)
    }
}

/// The ticket that events make.
///
/// # Errors
/// They are no history, or not from its beginning.
pub fn relived(events: &[Event]) -> Result<Instance, StoreError> {
    let ticket = |error| StoreError::unreadable(format!("工单的历史：{error}"));
    replay(events).map_err(ticket)
}

fn with(row: ticket::Model, instance: Instance) -> Readable {
    Ok(Loaded {
        version: row.version,
        head: digest(&row.head)?,
        source: row.source.into(),
        matter: row.matter.into(),
        wake_at: row.wake_at.map(Instant::from_ms),
        ticket_no: row.ticket_no,
        instance,
    })
}
