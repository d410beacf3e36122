//! The connections that read. Must never write, nor keep anybody waiting for a server that will not
//! answer.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sea_orm::sea_query::Values;
use sea_orm::sqlx::{self, AssertSqlSafe, PgPool};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult};
use sea_orm::{RuntimeErr, Statement};
use sea_query_sqlx::SqlxValues;

/// How long a server's answer is waited for; it ends a statement before that.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(25);

/// Connections that read; clones are the same.
#[derive(Clone, Debug)]
pub(in crate::store) enum Reads {
    File(DatabaseConnection),
    /// One that does not answer is given up: back in the pool it would keep the next one waiting.
    Server(PgPool),
}

impl Reads {
    pub(super) fn of_server(read: &DatabaseConnection) -> Self {
        Self::Server(read.get_postgres_connection_pool().clone())
    }

    pub(in crate::store) async fn close(&self) {
        match self {
            Self::File(file) => drop(file.clone().close().await),
            Self::Server(pool) => pool.close().await,
        }
    }
}

/// What a server says to a statement, if it says it in time.
macro_rules! asked {
    ($pool:expr, $connection:ident => $asked:expr) => {{
        let mut $connection = $pool.acquire().await.map_err(told)?;
        match tokio::time::timeout(ANSWER_TIMEOUT, $asked).await {
            Ok(answer) => answer.map_err(told),
            Err(_) => {
                drop($connection.detach());
                Err(told(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
            }
        }
    }};
}

#[async_trait]
impl ConnectionTrait for Reads {
    fn get_database_backend(&self) -> DbBackend {
        match self {
            Self::File(_) => DbBackend::Sqlite,
            Self::Server(_) => DbBackend::Postgres,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match self {
            Self::File(file) => file.execute_raw(statement).await,
            Self::Server(pool) => {
                let query = query(statement);
                asked!(pool, connection => query.execute(&mut *connection)).map(ExecResult::from)
            }
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match self {
            Self::File(file) => file.execute_unprepared(sql).await,
            Self::Server(pool) => {
                let query = sqlx::raw_sql(AssertSqlSafe(sql));
                asked!(pool, connection => query.execute(&mut *connection)).map(ExecResult::from)
            }
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match self {
            Self::File(file) => file.query_one_raw(statement).await,
            Self::Server(pool) => {
                let query = query(statement);
                let row = asked!(pool, connection => query.fetch_optional(&mut *connection))?;
                Ok(row.map(QueryResult::from))
            }
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self {
            Self::File(file) => file.query_all_raw(statement).await,
            Self::Server(pool) => {
                let query = query(statement);
                let rows = asked!(pool, connection => query.fetch_all(&mut *connection))?;
                Ok(rows.into_iter().map(QueryResult::from).collect())
            }
        }
    }
}

fn query(statement: Statement) -> sqlx::query::Query<'static, sqlx::Postgres, SqlxValues> {
    let values = statement.values.unwrap_or_else(|| Values(Vec::new()));
    sqlx::query_with(AssertSqlSafe(statement.sql), SqlxValues(values))
}

fn told(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}
