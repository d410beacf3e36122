//! A ticket's own row and its snapshot, read together. Must never let one that cannot be read stand
//! for others, nor take one of the two for the whole: a ticket without a snapshot is no ticket.

use std::sync::Arc;

use duban_core::digest::Digest;
use duban_core::instance::Instance;
use duban_core::name::Name;
use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use sea_orm::sea_query::{Expr, ExprTrait, JoinType, Query, SelectStatement};
use sea_orm::{ConnectionTrait, QueryResult, TryGetable};
use uuid::Uuid;

use super::dialect::Connections;
use super::event::digest;
use super::{Loaded, Readable, Store, StoreError};

/// What the next decision needs of a ticket, and what lists sort by.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) ticket_no: String,
    pub(super) source: Name,
    pub(super) matter: Name,
    pub(super) step_since: i64,
    pub(super) red_at: Option<i64>,
    pub(super) version: i64,
    pub(super) head: Digest,
    pub(super) wake_at: Option<i64>,
    /// The ticket; none where its bytes have another shape, or none.
    pub(super) instance: Option<Arc<Instance>>,
}

/// The rows of a ticket, or why they are none.
pub(super) type Row = Result<Stored, StoreError>;

/// Tickets with their snapshots.
pub(super) fn of_tickets() -> SelectStatement {
    select("ticket", "id", "snapshot")
}

/// Snapshots with their tickets.
pub(super) fn of_snapshots() -> SelectStatement {
    select("snapshot", "ticket", "ticket")
}

/// What is read, after the identity.
const COLUMNS: [(&str, &str); 9] = [
    ("ticket", "ticket_no"),
    ("ticket", "source"),
    ("ticket", "matter"),
    ("ticket", "step_since"),
    ("ticket", "red_at"),
    ("snapshot", "version"),
    ("snapshot", "head"),
    ("snapshot", "wake_at"),
    ("snapshot", "bytes"),
];

/// The statement that reads snapshots which another one picks, in no order. What that one leaves out
/// is not joined, and the rest one by one: a table is not read whole for it.
pub(super) fn of_picked(mut snapshots: SelectStatement) -> SelectStatement {
    let of =
        |its| COLUMNS.into_iter().filter(move |(table, _)| *table == its).map(|(_, column)| column);
    snapshots.column("ticket").columns(of("snapshot")).from("snapshot");
    let mut ticket = Query::select();
    ticket.columns(of("ticket")).from("ticket").and_where(both()).limit(1);
    let mut select = read_by(("snapshot", "ticket"));
    select.from_subquery(snapshots, "snapshot");
    select.join_lateral(JoinType::LeftJoin, ticket, "ticket", Expr::val(true));
    select
}

fn select(from: &'static str, id: &'static str, other: &'static str) -> SelectStatement {
    let mut select = read_by((from, id));
    select.from(from).left_join(other, both());
    select
}

fn read_by(id: (&'static str, &'static str)) -> SelectStatement {
    let mut select = Query::select();
    select.column(id).columns(COLUMNS);
    select
}

fn both() -> Expr {
    Expr::col(("ticket", "id")).equals(("snapshot", "ticket"))
}

/// The identity of a row of these, and what it says.
pub(super) fn read(row: &QueryResult) -> Result<(Uuid, Row), StoreError> {
    let id = row.try_get_by_index(0)?;
    Ok((id, stored(id, row)))
}

fn stored(id: Uuid, row: &QueryResult) -> Row {
    fn get<T: TryGetable>(row: &QueryResult, place: usize) -> Result<T, StoreError> {
        row.try_get_by_index(place).map_err(|error| match StoreError::from(error) {
            StoreError::Unreadable(_) => {
                let (table, column) = COLUMNS[place - 1];
                StoreError::unreadable(format!("{table}.{column}"))
            }
            error => error,
        })
    }
    let bytes: Vec<u8> = get(row, 9)?;
    let instance = Instance::from_bytes(&bytes).ok().map(Arc::new);
    if instance.as_ref().is_some_and(|instance| instance.ticket.0 != id) {
        return Err(StoreError::unreadable("快照属于另一工单"));
    }
    Ok(Stored {
        ticket_no: get(row, 1)?,
        source: get::<String>(row, 2)?.into(),
        matter: get::<String>(row, 3)?.into(),
        step_since: get(row, 4)?,
        red_at: get(row, 5)?,
        version: get(row, 6)?,
        head: digest(&get::<Vec<u8>>(row, 7)?)?,
        wake_at: get(row, 8)?,
        instance,
    })
}

impl Connections {
    /// Up to `limit` rows of such a statement, in its order; one that is none stands alone with its
    /// error.
    pub(super) async fn rows(
        &self,
        limit: u64,
        statement: impl Fn(u64) -> SelectStatement,
    ) -> Result<Vec<(Uuid, Row)>, StoreError> {
        self.legible("ticket", limit, statement, read).await
    }
}

impl Store {
    /// An instant by which rows of a table are sorted, also where the rest of the row cannot be
    /// read; none where that is none either.
    pub(super) async fn instant(
        &self,
        (table, key): (&'static str, &'static str),
        id: Uuid,
        column: &'static str,
    ) -> Result<Option<i64>, StoreError> {
        let mut query = Query::select();
        query.column(column).from(table).and_where(Expr::col(key).eq(id));
        let Some(row) = self.read.query_one(&query).await? else { return Ok(None) };
        match row.try_get_by_index(0).map_err(StoreError::from) {
            Ok(found) => Ok(found),
            Err(StoreError::Unreadable(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The ticket of a row.
    pub(super) async fn loaded(&self, id: Uuid, row: Row) -> Readable {
        let row = row.inspect_err(|error| {
            tracing::error!(ticket.id = %id, store.error = %error, "a ticket cannot be read");
        })?;
        let instance = if let Some(instance) = row.instance {
            instance
        } else {
            // Another shape, or none: history knows.
            let ticket = TicketId(id);
            tracing::warn!(ticket.id = %ticket, "a snapshot is rebuilt out of its history");
            Arc::new(self.replayed(ticket).await?)
        };
        Ok(Loaded {
            ticket_no: row.ticket_no,
            version: row.version,
            head: row.head,
            source: row.source,
            matter: row.matter,
            wake_at: row.wake_at.map(Instant::from_ms),
            instance,
        })
    }
}
