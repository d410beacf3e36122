//! Floor 2: the database, the only truth. Reads are free of locks; every change of a ticket goes
//! through one commit path.
//!
//! Must never ask the database for the time, decide anything about a ticket, or let SQL out.

mod attachment;
mod audit;
mod board;
mod card;
mod change;
mod claim;
mod clock;
mod columns;
mod commit;
mod definition;
mod dialect;
mod entity;
mod error;
mod event;
mod figures;
mod incident;
mod legible;
mod limit;
mod list;
mod outbox;
#[cfg(test)]
mod plans;
mod publication;
mod request;
mod rows;
mod running;
mod secret;
mod session;
mod stored;
mod ticket;
mod ticket_no;
mod together;
mod token;
mod turning;
mod written;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use duban_core::digest::Digest;
use duban_core::echo::echo;
use duban_core::time::Instant;
use duban_migrations::{Migrator, MigratorTrait};
use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Expr, Query};

pub use attachment::{Attachment, Side};
pub use audit::{AuditPage, StoredTicket, Totals};
pub use board::{Board, BoardFilter, By, Line, Used};
pub use card::{CardFilter, RegisteredCard};
pub use change::{Change, EventRow, PersonalRow, Remembered, ReviewRow, red_at};
pub use claim::Claim;
use claim::GivenAway;
pub use clock::{ClockClaim, ClockClaimed, ClockHolder};
pub use commit::{Commit, Committed, UsedDefinition, aside};
pub use definition::StoredDefinition;
pub use dialect::FileLock;
use dialect::{Commits, Connections, Opened, Write, Writer};
pub use error::StoreError;
pub use event::{CommitPlace, Recorded};
pub use figures::{Figure, FiguresFilter};
pub use incident::{ADVANCE, Incident, NewIncident, RECOMPUTE};
pub use list::{Listed, Order, Search, TicketFilter};
pub use outbox::{Carried, DeliveryState, Finished, MessageId, Posted};
pub use publication::Publication;
pub use request::{KnownRequest, KnownReview, RequestKey};
pub use running::{DeadlineFilter, RunningDeadline};
pub use session::{Lockout, Refusals, Session};
pub use ticket::{Loaded, Readable, relived};
pub use ticket_no::NUMBER_LETTERS;
use together::Together;
pub use token::{AddTokenError, Token};
pub use turning::{Turning, TurningCount, TurningFilter};

/// How often, and after which time, tables are brought up to date once more where that has failed:
/// nodes that start together all try it.
const MIGRATIONS_IN_VAIN_MAX: usize = 20;
const FILE_IN_VAIN_MAX: usize = 3;
const MIGRATION_PAUSE: Duration = Duration::from_millis(500);

/// The table that this program makes first: where it stands, the others are its own.
const MARK: &str = "seaql_migrations";

/// Tables beside those of another program would be lost with them, or mixed up.
fn refuse_foreign(tables: &[String]) -> Result<(), StoreError> {
    match tables {
        [] => Ok(()),
        tables if tables.iter().any(|table| table == MARK) => Ok(()),
        _ => Err(StoreError::Foreign),
    }
}

/// The database of one node; clones are the same.
#[derive(Clone, Debug)]
pub struct Store {
    write: Connections,
    read: Connections,
    /// For lists and counts, which take long.
    lists: Connections,
    commits: Arc<Commits>,
    given_away: Arc<GivenAway>,
    tokens: Arc<Together<Digest, Token>>,
    /// Statements of commits since the start.
    statements: Arc<AtomicU64>,
}

impl Store {
    /// Opens the database. Its tables must be those of this program; see [`Store::migrate`].
    ///
    /// # Errors
    /// A database that is not there, or whose tables are older or newer than this program.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let store = Self::connect(url).await?;
        store.check_age().await?;
        if store.pending().await? > 0 {
            return Err(StoreError::Older);
        }
        Ok(store)
    }

    /// Opens the database and brings its tables up to date; how many steps that took.
    ///
    /// # Errors
    /// A database that is not there, or is newer than this program.
    pub async fn migrate(url: &str) -> Result<(Self, usize), StoreError> {
        let is_file = dialect::file(url)?.is_some();
        let mut in_vain = 0;
        loop {
            match Self::migrate_once(url).await {
                // Nobody but another process that makes the same tables keeps a file from answering.
                Err(StoreError::Unreachable(_) | StoreError::Busy)
                    if is_file && in_vain < FILE_IN_VAIN_MAX =>
                {
                    in_vain += 1;
                    tokio::time::sleep(MIGRATION_PAUSE).await;
                }
                done => return done,
            }
        }
    }

    async fn migrate_once(url: &str) -> Result<(Self, usize), StoreError> {
        let store = Self::connect(url).await?;
        store.check_age().await?;
        let steps = store.pending().await?;
        let (mut left, mut in_vain) = (steps, 0);
        while left > 0 {
            // Large tables take longer than any other statement may.
            let patient = dialect::patient(url).await?;
            let done = Migrator::up(&patient, None).await;
            // Closing it is a courtesy.
            let _ = patient.close().await;
            let before = std::mem::replace(&mut left, store.pending().await?);
            if left == 0 {
                break;
            }
            // Another process may be at it, and is waited for as long as it gets on.
            in_vain = if left < before { 0 } else { in_vain + 1 };
            let is_last = in_vain >= MIGRATIONS_IN_VAIN_MAX;
            match done.map_err(StoreError::from) {
                Err(error) if is_last || error.lasts() => return Err(error),
                Ok(()) if is_last => return Err(StoreError::Older),
                _ => tokio::time::sleep(MIGRATION_PAUSE).await,
            }
        }
        Ok((store, steps))
    }

    /// Keeps a second server away from a database file.
    ///
    /// # Errors
    /// No address, another process serves from it, or the folder cannot be written.
    pub fn lock(url: &str) -> Result<Option<FileLock>, StoreError> {
        dialect::check(url)?;
        dialect::lock(url)
    }

    /// Where the attachments of a database lie if nobody says otherwise: beside its file, or, for a
    /// server, in the working folder.
    ///
    /// # Errors
    /// An address that is none.
    pub fn attachments_folder(url: &str) -> Result<PathBuf, StoreError> {
        let beside = dialect::file(url)?.unwrap_or("duban");
        Ok(PathBuf::from(format!("{beside}.attachments")))
    }

    async fn connect(url: &str) -> Result<Self, StoreError> {
        // A file is looked at before anything is changed in it, if only how it keeps its log.
        refuse_foreign(&dialect::tables_in_file(url)?.unwrap_or_default())?;
        let statements = Arc::new(AtomicU64::new(0));
        let opened = dialect::connect(url, Arc::clone(&statements)).await?;
        let Opened { write, read, lists, commits } = opened;
        let (commits, given_away, tokens) = (Arc::new(commits), Arc::default(), Arc::default());
        let store = Self { write, read, lists, commits, given_away, tokens, statements };
        // And what somebody held until now is looked at now.
        refuse_foreign(&store.tables().await?)?;
        Ok(store)
    }

    /// Tables that stand where this program's do.
    async fn tables(&self) -> Result<Vec<String>, StoreError> {
        let mut query = Query::select();
        if self.is_embedded() {
            query.column("name").from("sqlite_schema");
            query.and_where(Expr::cust(dialect::ANYBODYS_TABLES));
        } else {
            query.expr(Expr::cust("tablename::text")).from("pg_tables");
            query.and_where(Expr::cust("schemaname = current_schema()"));
        }
        let rows = self.read.query_all(&query).await?;
        Ok(rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?)
    }

    /// The connections that write outside the commit path.
    async fn writer(&self) -> Result<Writer<'_>, StoreError> {
        dialect::writer(&self.write, &self.commits).await
    }

    /// Begins a write outside the commit path.
    async fn begin(&self) -> Result<Write<'_>, StoreError> {
        dialect::begin(self.writer().await?).await
    }

    /// Steps that its tables still lack. Makes no table, not even that of the steps: nodes that start
    /// together would refuse one another's.
    async fn pending(&self) -> Result<usize, StoreError> {
        Ok(Migrator::get_pending_migrations_read_only(&self.read).await?.len())
    }

    /// A database that a newer program has changed is left alone.
    async fn check_age(&self) -> Result<(), StoreError> {
        let known = Migrator::migrations();
        // Before the first migration there is no table to ask. Whoever only looks makes none.
        if self.pending().await.is_ok_and(|pending| pending == known.len()) {
            return Ok(());
        }
        let mut query = Query::select();
        query.column("version").from(MARK);
        let (mut is_ours, mut newer) = (false, None);
        for row in self.read.query_all(&query).await? {
            let migration: String = row.try_get_by_index(0)?;
            if known.iter().any(|one| one.name() == migration) {
                is_ours = true;
            } else {
                newer = Some(migration);
            }
        }
        match newer {
            None => Ok(()),
            Some(migration) if is_ours => Err(StoreError::Newer { migration: echo(&migration) }),
            // Others keep their migrations in a table of that name too.
            Some(_) => Err(StoreError::Foreign),
        }
    }

    /// Whether the database is a file of this process, which nobody else changes.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        self.write.get_database_backend() == sea_orm::DbBackend::Sqlite
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.read.execute_unprepared("SELECT 1").await?;
        Ok(())
    }

    /// The clock of a server, only to be compared with, and how long its answer took; none of a file,
    /// whose clock is the system's.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn clock(&self) -> Result<Option<(Instant, Duration)>, StoreError> {
        match &*self.commits {
            Commits::File(_) => Ok(None),
            Commits::Server(server) => {
                let (ms, took) = server.clock().await?;
                Ok(Some((Instant::from_ms(ms), took)))
            }
        }
    }

    /// How many statements commits have taken since the start; a statement that takes row after row
    /// is one.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Closes the connections; SQLite folds its log into the file.
    pub async fn close(&self) {
        if let Commits::File(file) = &*self.commits {
            file.lock().await.close();
        }
        self.read.close().await;
        self.lists.close().await;
        self.write.close().await;
    }
}
