//! The commit path and what is read back: whole or not at all, in one order, with numbers that
//! have no gaps, and with as many statements for one ticket as for five hundred.

use duban::store::{DeliveryState, Finished, Store, StoreError};
use duban_core::time::Instant;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::database::{TestDatabase, on_both};
use crate::lives::{advanced, commit, instant, opening};

on_both!(
    what_is_committed_is_read_back,
    a_batch_takes_as_many_statements_as_one,
    numbers_and_commits_have_no_gaps,
    a_stale_change_writes_nothing,
    many_rows_of_which_one_is_there_write_nothing,
    a_broken_snapshot_is_rebuilt_from_history,
    messages_keep_their_order,
    migrating_twice_changes_nothing,
    a_newer_database_is_left_alone,
);

const START: &str = "2026-03-02T10:00:00+08:00";

async fn loaded_all(store: &Store) -> Vec<duban::store::Loaded> {
    let far = Instant::from_ms(i64::MAX / 4);
    let due = store.due(far, 10_000).await.expect("tickets");
    due.into_iter().map(|(_, loaded)| loaded.expect("readable")).collect()
}

async fn what_is_committed_is_read_back(db: TestDatabase) {
    let at = instant(START);
    let change = opening(at);
    let (ticket, head) = (change.ticket(), change.head);
    let instance = change.instance.clone();
    let committed = commit(&db.store, at, &[change]).await.expect("committed");
    let number = &committed.ticket_numbers[&ticket];
    assert_eq!(number, "HCP20260302000001-3");
    assert_eq!(db.store.ticket_of(number).await.expect("an answer"), Some(ticket));
    let (_, loaded) = db.store.load(&[ticket]).await.expect("tickets").remove(0);
    let loaded = loaded.expect("readable");
    assert_eq!(loaded.instance, instance);
    assert_eq!((loaded.head, loaded.version, &loaded.ticket_no), (head, 1, number));
    assert_eq!(db.store.replayed(ticket).await.expect("a history"), *instance);
    assert_eq!(db.store.next_wake().await.expect("an answer"), instance.next_wake());
    assert_eq!(db.number("SELECT count(*) FROM deadline WHERE state = 'running'").await, 2);

    let wake = instance.next_wake().expect("something is due");
    let change = advanced(loaded, wake);
    let after = change.instance.clone();
    assert!(after.seq > instance.seq);
    commit(&db.store, wake, &[change]).await.expect("committed");
    assert_eq!(db.store.replayed(ticket).await.expect("a history"), *after);
    let history = db.store.history(ticket, 0, 100).await.expect("a history");
    let chained = history.iter().fold(duban_core::digest::Digest::ZERO, |head, event| {
        let next = head.link(&event.bytes);
        assert_eq!(next, event.hash);
        next
    });
    let (_, loaded) = db.store.load(&[ticket]).await.expect("tickets").remove(0);
    assert_eq!(loaded.expect("readable").head, chained);
}

async fn a_batch_takes_as_many_statements_as_one(db: TestDatabase) {
    let at = instant(START);
    let mut counted = Vec::new();
    for tickets in [1, 500] {
        let opened: Vec<_> = (0..tickets).map(|_| opening(at)).collect();
        let before = db.store.statements();
        commit(&db.store, at, &opened).await.expect("committed");
        let opening = db.store.statements() - before;
        let wake = db.store.next_wake().await.expect("an answer").expect("due");
        // The end of the first day: a card, messages, events, no deadline.
        let due: Vec<_> = loaded_all(&db.store).await;
        let late = wake.plus_ms(3 * 86_400_000);
        let due = due.into_iter().filter(|one| one.instance.cards.is_empty());
        let changes: Vec<_> = due.map(|loaded| advanced(loaded, late)).collect();
        assert_eq!(changes.len(), tickets);
        let before = db.store.statements();
        commit(&db.store, late, &changes).await.expect("committed");
        counted.push((opening, db.store.statements() - before));
    }
    assert_eq!(counted[0], counted[1]);
    assert!(counted[0].0 > 3 && counted[0].1 > 3, "{counted:?}");
    assert_eq!(db.number("SELECT count(*) FROM card").await, 501);
}

async fn numbers_and_commits_have_no_gaps(db: TestDatabase) {
    let at = instant(START);
    for round in 0..5 {
        let changes: Vec<_> = (0..3).map(|_| opening(at)).collect();
        let committed = commit(&db.store, at, &changes).await.expect("committed");
        assert_eq!(committed.number, round + 1);
        // The same review again: refused whole, and its numbers are given back.
        let again = commit(&db.store, at, &changes[..1]).await;
        assert_eq!(again, Err(StoreError::Stale));
    }
    let next_day = at.plus_ms(86_400_000);
    let committed = commit(&db.store, next_day, &[opening(next_day)]).await.expect("committed");
    assert_eq!(committed.ticket_numbers.values().next().expect("a number"), "HCP20260303000001-7");
    let last = db.number("SELECT last FROM ticket_number ORDER BY day LIMIT 1").await;
    assert_eq!(last, 15);
    let commits = db.store.commits_after(0, 100).await.expect("commits");
    let mut position = 0;
    for (commit, number) in commits.iter().zip(1..) {
        assert_eq!(commit.number, number);
        assert_eq!(commit.first_position, position + 1);
        position = commit.last_position;
    }
    assert_eq!(position, db.number("SELECT count(*) FROM event").await);
    let events = db.store.events_after(0, 1_000).await.expect("events");
    assert_eq!(events.len(), usize::try_from(position).expect("small"));
}

async fn a_stale_change_writes_nothing(db: TestDatabase) {
    let at = instant(START);
    commit(&db.store, at, &[opening(at), opening(at)]).await.expect("committed");
    let mut loaded = loaded_all(&db.store).await;
    let wake = loaded[0].instance.next_wake().expect("due");
    let first = advanced(loaded[0].clone(), wake);
    commit(&db.store, wake, &[first]).await.expect("committed");
    let rows = "SELECT (SELECT count(*) FROM event) * 1000 + (SELECT count(*) FROM outbox)";
    let before = db.number(rows).await;
    let both: Vec<_> = loaded.drain(..).map(|one| advanced(one, wake)).collect();
    assert_eq!(commit(&db.store, wake, &both).await, Err(StoreError::Stale));
    assert_eq!(db.number(rows).await, before);
    assert_eq!(db.number("SELECT commits FROM ledger").await, 2);
}

/// Many rows reach a server in another way than a few.
async fn many_rows_of_which_one_is_there_write_nothing(db: TestDatabase) {
    let at = instant(START);
    let many: Vec<_> = (0..300).map(|_| opening(at)).collect();
    let (others, last) = many.split_at(299);
    commit(&db.store, at, last).await.expect("committed");
    for _ in 0..20 {
        assert_eq!(commit(&db.store, at, &many).await, Err(StoreError::Stale));
    }
    assert_eq!(db.number("SELECT count(*) FROM ticket").await, 1);
    let committed = commit(&db.store, at, others).await.expect("committed");
    assert_eq!((committed.number, committed.ticket_numbers.len()), (2, 299));
    assert_eq!(db.number("SELECT count(*) FROM review").await, 300);
}

async fn a_broken_snapshot_is_rebuilt_from_history(db: TestDatabase) {
    let at = instant(START);
    let change = opening(at);
    let (ticket, instance) = (change.ticket(), change.instance.clone());
    commit(&db.store, at, &[change]).await.expect("committed");
    let raw = db.raw().await;
    raw.execute_unprepared("UPDATE snapshot SET bytes = head").await.expect("harmed");
    let (_, loaded) = db.store.load(&[ticket]).await.expect("tickets").remove(0);
    assert_eq!(loaded.expect("rebuilt").instance, instance);
    raw.execute_unprepared("UPDATE event SET bytes = hash").await.expect("harmed");
    let (_, loaded) = db.store.load(&[ticket]).await.expect("tickets").remove(0);
    assert!(matches!(loaded, Err(StoreError::Unreadable(_))));
}

async fn messages_keep_their_order(db: TestDatabase) {
    let at = instant(START);
    commit(&db.store, at, &[opening(at)]).await.expect("committed");
    let late = at.plus_ms(10 * 86_400_000);
    while let Some(wake) = db.store.next_wake().await.expect("an answer").filter(|at| *at <= late) {
        let due = loaded_all(&db.store).await.into_iter();
        let changes: Vec<_> = due.map(|one| advanced(one, wake)).collect();
        commit(&db.store, wake, &changes).await.expect("committed");
    }
    let waiting =
        db.store.messages(Some(DeliveryState::Waiting), None, None, 100).await.expect("them");
    assert!(waiting.len() > 1, "{waiting:?}");
    let until = late.plus_ms(60_000);
    let mut arrived = Vec::new();
    for to in db.store.due_destinations(late, &[]).await.expect("them") {
        let claim = async || {
            let lease = Uuid::now_v7();
            let claimed = db.store.claim_messages(lease, &to, late, until, 10).await;
            (lease, claimed.expect("claimed"))
        };
        loop {
            let (lease, claimed) = claim().await;
            let Some(first) = claimed.first() else { break };
            // The next one waits behind it, whoever asks.
            assert_eq!(claimed.len(), 1);
            assert!(claim().await.1.is_empty());
            let retry = Finished::Retry { next_at: late, failure: "test".to_owned() };
            let id = first.id;
            db.store.finish_messages(lease, late, &[(id, retry)]).await.expect("noted");
            let (lease, claimed) = claim().await;
            assert_eq!(claimed.iter().map(|one| one.id).collect::<Vec<_>>(), [id]);
            assert_eq!(claimed[0].attempts, 2);
            let done = [(id, Finished::Delivered)];
            let stranger = Uuid::now_v7();
            db.store.finish_messages(stranger, late, &done).await.expect("left alone");
            assert!(claim().await.1.is_empty());
            db.store.finish_messages(lease, late, &done).await.expect("noted");
            arrived.push((to.clone(), id));
        }
        assert!(!db.store.due_destinations(late, &[]).await.expect("them").contains(&to));
    }
    let mut sorted = arrived.clone();
    sorted.sort();
    arrived.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(arrived, sorted);
    assert_eq!(arrived.len(), waiting.len());
    assert_eq!(db.store.next_message(&[]).await.expect("an answer"), None);
}

async fn migrating_twice_changes_nothing(db: TestDatabase) {
    let (again, steps) = Store::migrate(&db.url).await.expect("migrated");
    assert_eq!(steps, 0);
    again.close().await;
    Store::open(&db.url).await.expect("up to date");
}

async fn a_newer_database_is_left_alone(db: TestDatabase) {
    let raw = db.raw().await;
    let add = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m2999_future', 0)";
    raw.execute_unprepared(add).await.expect("added");
    let newer = StoreError::Newer { migration: "m2999_future".to_owned() };
    assert_eq!(Store::open(&db.url).await.expect_err("refused"), newer);
    assert_eq!(Store::migrate(&db.url).await.expect_err("refused"), newer);
}

#[tokio::test]
async fn a_file_serves_one_process() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("duban.db").display());
    let held = Store::lock(&url).expect("locked").expect("a file");
    assert!(matches!(Store::lock(&url), Err(StoreError::InUse { .. })));
    drop(held);
    assert!(Store::lock(&url).expect("free").is_some());
}

#[tokio::test]
async fn addresses_that_are_none_are_told_so() {
    for url in ["duban.db", "mysql://x/y", "sqlite::memory:", "sqlite://", ""] {
        let told = Store::migrate(url).await.expect_err("refused");
        assert!(matches!(told, StoreError::Address(_)), "{url}: {told}");
    }
    let told = Store::migrate("sqlite:///nowhere/duban.db?mode=rwc").await.expect_err("refused");
    assert!(matches!(told, StoreError::Unreachable(_)), "{told}");
    let told = Store::migrate("postgres://postgres@127.0.0.1:1/x").await.expect_err("refused");
    assert!(matches!(told, StoreError::Unreachable(_) | StoreError::Busy), "{told}");
}
