//! The connections that ask and write statement by statement. Must never keep anybody waiting for a
//! server that will not answer.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use sea_orm::sea_query::Values;
use sea_orm::sqlx::pool::PoolConnection;
use sea_orm::sqlx::{self, AssertSqlSafe, Executor, PgConnection, PgPool, Postgres};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult};
use sea_orm::{RuntimeErr, Statement};
use sea_query_sqlx::SqlxValues;

/// How long giving a connection back may take.
const GIVE_BACK_TIMEOUT: Duration = Duration::from_secs(3);

/// Connections; clones are the same.
#[derive(Clone, Debug)]
pub(in crate::store) enum Connections {
    File(DatabaseConnection),
    Server {
        pool: PgPool,
        /// How long an answer is waited for: the server ends a statement before that.
        within: Duration,
    },
}

impl Connections {
    pub(super) fn of_server(opened: &DatabaseConnection, within: Duration) -> Self {
        Self::Server { pool: opened.get_postgres_connection_pool().clone(), within }
    }

    pub(in crate::store) async fn close(&self) {
        match self {
            // Clones may close it again: that does no harm.
            Self::File(file) => drop(file.clone().close().await),
            Self::Server { pool, .. } => pool.close().await,
        }
    }
}

#[async_trait]
impl ConnectionTrait for Connections {
    fn get_database_backend(&self) -> DbBackend {
        match self {
            Self::File(_) => DbBackend::Sqlite,
            Self::Server { .. } => DbBackend::Postgres,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match self {
            Self::File(file) => file.execute_raw(statement).await,
            Self::Server { pool, within } => {
                let asked = ask(pool, *within, |connection| connection.execute(query(statement)));
                asked.await.map(ExecResult::from).map_err(told)
            }
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match self {
            Self::File(file) => file.execute_unprepared(sql).await,
            Self::Server { pool, within } => {
                let sql = sql.to_owned();
                let run = sqlx::raw_sql(AssertSqlSafe(sql));
                let asked = ask(pool, *within, |connection| connection.execute(run));
                asked.await.map(ExecResult::from).map_err(told)
            }
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match self {
            Self::File(file) => file.query_one_raw(statement).await,
            Self::Server { .. } => Ok(self.query_all_raw(statement).await?.into_iter().next()),
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self {
            Self::File(file) => file.query_all_raw(statement).await,
            Self::Server { pool, within } => {
                let asked = ask(pool, *within, |connection| connection.fetch_all(query(statement)));
                let rows = asked.await.map_err(told)?;
                Ok(rows.into_iter().map(QueryResult::from).collect())
            }
        }
    }
}

/// Asks on a connection of the pool. One that does not answer is given up: back in the pool it would
/// keep the next one waiting.
pub(super) async fn ask<T>(
    pool: &PgPool,
    within: Duration,
    run: impl for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<T, sqlx::Error>> + Send,
) -> Result<T, sqlx::Error> {
    let mut lent = Lent(Some(pool.acquire().await?));
    let connection = lent.0.as_deref_mut().ok_or_else(silence)?;
    let answer = in_time(within, run(connection)).await;
    if answer.as_ref().is_err_and(is_silence) {
        drop(lent.0.take().map(PoolConnection::detach));
    }
    answer
}

/// A connection of the pool, given back also where nobody waits for its answer any more.
struct Lent(Option<PoolConnection<Postgres>>);

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            give_back(connection);
        }
    }
}

/// Gives a connection back to its pool, or up: the driver asks first whether it is still there, and
/// by itself would wait for ever, with its place in the pool.
pub(super) fn give_back(mut connection: PoolConnection<Postgres>) {
    // Where the runtime has ended there is no pool to go back to, and the driver would panic.
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        return drop(connection.detach());
    };
    let back = connection.return_to_pool();
    runtime.spawn(async move { tokio::time::timeout(GIVE_BACK_TIMEOUT, back).await });
}

/// What a server says, if it says it in time.
pub(super) async fn in_time<T>(
    within: Duration,
    asked: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    tokio::time::timeout(within, asked).await.unwrap_or_else(|_| Err(silence()))
}

pub(super) fn silence() -> sqlx::Error {
    sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())
}

pub(super) fn is_silence(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(io) if io.kind() == std::io::ErrorKind::TimedOut)
}

/// A statement with its values.
pub(super) fn query(statement: Statement) -> sqlx::query::Query<'static, Postgres, SqlxValues> {
    let values = statement.values.unwrap_or_else(|| Values(Vec::new()));
    sqlx::query_with(AssertSqlSafe(statement.sql), SqlxValues(values))
}

pub(super) fn told(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}
