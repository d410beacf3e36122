//! What only benchmarks need: databases of their own, and the limit of a machine: the rows that a
//! herd leaves behind, written again by statements over whole tables. Must never touch a database
//! that is served.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use sea_orm::sea_query::Query;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement, TransactionTrait};
use uuid::Uuid;

use super::columns::SNAPSHOT;
use super::{Store, StoreError, dialect};

/// The tables that a herd writes.
const TABLES: [&str; 4] = ["snapshot", "event", "card", "outbox"];

/// The best of so many.
const ROUNDS: usize = 3;

impl Store {
    /// Makes an empty database on a server; its address.
    ///
    /// # Errors
    /// The server refuses, or the address is none of a server.
    pub async fn create_scratch(server: &str) -> Result<String, StoreError> {
        dialect::check(server)?;
        let (address, query) = server.split_once('?').unwrap_or((server, ""));
        let scheme = address.find("://").map_or(0, |at| at + 3);
        let host = address[scheme..].find('/').map_or(address.len(), |at| scheme + at);
        let name = format!("duban_bench_{}", Uuid::now_v7().simple());
        let raw = Database::connect(server).await.map_err(dialect::opening_server)?;
        raw.execute_unprepared(&format!("CREATE DATABASE {name}")).await?;
        raw.close().await?;
        let query = if query.is_empty() { String::new() } else { format!("?{query}") };
        Ok(format!("{}/{name}{query}", &address[..host]))
    }

    /// Drops such a database.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn drop_scratch(server: &str, url: &str) -> Result<(), StoreError> {
        let name = url.split('?').next().and_then(|url| url.rsplit('/').next());
        let name = name.filter(|name| name.starts_with("duban_bench_"));
        let Some(name) = name else { return Ok(()) };
        let raw = Database::connect(server).await.map_err(StoreError::from)?;
        raw.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await?;
        Ok(raw.close().await?)
    }

    /// Lets a server look at what lies in its tables, as it does by itself a minute after many rows
    /// have come; a file needs none of that.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn settle(&self) -> Result<(), StoreError> {
        if !self.is_embedded() {
            self.writer().await?.execute_unprepared("VACUUM (ANALYZE)").await?;
        }
        Ok(())
    }

    /// Keeps the tables as they are now, beside them.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn set_aside(&self, url: &str) -> Result<(), StoreError> {
        if self.is_embedded() {
            self.fold().await?;
            return copy(&file(url)?, &format!("{}.before", file(url)?));
        }
        let raw = Database::connect(url).await?;
        copied(&raw, "public", "before").await?;
        raw.execute_unprepared("CHECKPOINT").await?;
        Ok(raw.close().await?)
    }

    /// Writes what has come since [`Store::set_aside`] once more, by as many writers as the database
    /// can have at work on two cores. How long they took together: the best of some rounds.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn write_again(&self, url: &str) -> Result<Duration, StoreError> {
        let mut best = Duration::MAX;
        for _ in 0..ROUNDS {
            let took = if self.is_embedded() {
                self.fold().await?;
                again_in_file(&file(url)?).await?
            } else {
                again_on_server(url).await?
            };
            best = best.min(took);
        }
        Ok(best)
    }

    /// No message waits any more.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn all_delivered(url: &str) -> Result<(), StoreError> {
        let mut update = Query::update();
        update.table("outbox").value("state", "delivered");
        let patient = super::dialect::patient(url).await?;
        patient.execute(&update).await?;
        Ok(patient.close().await?)
    }

    /// Folds the log into the file, so that a copy of the file alone is whole.
    ///
    /// # Errors
    /// The database refuses, or is no SQLite.
    pub async fn fold(&self) -> Result<(), StoreError> {
        self.writer().await?.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await?;
        Ok(())
    }
}

fn file(url: &str) -> Result<String, StoreError> {
    let file = super::dialect::file(url)?;
    Ok(file.unwrap_or_default().to_owned())
}

fn copy(from: &str, to: &str) -> Result<(), StoreError> {
    let failed = |error: std::io::Error| StoreError::Unreachable(format!("{:?}", error.kind()));
    fs::copy(Path::new(from), Path::new(to)).map(drop).map_err(failed)
}

async fn again_in_file(after: &str) -> Result<Duration, StoreError> {
    let limit = format!("{after}.limit");
    for end in ["", "-wal", "-shm"] {
        // The first time there is none.
        let _ = fs::remove_file(format!("{limit}{end}"));
    }
    copy(&format!("{after}.before"), &limit)?;
    let store = Store::open(&format!("sqlite://{limit}?mode=rw")).await?;
    let quoted = after.replace('\'', "''");
    store.write.execute_unprepared(&format!("ATTACH DATABASE '{quoted}' AS after")).await?;
    let set: Vec<String> = changed().map(|name| format!("{name} = excluded.{name}")).collect();
    let statements = [
        format!(
            "INSERT INTO main.snapshot SELECT * FROM after.snapshot WHERE true \
             ON CONFLICT (ticket) DO UPDATE SET {}",
            set.join(", ")
        ),
        "INSERT INTO main.event SELECT * FROM after.event WHERE position > \
         (SELECT coalesce(max(position), 0) FROM main.event)"
            .to_owned(),
        "INSERT INTO main.card SELECT * FROM after.card".to_owned(),
        "INSERT INTO main.outbox SELECT * FROM after.outbox WHERE created_at > \
         (SELECT coalesce(max(created_at), 0) FROM main.outbox)"
            .to_owned(),
    ];
    let begun = Instant::now();
    let write = store.begin().await?;
    for statement in statements {
        write.tx.execute_unprepared(&statement).await?;
    }
    write.end(Ok(())).await?;
    let took = begun.elapsed();
    store.close().await;
    Ok(took)
}

/// Two transactions at once, each with its half of the tickets.
async fn again_on_server(url: &str) -> Result<Duration, StoreError> {
    let raw = Database::connect(url).await?;
    copied(&raw, "before", "again").await?;
    raw.execute_unprepared("CHECKPOINT").await?;
    let number = |query: &'static str| {
        let raw = raw.clone();
        async move {
            let statement = Statement::from_string(raw.get_database_backend(), query);
            let row = raw.query_one_raw(statement).await?;
            let found: Option<i64> = row.map(|row| row.try_get_by_index(0)).transpose()?.flatten();
            Ok::<_, StoreError>(found.unwrap_or_default())
        }
    };
    let position = number("SELECT max(position) FROM before.event").await?;
    let created = number("SELECT max(created_at) FROM before.outbox").await?;
    let middle =
        "SELECT id FROM public.ticket ORDER BY id OFFSET (SELECT count(*) / 2 FROM ticket)";
    let middle = Statement::from_string(raw.get_database_backend(), format!("{middle} LIMIT 1"));
    let middle = raw.query_one_raw(middle).await?.map(|row| row.try_get_by_index::<Uuid>(0));
    let middle = middle.transpose()?.unwrap_or_default();
    let begun = Instant::now();
    let half = |sign: &'static str| half(&raw, sign, middle, (position, created));
    let (low, high) = tokio::join!(half("<"), half(">="));
    low.and(high)?;
    let took = begun.elapsed();
    raw.close().await?;
    Ok(took)
}

async fn half(
    raw: &DatabaseConnection,
    sign: &str,
    middle: Uuid,
    (position, created): (i64, i64),
) -> Result<(), StoreError> {
    let set: Vec<String> = changed().map(|name| format!("{name} = new.{name}")).collect();
    let set = set.join(", ");
    let mine = |column: &str| format!("{column} {sign} '{middle}'");
    let statements = [
        format!(
            "UPDATE again.snapshot SET {set} FROM public.snapshot AS new \
             WHERE again.snapshot.ticket = new.ticket AND {}",
            mine("new.ticket")
        ),
        format!(
            "INSERT INTO again.event SELECT * FROM public.event \
             WHERE position > {position} AND {}",
            mine("ticket")
        ),
        format!("INSERT INTO again.card SELECT * FROM public.card WHERE {}", mine("ticket")),
        format!(
            "INSERT INTO again.outbox SELECT * FROM public.outbox \
             WHERE created_at > {created} AND {}",
            mine("ticket")
        ),
    ];
    let tx = raw.begin().await?;
    for statement in statements {
        tx.execute_unprepared(&statement).await?;
    }
    Ok(tx.commit().await?)
}

/// The tables of one schema in another, with their indexes.
async fn copied(raw: &DatabaseConnection, from: &str, to: &str) -> Result<(), StoreError> {
    let fresh = format!("DROP SCHEMA IF EXISTS {to} CASCADE; CREATE SCHEMA {to}");
    raw.execute_unprepared(&fresh).await?;
    for table in TABLES {
        let make = format!("CREATE TABLE {to}.{table} (LIKE public.{table} INCLUDING ALL)");
        raw.execute_unprepared(&make).await?;
        let fill = format!("INSERT INTO {to}.{table} SELECT * FROM {from}.{table}");
        raw.execute_unprepared(&fill).await?;
        raw.execute_unprepared(&format!("ANALYZE {to}.{table}")).await?;
    }
    Ok(())
}

/// Columns of a snapshot that a rung changes: all but the first, as in the commit path.
fn changed() -> impl Iterator<Item = &'static str> {
    SNAPSHOT.columns[1..].iter().map(|(name, _)| *name)
}
