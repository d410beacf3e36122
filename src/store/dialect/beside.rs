//! Writes beside the commit path: statement by statement, one alone or several in a transaction. Must
//! never write what belongs to a ticket's history.

use std::ops::Deref;

use async_trait::async_trait;
use sea_orm::TransactionTrait;
use sea_orm::sqlx::Executor;
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr};
use sea_orm::{ExecResult, QueryResult, SqliteTransactionMode, Statement, TransactionOptions};
use tokio::sync::{Mutex, MutexGuard};

use super::connections::{Connections, in_time, query, told};
use super::session::{ANSWER_TIMEOUT, Session};
use super::sqlite::File;
use super::{Commits, alone};
use crate::store::StoreError;

/// The connections that write outside the commit path, with nobody else writing to the file.
pub(in crate::store) struct Writer<'w> {
    connections: &'w Connections,
    _alone: Option<MutexGuard<'w, File>>,
}

impl Deref for Writer<'_> {
    type Target = Connections;

    fn deref(&self) -> &Connections {
        self.connections
    }
}

/// The connections that write, when it is one's turn.
pub(in crate::store) async fn writer<'w>(
    connections: &'w Connections,
    commits: &'w Commits,
) -> Result<Writer<'w>, StoreError> {
    let alone = match commits {
        Commits::File(file) => Some(alone(file).await?),
        Commits::Server(_) => None,
    };
    Ok(Writer { connections, _alone: alone })
}

/// A write in one transaction. What it began is committed, or rolled back and its connection given
/// up: one on which an end has failed must never be used again, since the driver would take a next
/// transaction for a part of the one that never ended, and its commit for a savepoint's.
pub(in crate::store) struct Write<'w> {
    writer: Writer<'w>,
    pub(in crate::store) tx: Transaction,
}

/// Where its statements go.
pub(in crate::store) enum Transaction {
    File(DatabaseTransaction),
    Server(Mutex<Session>),
}

/// Begins a write. SQLite takes its lock at once: a later one could fail half-way.
pub(in crate::store) async fn begin(writer: Writer<'_>) -> Result<Write<'_>, StoreError> {
    let file = match &*writer {
        Connections::File(file) => file,
        Connections::Server { pool, .. } => {
            let session = Session::begin(pool).await.map_err(|error| StoreError::from(&error))?;
            return Ok(Write { writer, tx: Transaction::Server(Mutex::new(session)) });
        }
    };
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    match file.begin_with_options(options).await {
        Ok(tx) => Ok(Write { writer, tx: Transaction::File(tx) }),
        Err(error) => {
            give_up(file).await;
            Err(error.into())
        }
    }
}

impl Write<'_> {
    /// Commits what was written, or rolls it back where it was not written whole.
    pub(in crate::store) async fn end<T>(
        self,
        written: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let Self { writer, tx } = self;
        let ended = match (tx, &written) {
            (Transaction::File(tx), Ok(_)) => tx.commit().await,
            (Transaction::File(tx), Err(_)) => tx.rollback().await,
            (Transaction::Server(session), Ok(_)) => {
                session.into_inner().commit().await.map_err(told)
            }
            (Transaction::Server(session), Err(_)) => {
                session.into_inner().rollback().await.map_err(told)
            }
        };
        let Err(error) = ended else { return written };
        if let Connections::File(file) = &*writer {
            give_up(file).await;
        }
        // A rollback that failed leaves what was wrong before it to be told.
        written.and(Err(error.into()))
    }
}

/// Closes the one connection that writes to the file; the pool opens another.
async fn give_up(file: &DatabaseConnection) {
    tracing::warn!("a transaction could not be ended: its connection is given up");
    if let Ok(connection) = file.get_sqlite_connection_pool().acquire().await {
        // However the closing goes, the pool no longer has it.
        let _ = connection.close().await;
    }
}

#[async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        match self {
            Self::File(_) => DbBackend::Sqlite,
            Self::Server(_) => DbBackend::Postgres,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match self {
            Self::File(tx) => tx.execute_raw(statement).await,
            Self::Server(session) => {
                let mut session = session.lock().await;
                let connection = session.connection().map_err(told)?;
                let done = in_time(ANSWER_TIMEOUT, connection.execute(query(statement))).await;
                session.heard(done).map(ExecResult::from).map_err(told)
            }
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.execute_raw(Statement::from_string(self.get_database_backend(), sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.query_all_raw(statement).await?.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self {
            Self::File(tx) => tx.query_all_raw(statement).await,
            Self::Server(session) => {
                let mut session = session.lock().await;
                let connection = session.connection().map_err(told)?;
                let rows = in_time(ANSWER_TIMEOUT, connection.fetch_all(query(statement))).await;
                let rows = session.heard(rows);
                Ok(rows.map_err(told)?.into_iter().map(QueryResult::from).collect())
            }
        }
    }
}
