//! Everything that is stored of tickets, page by page, for an audit; and whether the rows beside a
//! history say the same as it. Must never repair anything, nor show what is about people.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use duban_core::digest::Digest;
use duban_core::event::Sealed;
use duban_core::instance::Instance;
use duban_core::name::Name;
use duban_core::ticket_id::TicketId;
use sea_orm::sea_query::{Asterisk, BinOper, Expr, ExprTrait, Func, Query, Value};
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::columns::{self, Beside};
use super::entity::{event, personal_data};
use super::event::{digest, recorded};
use super::rows::Rows;
use super::{ADVANCE, Recorded, Store, StoreError};

/// Some tickets, in order of their identities, with everything that is stored of them.
#[derive(Debug)]
pub struct AuditPage {
    /// The tickets.
    pub tickets: Vec<StoredTicket>,
    /// All events of identities up to the last ticket's, in order of ticket and number; on the last
    /// page those beyond it too.
    pub events: Vec<Recorded>,
    /// Whether nothing follows.
    pub is_last: bool,
}

/// A ticket's rows. Columns that are only compared come as one text: a value costs as much as its
/// neighbour, however short it is.
#[derive(Debug)]
pub struct StoredTicket {
    id: Uuid,
    ticket_no: String,
    seq: i64,
    head: Vec<u8>,
    snapshot: Vec<u8>,
    /// What stands beside the history: its version, source and matter.
    version: i64,
    source: String,
    matter: String,
    /// Whether an incident keeps time from moving it on.
    is_held: bool,
    columns: String,
    deadlines: Vec<String>,
    cards: Vec<String>,
    personal: Vec<Personal>,
}

/// Columns of a ticket that are compared as text: those that are neither identities nor bytes.
const COMPARED: [&str; 22] = [
    "ticket_no",
    "version",
    "revision",
    "seq",
    "class",
    "workflow",
    "workflow_version",
    "step",
    "step_since",
    "status",
    "agency",
    "district",
    "flags",
    "finding",
    "outcome",
    "source",
    "matter",
    "received_at",
    "recorded_at",
    "yellow_at",
    "red_at",
    "wake_at",
];

/// Between two columns in a text, and in place of none. No word of ours has either.
const BETWEEN: &str = "\u{1f}";
const NONE: &str = "\u{1e}";

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
        let mut query = Query::select();
        query.columns(["id", "ticket_no", "seq", "head", "snapshot", "version"]).from("ticket");
        query.columns(["source", "matter"]).expr(as_text(&COMPARED));
        if let Some(after) = after {
            query.and_where(Expr::col("id").gt(after.0));
        }
        query.order_by("id", sea_orm::Order::Asc).limit(limit);
        let rows = self.read.query_all(&query).await?;
        let rows: Result<Vec<StoredTicket>, StoreError> = rows.iter().map(stored).collect();
        let mut tickets = rows?;
        let is_last = (tickets.len() as u64) < limit;
        let until = tickets.last().map(|ticket| ticket.id).filter(|_| !is_last);
        let within = |column: Expr| {
            let from = after.map(|after| column.clone().gt(after.0));
            let to = until.map(|until| column.lte(until));
            sea_orm::Condition::all().add_option(from).add_option(to)
        };
        let mut events = Query::select();
        events.columns(["position", "ticket", "seq", "bytes", "hash"]).from("event");
        events.cond_where(within(Expr::col("ticket")));
        events.order_by("ticket", sea_orm::Order::Asc).order_by("seq", sea_orm::Order::Asc);
        let events = self.read.query_all(&events).await?;
        let deadlines = self.texts(&columns::DEADLINE, within(Expr::col("ticket"))).await?;
        let mut deadlines = deadlines.into_iter().peekable();
        let cards = self.texts(&columns::CARD, within(Expr::col("ticket"))).await?;
        let mut cards = cards.into_iter().peekable();
        let personal = personal_data::Entity::find()
            .filter(within(Expr::col(personal_data::Column::Ticket)))
            .order_by_asc(personal_data::Column::Ticket);
        let mut personal = personal.all(&self.read).await?.into_iter().peekable();
        let held = self.held(within(Expr::col("ticket"))).await?;
        for ticket in &mut tickets {
            let id = ticket.id;
            ticket.is_held = held.contains(&id);
            let texts =
                |rows: Vec<(Uuid, String)>| rows.into_iter().map(|(_, text)| text).collect();
            ticket.deadlines = texts(of(id, &mut deadlines, |one| one.0));
            ticket.cards = texts(of(id, &mut cards, |one| one.0));
            let personal = of(id, &mut personal, |one| one.ticket).into_iter();
            let personal = personal.map(|row| Personal {
                reference: row.reference,
                key: row.key,
                body: row.body,
            });
            ticket.personal = personal.collect();
        }
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
        let events: Result<_, _> = events.iter().map(event).collect();
        Ok(AuditPage { tickets, events: events?, is_last })
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

    /// The rows of a table by ticket and place, each as one text.
    async fn texts<const N: usize>(
        &self,
        rows: &Rows<N>,
        within: sea_orm::Condition,
    ) -> Result<Vec<(Uuid, String)>, StoreError> {
        let mut query = Query::select();
        query.column("ticket").expr(as_text(&rows.columns[1..])).from(rows.table);
        query.cond_where(within);
        query.order_by("ticket", sea_orm::Order::Asc).order_by("place", sea_orm::Order::Asc);
        let found = self.read.query_all(&query).await?;
        let text = |row: &sea_orm::QueryResult| -> Result<(Uuid, String), StoreError> {
            Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))
        };
        found.iter().map(text).collect()
    }

    /// Tickets that an incident keeps time from moving on.
    async fn held(&self, within: sea_orm::Condition) -> Result<BTreeSet<Uuid>, StoreError> {
        let mut query = Query::select();
        query.column("ticket").from("incident").cond_where(within);
        query.and_where(Expr::col("resolved_at").is_null());
        query.and_where(Expr::col("command").eq(ADVANCE));
        let found = self.read.query_all(&query).await?;
        found.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
    }

    async fn pair(
        &self,
        query: &sea_orm::sea_query::SelectStatement,
    ) -> Result<(i64, i64), StoreError> {
        let Some(row) = self.read.query_one(query).await? else { return Ok((0, 0)) };
        let second: Option<i64> = row.try_get_by_index(1)?;
        Ok((row.try_get_by_index(0)?, second.unwrap_or_default()))
    }
}

fn stored(row: &sea_orm::QueryResult) -> Result<StoredTicket, StoreError> {
    Ok(StoredTicket {
        id: row.try_get_by_index(0)?,
        ticket_no: row.try_get_by_index(1)?,
        seq: row.try_get_by_index(2)?,
        head: row.try_get_by_index(3)?,
        snapshot: row.try_get_by_index(4)?,
        version: row.try_get_by_index(5)?,
        source: row.try_get_by_index(6)?,
        matter: row.try_get_by_index(7)?,
        is_held: false,
        columns: row.try_get_by_index(8)?,
        deadlines: Vec::new(),
        cards: Vec::new(),
        personal: Vec::new(),
    })
}

/// Columns as one text.
fn as_text(columns: &[&'static str]) -> Expr {
    let text = |column: &&'static str| {
        let text = Expr::col(*column).cast_as("text");
        Expr::expr(Func::coalesce([text, Expr::Constant(NONE.into())]))
    };
    let mut all = columns.iter().map(text);
    let first = all.next().unwrap_or_else(|| Expr::Constant("".into()));
    all.fold(first, |whole, next| {
        let whole = whole.binary(BinOper::Custom("||"), Expr::Constant(BETWEEN.into()));
        whole.binary(BinOper::Custom("||"), next)
    })
}

/// The same of a row that is expected.
fn written<'v>(values: impl IntoIterator<Item = &'v Value>) -> String {
    let mut text = String::new();
    for (place, value) in values.into_iter().enumerate() {
        if place > 0 {
            text.push_str(BETWEEN);
        }
        match value {
            Value::String(Some(word)) => text.push_str(word),
            Value::BigInt(Some(number)) => {
                let _ = write!(text, "{number}");
            }
            Value::Int(Some(number)) => {
                let _ = write!(text, "{number}");
            }
            _ => text.push_str(NONE),
        }
    }
    text
}

/// The rows of a ticket off the front of those of all; what stands before it is nobody's.
fn of<T>(
    id: Uuid,
    rows: &mut std::iter::Peekable<impl Iterator<Item = T>>,
    ticket: impl Fn(&T) -> Uuid,
) -> Vec<T> {
    while rows.next_if(|row| ticket(row) < id).is_some() {}
    std::iter::from_fn(|| rows.next_if(|row| ticket(row) == id)).collect()
}

impl StoredTicket {
    /// Its identity.
    #[must_use]
    pub fn id(&self) -> TicketId {
        TicketId(self.id)
    }

    /// The number that people use.
    #[must_use]
    pub fn ticket_no(&self) -> &str {
        &self.ticket_no
    }

    /// How many events it has, by its row.
    #[must_use]
    pub fn seq(&self) -> u64 {
        u64::try_from(self.seq).unwrap_or_default()
    }

    /// Whether its row ends its chain with this link.
    #[must_use]
    pub fn has_head(&self, head: Digest) -> bool {
        self.head == head.0
    }

    /// Whether its snapshot is this ticket.
    #[must_use]
    pub fn has_snapshot(&self, instance: &Instance) -> bool {
        self.snapshot == instance.to_bytes()
    }

    /// What in its rows differs from the ticket, by table and column or place.
    #[must_use]
    pub fn differs_from(&self, instance: &Instance) -> Option<String> {
        let (source, matter) = (Name::from(self.source.as_str()), Name::from(self.matter.as_str()));
        let beside = Beside {
            ticket_no: &self.ticket_no,
            version: self.version,
            head: Digest::ZERO,
            source: &source,
            matter: &matter,
        };
        let mut expected = columns::ticket(instance, beside);
        if self.is_held {
            expected.wake_at = None;
        }
        let values = columns::ticket_values(expected);
        let compared = columns::TICKET.columns.iter().zip(&values);
        let compared = compared.filter(|(column, _)| COMPARED.contains(column));
        let expected = written(compared.map(|(_, value)| value));
        if expected != self.columns {
            let both = expected.split(BETWEEN).zip(self.columns.split(BETWEEN));
            let mut names = COMPARED.iter().zip(both);
            let name = names.find(|(_, (one, other))| one != other).map(|(name, _)| *name);
            return Some(format!("ticket.{}", name.unwrap_or("?")));
        }
        let runs = instance.runs.iter().enumerate().map(|(place, run)| {
            written(&columns::deadline_values(columns::deadline(instance, place, run))[1..])
        });
        if let Some(place) = first_other(runs, &self.deadlines) {
            return Some(format!("deadline[{place}]"));
        }
        let cards = (0..instance.cards.len())
            .map(|place| written(&columns::card_values(columns::card(instance, place))[1..]));
        first_other(cards, &self.cards).map(|place| format!("card[{place}]"))
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
fn first_other(expected: impl Iterator<Item = String>, found: &[String]) -> Option<usize> {
    let mut places = 0;
    for (place, one) in expected.enumerate() {
        if found.get(place) != Some(&one) {
            return Some(place);
        }
        places = place + 1;
    }
    (found.len() > places).then_some(places)
}
