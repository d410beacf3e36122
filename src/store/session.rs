//! Who has come in to the console, as hashes, and from where that was refused too often. Must never
//! hold what a browser holds, nor an address.

use duban_core::digest::Digest;
use duban_core::time::Instant;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};
use sea_orm::{ConnectionTrait, Order, QueryResult};
use uuid::Uuid;

use super::event::digest;
use super::{Store, StoreError};

/// Somebody who has come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// SM3 of what the browser holds.
    pub hash: Digest,
    /// The token by which somebody came in.
    pub token: Uuid,
    /// When that was.
    pub created_at: Instant,
    /// When something was last asked for, to about a minute.
    pub seen_at: Instant,
    /// When it was ended.
    pub ended_at: Option<Instant>,
}

/// How often somebody may be refused.
#[derive(Clone, Copy, Debug)]
pub struct Lockout {
    /// So often.
    pub failures: i32,
    /// Within so many milliseconds.
    pub within_ms: i64,
    /// Then it is locked for so many.
    pub for_ms: i64,
}

/// What a refusal comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusals {
    /// So many more are left.
    Left(i32),
    /// Locked until then.
    Locked(Instant),
}

impl Store {
    /// Somebody comes in.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn add_session(&self, session: &Session) -> Result<(), StoreError> {
        let Session { hash, token, created_at, seen_at, ended_at } = session;
        let mut insert = Query::insert();
        insert.into_table("session").columns([
            "hash",
            "token",
            "created_at",
            "seen_at",
            "ended_at",
        ]);
        insert.values_panic([
            hash.0.to_vec().into(),
            (*token).into(),
            created_at.ms().into(),
            seen_at.ms().into(),
            ended_at.map(Instant::ms).into(),
        ]);
        self.writer().await?.execute(&insert).await?;
        Ok(())
    }

    /// The session of a hash, whatever its state.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn session(&self, hash: Digest) -> Result<Option<Session>, StoreError> {
        let mut query = Query::select();
        query.columns(["hash", "token", "created_at", "seen_at", "ended_at"]).from("session");
        query.and_where(Expr::col("hash").eq(hash.0.to_vec()));
        self.read.query_one(&query).await?.as_ref().map(known).transpose()
    }

    /// Something was asked for in a session.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn see_session(&self, hash: Digest, at: Instant) -> Result<(), StoreError> {
        let mut update = Query::update();
        update.table("session").value("seen_at", at.ms());
        update.and_where(Expr::col("hash").eq(hash.0.to_vec()));
        update
            .and_where(Expr::col("seen_at").lt(at.ms()))
            .and_where(Expr::col("ended_at").is_null());
        self.writer().await?.execute(&update).await?;
        Ok(())
    }

    /// Ends a session; what comes with it from now on is nobody's.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn end_session(&self, hash: Digest, at: Instant) -> Result<(), StoreError> {
        let mut update = Query::update();
        update.table("session").value("ended_at", at.ms());
        update.and_where(Expr::col("hash").eq(hash.0.to_vec()));
        update.and_where(Expr::col("ended_at").is_null());
        self.writer().await?.execute(&update).await?;
        Ok(())
    }

    /// Until when nobody comes in from there, if that is so.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn locked_until(
        &self,
        source: Digest,
        now: Instant,
    ) -> Result<Option<Instant>, StoreError> {
        let mut query = Query::select();
        query.column("locked_until").from("refusal");
        query.and_where(Expr::col("source").eq(source.0.to_vec()));
        query.and_where(Expr::col("locked_until").gt(now.ms()));
        let Some(row) = self.read.query_one(&query).await? else { return Ok(None) };
        let until: i64 = row.try_get_by_index(0)?;
        Ok(Some(Instant::from_ms(until)))
    }

    /// Somebody was refused who came from there.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn refused(
        &self,
        source: Digest,
        now: Instant,
        rule: Lockout,
    ) -> Result<Refusals, StoreError> {
        let tx = self.begin().await?;
        let counted = async {
            let failures = counted(&tx.tx, source, now, rule).await?;
            if failures < rule.failures {
                return Ok(Refusals::Left(rule.failures - failures));
            }
            // From the beginning again once it is over.
            let until = now.plus_ms(rule.for_ms);
            let mut lock = Query::update();
            lock.table("refusal").value("locked_until", until.ms()).value("failures", 0_i32);
            lock.and_where(Expr::col("source").eq(source.0.to_vec()));
            tx.tx.execute(&lock).await?;
            Ok(Refusals::Locked(until))
        };
        let counted = counted.await;
        tx.end(counted).await
    }

    /// Somebody came in from there: what was refused before is forgotten.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn admitted(&self, source: Digest) -> Result<(), StoreError> {
        let mut delete = Query::delete();
        delete.from_table("refusal").and_where(Expr::col("source").eq(source.0.to_vec()));
        self.writer().await?.execute(&delete).await?;
        Ok(())
    }

    /// Forgets up to `limit` sessions that were last seen before an instant, and refusals from
    /// before it; how many sessions.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn forget_sessions(&self, before: Instant, limit: u64) -> Result<u64, StoreError> {
        let mut old = Query::select();
        old.column("hash").from("session").and_where(Expr::col("seen_at").lt(before.ms()));
        old.order_by("seen_at", Order::Asc).limit(limit);
        let mut delete = Query::delete();
        delete.from_table("session").and_where(Expr::col("hash").in_subquery(old));
        let mut refusals = Query::delete();
        refusals.from_table("refusal").and_where(Expr::col("since").lt(before.ms()));
        let writer = self.writer().await?;
        writer.execute(&refusals).await?;
        Ok(writer.execute(&delete).await?.rows_affected())
    }
}

/// One more refusal; how many there are by now.
async fn counted(
    tx: &impl ConnectionTrait,
    source: Digest,
    now: Instant,
    rule: Lockout,
) -> Result<i32, StoreError> {
    let is_over = || Expr::col(("refusal", "since")).lt(now.ms() - rule.within_ms);
    let either = |new: Expr, old: Expr| Expr::case(is_over(), new).finally(old);
    let raised = Expr::col(("refusal", "failures")).add(1_i32);
    let mut upsert = Query::insert();
    upsert.into_table("refusal").columns(["source", "failures", "since"]);
    upsert.values_panic([source.0.to_vec().into(), 1_i32.into(), now.ms().into()]);
    let mut again = OnConflict::column("source");
    again.value("failures", either(Expr::val(1_i32), raised));
    again.value("since", either(Expr::val(now.ms()), Expr::col(("refusal", "since"))));
    upsert.on_conflict(again).returning(Query::returning().column("failures"));
    let row = tx.query_one(&upsert).await?;
    let row = row.ok_or_else(|| StoreError::unreadable("表 refusal 没有行"))?;
    Ok(row.try_get_by_index(0)?)
}

fn known(row: &QueryResult) -> Result<Session, StoreError> {
    let hash: Vec<u8> = row.try_get_by_index(0)?;
    let (created_at, seen_at): (i64, i64) = (row.try_get_by_index(2)?, row.try_get_by_index(3)?);
    let ended_at: Option<i64> = row.try_get_by_index(4)?;
    Ok(Session {
        hash: digest(&hash)?,
        token: row.try_get_by_index(1)?,
        created_at: Instant::from_ms(created_at),
        seen_at: Instant::from_ms(seen_at),
        ended_at: ended_at.map(Instant::from_ms),
    })
}
