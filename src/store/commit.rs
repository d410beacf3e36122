//! The one commit path: history, snapshots, deadlines, cards, outbox, personal data, requests and
//! numbers of a whole batch in one transaction, table by table, for one ticket as for five hundred.
//! Must never write a part of a change.

use std::collections::BTreeMap;
use std::time::Duration;

use duban_core::definition::Definition;
use duban_core::ticket_id::TicketId;
use duban_core::time::{Day, Instant};
use futures::FutureExt;
use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Expr, ExprTrait, LockType, OnConflict, Query};
use tokio::time::timeout;
use uuid::Uuid;

use super::change::Change;
use super::claim::{Claim, Held};
use super::dialect::{Broken, Commits, Tx, alone};
use super::rows::{Rows, number};
use super::ticket_no::ticket_no;
use super::{Store, StoreError, incident, written};

/// How long it is looked whether a commit is there; whoever has to know looks again.
const LOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// So many tickets at once keep a thread for long.
const HERD_MIN: usize = 200;

/// Computes something for so many tickets; of a herd aside: the other tasks of its thread go to another
/// one meanwhile.
pub fn aside<T>(tickets: usize, compute: impl FnOnce() -> T) -> T {
    if tickets < HERD_MIN { compute() } else { tokio::task::block_in_place(compute) }
}

/// Changes of many tickets that are committed together.
#[derive(Debug)]
pub struct Commit<'c> {
    /// Its identity: by it the outcome of a commit can be found out.
    pub id: Uuid,
    /// The instant of the commit.
    pub at: Instant,
    /// One change a ticket.
    pub changes: &'c [Change],
    /// The day, in the calendar's zone, whose numbers new tickets take; one for each change.
    pub days: &'c [Day],
    /// Definitions that are used for the first time.
    pub definitions: Vec<UsedDefinition>,
    /// Other tickets that the decisions looked at, with the versions that they saw.
    pub seen: Vec<(TicketId, i64)>,
}

/// A definition as it is stored on first use.
#[derive(Clone, Debug)]
pub struct UsedDefinition {
    pub(super) name: String,
    pub(super) version: i32,
    pub(super) hash: Vec<u8>,
    pub(super) text: String,
    pub(super) forms: String,
}

impl UsedDefinition {
    /// Of a definition.
    #[must_use]
    pub fn of(definition: &Definition) -> Self {
        let forms = definition.forms.iter().map(|form| (form.name.as_str(), form.text.as_str()));
        let forms: BTreeMap<&str, &str> = forms.collect();
        Self {
            name: definition.pin.name.to_string(),
            version: i32::try_from(definition.pin.version).unwrap_or(i32::MAX),
            hash: definition.pin.hash.0.to_vec(),
            text: definition.text.clone(),
            forms: serde_json::json!(forms).to_string(),
        }
    }
}

/// What became of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Its place in the one order.
    pub number: i64,
    /// The numbers of new tickets.
    pub ticket_numbers: BTreeMap<TicketId, String>,
}

impl Store {
    /// Commits a batch: all of it or nothing. The claim of its tickets ends with it.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when a ticket is no longer as its decision saw it;
    /// [`StoreError::Unknown`] when the end of the transaction was not heard of; else what the
    /// database says.
    pub async fn commit(&self, commit: &Commit<'_>, claim: Claim) -> Result<Committed, StoreError> {
        let error = match self.carry_out(commit, claim).await {
            Ok(committed) => return Ok(committed),
            // Nothing of it was to be committed.
            Err(Broken::Before(error)) => return Err(error),
            Err(Broken::AtItsEnd(error)) => error,
        };
        match error {
            // The database says that nothing was.
            StoreError::Full | StoreError::Busy | StoreError::ReadOnly => Err(error),
            // Whether it was is what its identity tells; on a file nobody else could end it later.
            error => match timeout(LOOK_TIMEOUT, self.is_committed(commit.id)).await {
                Ok(Ok(false)) if self.is_embedded() => Err(error),
                _ => Err(StoreError::Unknown),
            },
        }
    }

    async fn carry_out(&self, commit: &Commit<'_>, claim: Claim) -> Result<Committed, Broken> {
        let prepared = aside(commit.changes.len(), || Prepared::new(commit));
        match &*self.commits {
            Commits::File(file) => {
                let mut file = alone(file).await.map_err(Broken::Before)?;
                // The driver of a file answers at once, or keeps this thread until it does.
                tokio::task::block_in_place(|| {
                    file.run(|tx| {
                        prepared.write(tx).now_or_never().unwrap_or(Err(StoreError::Busy))
                    })
                })
            }
            Commits::Server(server) => {
                let mut tx = match claim.0 {
                    Held::OfServer(tx) => tx,
                    _ => server.begin().await.map_err(Broken::Before)?,
                };
                let written = prepared.write(&mut tx).await;
                tx.end(written).await
            }
        }
    }

    /// Whether a commit has happened.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn is_committed(&self, id: Uuid) -> Result<bool, StoreError> {
        let mut query = Query::select();
        query.column("number").from("commit_log").and_where(Expr::col("id").eq(id));
        let found = self.read.query_one(&query).await.map_err(|_| StoreError::Unknown)?;
        Ok(found.is_some())
    }
}

/// A commit with the rows that ask nothing of the database: made before anybody waits for it to end.
struct Prepared<'c> {
    commit: &'c Commit<'c>,
    changes: Vec<&'c Change>,
    /// In the order in which they are written.
    rows: [Rows<'c>; 11],
    new_snapshots: Rows<'c>,
}

impl<'c> Prepared<'c> {
    fn new(commit: &'c Commit<'c>) -> Self {
        let mut changes: Vec<&Change> = commit.changes.iter().collect();
        changes.sort_by_key(|change| change.place());
        let rows = [
            written::known_snapshots(&changes),
            written::known_tickets(&changes),
            // What somebody else may have been faster with stands before all that would be refused
            // then.
            written::reviews(&changes),
            written::requests(&changes, commit.at),
            written::known_deadlines(&changes),
            written::new_deadlines(&changes),
            written::known_cards(&changes),
            written::new_cards(&changes),
            written::outbox(&changes, commit.at),
            written::personal(&changes, commit.at),
            written::definitions(commit),
        ];
        let new_snapshots = written::new_snapshots(&changes);
        Self { commit, changes, rows, new_snapshots }
    }

    /// Writes everything, in one order for whoever commits: rows of tickets that are there by their
    /// place, then what belongs to them, then what all commits share: numbers and the ledger, which
    /// are held for as short as can be.
    async fn write<T: Tx>(self, tx: &mut T) -> Result<Committed, StoreError> {
        let Self { commit, changes, rows, new_snapshots } = self;
        // What is written is not kept until the end.
        for rows in rows {
            tx.write(&rows).await?;
        }
        same(tx, &commit.definitions).await?;
        unchanged(tx, &commit.seen).await?;
        let held: Vec<Uuid> =
            changes.iter().filter(|one| one.is_held()).map(|one| one.ticket().0).collect();
        if !held.is_empty() {
            tx.ask(&incident::moved_on(held, commit.at)).await?;
        }
        let ticket_numbers = numbers(tx, commit).await?;
        tx.write(&written::new_tickets(&changes, &ticket_numbers)).await?;
        tx.write(&new_snapshots).await?;
        let (number, first) = ledger(tx, commit).await?;
        tx.write(&written::events(&changes, first)).await?;
        Ok(Committed { number, ticket_numbers })
    }
}

/// A definition that somebody else was first to use is the same: of a pin there is one text.
async fn same<T: Tx>(tx: &mut T, definitions: &[UsedDefinition]) -> Result<(), StoreError> {
    for UsedDefinition { name, version, hash, .. } in definitions {
        let mut other = Query::select();
        other.column("version").from("definition").and_where(Expr::col("name").eq(name.as_str()));
        other.and_where(Expr::col("version").eq(*version));
        other.and_where(Expr::col("hash").ne(hash.clone()));
        if !tx.ask(&other).await?.is_empty() {
            return Err(StoreError::OtherDefinition { name: name.clone(), version: *version });
        }
    }
    Ok(())
}

/// What else the decisions looked at is as they saw it, and stays so until the end of the commit.
async fn unchanged<T: Tx>(tx: &mut T, seen: &[(TicketId, i64)]) -> Result<(), StoreError> {
    for (ticket, version) in seen {
        let mut query = Query::select();
        query.column("version").from("snapshot").and_where(Expr::col("ticket").eq(ticket.0));
        query.lock(LockType::Update);
        if tx.ask(&query).await? != [[*version]] {
            return Err(StoreError::Stale);
        }
    }
    Ok(())
}

/// The numbers of new tickets: a day's numbers go up by as many as the day has new tickets.
async fn numbers<T: Tx>(
    tx: &mut T,
    commit: &Commit<'_>,
) -> Result<BTreeMap<TicketId, String>, StoreError> {
    let mut by_day: BTreeMap<Day, Vec<TicketId>> = BTreeMap::new();
    for (change, day) in commit.changes.iter().zip(commit.days) {
        if change.loaded.is_none() {
            by_day.entry(*day).or_default().push(change.ticket());
        }
    }
    if by_day.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut upsert = Query::insert();
    upsert.into_table("ticket_number").columns(["day", "last"]);
    for (day, tickets) in &by_day {
        upsert.values_panic([day.number().into(), number(tickets.len()).into()]);
    }
    let grown = Expr::col(("ticket_number", "last")).add(Expr::col(("excluded", "last")));
    upsert.on_conflict(OnConflict::column("day").value("last", grown).to_owned());
    upsert.returning(Query::returning().columns(["day", "last"]));
    let mut numbers = BTreeMap::new();
    for row in tx.ask(&upsert).await? {
        let [day, last] = row[..] else { continue };
        let day = Day::from_number(i32::try_from(day).unwrap_or_default());
        let tickets = by_day.get(&day).map_or(&[][..], Vec::as_slice);
        let first = last - number(tickets.len()) + 1;
        let numbered = tickets.iter().zip(first..);
        numbers.extend(numbered.map(|(ticket, sequence)| (*ticket, ticket_no(day, sequence))));
    }
    Ok(numbers)
}

/// Takes the next place in the order of commits, and positions for its events; the commit's number
/// and the first position.
async fn ledger<T: Tx>(tx: &mut T, commit: &Commit<'_>) -> Result<(i64, i64), StoreError> {
    let events = number(commit.changes.iter().map(|change| change.events.len()).sum::<usize>());
    let mut update = Query::update();
    update.table("ledger").value("commits", Expr::col("commits").add(1_i64));
    update.value("events", Expr::col("events").add(events)).and_where(Expr::col("id").eq(1));
    update.returning(Query::returning().columns(["commits", "events"]));
    let rows = tx.ask(&update).await?;
    let Some(&[commits, last]) = rows.first().map(Vec::as_slice) else {
        return Err(StoreError::unreadable("表 ledger 没有行"));
    };
    let first = last - events + 1;
    let mut insert = Query::insert();
    let columns = ["number", "id", "recorded_at", "first_position", "last_position"];
    insert.into_table("commit_log").columns(columns);
    let at = commit.at.ms();
    insert.values_panic([commits.into(), commit.id.into(), at.into(), first.into(), last.into()]);
    tx.ask(&insert).await?;
    Ok((commits, first))
}
