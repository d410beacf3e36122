//! What could not be decided: kept with its ticket held back from the lane, until somebody retries
//! it or it turns out to be over. Must never hold a form, or what a database said.

use duban_core::ticket_id::TicketId;
use duban_core::time::{Day, Instant};
use sea_orm::sea_query::{Expr, ExprTrait, Query, UpdateStatement};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter};
use sea_orm::{QueryOrder, QueryResult, QuerySelect, QueryTrait};
use uuid::Uuid;

use super::dialect::Transaction;
use super::entity::incident;
use super::rows::Kind::{Big, Id, Int, Text};
use super::rows::{Cell, Table, number};
use super::{Store, StoreError};

/// Something that people must look into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Its identity.
    pub id: Uuid,
    /// What it was.
    pub what: NewIncident,
    /// When it was resolved.
    pub resolved_at: Option<Instant>,
}

/// Something that could not be decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIncident {
    /// The ticket.
    pub ticket: TicketId,
    /// What was tried: `advance`, `recompute`, or an action's name.
    pub command: String,
    /// A word for programs.
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// The ticket's last event.
    pub seq: u64,
    /// When.
    pub at: Instant,
    /// Up to when time was to be worked off, or when the request arrived.
    pub arrived_at: Instant,
    /// The day of the publication, of a recomputation.
    pub known_on: Option<Day>,
}

/// What the lane tries: an incident of it stops time on the ticket.
pub const ADVANCE: &str = "advance";

/// What a publication's recomputation is called.
pub const RECOMPUTE: &str = "recompute";

static INCIDENT: Table<9> = Table {
    name: "incident",
    columns: [
        ("id", Id),
        ("ticket", Id),
        ("command", Text),
        ("code", Text),
        ("message", Text),
        ("seq", Big),
        ("at", Big),
        ("arrived_at", Big),
        ("known_on", Int),
    ],
};

impl Store {
    /// Notes incidents, and holds back from the lane the tickets that it could not move on. What
    /// time could not do takes the place of the same before it: one retry is the end of both.
    ///
    /// # Errors
    /// The database refuses; nothing is noted then.
    pub async fn note_incidents(&self, noted: &[(Uuid, NewIncident)]) -> Result<(), StoreError> {
        let tx = self.begin().await?;
        let written = note(&tx.tx, noted).await;
        tx.end(written).await
    }

    /// An open incident.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn open_incident(&self, id: Uuid) -> Result<Option<NewIncident>, StoreError> {
        let found = incident::Entity::find_by_id(id).one(&self.read).await?;
        Ok(found.filter(|one| one.resolved_at.is_none()).map(|one| shown(one).what))
    }

    /// An incident, whether or not somebody has resolved it.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn incident(&self, id: Uuid) -> Result<Option<Incident>, StoreError> {
        Ok(incident::Entity::find_by_id(id).one(&self.read).await?.map(shown))
    }

    /// Lets the lane have a ticket again, from when time next brings something about; what kept it
    /// from that is over. False where the ticket is no longer at the version that was looked at.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn release(
        &self,
        ticket: TicketId,
        version: Option<i64>,
        wake_at: Option<Instant>,
        at: Instant,
    ) -> Result<bool, StoreError> {
        let tx = self.begin().await?;
        let written = free(&tx.tx, ticket, version, wake_at, at).await;
        tx.end(written).await
    }

    /// An incident is over.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn resolve_incident(&self, id: Uuid, at: Instant) -> Result<(), StoreError> {
        let mut update = Query::update();
        update.table("incident").value("resolved_at", at.ms());
        update.and_where(Expr::col("id").eq(id)).and_where(Expr::col("resolved_at").is_null());
        self.writer().await?.execute(&update).await?;
        Ok(())
    }

    /// Incidents, newest first; only open ones if asked for.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn incidents(
        &self,
        open: bool,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Incident>, StoreError> {
        let page = |limit| {
            let mut query = incident::Entity::find();
            if open {
                query = query.filter(incident::Column::ResolvedAt.is_null());
            }
            if let Some(after) = after {
                query = query.filter(incident::Column::Id.lt(after));
            }
            query.order_by_desc(incident::Column::Id).limit(limit).into_query()
        };
        let read = |row: &QueryResult| Ok(shown(incident::Model::from_query_result(row, "")?));
        self.lists.legible("incident", limit, page, read).await
    }

    /// Whether an open incident keeps time from moving a ticket on.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn is_held(&self, ticket: TicketId) -> Result<bool, StoreError> {
        let mut query = Query::select();
        query.column("id").from("incident").and_where(Expr::col("ticket").eq(ticket.0));
        query.and_where(Expr::col("resolved_at").is_null());
        query.and_where(Expr::col("command").eq(ADVANCE));
        Ok(self.read.query_one(&query).await?.is_some())
    }

    /// How many nobody has resolved.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn open_incidents(&self) -> Result<usize, StoreError> {
        let mut query = Query::select();
        query.expr(Expr::val(1_i64).count()).from("incident");
        query.and_where(Expr::col("resolved_at").is_null());
        let row = self.read.query_one(&query).await?;
        let count: i64 = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default();
        Ok(usize::try_from(count).unwrap_or_default())
    }
}

async fn note(tx: &Transaction, noted: &[(Uuid, NewIncident)]) -> Result<(), StoreError> {
    let rows = noted.iter().map(|(id, what)| -> [Cell<'_>; 9] {
        [
            (*id).into(),
            what.ticket.0.into(),
            what.command.as_str().into(),
            what.code.as_str().into(),
            what.message.as_str().into(),
            number(what.seq).into(),
            what.at.ms().into(),
            what.arrived_at.ms().into(),
            what.known_on.map(Day::number).into(),
        ]
    });
    // Tickets before what belongs to them, as a commit does.
    let mut hold = Query::update();
    hold.table("snapshot").value("wake_at", Option::<i64>::None);
    hold.value("version", Expr::col("version").add(1_i64));
    let held = noted.iter().filter(|(_, what)| what.command == ADVANCE);
    let held: Vec<Uuid> = held.map(|(_, what)| what.ticket.0).collect();
    if !held.is_empty() {
        hold.and_where(Expr::col("ticket").is_in(held));
        tx.execute(&hold).await?;
    }
    for command in [ADVANCE, RECOMPUTE] {
        let again = || noted.iter().filter(|(_, what)| what.command == command);
        let tickets: Vec<Uuid> = again().map(|(_, what)| what.ticket.0).collect();
        if let Some((_, last)) = again().next_back() {
            resolve(tx, tickets, command, last.at).await?;
        }
    }
    if !noted.is_empty() {
        tx.execute(&INCIDENT.insert(rows, &[])).await?;
    }
    Ok(())
}

async fn free(
    tx: &Transaction,
    ticket: TicketId,
    version: Option<i64>,
    wake_at: Option<Instant>,
    at: Instant,
) -> Result<bool, StoreError> {
    let mut update = Query::update();
    update.table("snapshot").value("wake_at", wake_at.map(Instant::ms));
    update.value("version", Expr::col("version").add(1_i64));
    update.and_where(Expr::col("ticket").eq(ticket.0));
    if let Some(version) = version {
        update.and_where(Expr::col("version").eq(version));
    }
    if tx.execute(&update).await?.rows_affected() == 0 {
        return Ok(false);
    }
    resolve(tx, vec![ticket.0], ADVANCE, at).await?;
    Ok(true)
}

fn shown(row: incident::Model) -> Incident {
    Incident {
        id: row.id,
        what: NewIncident {
            ticket: TicketId(row.ticket),
            command: row.command,
            code: row.code,
            message: row.message,
            seq: u64::try_from(row.seq).unwrap_or_default(),
            at: Instant::from_ms(row.at),
            arrived_at: Instant::from_ms(row.arrived_at.unwrap_or(row.at)),
            known_on: row.known_on.map(Day::from_number),
        },
        resolved_at: row.resolved_at.map(Instant::from_ms),
    }
}

/// Time goes on on these tickets: that it did not is over. Of a publication that could not be worked
/// in, or of what somebody asked for, that is not the end.
pub(super) fn moved_on(tickets: Vec<Uuid>, at: Instant) -> UpdateStatement {
    resolved(tickets, ADVANCE, at)
}

async fn resolve(
    tx: &Transaction,
    tickets: Vec<Uuid>,
    command: &str,
    at: Instant,
) -> Result<(), StoreError> {
    if !tickets.is_empty() {
        tx.execute(&resolved(tickets, command, at)).await?;
    }
    Ok(())
}

fn resolved(tickets: Vec<Uuid>, command: &str, at: Instant) -> UpdateStatement {
    let mut update = Query::update();
    update.table("incident").value("resolved_at", at.ms());
    update.and_where(Expr::col("ticket").is_in(tickets));
    update.and_where(Expr::col("resolved_at").is_null());
    update.and_where(Expr::col("command").eq(command));
    update
}
