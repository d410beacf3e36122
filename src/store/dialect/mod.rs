//! Whatever differs between SQLite and PostgreSQL: how to connect, how rows reach the database, who
//! may use a file. Must never know a table.

mod postgres;
mod reads;
mod sqlite;

use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use sea_orm::{
    Database, DatabaseConnection, DatabaseTransaction, DbBackend, SqliteTransactionMode,
};
use sea_orm::{StatementBuilder, TransactionOptions, TransactionTrait};
use tokio::sync::{Mutex, MutexGuard};

use super::StoreError;
use super::rows::Rows;
pub(super) use postgres::{Server, Setwise};
pub(super) use reads::Reads;
pub use sqlite::FileLock;
pub(super) use sqlite::{file, lock};

/// Connections that read. Two cores decode rows; more would only wait for them.
const READERS_MAX: u32 = 4;

/// How long anybody waits for a connection, or for others to end their writing.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// One database.
pub(super) struct Opened {
    /// For writes outside the commit path; one connection on SQLite, where only one can write.
    pub(super) write: DatabaseConnection,
    pub(super) read: Reads,
    pub(super) commits: Commits,
}

/// How commits reach the database.
#[derive(Debug)]
pub(super) enum Commits {
    /// By a connection of its own, on which prepared rows cost next to nothing. Whoever writes to
    /// the file holds it: two writers would only wait for each other, and not in turn.
    File(Mutex<sqlite::File>),
    /// By arrays: one statement a table.
    Server(postgres::Server),
}

/// A commit under way.
pub(super) trait Tx {
    /// Writes rows of one table; without rows there is no statement. Rows that meet others as
    /// they must not make the commit stale.
    fn write(&mut self, rows: &Rows<'_>) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Carries out a statement; the whole numbers that it returns.
    fn ask<S: StatementBuilder>(
        &mut self,
        statement: &S,
    ) -> impl Future<Output = Result<Vec<Vec<i64>>, StoreError>> + Send;
}

/// Why a commit did not come to its end.
pub(super) enum Broken {
    /// It was not to be: nothing of it is there.
    Before(StoreError),
    /// At its very end: whether it is there only the database knows.
    AtItsEnd(StoreError),
}

/// Opens the database of an address. What its commits cost is counted in statements.
pub(super) async fn connect(url: &str, statements: Arc<AtomicU64>) -> Result<Opened, StoreError> {
    match backend(url)? {
        DbBackend::Sqlite => sqlite::connect(url, statements).await,
        _ => postgres::connect(url, statements).await,
    }
}

/// One connection on which statements take as long as they take.
pub(super) async fn patient(url: &str) -> Result<DatabaseConnection, StoreError> {
    let options = match backend(url)? {
        DbBackend::Sqlite => sqlite::pool(url, 1),
        _ => postgres::pool(url, 1, "0", "0"),
    };
    Database::connect(options).await.map_err(opening)
}

fn opening(error: sea_orm::DbErr) -> StoreError {
    match StoreError::from(error) {
        StoreError::Refused { code } | StoreError::Database(code) => StoreError::Unreachable(code),
        // Nobody else can be in the way yet.
        StoreError::Busy => StoreError::Unreachable("服务器没有应答".to_owned()),
        other => other,
    }
}

/// Which database an address names.
fn backend(url: &str) -> Result<DbBackend, StoreError> {
    if url.starts_with("sqlite:") {
        return Ok(DbBackend::Sqlite);
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(DbBackend::Postgres);
    }
    let say = "应以 sqlite:// 或 postgres:// 开头，例如 sqlite://duban.db?mode=rwc";
    Err(StoreError::Address(say.to_owned()))
}

/// The connections that write outside the commit path, with nobody else writing to the file.
pub(super) struct Writer<'w> {
    pool: &'w DatabaseConnection,
    _alone: Option<MutexGuard<'w, sqlite::File>>,
}

impl Deref for Writer<'_> {
    type Target = DatabaseConnection;

    fn deref(&self) -> &DatabaseConnection {
        self.pool
    }
}

/// Waits until nobody else writes to the file.
pub(super) async fn alone(
    file: &Mutex<sqlite::File>,
) -> Result<MutexGuard<'_, sqlite::File>, StoreError> {
    tokio::time::timeout(ACQUIRE_TIMEOUT, file.lock()).await.map_err(|_| StoreError::Busy)
}

/// The connections that write, when it is one's turn.
pub(super) async fn writer<'w>(
    pool: &'w DatabaseConnection,
    commits: &'w Commits,
) -> Result<Writer<'w>, StoreError> {
    let alone = match commits {
        Commits::File(file) => Some(alone(file).await?),
        Commits::Server(_) => None,
    };
    Ok(Writer { pool, _alone: alone })
}

/// A write in one transaction, outside the commit path. What it began is committed, or rolled back
/// and its connection given up: one on which an end has failed must never be used again, since the
/// driver would take a next transaction for a part of the one that never ended, and its commit for a
/// savepoint's.
pub(super) struct Write<'w> {
    writer: Writer<'w>,
    pub(super) tx: DatabaseTransaction,
}

/// Begins a write. SQLite takes its lock at once: a later one could fail half-way.
pub(super) async fn begin(writer: Writer<'_>) -> Result<Write<'_>, StoreError> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    match writer.begin_with_options(options).await {
        Ok(tx) => Ok(Write { writer, tx }),
        Err(error) => {
            give_up(&writer).await;
            Err(error.into())
        }
    }
}

impl Write<'_> {
    /// Commits what was written, or rolls it back where it was not written whole.
    pub(super) async fn end<T>(self, written: Result<T, StoreError>) -> Result<T, StoreError> {
        let Self { writer, tx } = self;
        let ended = match written {
            Ok(_) => tx.commit().await,
            Err(_) => tx.rollback().await,
        };
        if let Err(error) = ended {
            give_up(&writer).await;
            // A rollback that failed leaves what was wrong before it to be told.
            written.and(Err(error.into()))
        } else {
            written
        }
    }
}

/// Closes the one connection that writes; the pool opens another. (A pool of PostgreSQL refuses to
/// go on with such a connection by itself: there a savepoint needs a transaction.)
async fn give_up(pool: &DatabaseConnection) {
    if pool.get_database_backend() != DbBackend::Sqlite {
        return;
    }
    tracing::warn!("a transaction could not be ended: its connection is given up");
    if let Ok(connection) = pool.get_sqlite_connection_pool().acquire().await {
        // However the closing goes, the pool no longer has it.
        let _ = connection.close().await;
    }
}
