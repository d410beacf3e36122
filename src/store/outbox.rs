//! Messages on their way: claimed under a lease, in order for each ticket and destination, until
//! they are delivered or dead. Must never hold what is about people, nor what the other side said.

use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use sea_orm::sea_query::{
    Alias, Expr, ExprTrait, LockBehavior, LockType, Query, SelectStatement, UpdateStatement,
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait};
use sea_orm::{
    FromQueryResult, QueryFilter, QueryOrder, QueryResult, QuerySelect, QueryTrait, Select,
};
use uuid::Uuid;

use super::dialect::Transaction;
use super::entity::outbox;
use super::legible::{LAST_NUMBER, legible};
use super::rows::{number, word};
use super::{Store, StoreError};

/// Tickets whose messages are looked at together.
const TOLD_TOGETHER: usize = 20;

/// The most messages of so many tickets: far more than their lives bring.
const TOLD_MAX: u64 = 10_000;

/// Destinations that are looked for at once: a house has some hundred agencies.
const DESTINATIONS_MAX: u64 = 1_000;

/// A message's identity: ticket, event, and its number among that event's messages. Stable for
/// ever, so that a receiver can tell a repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MessageId {
    /// The ticket.
    pub ticket: TicketId,
    /// The event.
    pub seq: u64,
    /// From 0.
    pub nth: u16,
}

impl std::fmt::Display for MessageId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}.{}.{}", self.ticket, self.seq, self.nth)
    }
}

impl std::str::FromStr for MessageId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('.');
        let mut next = || parts.next().ok_or(());
        let ticket = next()?.parse().map_err(|_| ())?;
        let seq = next()?.parse().map_err(|_| ())?;
        let nth = next()?.parse().map_err(|_| ())?;
        if parts.next().is_some() { Err(()) } else { Ok(Self { ticket, seq, nth }) }
    }
}

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// On its way.
    Waiting,
    /// Arrived.
    Delivered,
    /// Given up.
    Dead,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::Dead];

    /// The word in the database and the API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }

    /// The state of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// Its identity.
    pub id: MessageId,
    /// What is done: `notify`, `push`, `return_result`.
    pub kind: String,
    /// To whom: an audience, with agency or source.
    pub destination: String,
    /// What it is about, as JSON of names.
    pub about: String,
    /// When it was committed.
    pub created_at: Instant,
    /// Where it stands.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// Not before then.
    pub next_at: Instant,
    /// When it arrived or was given up.
    pub done_at: Option<Instant>,
    /// Why it has not arrived.
    pub failure: Option<String>,
}

/// What became of an attempt to carry a message; a word of ours for why it did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// It arrived.
    Arrived,
    /// It did not; another attempt may.
    Failed(&'static str),
    /// It never will.
    Refused(&'static str),
}

/// What is noted of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finished {
    /// It arrived.
    Delivered,
    /// Not yet.
    Retry {
        /// Not before then.
        next_at: Instant,
        /// A word of ours.
        failure: String,
    },
    /// Given up.
    Dead {
        /// A word of ours.
        failure: String,
    },
}

impl Store {
    /// Destinations for which a message is due, but for those that are busy.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn due_destinations(
        &self,
        now: Instant,
        busy: &[String],
    ) -> Result<Vec<String>, StoreError> {
        let mut query = Query::select();
        query.distinct().column(("outbox", "destination")).from("outbox");
        query.cond_where(first_in_line()).and_where(Expr::col(("outbox", "next_at")).lte(now.ms()));
        query.and_where(Expr::col(("outbox", "destination")).is_not_in(busy.iter().cloned()));
        query.limit(DESTINATIONS_MAX);
        let rows = self.read.query_all(&query).await?;
        legible("outbox", &rows, |row| Ok(row.try_get_by_index(0)?))
    }

    /// Claims messages for a destination that are due, at most one for each ticket, the earliest
    /// first; until the lease ends nobody else does.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn claim_messages(
        &self,
        lease: Uuid,
        destination: &str,
        now: Instant,
        until: Instant,
        limit: u64,
    ) -> Result<Vec<Posted>, StoreError> {
        let tx = self.begin().await?;
        let written = claim(&tx.tx, lease, due(destination, now, limit), until).await;
        let rows = tx.end(written).await?;
        // As the update has it.
        let tried = |row: outbox::Model| outbox::Model { attempts: row.attempts + 1, ..row };
        rows.into_iter().map(tried).map(posted).collect()
    }

    /// Notes what became of claimed messages. One whose lease somebody else has is left alone.
    ///
    /// # Errors
    /// The database refuses; nothing is noted then.
    pub async fn finish_messages(
        &self,
        lease: Uuid,
        at: Instant,
        finished: &[(MessageId, Finished)],
    ) -> Result<(), StoreError> {
        let tx = self.begin().await?;
        let written = finish(&tx.tx, lease, at, finished).await;
        tx.end(written).await
    }

    /// Sends a message once more, whatever became of it. False if there is none.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn redeliver(&self, id: MessageId, at: Instant) -> Result<bool, StoreError> {
        let tx = self.begin().await?;
        let written = again(&tx.tx, id, at).await;
        tx.end(written).await
    }

    /// When the next message is due for a destination that is not busy; one that waits behind
    /// another is not.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn next_message(&self, busy: &[String]) -> Result<Option<Instant>, StoreError> {
        let first = |limit| {
            let mut query = Query::select();
            query.column(("outbox", sea_orm::sea_query::Asterisk)).from("outbox");
            query.cond_where(first_in_line());
            query.and_where(Expr::col(("outbox", "next_at")).lte(LAST_NUMBER));
            query.and_where(Expr::col(("outbox", "destination")).is_not_in(busy.iter().cloned()));
            query.order_by(("outbox", "next_at"), sea_orm::Order::Asc).limit(limit);
            query
        };
        // Read whole: nobody claims one that cannot be.
        let read = |row: &QueryResult| posted(outbox::Model::from_query_result(row, "")?);
        let next = self.read.legible("outbox", 1, first, read).await?.pop();
        Ok(next.map(|message| message.next_at))
    }

    /// When the oldest message that waits was made, however often it was tried.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn oldest_waiting(&self) -> Result<Option<Instant>, StoreError> {
        let mut query = Query::select();
        query.expr(Expr::col("created_at").min()).from("outbox");
        query.and_where(Expr::col("state").eq(word(DeliveryState::Waiting.word())));
        query.and_where(Expr::col("created_at").lte(LAST_NUMBER));
        let row = self.read.query_one(&query).await?;
        let at: Option<i64> = row.map(|row| row.try_get_by_index(0)).transpose()?.flatten();
        Ok(at.map(Instant::from_ms))
    }

    /// Messages, those of the newest tickets first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn messages(
        &self,
        state: Option<DeliveryState>,
        ticket: Option<TicketId>,
        after: Option<MessageId>,
        limit: u64,
    ) -> Result<Vec<Posted>, StoreError> {
        let page = |limit| listed(state, ticket, after, limit).into_query();
        let read = |row: &QueryResult| posted(outbox::Model::from_query_result(row, "")?);
        self.lists.legible("outbox", limit, page, read).await
    }
}

impl Store {
    /// What was to be told about some tickets; of twenty at once ten thousand messages at most.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn told_of(&self, tickets: &[TicketId]) -> Result<Vec<Posted>, StoreError> {
        let mut all = Vec::new();
        for some in tickets.chunks(TOLD_TOGETHER) {
            let page = |limit| {
                outbox::Entity::find()
                    .filter(outbox::Column::Ticket.is_in(some.iter().map(|ticket| ticket.0)))
                    .order_by_desc(outbox::Column::Ticket)
                    .order_by_desc(outbox::Column::Seq)
                    .order_by_desc(outbox::Column::Nth)
                    .limit(limit)
                    .into_query()
            };
            let read = |row: &QueryResult| posted(outbox::Model::from_query_result(row, "")?);
            all.extend(self.lists.legible("outbox", TOLD_MAX, page, read).await?);
        }
        Ok(all)
    }
}

fn listed(
    state: Option<DeliveryState>,
    ticket: Option<TicketId>,
    after: Option<MessageId>,
    limit: u64,
) -> Select<outbox::Entity> {
    let mut query = outbox::Entity::find();
    if let Some(state) = state {
        query = query.filter(Expr::col(outbox::Column::State).eq(word(state.word())));
    }
    if let Some(ticket) = ticket {
        query = query.filter(outbox::Column::Ticket.eq(ticket.0));
    }
    if let Some(after) = after {
        let (ticket, seq, nth) = key(after);
        let same = outbox::Column::Ticket.eq(ticket);
        let later = outbox::Column::Seq.lt(seq);
        let last = outbox::Column::Seq.eq(seq).and(outbox::Column::Nth.lt(nth));
        // Said twice, so that an index can begin there.
        query = query.filter(outbox::Column::Ticket.lte(ticket)).filter(
            Condition::any().add(outbox::Column::Ticket.lt(ticket)).add(same.and(later.or(last))),
        );
    }
    query
        .order_by_desc(outbox::Column::Ticket)
        .order_by_desc(outbox::Column::Seq)
        .order_by_desc(outbox::Column::Nth)
        .limit(limit)
}

async fn again(tx: &Transaction, id: MessageId, at: Instant) -> Result<bool, StoreError> {
    let mut update = Query::update();
    update.table("outbox").value("state", DeliveryState::Waiting.word());
    update.value("attempts", 0).value("next_at", at.ms());
    update.value("lease", Option::<Uuid>::None).value("done_at", Option::<i64>::None);
    update.value("failure", Option::<String>::None).cond_where(any_of([key(id)]));
    // In the order in which an attempt that failed is noted.
    let is_there = tx.execute(&update).await?.rows_affected() > 0;
    tx.execute(&behind(id, at)).await?;
    Ok(is_there)
}

/// Moves what waits behind a message, to the same destination, to an instant.
fn behind(id: MessageId, at: Instant) -> UpdateStatement {
    let (ticket, seq, nth) = key(id);
    let mut its = Query::select();
    its.column("destination").from("outbox").cond_where(any_of([key(id)]));
    let mut update = Query::update();
    update.table("outbox").value("next_at", at.ms());
    update.and_where(Expr::col("state").eq(word(DeliveryState::Waiting.word())));
    update.and_where(Expr::col("ticket").eq(ticket)).and_where(Expr::col("lease").is_null());
    update.and_where(Expr::col("destination").in_subquery(its));
    let later = Expr::col("seq").eq(seq).and(Expr::col("nth").gt(nth));
    update.cond_where(Condition::any().add(Expr::col("seq").gt(seq)).add(later));
    update
}

async fn claim(
    tx: &Transaction,
    lease: Uuid,
    due: SelectStatement,
    until: Instant,
) -> Result<Vec<outbox::Model>, StoreError> {
    let rows = tx.query_all(&due).await?;
    let rows = legible("outbox", &rows, |row| Ok(outbox::Model::from_query_result(row, "")?))?;
    if !rows.is_empty() {
        let mut update = Query::update();
        update.table("outbox").value("lease", lease).value("next_at", until.ms());
        update.value("attempts", Expr::col("attempts").add(1));
        update.cond_where(any_of(rows.iter().map(|row| (row.ticket, row.seq, row.nth))));
        tx.execute(&update).await?;
    }
    Ok(rows)
}

async fn finish(
    tx: &Transaction,
    lease: Uuid,
    at: Instant,
    finished: &[(MessageId, Finished)],
) -> Result<(), StoreError> {
    let delivered: Vec<MessageId> =
        finished.iter().filter(|(_, one)| *one == Finished::Delivered).map(|(id, _)| *id).collect();
    set(tx, lease, &delivered, DeliveryState::Delivered, Some(at), None).await?;
    for (id, one) in finished {
        match one {
            Finished::Delivered => {}
            Finished::Dead { failure } => {
                set(tx, lease, &[*id], DeliveryState::Dead, Some(at), Some(failure)).await?;
            }
            Finished::Retry { next_at, failure } => {
                let mut update = Query::update();
                update.table("outbox").value("lease", Option::<Uuid>::None);
                update.value("next_at", next_at.ms()).value("failure", failure.as_str());
                update.cond_where(any_of([key(*id)])).and_where(Expr::col("lease").eq(lease));
                if tx.execute(&update).await?.rows_affected() > 0 {
                    // What waits behind it is not due before: else all of it would be looked at, each
                    // time somebody looks for what is.
                    tx.execute(
                        behind(*id, *next_at).and_where(Expr::col("next_at").lt(next_at.ms())),
                    )
                    .await?;
                }
            }
        }
    }
    Ok(())
}

/// Messages that wait, the first of their ticket and destination.
fn first_in_line() -> Condition {
    let one = |column: &'static str| Expr::col(("outbox", column));
    let before = |column: &'static str| Expr::col(("before", column));
    let mut earlier = Query::select();
    earlier.expr(Expr::val(1)).from_as("outbox", Alias::new("before"));
    earlier.and_where(before("state").eq(word("waiting")));
    earlier.and_where(before("ticket").eq(one("ticket")));
    earlier.and_where(before("destination").eq(one("destination")));
    earlier.cond_where(
        Condition::any()
            .add(before("seq").lt(one("seq")))
            .add(before("seq").eq(one("seq")).and(before("nth").lt(one("nth")))),
    );
    Condition::all().add(one("state").eq(word("waiting"))).add(Expr::exists(earlier).not())
}

fn due(destination: &str, now: Instant, limit: u64) -> SelectStatement {
    let mut query = Query::select();
    query.column(("outbox", sea_orm::sea_query::Asterisk)).from("outbox");
    query.cond_where(first_in_line()).and_where(Expr::col(("outbox", "next_at")).lte(now.ms()));
    query.and_where(Expr::col(("outbox", "destination")).eq(destination));
    query.order_by(("outbox", "next_at"), sea_orm::Order::Asc);
    query.order_by(("outbox", "ticket"), sea_orm::Order::Asc).limit(limit);
    query.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    query
}

async fn set(
    tx: &Transaction,
    lease: Uuid,
    ids: &[MessageId],
    state: DeliveryState,
    done_at: Option<Instant>,
    failure: Option<&str>,
) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut update = Query::update();
    update.table("outbox").value("state", state.word()).value("lease", Option::<Uuid>::None);
    update.value("done_at", done_at.map(Instant::ms));
    update.value("failure", failure.map(str::to_owned));
    update.cond_where(any_of(ids.iter().map(|id| key(*id))));
    update.and_where(Expr::col("lease").eq(lease));
    tx.execute(&update).await?;
    Ok(())
}

fn key(id: MessageId) -> (Uuid, i64, i32) {
    (id.ticket.0, number(id.seq), i32::from(id.nth))
}

fn any_of(keys: impl IntoIterator<Item = (Uuid, i64, i32)>) -> Condition {
    keys.into_iter().fold(Condition::any(), |any, (ticket, seq, nth)| {
        let this = Expr::col("ticket").eq(ticket).and(Expr::col("seq").eq(seq));
        any.add(this.and(Expr::col("nth").eq(nth)))
    })
}

fn posted(row: outbox::Model) -> Result<Posted, StoreError> {
    let id = MessageId {
        ticket: TicketId(row.ticket),
        seq: u64::try_from(row.seq).unwrap_or_default(),
        nth: u16::try_from(row.nth).unwrap_or_default(),
    };
    Ok(Posted {
        id,
        kind: row.kind,
        destination: row.destination,
        about: row.about,
        created_at: Instant::from_ms(row.created_at),
        state: DeliveryState::of(&row.state)
            .ok_or_else(|| StoreError::unreadable(format!("消息 {id} 的状态")))?,
        attempts: u32::try_from(row.attempts).unwrap_or_default(),
        next_at: Instant::from_ms(row.next_at),
        done_at: row.done_at.map(Instant::from_ms),
        failure: row.failure,
    })
}
