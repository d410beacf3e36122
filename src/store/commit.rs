//! The one commit path: history, snapshots, deadlines, cards, outbox, personal data, requests and
//! numbers of a whole batch in one transaction, with the same number of statements for one ticket
//! as for five hundred. Must never write a part of a change.

use std::collections::BTreeMap;

use duban_core::definition::Definition;
use duban_core::message::Message;
use duban_core::name::Name;
use duban_core::role::Audience;
use duban_core::ticket_id::TicketId;
use duban_core::time::{Day, Instant};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query, Value};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use super::change::Change;
use super::rows::{Rows, number};
use super::ticket_no::ticket_no;
use super::{Store, StoreError, columns, dialect, incident, request};

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
}

/// A definition as it is stored on first use.
#[derive(Clone, Debug)]
pub struct UsedDefinition {
    name: String,
    version: i32,
    hash: Vec<u8>,
    text: String,
    forms: String,
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

const EVENT: Rows<5> =
    Rows { table: "event", columns: ["position", "ticket", "seq", "bytes", "hash"] };

const OUTBOX: Rows<10> = Rows {
    table: "outbox",
    columns: [
        "ticket",
        "seq",
        "nth",
        "kind",
        "destination",
        "about",
        "created_at",
        "state",
        "attempts",
        "next_at",
    ],
};

const PERSONAL: Rows<5> =
    Rows { table: "personal_data", columns: ["reference", "ticket", "key", "body", "created_at"] };

const REVIEW: Rows<6> = Rows {
    table: "review",
    columns: ["source", "review_id", "ticket", "commitment", "codes", "reference"],
};

const DEFINITION: Rows<6> = Rows {
    table: "definition",
    columns: ["name", "version", "hash", "text", "forms", "first_used_at"],
};

impl Store {
    /// Commits a batch: all of it or nothing.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when a ticket is no longer as its decision saw it;
    /// [`StoreError::Unknown`] when the end of the transaction was not heard of; else what the
    /// database says.
    pub async fn commit(&self, commit: &Commit<'_>) -> Result<Committed, StoreError> {
        let tx = dialect::begin(&self.write).await?;
        let written = write(&tx.tx, commit).await;
        let was_written = written.is_ok();
        match tx.end(written).await {
            Ok(committed) => Ok(committed),
            // Nothing of it was to be committed, or the database says that nothing was.
            Err(error) if !was_written => Err(error),
            Err(error @ (StoreError::Full | StoreError::Busy | StoreError::ReadOnly)) => Err(error),
            // Whether it was is what its identity tells; on a file nobody else could end it later.
            Err(error) => match self.is_committed(commit.id).await {
                Ok(false) if self.is_embedded() => Err(error),
                _ => Err(StoreError::Unknown),
            },
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

async fn write(tx: &DatabaseTransaction, commit: &Commit<'_>) -> Result<Committed, StoreError> {
    // Rows are locked in one order, whoever commits.
    let mut changes: Vec<&Change> = commit.changes.iter().collect();
    changes.sort_by_key(|change| change.place());
    let ticket_numbers = numbers(tx, commit).await?;
    let (number, first) = ledger(tx, commit).await?;
    tickets(tx, &changes, &ticket_numbers).await?;
    let events =
        changes.iter().flat_map(|change| change.events.iter().map(move |one| (change, one)));
    let rows = events.zip(first..).map(|((change, event), position)| {
        let (bytes, hash) = (event.bytes.clone(), event.hash.0.to_vec());
        [position.into(), id(change), integer(event.seq), bytes.into(), hash.into()]
    });
    EVENT.write(tx, rows.collect(), None).await?;
    let rows = changes.iter().flat_map(|change| deadlines(change));
    let replace = columns::DEADLINE.replace(&["ticket", "place"]);
    columns::DEADLINE.write(tx, rows.collect(), Some(replace)).await?;
    let rows = changes.iter().flat_map(|change| cards(change));
    let replace = columns::CARD.replace(&["ticket", "place"]);
    columns::CARD.write(tx, rows.collect(), Some(replace)).await?;
    let rows = changes.iter().flat_map(|change| outbox(change, commit.at));
    OUTBOX.write(tx, rows.collect(), None).await?;
    apart(tx, &changes, commit).await?;
    let held: Vec<Uuid> =
        changes.iter().filter(|one| one.is_held()).map(|one| one.ticket().0).collect();
    incident::moved_on(tx, &held, commit.at).await?;
    Ok(Committed { number, ticket_numbers })
}

/// What is kept apart from tickets: people, reviews, repeated requests, definitions.
async fn apart(
    tx: &DatabaseTransaction,
    changes: &[&Change],
    commit: &Commit<'_>,
) -> Result<(), StoreError> {
    let at = commit.at.ms();
    let rows = changes.iter().flat_map(|change| {
        change.personal.iter().map(move |row| -> [Value; 5] {
            let (key, body) = (row.key.to_vec(), row.body.clone());
            [text(row.reference.as_str()), id(change), key.into(), body.into(), at.into()]
        })
    });
    PERSONAL.write(tx, rows.collect(), None).await?;
    let rows = changes.iter().filter_map(|change| {
        let row = change.review.as_ref()?;
        Some([
            text(row.source.as_str()),
            text(&row.review_id),
            id(change),
            row.commitment.0.to_vec().into(),
            text(&row.codes),
            text(row.reference.as_str()),
        ])
    });
    // Another node may have opened the ticket meanwhile: look again.
    REVIEW.write(tx, rows.collect(), None).await.map_err(conflict_is_stale)?;
    let rows = changes.iter().flat_map(|change| &change.remembered);
    let rows = rows.map(|row| request::row(row, commit.at));
    request::ROWS.write(tx, rows.collect(), None).await.map_err(conflict_is_stale)?;
    let rows = commit.definitions.iter().map(|row| -> [Value; 6] {
        let (hash, forms) = (row.hash.clone(), text(&row.forms));
        [text(&row.name), row.version.into(), hash.into(), text(&row.text), forms, at.into()]
    });
    let mut kept = OnConflict::columns(["name", "version"]);
    kept.do_nothing();
    DEFINITION.write(tx, rows.collect(), Some(kept)).await?;
    Ok(())
}

fn conflict_is_stale(error: StoreError) -> StoreError {
    match error {
        StoreError::Refused { .. } => StoreError::Stale,
        other => other,
    }
}

/// The numbers of new tickets: a day's numbers go up by as many as the day has new tickets.
async fn numbers(
    tx: &DatabaseTransaction,
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
    for row in tx.query_all(&upsert).await? {
        let day = Day::from_number(row.try_get_by_index(0)?);
        let last: i64 = row.try_get_by_index(1)?;
        let tickets = by_day.get(&day).map_or(&[][..], Vec::as_slice);
        let first = last - number(tickets.len()) + 1;
        let numbered = tickets.iter().zip(first..);
        numbers.extend(numbered.map(|(ticket, sequence)| (*ticket, ticket_no(day, sequence))));
    }
    Ok(numbers)
}

/// Takes the next place in the order of commits, and positions for its events; the commit's number
/// and the first position.
async fn ledger(tx: &DatabaseTransaction, commit: &Commit<'_>) -> Result<(i64, i64), StoreError> {
    let events = number(commit.changes.iter().map(|change| change.events.len()).sum::<usize>());
    let mut update = Query::update();
    update.table("ledger").value("commits", Expr::col("commits").add(1_i64));
    update.value("events", Expr::col("events").add(events)).and_where(Expr::col("id").eq(1));
    update.returning(Query::returning().columns(["commits", "events"]));
    let row = tx.query_one(&update).await?;
    let row = row.ok_or_else(|| StoreError::unreadable("表 ledger 没有行"))?;
    let (commits, last): (i64, i64) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
    let first = last - events + 1;
    let mut insert = Query::insert();
    let columns = ["number", "id", "recorded_at", "first_position", "last_position"];
    insert.into_table("commit_log").columns(columns);
    let at = commit.at.ms();
    insert.values_panic([commits.into(), commit.id.into(), at.into(), first.into(), last.into()]);
    tx.execute(&insert).await?;
    Ok((commits, first))
}

async fn tickets(
    tx: &DatabaseTransaction,
    changes: &[&Change],
    numbers: &BTreeMap<TicketId, String>,
) -> Result<(), StoreError> {
    let rows = changes.iter().map(|change| ticket(change, numbers));
    // A row that is not as the decision saw it is left alone, and the count tells.
    let mut guarded = OnConflict::column("id");
    let kept = ["id", "root", "ticket_no", "source", "matter", "received_at", "district"];
    guarded.update_columns(
        columns::TICKET.columns.into_iter().filter(|column| !kept.contains(column)),
    );
    let seen = Expr::col(("excluded", "version")).sub(1_i64);
    guarded.action_and_where(Expr::col(("ticket", "version")).eq(seen));
    if columns::TICKET.write(tx, rows.collect(), Some(guarded)).await? != changes.len() as u64 {
        return Err(StoreError::Stale);
    }
    Ok(())
}

fn ticket(change: &Change, numbers: &BTreeMap<TicketId, String>) -> [Value; 26] {
    let seen = change.loaded.as_ref().map_or(0, |loaded| loaded.version);
    let loaded_no = change.loaded.as_ref().map(|loaded| loaded.ticket_no.as_str());
    let ticket_no = loaded_no.or_else(|| numbers.get(&change.ticket()).map(String::as_str));
    columns::ticket_values(columns::ticket(
        &change.instance,
        columns::Beside {
            ticket_no: ticket_no.unwrap_or_default(),
            version: seen + 1,
            head: change.head,
            source: change.source(),
            matter: change.matter(),
        },
    ))
}

fn deadlines(change: &Change) -> impl Iterator<Item = [Value; 13]> {
    let runs = change.changed_runs();
    runs.map(|(place, run)| {
        columns::deadline_values(columns::deadline(&change.instance, place, run))
    })
}

fn cards(change: &Change) -> impl Iterator<Item = [Value; 10]> {
    let cards = change.cards.iter();
    cards.map(|place| columns::card_values(columns::card(&change.instance, *place)))
}

fn outbox(change: &Change, at: Instant) -> impl Iterator<Item = [Value; 10]> {
    change.messages.iter().map(move |message| {
        [
            id(change),
            integer(message.seq),
            i32::from(message.nth).into(),
            text(message.kind.word()),
            destination(message, change.source()).into(),
            serde_json::json!(message.about).to_string().into(),
            at.ms().into(),
            text("waiting"),
            0_i32.into(),
            at.ms().into(),
        ]
    })
}

/// To whom a message goes: an audience, with the agency or source where there are many of them.
fn destination(message: &Message, source: &Name) -> String {
    let one_of = match message.to {
        Audience::Source => Some(source),
        to if to.is_of_agency() => message.agency.as_ref(),
        _ => None,
    };
    match one_of {
        Some(one) => format!("{}:{one}", message.to),
        None => message.to.word().to_owned(),
    }
}

fn id(change: &Change) -> Value {
    change.ticket().0.into()
}

fn text(text: &str) -> Value {
    text.into()
}

fn integer(value: u64) -> Value {
    number(value).into()
}
