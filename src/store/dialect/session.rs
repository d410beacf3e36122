//! A transaction on a connection of PostgreSQL that is its alone, and ends with it. Must never give
//! back a connection on which something is still under way.

use std::time::Duration;

use sea_orm::sqlx::pool::PoolConnection;
use sea_orm::sqlx::{self, PgConnection, PgPool, Postgres};

use super::connections::{give_back, in_time, is_silence, silence};

/// How long the server's answer to a write is waited for, which has its own, shorter limits: what is
/// longer in coming will not come, and its connection is gone.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// A transaction under way.
pub(in crate::store) struct Session(Option<PoolConnection<Postgres>>);

impl Drop for Session {
    /// Whoever lets go of it does not wait for the server to know.
    fn drop(&mut self) {
        let Some(connection) = self.0.take() else { return };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(end(connection, "ROLLBACK"))),
            Err(_) => drop(connection.detach()),
        }
    }
}

impl Session {
    pub(super) async fn begin(pool: &PgPool) -> Result<Self, sqlx::Error> {
        let mut session = Self(Some(pool.acquire().await?));
        let begin = sqlx::raw_sql("BEGIN").execute(session.connection()?);
        let begun = in_time(ANSWER_TIMEOUT, begin).await;
        session.heard(begun)?;
        Ok(session)
    }

    /// What was heard on its connection. One that gives no answer is given up at once: it would give
    /// none to an end either.
    pub(super) fn heard<T>(&mut self, answer: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        if answer.as_ref().is_err_and(is_silence)
            && let Some(connection) = self.0.take()
        {
            drop(connection.detach());
        }
        answer
    }

    pub(super) fn connection(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        self.0.as_deref_mut().ok_or_else(silence)
    }

    pub(super) async fn commit(self) -> Result<(), sqlx::Error> {
        self.end("COMMIT").await
    }

    pub(super) async fn rollback(self) -> Result<(), sqlx::Error> {
        self.end("ROLLBACK").await
    }

    async fn end(mut self, how: &'static str) -> Result<(), sqlx::Error> {
        match self.0.take() {
            Some(connection) => end(connection, how).await,
            None => Err(silence()),
        }
    }
}

async fn end(
    mut connection: PoolConnection<Postgres>,
    how: &'static str,
) -> Result<(), sqlx::Error> {
    let ended = in_time(ANSWER_TIMEOUT, sqlx::raw_sql(how).execute(&mut *connection)).await;
    if ended.is_err() {
        drop(connection.detach());
    } else {
        give_back(connection);
    }
    ended.map(drop)
}
