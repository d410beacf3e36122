//! Whatever differs between SQLite and PostgreSQL: how to connect, how rows reach the database, who
//! may use a file. Must never know a table.

mod beside;
mod connections;
mod postgres;
mod session;
mod sqlite;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use sea_orm::{Database, DatabaseConnection, DbBackend, StatementBuilder};
use tokio::sync::{Mutex, MutexGuard};

use super::StoreError;
use super::rows::Rows;
pub(super) use beside::{Transaction, Write, Writer, begin, writer};
pub(super) use connections::Connections;
pub(super) use postgres::{Server, Setwise};
pub use sqlite::FileLock;
pub(super) use sqlite::{file, lock};

/// Connections that read. Two cores decode rows; more would only wait for them.
const READERS_MAX: u32 = 4;

/// How long anybody waits for a connection, or for others to end their writing.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// One database.
pub(super) struct Opened {
    /// For writes outside the commit path; one connection on SQLite, where only one can write.
    pub(super) write: Connections,
    pub(super) read: Connections,
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

/// Waits until nobody else writes to the file.
pub(super) async fn alone(
    file: &Mutex<sqlite::File>,
) -> Result<MutexGuard<'_, sqlite::File>, StoreError> {
    tokio::time::timeout(ACQUIRE_TIMEOUT, file.lock()).await.map_err(|_| StoreError::Busy)
}
