//! Whatever differs between SQLite and PostgreSQL: how to connect, how rows reach the database, who
//! may use a file. Must never know a table.

mod beside;
mod connections;
mod copy;
mod postgres;
mod session;
mod sqlite;

use std::future::Future;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::{Database, DatabaseConnection, DbBackend, DbErr, RuntimeErr, StatementBuilder, sqlx};
use tokio::sync::{Mutex, MutexGuard};

use super::StoreError;
use super::rows::Rows;
pub(super) use beside::{Transaction, Write, Writer, begin, writer};
pub(super) use connections::Connections;
pub(super) use postgres::{Server, Setwise};
pub use sqlite::FileLock;
pub(super) use sqlite::{ANYBODYS_TABLES, file, lock, tables_in_file};

/// Connections that read what a request or a lane needs of single tickets, and as many for lists and
/// counts, which take long: whoever asks for many of them must not keep the others waiting. Two
/// cores decode rows; more would only wait for them.
const READERS_MAX: u32 = 4;

/// How long anybody waits for a connection, or for others to end their writing.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a start is silent about a server that is not there.
const TELL_AFTER: Duration = Duration::from_secs(1);

/// One database.
pub(super) struct Opened {
    /// For writes outside the commit path; one connection on SQLite, where only one can write.
    pub(super) write: Connections,
    pub(super) read: Connections,
    /// For lists and counts.
    pub(super) lists: Connections,
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
    check(url)?;
    let is_file = backend(url)? == DbBackend::Sqlite;
    let mut connected = Box::pin(async {
        if is_file {
            sqlite::connect(url, statements).await
        } else {
            postgres::connect(url, statements).await
        }
    });
    if let Ok(connected) = tokio::time::timeout(TELL_AFTER, &mut connected).await {
        return connected;
    }
    tracing::warn!("the database does not answer yet; it is given a little longer");
    connected.await
}

/// One connection on which statements take as long as they take.
pub(super) async fn patient(url: &str) -> Result<DatabaseConnection, StoreError> {
    let backend = backend(url)?;
    let options = match backend {
        DbBackend::Sqlite => sqlite::alone(url),
        _ => postgres::pool(url, 1, "0", "0"),
    };
    Database::connect(options).await.map_err(|error| opening(backend, error))
}

/// An address is looked at before anything is opened or made: one of a file must be there, or to be
/// made.
pub(super) fn check(url: &str) -> Result<(), StoreError> {
    match backend(url)? {
        DbBackend::Sqlite => sqlite::check(url),
        _ => PgConnectOptions::from_str(url).map(drop).map_err(|_| not_of_a_server()),
    }
}

fn not_of_a_server() -> StoreError {
    let say = "无法解析；形如 postgres://用户:口令@主机:5432/库名，端口应为 1 至 65535，口令中的特殊字符须转义（如 @ 写作 %40）";
    StoreError::Address(say.to_owned())
}

/// Why a server could not be reached.
pub(super) fn opening_server(error: DbErr) -> StoreError {
    opening(DbBackend::Postgres, error)
}

fn opening(backend: DbBackend, error: DbErr) -> StoreError {
    use sqlx::Error::{Configuration, Tls};
    let is_address = match &error {
        DbErr::Conn(RuntimeErr::SqlxError(error)) => matches!(**error, Configuration(_)),
        DbErr::Conn(RuntimeErr::Internal(_)) => true,
        _ => false,
    };
    if is_address {
        return not_of_a_server();
    }
    let is_tls =
        matches!(&error, DbErr::Conn(RuntimeErr::SqlxError(one)) if matches!(**one, Tls(_)));
    match StoreError::from(error) {
        StoreError::Database(_) if is_tls => StoreError::Unreachable("加密连接不成功".to_owned()),
        StoreError::Refused { code } | StoreError::Database(code) => {
            StoreError::Unreachable(why(code))
        }
        // Nobody else can be in the way of a server's connection yet; in a file's they can.
        StoreError::Busy if backend == DbBackend::Postgres => {
            StoreError::Unreachable("服务器没有应答".to_owned())
        }
        other => other,
    }
}

/// What a server says to whoever comes in, where something can be done about it.
fn why(code: String) -> String {
    let says = match code.as_str() {
        "3D000" => "服务器上没有这个数据库，请先建库",
        "28P01" | "28000" => "用户名或口令不被接受",
        "42501" => "该用户没有所需的权限",
        _ => return code,
    };
    format!("{says}，代码 {code}")
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
