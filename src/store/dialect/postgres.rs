//! PostgreSQL, and what understands its language: rows go as arrays, one statement a table. Must never
//! use what only PostgreSQL itself has: no notifications, no time of the server in a
//! statement that writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sea_orm::StatementBuilder;
use sea_orm::sqlx::postgres::{PgArguments, Postgres};
use sea_orm::sqlx::query::Query;
use sea_orm::sqlx::{self, AssertSqlSafe, Connection, Executor, PgConnection, PgPool};
use sea_orm::{ConnectOptions, Database, DbBackend, DbErr, QueryResult, RuntimeErr};

use super::super::StoreError;
use super::super::rows::{Cell, Kind, Meets, Rows};
use super::connections::{Connections, ask, in_time, query};
use super::copy;
use super::session::{ANSWER_TIMEOUT, Session};
use super::{ACQUIRE_TIMEOUT, Broken, Commits, Opened, READERS_MAX, Tx, opening_server};

/// Connections that write: commits of several committers and lanes, and what is beside them.
const WRITERS_MAX: u32 = 8;

/// How long a write waits for a lock, and a statement runs: nobody hangs on a node that stands
/// still. What is right never depends on it.
const WRITE_TIMEOUT: &str = "2s";

/// What a page costs that an index leads to, where the next one of a table costs 1: hardly more, on
/// disks without a head and with what is asked all day in memory. The server's own 4 is of disks
/// that turn, and lets it read whole tables for counts that stand in an index.
const PAGE_COST: &str = "1.1";

/// How long a transaction idles: its node decides meanwhile on what it has claimed.
const IDLE_TIMEOUT: &str = "5s";

/// How long a statement that reads may run.
const READ_TIMEOUT: &str = "20s";

/// A connection that has idled for so long, or comes back, is asked whether it is still there, and
/// given up if it does not say so within so long.
const IDLE_MAX: Duration = Duration::from_secs(1);
const PING_TIMEOUT: Duration = Duration::from_secs(1);

/// How long an answer to a statement that reads is waited for.
const READ_ANSWER_TIMEOUT: Duration = Duration::from_secs(25);

pub(super) async fn connect(url: &str, statements: Arc<AtomicU64>) -> Result<Opened, StoreError> {
    let write = pool(url, WRITERS_MAX, WRITE_TIMEOUT, WRITE_TIMEOUT);
    let readers = || pool(url, READERS_MAX, READ_TIMEOUT, WRITE_TIMEOUT);
    let write = match Database::connect(write).await {
        Ok(write) => write,
        Err(error) => return Err(why_not(url, opening_server(error)).await),
    };
    let read = Database::connect(readers()).await.map_err(opening_server)?;
    let lists = Database::connect(readers()).await.map_err(opening_server)?;
    let pool = write.get_postgres_connection_pool().clone();
    let write = Connections::of_server(&write, ANSWER_TIMEOUT);
    let read = Connections::of_server(&read, READ_ANSWER_TIMEOUT);
    let lists = Connections::of_server(&lists, READ_ANSWER_TIMEOUT);
    // A socket is a path.
    let is_beside = pool.connect_options().get_socket().is_some();
    let commits = Commits::Server(Server { pool, is_beside, statements });
    Ok(Opened { write, read, lists, commits })
}

/// Why nobody could connect: the pool has tried again and again, and says only that it was in vain.
async fn why_not(url: &str, found: StoreError) -> StoreError {
    let once = tokio::time::timeout(PING_TIMEOUT, PgConnection::connect(url)).await;
    match once {
        Ok(Err(error)) => opening_server(DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))),
        _ => found,
    }
}

/// Connections on which a statement runs for so long, and waits for others for so long.
pub(super) fn pool(
    url: &str,
    connections: u32,
    statement: &'static str,
    others: &'static str,
) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.max_connections(connections).acquire_timeout(ACQUIRE_TIMEOUT).sqlx_logging(false);
    options.test_before_acquire(false);
    let idle = if others == "0" { "0" } else { IDLE_TIMEOUT };
    options.map_sqlx_postgres_pool_opts(move |pool| {
        // Not with the start of a connection: poolers in between would not pass that on.
        let pool = pool.after_connect(move |connection, _| {
            Box::pin(async move {
                let limits = format!(
                    "SET lock_timeout = '{others}'; SET statement_timeout = '{statement}'; \
                     SET idle_in_transaction_session_timeout = '{idle}'; \
                     SET random_page_cost = {PAGE_COST}"
                );
                in_time(ANSWER_TIMEOUT, connection.execute(AssertSqlSafe(limits))).await.map(drop)
            })
        });
        let pool = pool.before_acquire(|connection, idle| {
            Box::pin(async move { Ok(idle.idle_for < IDLE_MAX || is_there(connection).await?) })
        });
        // The driver itself asks once more, and would wait for ever.
        pool.after_release(|connection, _| Box::pin(is_there(connection)))
    });
    options.map_sqlx_postgres_opts(|postgres| postgres.application_name("duban"));
    options
}

async fn is_there(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    in_time(PING_TIMEOUT, connection.ping()).await.map(|()| true)
}

/// Where commits go.
#[derive(Debug)]
pub(in crate::store) struct Server {
    pool: PgPool,
    /// Whether it is on this machine, and reached through its socket.
    is_beside: bool,
    statements: Arc<AtomicU64>,
}

impl Server {
    pub(in crate::store) async fn begin(&self) -> Result<Setwise, StoreError> {
        let session = Session::begin(&self.pool).await.map_err(|error| StoreError::from(&error))?;
        let statements = Arc::clone(&self.statements);
        Ok(Setwise { session, is_beside: self.is_beside, statements })
    }

    /// Milliseconds since 1970 by the server's clock, and how long the answer took: the one statement
    /// that asks for it.
    pub(in crate::store) async fn clock(&self) -> Result<(i64, Duration), StoreError> {
        let now = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";
        let asked = ask(&self.pool, ANSWER_TIMEOUT, |connection| {
            Box::pin(async move {
                let begun = Instant::now();
                let ms = sqlx::query_scalar(now).fetch_one(connection).await?;
                Ok((ms, begun.elapsed()))
            })
        });
        asked.await.map_err(|error| StoreError::from(&error))
    }
}

/// A commit that writes table by table.
pub(in crate::store) struct Setwise {
    session: Session,
    is_beside: bool,
    statements: Arc<AtomicU64>,
}

impl Setwise {
    /// Commits what was written, or rolls it back.
    pub(in crate::store) async fn end<T>(
        self,
        written: Result<T, StoreError>,
    ) -> Result<T, Broken> {
        match written {
            Ok(done) => match self.session.commit().await {
                Ok(()) => Ok(done),
                Err(error) => Err(Broken::AtItsEnd(StoreError::from(&error))),
            },
            Err(error) => {
                // A connection that cannot roll back has lost its transaction.
                let _ = self.session.rollback().await;
                Err(Broken::Before(error))
            }
        }
    }
}

impl Setwise {
    /// Has the server take rows; how many it took.
    async fn take(&mut self, rows: &Rows<'_>) -> Result<u64, sqlx::Error> {
        let copied = (self.is_beside && copy::takes(rows)).then(|| copy::encoded(rows));
        let connection = self.session.connection()?;
        let taken = if let Some(bytes) = copied.flatten() {
            let copied = async {
                let mut copying = connection.copy_in_raw(&copy::statement(rows)).await?;
                copying.send(bytes).await?;
                copying.finish().await
            };
            in_time(ANSWER_TIMEOUT, copied).await
        } else {
            let mut query = sqlx::query(AssertSqlSafe(text(rows)));
            for place in 0..rows.columns.len() {
                query = bind_column(query, rows, place);
            }
            let done = in_time(ANSWER_TIMEOUT, query.execute(connection)).await;
            done.map(|done| done.rows_affected())
        };
        self.session.heard(taken)
    }

    /// The rows that a statement finds, and locks if it says so.
    pub(in crate::store) async fn select(
        &mut self,
        statement: &impl StatementBuilder,
    ) -> Result<Vec<QueryResult>, StoreError> {
        let statement = statement.build(&DbBackend::Postgres);
        let told = |error| StoreError::from(&error);
        let asked = self.session.connection().map_err(told)?.fetch_all(query(statement));
        let rows = in_time(ANSWER_TIMEOUT, asked).await;
        let rows = self.session.heard(rows).map_err(told)?;
        Ok(rows.into_iter().map(QueryResult::from).collect())
    }
}

impl Tx for Setwise {
    async fn write(&mut self, rows: &Rows<'_>) -> Result<(), StoreError> {
        if rows.cells.is_empty() {
            return Ok(());
        }
        self.statements.fetch_add(1, Ordering::Relaxed);
        let told = |error| match (StoreError::from(&error), rows.meets) {
            (StoreError::Refused { .. }, Meets::Stale) => StoreError::Stale,
            (error, _) => error,
        };
        let written = self.take(rows).await.map_err(told)?;
        let all = written == rows.len() as u64;
        if !all && rows.meets.is_change() {
            return Err(StoreError::Stale);
        }
        Ok(())
    }

    async fn ask<S: StatementBuilder>(
        &mut self,
        statement: &S,
    ) -> Result<Vec<Vec<i64>>, StoreError> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        self.select(statement).await?.iter().map(numbers).collect()
    }
}

fn numbers(row: &QueryResult) -> Result<Vec<i64>, StoreError> {
    let number = |place: usize| {
        let small = || row.try_get_by_index::<i32>(place).map(i64::from);
        row.try_get_by_index::<i64>(place).or_else(|_| small()).map_err(StoreError::from)
    };
    (0..row.column_names().len()).map(number).collect()
}

/// The statement that takes all rows at once.
fn text(rows: &Rows<'_>) -> String {
    let table = rows.table;
    let arrays: Vec<String> = rows
        .columns
        .iter()
        .enumerate()
        .map(|(nr, (_, kind))| format!("${}::{}[]", nr + 1, word(*kind)))
        .collect();
    let arrays = arrays.join(", ");
    let names: Vec<&str> = rows.columns.iter().map(|(name, _)| *name).collect();
    let names_of = names.join(", ");
    if rows.meets.is_change() {
        let (key, others) = (names[0], &names[1..]);
        let set: Vec<String> = others.iter().map(|name| format!("{name} = new.{name}")).collect();
        let set = set.join(", ");
        let guard = match rows.meets {
            Meets::Raised => format!(" AND {table}.version = new.version - 1"),
            _ => String::new(),
        };
        return format!(
            "UPDATE {table} SET {set} FROM UNNEST({arrays}) AS new ({names_of}) \
             WHERE {table}.{key} = new.{key}{guard}"
        );
    }
    let mut text = format!("INSERT INTO {table} ({names_of}) SELECT * FROM UNNEST({arrays})");
    text.push_str(&rows.meets.clause(&rows.columns));
    text
}

const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Id => "uuid",
        Kind::Int => "integer",
        Kind::Big => "bigint",
        Kind::Text => "text",
        Kind::Blob => "bytea",
    }
}

type Bound<'q> = Query<'q, Postgres, PgArguments>;

/// One column of all rows, as an array.
fn bind_column<'q>(query: Bound<'q>, rows: &'q Rows<'_>, place: usize) -> Bound<'q> {
    let column = || rows.cells.iter().skip(place).step_by(rows.columns.len());
    macro_rules! all {
        ($kind:ident) => {
            query.bind(
                column()
                    .map(|cell| if let Cell::$kind(one) = cell { Some(*one) } else { None })
                    .collect::<Vec<_>>(),
            )
        };
    }
    match rows.columns[place].1 {
        Kind::Id => all!(Id),
        Kind::Int => all!(Int),
        Kind::Big => all!(Big),
        Kind::Text => {
            let text = |cell: &'q Cell<'_>| match cell {
                Cell::Text(text) => Some::<&'q str>(text),
                _ => None,
            };
            query.bind(column().map(text).collect::<Vec<_>>())
        }
        Kind::Blob => {
            let bytes = |cell: &'q Cell<'_>| match cell {
                Cell::Blob(bytes) => Some::<&'q [u8]>(bytes),
                _ => None,
            };
            query.bind(column().map(bytes).collect::<Vec<_>>())
        }
    }
}
