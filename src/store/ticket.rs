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
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
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
    /// Whether an incident keeps time from moving it on.
    pub is_held: bool,
    /// The ticket.
    pub instance: Instance,
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
        let query = ticket::Entity::find()
            .filter(ticket::Column::Id.is_in(ids.iter().map(|id| id.0)))
            .order_by_asc(ticket::Column::Root)
            .order_by_asc(ticket::Column::Id);
        self.readable(query.all(&self.read).await?).await
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
        self.readable(query.all(&self.read).await?).await
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
            .order_by_asc(ticket::Column::WakeAt)
            .limit(1);
        let at = query.into_tuple::<Option<i64>>().one(&self.read).await?;
        Ok(at.flatten().map(Instant::from_ms))
    }

    /// Tickets that were closed at or before an instant and are not archived, the earliest first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn closed_until(
        &self,
        at: Instant,
        after: Option<(i64, TicketId)>,
        limit: u64,
    ) -> Result<Vec<(TicketId, Readable)>, StoreError> {
        let mut query = ticket::Entity::find()
            .filter(Expr::col(ticket::Column::Status).eq(word(Status::Closed.word())))
            .filter(ticket::Column::StepSince.lte(at.ms()));
        if let Some((since, id)) = after {
            let later = ticket::Column::StepSince.eq(since).and(ticket::Column::Id.gt(id.0));
            query = query.filter(ticket::Column::StepSince.gt(since).or(later));
        }
        let query = query
            .order_by_asc(ticket::Column::StepSince)
            .order_by_asc(ticket::Column::Id)
            .limit(limit);
        self.readable(query.all(&self.read).await?).await
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

    pub(super) async fn readable(
        &self,
        rows: Vec<ticket::Model>,
    ) -> Result<Vec<(TicketId, Readable)>, StoreError> {
        let mut loaded = Vec::with_capacity(rows.len());
        for row in rows {
            let id = TicketId(row.id);
            let instance = match Instance::from_bytes(&row.snapshot) {
                Ok(instance) => Ok(instance),
                // Another shape, or none: history knows.
                Err(_) => self.replayed(id).await,
            };
            loaded.push((id, instance.and_then(|instance| with(row, instance))));
        }
        Ok(loaded)
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
        // Only an incident takes the wake-up away from a ticket that has one.
        is_held: row.wake_at.is_none() && instance.next_wake().is_some(),
        ticket_no: row.ticket_no,
        instance,
    })
}
