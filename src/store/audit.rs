//! Everything that is stored of tickets, page by page, for an audit; and whether the rows beside a
//! history say the same as it. Must never repair anything, nor show what is about people.

use std::collections::BTreeSet;

use duban_core::digest::Digest;
use duban_core::event::Sealed;
use duban_core::instance::Instance;
use duban_core::name::Name;
use duban_core::ticket_id::TicketId;
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::columns::{self, Beside};
use super::entity::{attachment, card, deadline, event, personal_data, review, snapshot, ticket};
use super::event::{digest, recorded};
use super::ticket_no::is_ticket_no;
use super::{ADVANCE, Recorded, Store, StoreError};

/// Some tickets, in order of their identities, with everything that is stored of them.
#[derive(Debug)]
pub struct AuditPage {
    /// The tickets.
    pub tickets: Vec<StoredTicket>,
    /// All events of identities up to the last ticket's, in order of ticket and number; on the last
    /// page those beyond it too.
    pub events: Vec<Recorded>,
    /// A table with a row of a ticket that is not there.
    pub stray: Option<(&'static str, TicketId)>,
    /// Whether nothing follows.
    pub is_last: bool,
}

/// A ticket's rows.
#[derive(Debug)]
pub struct StoredTicket {
    row: ticket::Model,
    snapshot: Option<snapshot::Model>,
    deadlines: Vec<deadline::Model>,
    cards: Vec<card::Model>,
    personal: Vec<Personal>,
    /// The reviews that it was opened by: source and reference.
    reviews: Vec<(String, String)>,
    /// The files that were uploaded to it.
    files: BTreeSet<Vec<u8>>,
    /// Whether an incident keeps time from moving it on.
    is_held: bool,
}

/// A row of personal data: with what it was committed to.
struct Personal {
    reference: String,
    key: Vec<u8>,
    body: Vec<u8>,
}

impl std::fmt::Debug for Personal {
    /// Without key and body: this may end up in a log.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Personal").field("reference", &self.reference).finish_non_exhaustive()
    }
}

/// The one order, as far as its tables tell without the events themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Commits and events that the ledger knows of.
    pub ledger: (i64, i64),
    /// Commits that there are, and the highest number.
    pub commits: (i64, i64),
    /// Events that there are, and the highest position.
    pub events: (i64, i64),
}

impl Store {
    /// The tickets after one, with everything that is stored of them.
    ///
    /// # Errors
    /// The database does not answer, or a row is none.
    pub async fn audit_page(
        &self,
        after: Option<TicketId>,
        limit: u64,
    ) -> Result<AuditPage, StoreError> {
        let mut query = ticket::Entity::find().order_by_asc(ticket::Column::Id).limit(limit);
        if let Some(after) = after {
            query = query.filter(ticket::Column::Id.gt(after.0));
        }
        let rows = query.all(&self.lists).await?;
        let is_last = (rows.len() as u64) < limit;
        let until = rows.last().map(|row| row.id).filter(|_| !is_last);
        let within = |column: Expr| {
            let from = after.map(|after| column.clone().gt(after.0));
            let to = until.map(|until| column.lte(until));
            sea_orm::Condition::all().add_option(from).add_option(to)
        };
        let events = self.events_of(within(Expr::col("ticket"))).await?;
        let snapshots = snapshot::Entity::find()
            .filter(within(Expr::col(snapshot::Column::Ticket)))
            .order_by_asc(snapshot::Column::Ticket);
        let mut snapshots =
            Rows::new("snapshot", snapshots.all(&self.lists).await?, |one| one.ticket);
        let deadlines = deadline::Entity::find()
            .filter(within(Expr::col(deadline::Column::Ticket)))
            .order_by_asc(deadline::Column::Ticket)
            .order_by_asc(deadline::Column::Place);
        let mut deadlines =
            Rows::new("deadline", deadlines.all(&self.lists).await?, |one| one.ticket);
        let cards = card::Entity::find()
            .filter(within(Expr::col(card::Column::Ticket)))
            .order_by_asc(card::Column::Ticket)
            .order_by_asc(card::Column::Place);
        let mut cards = Rows::new("card", cards.all(&self.lists).await?, |one| one.ticket);
        let personal = personal_data::Entity::find()
            .filter(within(Expr::col(personal_data::Column::Ticket)))
            .order_by_asc(personal_data::Column::Ticket);
        let personal = personal.all(&self.lists).await?;
        let mut personal = Rows::new("personal_data", personal, |one| one.ticket);
        let reviews = review::Entity::find()
            .filter(within(Expr::col(review::Column::Ticket)))
            .order_by_asc(review::Column::Ticket);
        let mut reviews = Rows::new("review", reviews.all(&self.lists).await?, |one| one.ticket);
        let files = attachment::Entity::find()
            .filter(within(Expr::col(attachment::Column::Ticket)))
            .order_by_asc(attachment::Column::Ticket);
        let mut files = Rows::new("attachment", files.all(&self.lists).await?, |one| one.ticket);
        let held = self.held(within(Expr::col("ticket"))).await?;
        let tickets = rows.into_iter().map(|row| {
            let id = row.id;
            let snapshot = snapshots.of(id).pop();
            let (deadlines, cards) = (deadlines.of(id), cards.of(id));
            let personal = personal.of(id).into_iter().map(|row| Personal {
                reference: row.reference,
                key: row.key,
                body: row.body,
            });
            let reviews = reviews.of(id).into_iter().map(|row| (row.source, row.reference));
            let (personal, reviews) = (personal.collect(), reviews.collect());
            let files = files.of(id).into_iter().map(|row| row.sm3).collect();
            let is_held = held.contains(&id);
            StoredTicket { row, snapshot, deadlines, cards, personal, reviews, files, is_held }
        });
        let tickets = tickets.collect();
        let strays = [snapshots.stray(), deadlines.stray(), cards.stray(), personal.stray()];
        let strays = strays.into_iter().chain([reviews.stray(), files.stray()]);
        let stray = strays.flatten().next();
        Ok(AuditPage { tickets, events, stray, is_last })
    }

    /// The number of the ticket that follows one.
    ///
    /// # Errors
    /// The database does not answer, or not even that can be read.
    pub async fn ticket_no_after(
        &self,
        after: Option<TicketId>,
    ) -> Result<Option<String>, StoreError> {
        let mut query = Query::select();
        query.column("ticket_no").from("ticket").order_by("id", sea_orm::Order::Asc).limit(1);
        if let Some(after) = after {
            query.and_where(Expr::col("id").gt(after.0));
        }
        let row = self.lists.query_one(&query).await?;
        Ok(row.map(|row| row.try_get_by_index(0)).transpose()?)
    }

    /// What the ledger says, and what there is.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn audit_totals(&self) -> Result<Totals, StoreError> {
        let mut query = Query::select();
        query.columns(["commits", "events"]).from("ledger").and_where(Expr::col("id").eq(1));
        let ledger = self.pair(&query).await?;
        let counted = |table: &'static str, column: &'static str| {
            let mut query = Query::select();
            query.expr(Expr::col(Asterisk).count()).expr(Expr::col(column).max()).from(table);
            query
        };
        let commits = self.pair(&counted("commit_log", "number")).await?;
        let events = self.pair(&counted("event", "position")).await?;
        Ok(Totals { ledger, commits, events })
    }

    /// Events in order of ticket and number.
    async fn events_of(&self, within: sea_orm::Condition) -> Result<Vec<Recorded>, StoreError> {
        let mut query = Query::select();
        query.columns(["position", "ticket", "seq", "bytes", "hash"]).from("event");
        query.cond_where(within);
        query.order_by("ticket", sea_orm::Order::Asc).order_by("seq", sea_orm::Order::Asc);
        // By place, not by name: there are many.
        let event = |row: &sea_orm::QueryResult| -> Result<Recorded, StoreError> {
            recorded(event::Model {
                position: row.try_get_by_index(0)?,
                ticket: row.try_get_by_index(1)?,
                seq: row.try_get_by_index(2)?,
                bytes: row.try_get_by_index(3)?,
                hash: row.try_get_by_index(4)?,
            })
        };
        self.lists.query_all(&query).await?.iter().map(event).collect()
    }

    /// Tickets that an incident keeps time from moving on.
    async fn held(&self, within: sea_orm::Condition) -> Result<BTreeSet<Uuid>, StoreError> {
        let mut query = Query::select();
        query.column("ticket").from("incident").cond_where(within);
        query.and_where(Expr::col("resolved_at").is_null());
        query.and_where(Expr::col("command").eq(ADVANCE));
        let found = self.lists.query_all(&query).await?;
        found.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
    }

    async fn pair(
        &self,
        query: &sea_orm::sea_query::SelectStatement,
    ) -> Result<(i64, i64), StoreError> {
        let Some(row) = self.lists.query_one(query).await? else { return Ok((0, 0)) };
        let second: Option<i64> = row.try_get_by_index(1)?;
        Ok((row.try_get_by_index(0)?, second.unwrap_or_default()))
    }
}

/// Rows of a table in order of their tickets, taken off ticket by ticket.
struct Rows<T, F> {
    table: &'static str,
    left: std::iter::Peekable<std::vec::IntoIter<T>>,
    ticket: F,
    stray: Option<TicketId>,
}

impl<T, F: Fn(&T) -> Uuid> Rows<T, F> {
    fn new(table: &'static str, rows: Vec<T>, ticket: F) -> Self {
        Self { table, left: rows.into_iter().peekable(), ticket, stray: None }
    }

    /// Those of a ticket; what stands before them is nobody's.
    fn of(&mut self, id: Uuid) -> Vec<T> {
        let ticket = &self.ticket;
        while let Some(row) = self.left.next_if(|row| ticket(row) < id) {
            self.stray.get_or_insert(TicketId(ticket(&row)));
        }
        std::iter::from_fn(|| self.left.next_if(|row| ticket(row) == id)).collect()
    }

    /// A row of nobody, where there was one.
    fn stray(mut self) -> Option<(&'static str, TicketId)> {
        let next = self.left.next().map(|row| TicketId((self.ticket)(&row)));
        self.stray.or(next).map(|ticket| (self.table, ticket))
    }
}

impl StoredTicket {
    /// Its identity.
    #[must_use]
    pub fn id(&self) -> TicketId {
        TicketId(self.row.id)
    }

    /// The number that people use.
    #[must_use]
    pub fn ticket_no(&self) -> &str {
        &self.row.ticket_no
    }

    /// Whether that is one, by its form and check character. Which of them it is no history tells.
    #[must_use]
    pub fn has_number(&self) -> bool {
        is_ticket_no(&self.row.ticket_no)
    }

    /// How many events it has, by its snapshot; none where there is no such row.
    #[must_use]
    pub fn seq(&self) -> Option<u64> {
        self.snapshot.as_ref().map(|row| u64::try_from(row.seq).unwrap_or_default())
    }

    /// Whether its snapshot's row ends its chain with this link.
    #[must_use]
    pub fn has_head(&self, head: Digest) -> bool {
        self.snapshot.as_ref().is_some_and(|row| row.head == head.0)
    }

    /// Whether its snapshot is this ticket.
    #[must_use]
    pub fn has_snapshot(&self, instance: &Instance) -> bool {
        self.snapshot.as_ref().is_some_and(|row| row.bytes == instance.to_bytes())
    }

    /// What in its rows differs from the ticket, by table and column or place.
    #[must_use]
    pub fn differs_from(&self, instance: &Instance) -> Option<String> {
        let row = &self.row;
        let (source, matter) = (Name::from(row.source.as_str()), Name::from(row.matter.as_str()));
        let beside = Beside { ticket_no: &row.ticket_no, source: &source, matter: &matter };
        let expected = columns::ticket(instance, beside);
        if expected != *row {
            let found = columns::ticket_cells(row.clone());
            return Some(columns::TICKET.first_other(&columns::ticket_cells(expected), &found));
        }
        let Some(row) = &self.snapshot else { return Some("snapshot".to_owned()) };
        let head = digest(&row.head).unwrap_or(Digest::ZERO);
        let mut expected = columns::snapshot(instance, row.version, head);
        if self.is_held {
            expected.wake_at = None;
        }
        if expected != *row {
            let found = columns::snapshot_cells(row.clone());
            return Some(columns::SNAPSHOT.first_other(&columns::snapshot_cells(expected), &found));
        }
        let runs = instance.runs.iter().enumerate();
        let runs = runs.map(|(place, run)| columns::deadline(instance, place, run));
        if let Some(place) = first_other(runs, &self.deadlines) {
            return Some(format!("deadline 表第 {} 行", place + 1));
        }
        let cards = (0..instance.cards.len()).map(|place| columns::card(instance, place));
        first_other(cards, &self.cards).map(|place| format!("card 表第 {} 行", place + 1))
    }

    /// Whether an incident keeps time from moving it on.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        self.is_held
    }

    /// Whether its one review refers to what was sealed at its opening, and came from where its row
    /// says.
    #[must_use]
    pub fn has_review(&self, sealed: Option<&Sealed>) -> bool {
        let [(source, reference)] = self.reviews.as_slice() else { return false };
        *source == self.row.source && sealed.is_none_or(|sealed| sealed.reference == **reference)
    }

    /// Whether such a file was uploaded to it.
    #[must_use]
    pub fn has_file(&self, sm3: Digest) -> bool {
        self.files.contains(sm3.0.as_slice())
    }

    /// Whether the private data that was committed to is no longer there.
    #[must_use]
    pub fn has_erased(&self, sealed: &Sealed) -> bool {
        !self.personal.iter().any(|row| sealed.reference == *row.reference)
    }

    /// Whether private data is what was committed to; what has been erased is.
    #[must_use]
    pub fn keeps(&self, sealed: &Sealed) -> bool {
        let row = self.personal.iter().find(|row| sealed.reference == *row.reference);
        row.is_none_or(|row| {
            let key = digest(&row.key).map(|key| key.0);
            key.is_ok_and(|key| Digest::commitment(&key, &row.body) == sealed.commitment)
        })
    }
}

/// The place at which rows are not as expected.
fn first_other<T: PartialEq>(expected: impl Iterator<Item = T>, found: &[T]) -> Option<usize> {
    let mut places = 0;
    for (place, one) in expected.enumerate() {
        if found.get(place) != Some(&one) {
            return Some(place);
        }
        places = place + 1;
    }
    (found.len() > places).then_some(places)
}
