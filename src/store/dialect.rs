//! Whatever differs between SQLite and PostgreSQL: how to connect, how many values a statement may
//! carry, who may use a file. Must never know a table.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbBackend};
use sea_orm::{DatabaseTransaction, SqliteTransactionMode, TransactionOptions, TransactionTrait};

use super::StoreError;

/// Connections that read. Two cores decode rows; more would only wait for them.
const READERS_MAX: u32 = 4;

/// How long a connection waits for another process (a second command on the same file).
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long anybody waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// Pages of the log before it is folded into the file: fewer, larger foldings (a third more
/// tickets a second than with the default of 1,000).
const CHECKPOINT_PAGES: &str = "10000";

/// Values in one statement: 32,766 on SQLite, 65,535 on PostgreSQL.
const BINDS_MAX: usize = 32_000;

/// Statements that a connection keeps prepared.
const STATEMENTS_MAX: usize = 512;

/// Rows that are read ahead of whoever takes them: with fewer, two threads wait for one another all
/// the time where much is read.
const ROWS_AHEAD: usize = 4_096;

/// The pools of one database.
pub(super) struct Pools {
    /// One connection on SQLite, where only one can write.
    pub(super) write: DatabaseConnection,
    /// The same pool on PostgreSQL.
    pub(super) read: DatabaseConnection,
}

/// Opens the database of an address.
pub(super) async fn connect(url: &str) -> Result<Pools, StoreError> {
    if backend(url)? == DbBackend::Sqlite {
        if let Some(path) = file(url)?
            && url.contains("mode=rwc")
            && !path.contains('%')
        {
            // Nobody else on the machine is to read it, nor the log beside it, which takes after it.
            // What is wrong with the path the database tells.
            let _ = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        }
        let write = Database::connect(sqlite(url, 1)).await.map_err(opening)?;
        let readable = url.replace("mode=rwc", "mode=rw");
        let read = Database::connect(sqlite(&readable, READERS_MAX)).await.map_err(opening)?;
        return Ok(Pools { write, read });
    }
    let mut options = ConnectOptions::new(url);
    options.max_connections(READERS_MAX).acquire_timeout(ACQUIRE_TIMEOUT).sqlx_logging(false);
    let write = Database::connect(options).await.map_err(opening)?;
    Ok(Pools { read: write.clone(), write })
}

fn opening(error: sea_orm::DbErr) -> StoreError {
    match StoreError::from(error) {
        StoreError::Refused { code } | StoreError::Database(code) => StoreError::Unreachable(code),
        // Nobody else can be in the way yet.
        StoreError::Busy => StoreError::Unreachable("服务器没有应答".to_owned()),
        other => other,
    }
}

fn sqlite(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.max_connections(connections).min_connections(1).acquire_timeout(ACQUIRE_TIMEOUT);
    options.sqlx_logging(false);
    options.map_sqlx_sqlite_opts(|sqlite| {
        sqlite
            .pragma("journal_mode", "WAL")
            .pragma("synchronous", "FULL")
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
            .pragma("cache_size", "-32768")
            .foreign_keys(true)
            .statement_cache_capacity(STATEMENTS_MAX)
            .row_buffer_size(ROWS_AHEAD)
            .busy_timeout(BUSY_TIMEOUT)
    });
    options
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

/// The file of a SQLite address; none for a server.
pub(super) fn file(url: &str) -> Result<Option<&str>, StoreError> {
    let Some(rest) = url.strip_prefix("sqlite:") else { return Ok(None) };
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let path = rest.split('?').next().unwrap_or_default();
    if path.is_empty() || path.contains(":memory:") || rest.contains("mode=memory") {
        let say = "须写明文件；内存数据库什么都留不住";
        return Err(StoreError::Address(say.to_owned()));
    }
    Ok(Some(path))
}

/// Keeps a second server away from a file, for as long as the lock lives; the system gives it back
/// however this process ends.
#[derive(Debug)]
pub struct FileLock(#[expect(dead_code, reason = "held, not read")] File);

/// Takes the lock of a SQLite file; none for a server, which keeps many nodes apart itself.
pub(super) fn lock(url: &str) -> Result<Option<FileLock>, StoreError> {
    let Some(path) = file(url)? else { return Ok(None) };
    let opened = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(format!("{path}.lock"))
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::StorageFull => StoreError::Full,
            std::io::ErrorKind::NotFound => {
                StoreError::Unreachable(format!("{path} 所在的目录不存在"))
            }
            _ => StoreError::ReadOnly,
        })?;
    match opened.try_lock() {
        Ok(()) => Ok(Some(FileLock(opened))),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { file: path.to_owned() }),
        Err(TryLockError::Error(_)) => Err(StoreError::ReadOnly),
    }
}

/// A write in one transaction. What it began is committed, or rolled back and its connection given
/// up: one on which an end has failed must never be used again, since the driver would take a next
/// transaction for a part of the one that never ended, and its commit for a savepoint's.
pub(super) struct Write<'w> {
    pool: &'w DatabaseConnection,
    pub(super) tx: DatabaseTransaction,
}

/// Begins a write. SQLite takes its lock at once: a later one could fail half-way.
pub(super) async fn begin(pool: &DatabaseConnection) -> Result<Write<'_>, StoreError> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    match pool.begin_with_options(options).await {
        Ok(tx) => Ok(Write { pool, tx }),
        Err(error) => {
            give_up(pool).await;
            Err(error.into())
        }
    }
}

impl Write<'_> {
    /// Commits what was written, or rolls it back where it was not written whole.
    pub(super) async fn end<T>(self, written: Result<T, StoreError>) -> Result<T, StoreError> {
        let Self { pool, tx } = self;
        let ended = match written {
            Ok(_) => tx.commit().await,
            Err(_) => tx.rollback().await,
        };
        if let Err(error) = ended {
            give_up(pool).await;
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

/// How many rows of so many columns fit into one statement.
pub(super) const fn rows_max(columns: usize) -> usize {
    BINDS_MAX / columns
}
