//! What several nodes and long years ask of the store: claims that nobody holds for long, upkeep that
//! goes forward in steps.

use duban::store::{Publication, Store};
use duban_core::digest::Digest;
use duban_core::ticket_id::TicketId;
use duban_core::time::{Day, Instant};
use uuid::Uuid;

use crate::database::{TestDatabase, on_both};
use crate::lives::{commit, instant, opening};

on_both!(
    what_must_be_rebuilt_is_not_kept_from_others,
    a_publication_goes_forward_only,
    old_requests_are_forgotten_in_steps,
    tickets_of_before_are_taken_along,
);

const START: &str = "2026-03-02T10:00:00+08:00";

async fn what_must_be_rebuilt_is_not_kept_from_others(db: TestDatabase) {
    let at = instant(START);
    let opened: Vec<_> = (0..300).map(|_| opening(at)).collect();
    commit(&db.store, at, &opened).await.expect("committed");
    // As after an upgrade that changed the shape of snapshots.
    db.execute("UPDATE snapshot SET bytes = head").await;
    let far = Instant::from_ms(i64::MAX / 4);
    let (claim, loaded) = db.store.claim_due(far, 250).await.expect("a claim");
    assert!(loaded.iter().all(|(_, one)| one.is_ok()), "rebuilt");
    if db.store.is_embedded() {
        assert_eq!(loaded.len(), 250);
        return;
    }
    assert_eq!(loaded.len(), 100, "as many as are quickly rebuilt");
    let (_, again) = db.store.claim_due(far, 250).await.expect("another claim");
    assert_eq!(again[0].0, loaded[0].0, "nobody waits for them");
    drop(claim);
}

async fn a_publication_goes_forward_only(db: TestDatabase) {
    let publication = |reached, done_at| Publication {
        day: Day::from_number(20_500),
        edition: Digest::of(&[b"a notice"]),
        reached: Some(TicketId(Uuid::from_u128(reached))),
        done_at,
    };
    let note = async |noted| {
        db.store.note_publication(&noted).await.expect("noted");
        db.store.publications().await.expect("them").remove(0)
    };
    let ended = Some(Instant::from_ms(9));
    assert_eq!(note(publication(2, None)).await, publication(2, None));
    assert_eq!(note(publication(1, None)).await, publication(2, None), "a node that is behind");
    assert_eq!(note(publication(3, None)).await, publication(3, None));
    assert_eq!(note(publication(3, ended)).await, publication(3, ended));
    assert_eq!(note(publication(4, None)).await, publication(3, ended), "it is done");
}

async fn old_requests_are_forgotten_in_steps(db: TestDatabase) {
    for (key, created_at) in [("a", 1), ("b", 2), ("c", 3), ("d", 4)] {
        let columns = "subject, operation, key, secret, commitment, status, created_at";
        let hash = "(SELECT head FROM snapshot LIMIT 1)";
        let values = format!("'h001', 'POST /', '{key}', {hash}, {hash}, 200, {created_at}");
        if key == "a" {
            let at = instant(START);
            commit(&db.store, at, &[opening(at)]).await.expect("committed");
        }
        db.execute(&format!("INSERT INTO idempotency ({columns}) VALUES ({values})")).await;
    }
    let forget = async |limit| db.store.forget_requests(Instant::from_ms(4), limit).await;
    assert_eq!(forget(2).await, Ok(2));
    assert_eq!(db.number("SELECT min(created_at) FROM idempotency").await, 3);
    assert_eq!(forget(2).await, Ok(1));
    assert_eq!(forget(2).await, Ok(0));
    assert_eq!(db.number("SELECT count(*) FROM idempotency").await, 1);
}

/// A database as it was before snapshots had a table of their own: brought up to date, it is whole.
async fn tickets_of_before_are_taken_along(db: TestDatabase) {
    let at = instant(START);
    commit(&db.store, at, &[opening(at), opening(at)]).await.expect("committed");
    let before = db.store.due(Instant::from_ms(i64::MAX / 4), 10).await.expect("tickets");
    let columns = [
        ("version", "version", "BIGINT"),
        ("seq", "seq", "BIGINT"),
        ("head", "head", "BYTEA"),
        ("recorded_at", "recorded_at", "BIGINT"),
        ("wake_at", "wake_at", "BIGINT"),
        ("snapshot", "bytes", "BYTEA"),
    ];
    for (was, is, kind) in columns {
        db.execute(&format!("ALTER TABLE ticket ADD COLUMN {was} {kind}")).await;
        let fill = format!("SELECT s.{is} FROM snapshot s WHERE s.ticket = ticket.id");
        db.execute(&format!("UPDATE ticket SET {was} = ({fill})")).await;
    }
    db.execute("CREATE INDEX ticket_wake ON ticket (wake_at, id) WHERE wake_at IS NOT NULL").await;
    db.execute("DROP TABLE snapshot").await;
    db.execute("DELETE FROM seaql_migrations WHERE version LIKE '%000009_snapshots'").await;
    if db.store.is_embedded() {
        // A last step that fails: nothing of it has been done, and it can be done again.
        db.execute("CREATE INDEX in_the_way ON ticket (snapshot)").await;
        Store::migrate(&db.url).await.expect_err("in the way");
        db.execute("DROP INDEX in_the_way").await;
    }
    let (store, steps) = Store::migrate(&db.url).await.expect("brought up to date");
    assert_eq!(steps, 1);
    let after = store.due(Instant::from_ms(i64::MAX / 4), 10).await.expect("tickets");
    assert_eq!(format!("{after:?}"), format!("{before:?}"));
    duban::audit::verify(&store, None, |_| ()).await.expect("whole");
}
