//! History as it is read: of one ticket, and in the one order of everything. Must never change it.

use duban_core::digest::Digest;
use duban_core::event::Event;
use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::entity::{commit_log, event};
use super::legible::in_table;
use super::{Store, StoreError};

/// An event as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its place in the one order of everything.
    pub position: i64,
    /// The ticket.
    pub ticket: TicketId,
    /// Its number within the ticket.
    pub seq: u64,
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
    /// SM3 over the hash before it and the bytes.
    pub hash: Digest,
}

/// A commit in the one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitPlace {
    /// Its number, without gaps from 1.
    pub number: i64,
    /// When it was made.
    pub recorded_at: Instant,
    /// The position of its first event.
    pub first_position: i64,
    /// That of its last; before the first where it has none.
    pub last_position: i64,
}

impl Recorded {
    /// The event.
    ///
    /// # Errors
    /// Bytes that this program cannot read.
    pub fn event(&self) -> Result<Event, StoreError> {
        Event::from_bytes(&self.bytes).map_err(|error| {
            StoreError::unreadable(format!("工单 {} 第 {} 号记录：{error}", self.ticket, self.seq))
        })
    }
}

impl Store {
    /// A ticket's history after a number, in order.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn history(
        &self,
        ticket: TicketId,
        after: u64,
        limit: u64,
    ) -> Result<Vec<Recorded>, StoreError> {
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let query = event::Entity::find()
            .filter(event::Column::Ticket.eq(ticket.0))
            .filter(event::Column::Seq.gt(after))
            .order_by_asc(event::Column::Seq)
            .limit(limit);
        query.all(&self.read).await?.into_iter().map(recorded).collect()
    }

    /// The events of a ticket's history up to a number, in order.
    ///
    /// # Errors
    /// The database does not answer, or an event cannot be read.
    pub async fn events_until(&self, id: TicketId, until: u64) -> Result<Vec<Event>, StoreError> {
        self.history(id, 0, until).await?.iter().map(Recorded::event).collect()
    }

    /// Everything that happened after a position, in order.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn events_after(
        &self,
        position: i64,
        limit: u64,
    ) -> Result<Vec<Recorded>, StoreError> {
        let query = event::Entity::find()
            .filter(event::Column::Position.gt(position))
            .order_by_asc(event::Column::Position)
            .limit(limit);
        query.all(&self.read).await?.into_iter().map(recorded).collect()
    }

    /// When the newest commit was recorded.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn newest_commit(&self) -> Result<Option<Instant>, StoreError> {
        let query = commit_log::Entity::find().order_by_desc(commit_log::Column::Number);
        let newest = query.one(&self.read).await.map_err(StoreError::from);
        let newest = newest.map_err(in_table("commit_log"))?;
        Ok(newest.map(|commit| Instant::from_ms(commit.recorded_at)))
    }

    /// Everything that happened at these positions, in order.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn events_between(&self, first: i64, last: i64) -> Result<Vec<Recorded>, StoreError> {
        let query = event::Entity::find()
            .filter(event::Column::Position.between(first, last))
            .order_by_asc(event::Column::Position);
        query.all(&self.read).await?.into_iter().map(recorded).collect()
    }

    /// The commit by which a position was taken.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn commit_at(&self, position: i64) -> Result<Option<CommitPlace>, StoreError> {
        let query = commit_log::Entity::find()
            .filter(commit_log::Column::FirstPosition.lte(position))
            .filter(commit_log::Column::LastPosition.gte(position));
        Ok(query.one(&self.read).await?.as_ref().map(place))
    }

    /// The number of the newest commit; 0 before the first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn commits_head(&self) -> Result<i64, StoreError> {
        let newest = commit_log::Entity::find().order_by_desc(commit_log::Column::Number);
        Ok(newest.one(&self.read).await?.map_or(0, |commit| commit.number))
    }

    /// The order of commits after a number.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn commits_after(
        &self,
        number: i64,
        limit: u64,
    ) -> Result<Vec<CommitPlace>, StoreError> {
        let query = commit_log::Entity::find()
            .filter(commit_log::Column::Number.gt(number))
            .order_by_asc(commit_log::Column::Number)
            .limit(limit);
        let commits = query.all(&self.read).await.map_err(StoreError::from);
        Ok(commits.map_err(in_table("commit_log"))?.iter().map(place).collect())
    }
}

fn place(row: &commit_log::Model) -> CommitPlace {
    CommitPlace {
        number: row.number,
        recorded_at: Instant::from_ms(row.recorded_at),
        first_position: row.first_position,
        last_position: row.last_position,
    }
}

pub(super) fn recorded(row: event::Model) -> Result<Recorded, StoreError> {
    Ok(Recorded {
        position: row.position,
        ticket: TicketId(row.ticket),
        seq: u64::try_from(row.seq).unwrap_or_default(),
        bytes: row.bytes,
        hash: digest(&row.hash)?,
    })
}

/// 32 stored bytes.
pub(super) fn digest(bytes: &[u8]) -> Result<Digest, StoreError> {
    let bytes: [u8; 32] =
        bytes.try_into().map_err(|_| StoreError::unreadable("摘要不是 32 字节"))?;
    Ok(Digest(bytes))
}
