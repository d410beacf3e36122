//! What cannot be decided on or committed is set aside, holds up nobody, and is not forgotten.

use std::collections::BTreeSet;
use std::time::Duration;

use duban::clock::Clock;
use duban::engine::Declined;
use duban::store::{DeadlineFilter, Incident, NewIncident, Order, TicketFilter};
use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::database::{TestDatabase, on_both};
use crate::house::{House, hotline};
use crate::lives::instant;

on_both!(
    a_ticket_that_cannot_be_read_holds_up_nobody,
    a_retry_leaves_the_lane_nothing_that_is_not_due,
    an_incident_is_over_by_its_own_retry,
    a_publication_passes_over_nothing_that_was_not_noted,
    a_page_ends_at_what_cannot_be_read,
    a_wake_up_that_is_too_early_is_put_right,
    one_refused_change_is_set_aside_and_the_rest_goes_through,
);

const START: &str = "2026-03-02T10:00:00+08:00";

async fn simulated(db: &TestDatabase) -> House {
    let house = House::new(&db.store, Clock::simulated(instant(START))).await;
    settle_in(&house).await;
    house
}

/// The publications that are out before the first ticket have nothing to be worked into.
async fn settle_in(house: &House) {
    while !house.engine.housekeep(100).await.expect("kept").finished {}
}

async fn make_the_first_unreadable(db: &TestDatabase) {
    db.execute(
        "UPDATE event SET bytes = hash WHERE seq = 1 AND ticket = \
         (SELECT ticket FROM event ORDER BY position LIMIT 1)",
    )
    .await;
    db.execute(
        "UPDATE snapshot SET bytes = head WHERE ticket = \
         (SELECT ticket FROM event ORDER BY position LIMIT 1)",
    )
    .await;
}

async fn a_ticket_that_cannot_be_read_holds_up_nobody(db: TestDatabase) {
    let house = simulated(&db).await;
    let mut tickets = Vec::new();
    for n in 0..20 {
        tickets.push(house.review("matter", &format!("R{n}")).await.expect("a ticket").ticket);
    }
    make_the_first_unreadable(&db).await;
    let to = instant("2026-03-06T00:00:00+08:00");
    house.engine.advance_clock(to).await.expect("advanced");
    let incidents = db.store.incidents(true, None, 10).await.expect("them");
    let [Incident { id, what, .. }] = incidents.as_slice() else { panic!("{incidents:?}") };
    assert_eq!((what.ticket, what.code.as_str()), (tickets[0], "unreadable"));
    assert_eq!(db.number("SELECT count(*) FROM card").await, 19);
    let told = house.act(tickets[0], "urge", hotline(), json!({})).await.expect_err("refused");
    assert_eq!(told, Declined::Incident);
    // Retried without being mended, it is an incident again.
    assert!(house.engine.retry_incident(*id).await.expect("an answer"));
    assert!(!house.engine.retry_incident(*id).await.expect("an answer"));
    house.engine.advance_clock(to.plus_ms(1)).await.expect("advanced");
    assert_eq!(db.store.incidents(true, None, 10).await.expect("them").len(), 1);
    assert_eq!(db.store.incidents(false, None, 10).await.expect("them").len(), 2);
}

async fn a_retry_leaves_the_lane_nothing_that_is_not_due(db: TestDatabase) {
    let house = simulated(&db).await;
    let done = house.review("matter", "R1").await.expect("a ticket");
    let (ticket, instance) = (done.ticket, done.instance.expect("the ticket"));
    for (nr, command) in ["advance", "recompute", "urge"].into_iter().enumerate() {
        let what = NewIncident {
            ticket,
            command: command.to_owned(),
            code: "test".to_owned(),
            message: String::new(),
            seq: instance.seq,
            at: house.engine.clock().now(),
            arrived_at: house.engine.clock().now(),
            known_on: None,
        };
        let id = uuid::Uuid::from_u128(nr as u128 + 1);
        db.store.note_incidents(&[(id, what)]).await.expect("noted");
        // Only what stops time holds a ticket back.
        let wake = db.store.next_wake().await.expect("an answer");
        assert_eq!(wake.is_none(), command == "advance", "{command}");
        assert!(house.engine.retry_incident(id).await.expect("an answer"));
        assert_eq!(db.store.next_wake().await.expect("an answer"), instance.next_wake());
        assert_eq!(house.engine.advance_due(10).await.expect("nothing").due, 0);
    }
    assert!(db.store.incidents(true, None, 10).await.expect("them").is_empty());
}

/// What is over of a ticket is what was tried again, and nothing else.
async fn an_incident_is_over_by_its_own_retry(db: TestDatabase) {
    let house = simulated(&db).await;
    let ticket = house.review("matter", "R1").await.expect("a ticket").ticket;
    let at = house.engine.clock().now();
    let mut ids = Vec::new();
    for (nr, command) in ["urge", "recompute", "advance", "recompute"].into_iter().enumerate() {
        let what = NewIncident {
            ticket,
            command: command.to_owned(),
            code: "test".to_owned(),
            message: String::new(),
            seq: 1,
            at,
            arrived_at: at,
            known_on: None,
        };
        ids.push(uuid::Uuid::from_u128(nr as u128 + 1));
        db.store.note_incidents(&[(ids[nr], what)]).await.expect("noted");
    }
    let open = async || {
        let open = db.store.incidents(true, None, 10).await.expect("them");
        open.into_iter().map(|one| one.what.command).collect::<Vec<_>>()
    };
    // A recomputation that fails again takes the place of the one before.
    assert_eq!(open().await, ["recompute", "advance", "urge"]);
    // The action is for whoever wanted it: that is said, and time still stands.
    assert!(house.engine.retry_incident(ids[0]).await.expect("an answer"));
    assert_eq!(open().await, ["recompute", "advance"]);
    assert!(db.store.next_wake().await.expect("an answer").is_none());
    // Whoever acts moves the ticket on, and time with it.
    house.act(ticket, "urge", hotline(), json!({})).await.expect("urged");
    assert_eq!(open().await, ["recompute"]);
    assert!(house.engine.retry_incident(ids[3]).await.expect("an answer"));
    assert!(open().await.is_empty());
}

/// A ticket that cannot be read when a publication comes has an incident of its own for it, and
/// until that is noted the publication is not done, nor a retry of it over.
async fn a_publication_passes_over_nothing_that_was_not_noted(db: TestDatabase) {
    let folder = tempfile::TempDir::new().expect("a folder");
    crate::published::calendars(folder.path(), true);
    let start = Clock::simulated(instant("2026-12-28T10:00:00+08:00"));
    let calendar = duban_shipped::calendar_of(folder.path());
    let house = House::with(&db.store, start, calendar).await;
    settle_in(&house).await;
    house.review("matter", "R1").await.expect("a ticket");
    make_the_first_unreadable(&db).await;
    let recomputing = async || {
        let open = db.store.incidents(true, None, 10).await.expect("them");
        let mut ids = open.into_iter().filter(|one| one.what.command == "recompute");
        (ids.next().map(|one| one.id), ids.count())
    };
    let to = instant("2026-12-30T00:00:00+08:00");
    db.execute("ALTER TABLE incident RENAME TO nowhere").await;
    house.engine.advance_clock(to).await.expect_err("nothing can be noted");
    db.execute("ALTER TABLE nowhere RENAME TO incident").await;
    house.engine.advance_clock(to).await.expect("advanced");
    let (Some(first), 0) = recomputing().await else { panic!("one incident") };
    // No second one can be noted: the first stays open.
    db.execute("CREATE UNIQUE INDEX one_each ON incident (ticket, command)").await;
    house.engine.retry_incident(first).await.expect_err("nothing can be noted");
    assert_eq!(recomputing().await, (Some(first), 0));
    db.execute("DROP INDEX one_each").await;
    assert!(house.engine.retry_incident(first).await.expect("an answer"));
    let (Some(second), 0) = recomputing().await else { panic!("one incident") };
    assert_ne!(first, second);
}

/// Its place in an order is its row's, so that whoever pages gets past it.
async fn a_page_ends_at_what_cannot_be_read(db: TestDatabase) {
    let house = simulated(&db).await;
    for n in 0..6 {
        let ticket = house.review("matter", &format!("R{n}")).await.expect("a ticket").ticket;
        house.act(ticket, "dispatch", hotline(), json!({"agency": "SZ013"})).await.expect("sent");
    }
    make_the_first_unreadable(&db).await;
    // The oldest is due last: its identity is before, and its place behind, those of all others.
    let first = "(SELECT id FROM ticket ORDER BY id LIMIT 1)";
    db.execute(&format!("UPDATE ticket SET red_at = red_at + 1000 WHERE id = {first}")).await;
    for order in [Order::Newest, Order::Oldest, Order::Due] {
        for limit in [1, 2, 5] {
            let mut filter = TicketFilter { order, limit, ..TicketFilter::default() };
            let mut seen = Vec::new();
            while let page = db.store.tickets(&filter).await.expect("a page")
                && let Some(last) = page.last()
                && seen.len() <= 6
            {
                filter.after = Some(last.place);
                seen.extend(page.iter().map(|one| one.place.1));
            }
            let each: std::collections::BTreeSet<_> = seen.iter().collect();
            assert_eq!((each.len(), seen.len()), (6, 6), "{order:?} by {limit}");
        }
    }
}

/// Nothing is due of it, so nothing may be found again and again.
async fn a_wake_up_that_is_too_early_is_put_right(db: TestDatabase) {
    let house = simulated(&db).await;
    let done = house.review("matter", "R1").await.expect("a ticket");
    let wake = done.instance.expect("the ticket").next_wake();
    db.execute("UPDATE snapshot SET wake_at = 0").await;
    assert_eq!(house.engine.advance_due(10).await.expect("advanced").due, 1);
    assert_eq!(db.store.next_wake().await.expect("an answer"), wake);
    assert_eq!(house.engine.advance_due(10).await.expect("advanced").due, 0);
    assert!(db.store.incidents(true, None, 10).await.expect("them").is_empty());
}

/// A column of another type, which SQLite lets anybody write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_of_another_type_holds_up_nobody() {
    for (table, key, column) in
        [("ticket", "id", "red_at"), ("ticket", "id", "step_since"), ("snapshot", "ticket", "head")]
    {
        let db = TestDatabase::new(crate::database::Kind::Sqlite).await;
        let house = simulated(&db).await;
        let mut numbers = Vec::new();
        for n in 0..3 {
            numbers.push(house.review("matter", &format!("R{n}")).await.expect("one").ticket_no);
        }
        let number = &numbers[1];
        let this = format!("(SELECT id FROM ticket WHERE ticket_no = '{number}')");
        db.execute(&format!("UPDATE {table} SET {column} = 'x' WHERE {key} = {this}")).await;
        let to = instant("2026-03-06T00:00:00+08:00");
        house.engine.advance_clock(to).await.expect("advanced");
        assert_eq!(db.number("SELECT count(*) FROM card").await, 2, "{column}");
        let incidents = db.store.incidents(true, None, 10).await.expect("them");
        assert_eq!(incidents.len(), 1, "{column}");
        for order in [Order::Newest, Order::Oldest] {
            let filter = TicketFilter { order, limit: 10, ..TicketFilter::default() };
            let listed = db.store.tickets(&filter).await.expect("a list");
            assert_eq!(listed.iter().filter(|one| one.ticket.is_ok()).count(), 2, "{column}");
            assert_eq!(listed.len(), 3, "{column}");
        }
        let due = TicketFilter { order: Order::Due, limit: 10, ..TicketFilter::default() };
        db.store.tickets(&due).await.expect("a list");
        let wrong = duban::audit::verify(&db.store, None, |_| ()).await.expect_err("found");
        assert!(wrong.to_string().contains(number.as_str()), "{column}: {wrong}");
    }
}

/// The one that says no time is for the audit; the clock of all others goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wake_up_that_is_none_stops_no_clock() {
    let db = TestDatabase::new(crate::database::Kind::Sqlite).await;
    let house = simulated(&db).await;
    house.review("matter", "R1").await.expect("a ticket");
    db.execute("UPDATE snapshot SET wake_at = 'soon'").await;
    assert_eq!(db.store.next_wake().await.expect("an answer"), None);
    let to = instant("2026-03-06T00:00:00+08:00");
    house.engine.advance_clock(to).await.expect("advanced");
    let wrong = duban::audit::verify(&db.store, None, |_| ()).await.expect_err("found");
    assert!(wrong.to_string().contains("wake_at"), "{wrong}");
}

/// What is not there cannot be released, and nobody tries for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_without_a_snapshot_comes_to_an_end() {
    let db = TestDatabase::new(crate::database::Kind::Sqlite).await;
    let house = simulated(&db).await;
    house.review("matter", "R1").await.expect("a ticket");
    make_the_first_unreadable(&db).await;
    house.engine.advance_clock(instant("2026-03-06T00:00:00+08:00")).await.expect("advanced");
    let [Incident { id, .. }] = db.store.incidents(true, None, 10).await.expect("them")[..] else {
        panic!("not one")
    };
    db.execute("DELETE FROM snapshot").await;
    let retried = house.engine.retry_incident(id);
    let retried = tokio::time::timeout(Duration::from_secs(10), retried).await;
    assert!(retried.expect("it ends").is_err());
    assert_eq!(db.store.open_incidents().await.expect("a number"), 1);
}

/// A key, an instant or a word of a type that it cannot have: only this row is missing, and an audit
/// says which.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_is_none_is_missing_alone() {
    let harms = [
        "UPDATE snapshot SET ticket = 'abc' WHERE ticket = $1",
        "UPDATE ticket SET id = x'01' WHERE id = $1",
        "UPDATE deadline SET due_at = 'x' WHERE ticket = $1",
        "UPDATE deadline SET name = x'ff' WHERE ticket = $1",
        "UPDATE deadline SET ticket = 'abc' WHERE ticket = $1",
        "UPDATE ticket SET yellow_at = 1, red_at = 'x' WHERE id = $1",
        "UPDATE outbox SET next_at = 'x' WHERE ticket = $1",
        "UPDATE outbox SET about = 1.5, nth = 'x' WHERE ticket = $1",
        "UPDATE outbox SET destination = x'ff' WHERE ticket = $1",
    ];
    for harm in harms {
        let db = TestDatabase::new(crate::database::Kind::Sqlite).await;
        let house = simulated(&db).await;
        let mut ids = Vec::new();
        for n in 0..3 {
            let ticket = house.review("matter", &format!("R{n}")).await.expect("one").ticket;
            let form = json!({"agency": "SZ013"});
            house.act(ticket, "dispatch", hotline(), form).await.expect("dispatched");
            ids.push(ticket);
        }
        let table = harm.split(' ').nth(1).expect("a table");
        let key = if table == "ticket" { "id" } else { "ticket" };
        let its = format!("SELECT count(*) FROM {table} WHERE {key} = x'{}'", ids[1].0.simple());
        assert!(db.number(&its).await > 0, "{harm}");
        db.execute(&harm.replace("$1", &format!("x'{}'", ids[1].0.simple()))).await;
        let to = instant("2026-03-06T00:00:00+08:00");
        let advanced = house.engine.advance_clock(to);
        let advanced = tokio::time::timeout(Duration::from_mins(1), advanced).await;
        advanced.expect("the clock comes to its end").expect(harm);
        assert!(db.number("SELECT count(*) FROM card").await >= 2, "{harm}");
        while !house.engine.housekeep(1).await.expect(harm).finished {}
        // Pages of one go past it.
        let (mut filter, mut seen) = (TicketFilter { limit: 1, ..TicketFilter::default() }, 0);
        while let Some(last) = db.store.tickets(&filter).await.expect(harm).pop() {
            seen += usize::from(last.ticket.is_ok());
            filter.after = Some(last.place);
        }
        assert!(seen >= 2, "{harm}: {seen}");
        let all = DeadlineFilter { limit: 100, ..DeadlineFilter::default() };
        let running = db.store.running_deadlines(&all).await.expect(harm);
        let others = running.iter().filter(|one| one.ticket != ids[1]);
        let tickets: BTreeSet<_> = others.map(|one| one.ticket).collect();
        assert_eq!(tickets.len(), 2, "{harm}");
        db.store.messages(None, None, None, 100).await.expect(harm);
        db.store.due_destinations(to, &[]).await.expect(harm);
        db.store.next_message(&[]).await.expect(harm);
        db.store.oldest_waiting().await.expect(harm);
        // Messages are no part of the histories.
        let is_audited = !harm.contains("outbox");
        let found = duban::audit::verify(&db.store, None, |_| ()).await;
        assert_eq!(found.is_err(), is_audited, "{harm}: {found:?}");
    }
}

/// A guard that never holds: the others go on, and time stands still for this one alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_that_is_never_as_it_was_seen_is_set_aside() {
    let db = TestDatabase::new(crate::database::Kind::Sqlite).await;
    let house = simulated(&db).await;
    for n in 0..9 {
        house.review("matter", &format!("R{n}")).await.expect("a ticket");
    }
    // Whoever writes this row finds its version changed.
    db.execute(
        "CREATE TRIGGER moving BEFORE UPDATE ON snapshot \
         WHEN old.ticket = (SELECT id FROM ticket ORDER BY id LIMIT 1 OFFSET 4) \
         AND new.seq > old.seq BEGIN SELECT RAISE(IGNORE); END",
    )
    .await;
    let to = instant("2026-03-06T00:00:00+08:00");
    house.engine.advance_clock(to).await.expect("advanced");
    assert_eq!(db.number("SELECT count(*) FROM card").await, 8);
    let incidents = db.store.incidents(true, None, 10).await.expect("them");
    let [one] = incidents.as_slice() else { panic!("{incidents:?}") };
    assert_eq!(
        (one.what.command.as_str(), one.what.code.as_str()),
        ("advance", "refused-by-store")
    );
}

async fn one_refused_change_is_set_aside_and_the_rest_goes_through(db: TestDatabase) {
    let house = simulated(&db).await;
    let mut tickets = Vec::new();
    for nr in 0..12 {
        tickets.push(house.review("matter", &format!("R{nr}")).await.expect("a ticket").ticket);
    }
    // A row where one ticket's next event would go.
    let (_, loaded) = db.store.load(&tickets[5..6]).await.expect("it").remove(0);
    let seq = loaded.expect("readable").instance.seq + 1;
    let stands = format!(
        "INSERT INTO event (position, ticket, seq, bytes, hash) \
         SELECT 900000, ticket, {seq}, bytes, hash FROM event WHERE position = \
         (SELECT max(position) FROM event WHERE ticket = \
          (SELECT id FROM ticket ORDER BY id LIMIT 1 OFFSET 5))"
    );
    db.raw().await.execute_unprepared(&stands).await.expect("harmed");
    let acts = tickets.iter().map(|ticket| house.act(*ticket, "urge", hotline(), json!({})));
    let done = futures::future::join_all(acts).await;
    let good: Vec<bool> = done.iter().map(Result::is_ok).collect();
    assert_eq!(good.iter().filter(|good| **good).count(), 11, "{done:?}");
    assert_eq!(done[5].as_ref().expect_err("refused"), &Declined::Incident);
    let incidents = db.store.incidents(true, None, 10).await.expect("them");
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0].what.ticket, tickets[5]);
    // Time goes on for all the others.
    let to = house.engine.clock().now().plus_ms(3 * 86_400_000);
    house.engine.advance_clock(to).await.expect("advanced");
    assert_eq!(db.number("SELECT count(*) FROM card").await, 11);
}

/// Nobody's action comes into another's history.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_of_another_ticket_is_none() {
    let db = TestDatabase::new(crate::database::Kind::Sqlite).await;
    let house = simulated(&db).await;
    let mut tickets = Vec::new();
    for n in 0..3 {
        tickets.push(house.review("matter", &format!("R{n}")).await.expect("one").ticket);
    }
    let id = |nr: usize| format!("x'{}'", tickets[nr].0.simple());
    for (from, to) in [(id(0), "x'00'".to_owned()), (id(1), id(0)), ("x'00'".to_owned(), id(1))] {
        db.execute(&format!("UPDATE snapshot SET ticket = {to} WHERE ticket = {from}")).await;
    }
    let events = format!("SELECT count(*) FROM event WHERE ticket IN ({}, {})", id(0), id(1));
    let before = db.number(&events).await;
    for ticket in &tickets[..2] {
        let acted = house.act(*ticket, "urge", hotline(), json!({})).await;
        assert_eq!(acted.expect_err("refused"), Declined::Incident);
    }
    house.act(tickets[2], "urge", hotline(), json!({})).await.expect("urged");
    let to = instant("2026-03-06T00:00:00+08:00");
    house.engine.advance_clock(to).await.expect("advanced");
    assert_eq!(db.number("SELECT count(*) FROM card").await, 1);
    assert_eq!(db.number(&events).await, before, "nothing was added");
}
