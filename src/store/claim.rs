//! What is due, claimed by whoever works it off: nobody else is given it until it is committed or let
//! go. A server locks the rows; of a file, which one process has, this process knows what it has
//! given away. Must never be needed for what is right: that is the version's.

use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use sea_orm::Order::Asc;
use sea_orm::sea_query::{Expr, ExprTrait, LockBehavior, LockType, Query, SelectStatement};
use tokio::sync::{Mutex, watch};
use uuid::Uuid;

use super::dialect::{Broken, Commits, Server, Setwise};
use super::legible::legible;
use super::stored::{self, Row};
use super::{Readable, Store, StoreError};

/// Tickets of one turn where snapshots have to be rebuilt.
const REBUILT_MAX: usize = 100;

/// Tickets that are claimed until the commit to which this goes, or until it is dropped.
#[derive(Default)]
pub struct Claim(pub(super) Held);

#[derive(Default)]
pub(super) enum Held {
    #[default]
    Nothing,
    OfFile(#[expect(dead_code, reason = "held, not read")] Ahead),
    OfServer(Setwise),
}

/// What of a file's due tickets is given away: everything up to a place in their order.
#[derive(Debug, Default)]
pub(super) struct GivenAway {
    choosing: Mutex<()>,
    upto: watch::Sender<UpTo>,
}

#[derive(Clone, Copy, Debug, Default)]
struct UpTo {
    claims: usize,
    place: Option<(i64, Uuid)>,
}

/// One claim of a file's tickets; the last that ends makes all of them free.
pub(super) struct Ahead(watch::Sender<UpTo>);

impl Drop for Ahead {
    fn drop(&mut self) {
        self.0.send_modify(|upto| {
            upto.claims -= 1;
            if upto.claims == 0 {
                upto.place = None;
            }
        });
    }
}

impl GivenAway {
    fn give(&self, last: (i64, Uuid)) -> Ahead {
        self.upto.send_modify(|upto| {
            upto.claims += 1;
            upto.place = Some(last);
        });
        Ahead(self.upto.clone())
    }
}

impl Store {
    /// Claims tickets of which something is due at or before an instant, the earliest first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn claim_due(
        &self,
        at: Instant,
        limit: u64,
    ) -> Result<(Claim, Vec<(TicketId, Readable)>), StoreError> {
        let (mut held, mut rows) = match &*self.commits {
            Commits::File(_) => self.give_away(at, limit).await?,
            Commits::Server(server) => lock(server, at, limit).await?,
        };
        let is_whole = |row: &Row| row.as_ref().is_ok_and(|row| row.instance.is_some());
        if !self.is_embedded() && !rows.iter().all(|(_, row)| is_whole(row)) {
            // What must be rebuilt out of its history takes longer than a server keeps a claim: that
            // is let go, and a few are gone on with, under the guard of their versions alone.
            held = Held::Nothing;
            rows.truncate(REBUILT_MAX);
        }
        let mut loaded = Vec::with_capacity(rows.len());
        for (id, row) in rows {
            loaded.push((TicketId(id), self.loaded(id, row).await));
        }
        Ok((Claim(held), loaded))
    }

    async fn give_away(
        &self,
        at: Instant,
        limit: u64,
    ) -> Result<(Held, Vec<(Uuid, Row)>), StoreError> {
        let _in_turn = self.given_away.choosing.lock().await;
        loop {
            let after = self.given_away.upto.borrow().place;
            let rows = self.read.rows(limit, |limit| due(at, after, limit)).await?;
            if let Some((id, row)) = rows.last() {
                let wake_at = match row {
                    Ok(row) => row.wake_at,
                    Err(_) => self.instant(("snapshot", "ticket"), *id, "wake_at").await?,
                };
                let last = (wake_at.unwrap_or_else(|| at.ms()), *id);
                return Ok((Held::OfFile(self.given_away.give(last)), rows));
            }
            if after.is_none() {
                return Ok((Held::Nothing, rows));
            }
            // What others have in hand may come back.
            let mut upto = self.given_away.upto.subscribe();
            let _ = upto.wait_for(|upto| upto.claims == 0).await;
        }
    }
}

async fn lock(
    server: &Server,
    at: Instant,
    limit: u64,
) -> Result<(Held, Vec<(Uuid, Row)>), StoreError> {
    // Rows that others have locked are passed over before anything is looked up for them.
    let mut free = Query::select();
    free.and_where(Expr::col("wake_at").lte(at.ms()))
        .order_by("wake_at", Asc)
        .order_by("ticket", Asc);
    free.limit(limit).lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    let mut query = stored::of_picked(free);
    query.order_by(("snapshot", "wake_at"), Asc).order_by(("snapshot", "ticket"), Asc);
    let mut tx = server.begin().await?;
    let found = tx.select(&query).await;
    let found = found.and_then(|rows| legible("ticket", &rows, stored::read));
    match found {
        Ok(rows) if !rows.is_empty() => Ok((Held::OfServer(tx), rows)),
        nothing => match tx.end(nothing).await {
            Ok(nothing) => Ok((Held::Nothing, nothing)),
            Err(Broken::Before(error) | Broken::AtItsEnd(error)) => Err(error),
        },
    }
}

/// What is due at or before an instant, the earliest first, after a place in that order.
pub(super) fn due(at: Instant, after: Option<(i64, Uuid)>, limit: u64) -> SelectStatement {
    let wake_at = || Expr::col(("snapshot", "wake_at"));
    let mut query = stored::of_snapshots();
    query.and_where(wake_at().lte(at.ms()));
    if let Some((last, id)) = after {
        let later = wake_at().gt(last).or(Expr::col(("snapshot", "ticket")).gt(id));
        query.and_where(wake_at().gte(last)).and_where(later);
    }
    query.order_by(("snapshot", "wake_at"), Asc).order_by(("snapshot", "ticket"), Asc);
    query.limit(limit);
    query
}
