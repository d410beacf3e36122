//! SQLite: one file, one process that serves from it, one writer at a time. Commits go through a
//! connection of their own whose prepared statements take row after row. Must never let a
//! transaction outlive its commit.

use std::fs::{File as LockFile, OpenOptions, TryLockError};
use std::future::{Future, ready};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use duban_core::echo::echo_path;
use rusqlite::types::{ToSqlOutput, Value as Stored, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql, Transaction, TransactionBehavior};
use sea_orm::sea_query::Value;
use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use sea_orm::{ConnectOptions, Database, DbBackend, DbErr, StatementBuilder};
use tokio::sync::Mutex;

use super::super::StoreError;
use super::super::rows::{Cell, Meets, Rows};
use super::{ACQUIRE_TIMEOUT, Broken, Commits, Connections, Opened, READERS_MAX, Tx};

/// How long a connection waits for another process (a second command on the same file).
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Pages of the log before it is folded into the file: fewer, larger foldings (a third more
/// tickets a second than with the default of 1,000).
const CHECKPOINT_PAGES: &str = "10000";

/// KiB of pages that a connection keeps: what commits change again and again; what single tickets are
/// found by; and what lists and the board walk through. What lies beyond, the system keeps for all of
/// them: eight connections that each kept 32 MB made 236 MB with a million tickets.
const CACHE_OF_COMMITS: &str = "-32768";
const CACHE_OF_READS: &str = "-8192";
const CACHE_OF_LISTS: &str = "-12288";

/// Statements that a connection keeps prepared.
const STATEMENTS_MAX: usize = 512;

/// Rows that are read ahead of whoever takes them: with fewer, two threads wait for one another all
/// the time where much is read.
const ROWS_AHEAD: usize = 4_096;

fn opening(error: DbErr) -> StoreError {
    super::opening(DbBackend::Sqlite, error)
}

pub(super) async fn connect(url: &str, statements: Arc<AtomicU64>) -> Result<Opened, StoreError> {
    if let Some(path) = file(url)?
        && url.contains("mode=rwc")
        && !path.contains('%')
    {
        // Nobody else on the machine is to read it, nor the log beside it, which takes after it.
        // What is wrong with the path the database tells.
        let _ = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    }
    let write = Database::connect(alone(url)).await.map_err(opening)?;
    let readable = url.replace("mode=rwc", "mode=rw");
    let readers = |cache| Database::connect(pool(&readable, READERS_MAX, cache));
    let read = readers(CACHE_OF_READS).await.map_err(opening)?;
    let lists = readers(CACHE_OF_LISTS).await.map_err(opening)?;
    let options = options(url)?;
    let file = File { path: options.get_filename().to_path_buf(), connection: None, statements };
    let (write, read) = (Connections::File(write), Connections::File(read));
    let lists = Connections::File(lists);
    Ok(Opened { write, read, lists, commits: Commits::File(Mutex::new(file)) })
}

/// One connection, for what is written beside commits.
pub(super) fn alone(url: &str) -> ConnectOptions {
    pool(url, 1, CACHE_OF_COMMITS)
}

fn pool(url: &str, connections: u32, cache: &'static str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.max_connections(connections).min_connections(1).acquire_timeout(ACQUIRE_TIMEOUT);
    options.sqlx_logging(false);
    options.map_sqlx_sqlite_opts(move |sqlite| {
        sqlite
            .pragma("journal_mode", "WAL")
            .pragma("synchronous", "FULL")
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
            .pragma("cache_size", cache)
            .statement_cache_capacity(STATEMENTS_MAX)
            .row_buffer_size(ROWS_AHEAD)
            .busy_timeout(BUSY_TIMEOUT)
    });
    options
}

/// The connection of commits. It opens when it is needed, and again after an end that failed.
#[derive(Debug)]
pub(in crate::store) struct File {
    path: PathBuf,
    connection: Option<Connection>,
    statements: Arc<AtomicU64>,
}

impl File {
    /// Does something in one transaction, which is committed when it succeeds.
    pub(in crate::store) fn run<T>(
        &mut self,
        work: impl FnOnce(&mut Rowwise<'_>) -> Result<T, StoreError>,
    ) -> Result<T, Broken> {
        let ended = self.transact(work);
        if ended.is_err() {
            // One on which an end has failed is never used again.
            self.connection.take_if(|connection| !connection.is_autocommit());
        }
        ended
    }

    fn transact<T>(
        &mut self,
        work: impl FnOnce(&mut Rowwise<'_>) -> Result<T, StoreError>,
    ) -> Result<T, Broken> {
        let statements = Arc::clone(&self.statements);
        let connection = self.connection().map_err(|error| Broken::Before(told(&error)))?;
        let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let tx = begun.map_err(|error| Broken::Before(told(&error)))?;
        let mut rowwise = Rowwise { tx, statements };
        let done = work(&mut rowwise);
        let Rowwise { tx, statements: _ } = rowwise;
        match done {
            Ok(done) => match tx.commit() {
                Ok(()) => Ok(done),
                Err(error) => Err(Broken::AtItsEnd(told(&error))),
            },
            Err(error) => {
                // What is dropped is rolled back.
                drop(tx);
                Err(Broken::Before(error))
            }
        }
    }

    /// Gives the connection up.
    pub(in crate::store) fn close(&mut self) {
        self.connection = None;
    }

    fn connection(&mut self) -> rusqlite::Result<&mut Connection> {
        if self.connection.is_none() {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(&self.path, flags)?;
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
            let pragmas = [
                ("synchronous", "FULL"),
                ("wal_autocheckpoint", CHECKPOINT_PAGES),
                ("cache_size", CACHE_OF_COMMITS),
            ];
            for (name, value) in pragmas {
                connection.pragma_update(None, name, value)?;
            }
            self.connection = Some(connection);
        }
        // Unwrap safety: it was opened above.
        Ok(self.connection.as_mut().expect("a connection"))
    }
}

/// A commit that writes row by row.
pub(in crate::store) struct Rowwise<'t> {
    tx: Transaction<'t>,
    statements: Arc<AtomicU64>,
}

// A transaction stays on the thread on which it began: its futures are ready at once.
impl Tx for Rowwise<'_> {
    fn write(&mut self, rows: &Rows<'_>) -> impl Future<Output = Result<(), StoreError>> + Send {
        ready(self.write_now(rows))
    }

    fn ask<S: StatementBuilder>(
        &mut self,
        statement: &S,
    ) -> impl Future<Output = Result<Vec<Vec<i64>>, StoreError>> + Send {
        ready(self.ask_now(statement).map_err(|error| told(&error)))
    }
}

impl Rowwise<'_> {
    fn write_now(&self, rows: &Rows<'_>) -> Result<(), StoreError> {
        if rows.cells.is_empty() {
            return Ok(());
        }
        self.statements.fetch_add(1, Ordering::Relaxed);
        let told = |error| match (told(&error), rows.meets) {
            (StoreError::Refused { .. }, Meets::Stale) => StoreError::Stale,
            (error, _) => error,
        };
        let mut statement = self.tx.prepare_cached(&text(rows)).map_err(told)?;
        for row in rows.cells.chunks_exact(rows.columns.len()) {
            let changed = statement.execute(rusqlite::params_from_iter(row)).map_err(told)?;
            if changed == 0 && rows.meets.is_change() {
                return Err(StoreError::Stale);
            }
        }
        Ok(())
    }

    fn ask_now(&self, statement: &impl StatementBuilder) -> rusqlite::Result<Vec<Vec<i64>>> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        let statement = statement.build(&DbBackend::Sqlite);
        let mut prepared = self.tx.prepare_cached(&statement.sql)?;
        let values = statement.values.map(|values| values.0).unwrap_or_default();
        let values = rusqlite::params_from_iter(values.into_iter().map(stored));
        let columns = prepared.column_count();
        if columns == 0 {
            return prepared.execute(values).map(|_| Vec::new());
        }
        let row = |row: &rusqlite::Row<'_>| (0..columns).map(|place| row.get(place)).collect();
        prepared.query_map(values, row)?.collect()
    }
}

/// The statement that takes one row after another.
fn text(rows: &Rows<'_>) -> String {
    let names: Vec<&str> = rows.columns.iter().map(|(name, _)| *name).collect();
    let table = rows.table;
    if rows.meets.is_change() {
        let set = |(place, name): (usize, &&str)| format!("{name} = ?{}", place + 1);
        let terms: Vec<String> = names.iter().enumerate().map(set).collect();
        let (key, others) = terms.split_at(1);
        let (key, set) = (&key[0], others.join(", "));
        let version = terms.iter().find(|term| term.starts_with("version = "));
        let guard = match (rows.meets, version) {
            (Meets::Raised, Some(version)) => format!(" AND {version} - 1"),
            _ => String::new(),
        };
        return format!("UPDATE {table} SET {set} WHERE {key}{guard}");
    }
    let marks = vec!["?"; names.len()].join(", ");
    let mut text = format!("INSERT INTO {table} ({}) VALUES ({marks})", names.join(", "));
    text.push_str(&rows.meets.clause(&rows.columns));
    text
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match self {
            Self::Null => ValueRef::Null,
            Self::Id(id) => ValueRef::Blob(id.as_bytes()),
            Self::Int(int) => ValueRef::Integer(i64::from(*int)),
            Self::Big(big) => ValueRef::Integer(*big),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        };
        Ok(ToSqlOutput::Borrowed(value))
    }
}

/// A value of a statement; duban uses numbers, words, bytes and identities.
fn stored(value: Value) -> Stored {
    match value {
        Value::Int(Some(int)) => Stored::Integer(i64::from(int)),
        Value::BigInt(Some(big)) => Stored::Integer(big),
        Value::BigUnsigned(Some(big)) => Stored::Integer(i64::try_from(big).unwrap_or(i64::MAX)),
        Value::String(Some(text)) => Stored::Text(text),
        Value::Bytes(Some(bytes)) => Stored::Blob(bytes),
        Value::Uuid(Some(id)) => Stored::Blob(id.as_bytes().to_vec()),
        _ => Stored::Null,
    }
}

fn told(error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error() {
        Some(error) => StoreError::by_code(&error.extended_code.to_string()),
        None => StoreError::Database("driver".to_owned()),
    }
}

/// Whether an address is one of a file that is there, or is to be made.
pub(super) fn check(url: &str) -> Result<(), StoreError> {
    file(url)?;
    let options = options(url)?;
    let file = options.get_filename();
    if file.is_dir() {
        let says = format!("{} 是目录而不是文件", echo_path(file));
        return Err(StoreError::Unreachable(says));
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.exists()) {
        let name = echo_path(folder);
        let says = format!("目录 {} 不存在", name.rsplit('@').next().unwrap_or_default());
        return Err(StoreError::Unreachable(says));
    }
    if url.contains("mode=rwc") || file.exists() {
        return Ok(());
    }
    let hint = if url.contains("mode=ro") {
        "；mode=ro 只读，不能新建"
    } else if url.contains("mode=") {
        "；请核对地址，或先用 duban migrate 新建"
    } else {
        "；要新建，请在地址末尾写 ?mode=rwc"
    };
    // What stands before an @ is meant for a server, and may be a password.
    let name = echo_path(file);
    let name = name.rsplit('@').next().unwrap_or_default();
    Err(StoreError::Unreachable(format!("{name} 不存在{hint}")))
}

/// What somebody has made in a file: SQLite's own tables, of which an empty one may have some, begin
/// with its name.
pub(in crate::store) const ANYBODYS_TABLES: &str =
    "type IN ('table', 'view') AND substr(name, 1, 7) <> 'sqlite_'";

/// The tables of a file that is there, looked up without a trace in it. None for a server, and where
/// they cannot be read just now: whoever opens it then hears why.
pub(in crate::store) fn tables_in_file(url: &str) -> Result<Option<Vec<String>>, StoreError> {
    if file(url)?.is_none() {
        return Ok(None);
    }
    let path = options(url)?.get_filename().to_path_buf();
    let look = || {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        // Who has to wait for others does so where it is told.
        connection.busy_timeout(Duration::ZERO)?;
        let ask = format!("SELECT name FROM sqlite_schema WHERE {ANYBODYS_TABLES}");
        let mut tables = connection.prepare(&ask)?;
        tables.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()
    };
    Ok(look().ok())
}

fn options(url: &str) -> Result<SqliteConnectOptions, StoreError> {
    let say = "无法解析；形如 sqlite://目录/文件.db?mode=rwc（mode 可为 ro、rw、rwc）";
    let options = SqliteConnectOptions::from_str(url).ok();
    // No file has NUL in its name.
    let options = options.filter(|one| !one.get_filename().to_string_lossy().contains('\0'));
    options.ok_or_else(|| StoreError::Address(say.to_owned()))
}

/// The file of a SQLite address; none for a server.
pub(in crate::store) fn file(url: &str) -> Result<Option<&str>, StoreError> {
    let Some(rest) = url.strip_prefix("sqlite:") else { return Ok(None) };
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let path = rest.split('?').next().unwrap_or_default();
    if path.is_empty() || path.contains(":memory:") || rest.contains("mode=memory") {
        let say = "内存数据库不保存数据，请写明文件";
        return Err(StoreError::Address(say.to_owned()));
    }
    Ok(Some(path))
}

/// Keeps a second server away from a file, for as long as the lock lives; the system gives it back
/// however this process ends.
#[derive(Debug)]
pub struct FileLock(#[expect(dead_code, reason = "held, not read")] LockFile);

/// Takes the lock of a SQLite file; none for a server, which keeps many nodes apart itself.
pub(in crate::store) fn lock(url: &str) -> Result<Option<FileLock>, StoreError> {
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
