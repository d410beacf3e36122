//! The engine over real databases: one order, one effect, nothing lost.

use std::collections::BTreeSet;
use std::time::Duration;

use duban::clock::{Clock, wall};
use duban::engine::{Declined, Task};
use duban::store::{Carried, DeliveryState};
use duban_core::command::SETTLE_MS;
use duban_core::event::{Event, Fact};
use duban_core::rejection::Rejection;
use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::database::{TestDatabase, on_both};
use crate::house::{House, agency, hotline, keyed};
use crate::lives::instant;

on_both!(
    a_review_becomes_a_ticket_once,
    an_action_gives_a_receipt_and_seals_what_is_private,
    a_key_has_one_effect,
    commands_that_come_together_share_commits,
    time_moves_tickets_through_the_simulated_clock,
    what_depends_on_a_firing_is_told_when_it_has_settled,
    who_came_before_a_recorded_firing_is_overtaken,
    a_message_is_tried_until_it_arrives_or_is_dead,
    a_definition_is_stored_on_first_use_and_never_changed,
    a_message_behind_another_waits_and_wakes_nobody,
    of_two_texts_of_one_version_the_second_is_refused,
    a_notice_is_worked_in_when_its_day_comes,
    a_key_stays_taken_when_its_caller_goes_away,
    a_destination_that_hangs_holds_up_nobody_else,
);

const START: &str = "2026-03-02T10:00:00+08:00";
const AGENCY: &str = "SZ014";

/// The hotline urges: what can be done on every open ticket.
fn urging(ticket: TicketId) -> Task {
    let (action, actor, form) = ("urge".into(), hotline(), json!({}));
    Task::Act { ticket, action, actor, form, revision: None, fault: None, original: None }
}

/// How often it has.
fn urged(events: &[Event]) -> usize {
    let is_urging =
        |event: &&Event| matches!(&event.fact, Fact::Acted(acted) if acted.action == "urge");
    events.iter().filter(is_urging).count()
}

async fn simulated(db: &TestDatabase) -> House {
    House::new(&db.store, Clock::simulated(instant(START))).await
}

async fn a_review_becomes_a_ticket_once(db: TestDatabase) {
    let house = simulated(&db).await;
    let opened = house.review("matter", "R1").await.expect("a ticket");
    assert_eq!(opened.ticket_no, "HCP20260302000001-3");
    assert_eq!(opened.receipt.as_ref().map(|one| one.seq), Some(1));
    assert!(!opened.replayed);
    let again = house.review("matter", "R1").await.expect("the same");
    assert_eq!((again.ticket, again.replayed), (opened.ticket, true));
    assert_eq!(again.ticket_no, opened.ticket_no);
    let other = house.review_saying("matter", "R1", "other").await;
    assert_eq!(other.expect_err("refused"), Declined::ReviewDiffers);
    let none = house.review("themed", "R2").await.expect_err("refused");
    assert!(matches!(none, Declined::Rejected(Rejection::ClassNotEnabled { .. })), "{none}");
    // Twenty of one review and twenty of its changed content at once.
    let at_once = (0..40).map(|n| {
        let content = if n % 2 == 0 { "a" } else { "b" };
        house.review_saying("matter", "R3", content)
    });
    let answers = futures::future::join_all(at_once).await;
    let tickets: BTreeSet<_> = answers.iter().flatten().map(|done| done.ticket).collect();
    assert_eq!(tickets.len(), 1);
    assert_eq!(answers.iter().flatten().filter(|done| !done.replayed).count(), 1);
    assert_eq!(answers.iter().filter(|one| one.is_err()).count(), 20);
    assert_eq!(db.number("SELECT count(*) FROM ticket").await, 2);
    // What has been erased can't be compared, and the review stays known.
    db.raw().await.execute_unprepared("DELETE FROM personal_data").await.expect("erased");
    let again = house.review_saying("matter", "R1", "other").await.expect("known");
    assert_eq!(again.ticket, opened.ticket);
}

async fn an_action_gives_a_receipt_and_seals_what_is_private(db: TestDatabase) {
    let house = simulated(&db).await;
    let ticket = house.review("matter", "R1").await.expect("a ticket").ticket;
    let form = json!({"agency": AGENCY});
    let done = house.act(ticket, "dispatch", hotline(), form).await.expect("dispatched");
    let receipt = done.receipt.expect("a receipt");
    let history = db.store.history(ticket, 0, 100).await.expect("a history");
    let event = history.iter().find(|one| one.seq == receipt.seq).expect("the event");
    assert_eq!(event.hash, receipt.hash);
    assert!(
        matches!(&event.event().expect("it").fact, Fact::Acted(acted) if acted.action == "dispatch")
    );
    assert_eq!(done.instance.expect("the ticket").step, "delivered");
    let note = json!({"note": "手机号 13800001234 的市民来电"});
    let done = house.act(ticket, "add_note", hotline(), note).await.expect("noted");
    assert!(done.receipt.is_some());
    let bytes = "SELECT count(*) FROM personal_data";
    assert_eq!(db.number(bytes).await, 2);
    for event in db.store.history(ticket, 0, 100).await.expect("a history") {
        assert!(!String::from_utf8_lossy(&event.bytes).contains("13800001234"));
    }
    let wrong = house.act(ticket, "sign", hotline(), json!({})).await.expect_err("refused");
    assert!(matches!(wrong, Declined::Rejected(Rejection::NotPermitted { .. })), "{wrong}");
    let foreign = house.act(ticket, "sign", agency("SZ001"), json!({})).await;
    assert_eq!(foreign.expect_err("refused"), Declined::Rejected(Rejection::NotYours));
    let nobody = TicketId::from_number(1);
    let none = house.act(nobody, "sign", hotline(), json!({})).await.expect_err("refused");
    assert_eq!(none, Declined::NoSuchTicket);
}

async fn a_key_has_one_effect(db: TestDatabase) {
    let house = simulated(&db).await;
    let ticket = house.review("matter", "R1").await.expect("a ticket").ticket;
    let form = json!({"agency": AGENCY});
    house.act(ticket, "dispatch", hotline(), form).await.expect("dispatched");
    let urge = |key: &'static str, body: &'static str| {
        let engine = house.engine.clone();
        async move {
            let arrival = engine.arrive().await;
            let task = urging(ticket);
            engine.submit(&arrival, task, Some(keyed(key, body))).await
        }
    };
    let first = urge("K1", "body").await.expect("urged");
    let again = urge("K1", "body").await.expect("the same");
    assert!(again.replayed && again.receipt == first.receipt && again.ticket_no == first.ticket_no);
    assert_eq!(urge("K1", "other").await.expect_err("refused"), Declined::KeyReused);
    let at_once = futures::future::join_all((0..30).map(|_| urge("K2", "body"))).await;
    let seqs: BTreeSet<_> = at_once
        .iter()
        .flatten()
        .filter_map(|done| done.receipt.as_ref())
        .map(|one| one.seq)
        .collect();
    assert_eq!(seqs.len(), 1);
    let refused = at_once.into_iter().filter_map(Result::err);
    assert!(refused.into_iter().all(|why| why == Declined::KeyRunning));
    let events = house.events(ticket).await;
    assert_eq!(urged(&events), 2);
}

async fn commands_that_come_together_share_commits(db: TestDatabase) {
    let house = simulated(&db).await;
    let before = db.number("SELECT commits FROM ledger").await;
    let reviews: Vec<String> = (0..300).map(|n| format!("R{n}")).collect();
    let opened = reviews.iter().map(|id| house.review("matter", id));
    let opened = futures::future::join_all(opened).await;
    assert!(opened.iter().all(Result::is_ok));
    let commits = db.number("SELECT commits FROM ledger").await - before;
    assert!(commits < 60, "{commits} commits for 300 reviews");
    let tickets: Vec<_> = opened.into_iter().flatten().map(|done| done.ticket).collect();
    // Ten commands on each of thirty tickets, one after another on what the one before has left.
    let tasks = (0..300).map(|n| house.act(tickets[n % 30], "urge", hotline(), json!({})));
    let done = futures::future::join_all(tasks).await;
    let refused: Vec<_> = done.iter().filter_map(|one| one.as_ref().err()).collect();
    assert!(refused.is_empty(), "{:?}", refused.first());
    for ticket in &tickets[..30] {
        let events = house.events(*ticket).await;
        assert!(events.iter().enumerate().all(|(n, event)| event.seq == n as u64 + 1));
        let replayed = db.store.replayed(*ticket).await.expect("a history");
        let (_, loaded) = db.store.load(&[*ticket]).await.expect("it").remove(0);
        assert_eq!(*loaded.expect("readable").instance, replayed);
    }
}

async fn time_moves_tickets_through_the_simulated_clock(db: TestDatabase) {
    let house = simulated(&db).await;
    let ticket = house.review("matter", "R1").await.expect("a ticket").ticket;
    let form = json!({"agency": AGENCY});
    house.act(ticket, "dispatch", hotline(), form).await.expect("dispatched");
    let back = house.engine.advance_clock(instant("2026-03-01T00:00:00+08:00")).await;
    assert!(back.is_err());
    let to = instant("2026-05-20T00:00:00+08:00");
    let advanced = house.engine.advance_clock(to).await.expect("advanced");
    assert!(advanced.stops > 5 && advanced.moved > 5, "{advanced:?}");
    assert_eq!(house.engine.clock().now(), to);
    let events = house.events(ticket).await;
    // Each thing at its own instant, recorded then and there.
    assert!(events.iter().all(|event| event.at == event.recorded_at));
    let red = events
        .iter()
        .filter(|event| matches!(&event.fact, Fact::RungFired(rung) if rung.card.is_some()));
    assert!(red.count() >= 3);
    let waiting =
        db.store.messages(Some(DeliveryState::Waiting), None, None, 10).await.expect("them");
    assert!(waiting.is_empty());
    let carried = house.post.carried.lock().expect("a post").len();
    assert_eq!(advanced.delivered, carried);
    assert!(db.store.next_wake().await.expect("an answer").is_none_or(|wake| wake > to));
}

/// A house whose clock stands shortly before a ticket's next rung.
async fn before_a_rung(db: &TestDatabase, before_ms: i64) -> (House, House, Instant) {
    let first = simulated(db).await;
    let done = first.review("matter", "R1").await.expect("a ticket");
    let wake = done.instance.expect("the ticket").next_wake().expect("due");
    let offset_ms = wake.ms() - before_ms - wall().ms();
    let house = House::new(&db.store, Clock::system(offset_ms)).await;
    (first, house, wake)
}

async fn what_depends_on_a_firing_is_told_when_it_has_settled(db: TestDatabase) {
    let (_first, house, due) = before_a_rung(&db, 0).await;
    let (_, loaded) = db.store.due(due, 1).await.expect("it").remove(0);
    let ticket = loaded.expect("readable").instance.ticket;
    assert_eq!(house.engine.advance_due(10).await.expect("an answer").due, 0);
    let done = house.act(ticket, "urge", hotline(), json!({}));
    // A refusal waits as well: what it says depends on what is due.
    let refused = house.act(ticket, "sign", agency(AGENCY), json!({}));
    let (done, refused) = tokio::join!(done, refused);
    assert!(house.engine.clock().now() >= due.plus_ms(SETTLE_MS));
    assert!(done.is_ok(), "{done:?}");
    assert!(matches!(refused, Err(Declined::Rejected(_))), "{refused:?}");
    let events = house.events(ticket).await;
    let fired = events.iter().find(|event| event.fact.is_firing()).expect("a firing");
    assert_eq!(fired.at, due);
    assert!(fired.recorded_at >= due.plus_ms(SETTLE_MS));
}

async fn who_came_before_a_recorded_firing_is_overtaken(db: TestDatabase) {
    let (_first, house, due) = before_a_rung(&db, 200).await;
    let (_, loaded) = db.store.due(due, 1).await.expect("it").remove(0);
    let ticket = loaded.expect("readable").instance.ticket;
    let arrival = house.engine.arrive().await;
    assert!(arrival.at < due);
    let after = due.plus_ms(SETTLE_MS + 200);
    while house.engine.clock().now() < after {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(house.engine.advance_due(10).await.expect("an answer").moved, 1);
    let seq = house.events(ticket).await.len();
    let task = urging(ticket);
    let told = house.engine.submit(&arrival, task, None).await.expect_err("refused");
    assert_eq!(told, Declined::Overtaken { arrived_at: arrival.at });
    assert_eq!(house.events(ticket).await.len(), seq);
}

async fn a_message_is_tried_until_it_arrives_or_is_dead(db: TestDatabase) {
    let house = simulated(&db).await;
    *house.post.says.lock().expect("a post") = Carried::Failed("timeout");
    let ticket = house.review("matter", "R1").await.expect("a ticket").ticket;
    let form = json!({"agency": AGENCY});
    house.act(ticket, "dispatch", hotline(), form).await.expect("dispatched");
    let to = house.engine.clock().now().plus_ms(24 * 3_600_000);
    house.engine.advance_clock(to).await.expect("advanced");
    let dead = db.store.messages(Some(DeliveryState::Dead), None, None, 10).await.expect("them");
    assert!(!dead.is_empty());
    assert!(dead.iter().all(|one| one.failure.as_deref() == Some("timeout")));
    *house.post.says.lock().expect("a post") = Carried::Arrived;
    assert!(db.store.redeliver(dead[0].id, to).await.expect("an answer"));
    house.engine.advance_clock(to.plus_ms(1)).await.expect("advanced");
    let arrived =
        db.store.messages(Some(DeliveryState::Delivered), None, None, 10).await.expect("them");
    assert_eq!(arrived.iter().map(|one| one.id).collect::<Vec<_>>(), [dead[0].id]);
}

async fn a_definition_is_stored_on_first_use_and_never_changed(db: TestDatabase) {
    let house = simulated(&db).await;
    assert!(db.store.definitions().await.expect("them").is_empty());
    house.review("matter", "R1").await.expect("a ticket");
    house.review("staff", "R2").await.expect("a ticket");
    let stored = db.store.definitions().await.expect("them");
    let names: Vec<&str> = stored.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["matter", "staff"]);
    // The house starts again with what is stored.
    let again = House::new(&db.store, Clock::simulated(instant(START))).await;
    again.review("matter", "R3").await.expect("a ticket");
    let raw = db.raw().await;
    let change = "UPDATE definition SET text = replace(text, '3wd', '4wd') WHERE name = 'matter'";
    raw.execute_unprepared(change).await.expect("harmed");
    let (shelf, calendar) = (duban_shipped::shelf(), duban_shipped::calendar());
    let told = duban::engine::Knowledge::gather(shelf, calendar, BTreeSet::new(), &db.store).await;
    assert!(told.is_err());
}

/// Another node may be the first to use another text under the same version.
async fn of_two_texts_of_one_version_the_second_is_refused(db: TestDatabase) {
    let (one, other) = (simulated(&db).await, simulated(&db).await);
    one.review("matter", "R1").await.expect("a ticket");
    db.execute("UPDATE definition SET hash = (SELECT head FROM snapshot)").await;
    let told = other.review("matter", "R2").await.expect_err("refused").to_string();
    assert!(told.contains("matter") && told.contains("内容不同"), "{told}");
    assert_eq!(db.number("SELECT count(*) FROM ticket").await, 1);
    // Who comes with it goes through.
    let together = futures::future::join(other.review("matter", "R4"), other.review("staff", "R3"));
    let (refused, opened) = together.await;
    assert!(refused.is_err());
    opened.expect("a ticket");
}

async fn a_message_behind_another_waits_and_wakes_nobody(db: TestDatabase) {
    let house = simulated(&db).await;
    *house.post.says.lock().expect("a post") = Carried::Failed("timeout");
    let ticket = house.review("matter", "R1").await.expect("a ticket").ticket;
    let form = json!({"agency": AGENCY});
    house.act(ticket, "dispatch", hotline(), form).await.expect("dispatched");
    house.act(ticket, "urge", hotline(), json!({})).await.expect("urged");
    let now = house.engine.clock().now();
    house.engine.deliver(100).await.expect("tried");
    // The first one waits for its next attempt, those behind it with it.
    let next = db.store.next_message(&[]).await.expect("an answer").expect("a message");
    assert!(next > now, "{next}");
    let due =
        format!("SELECT count(*) FROM outbox WHERE state = 'waiting' AND next_at <= {}", now.ms());
    assert_eq!(db.number(&due).await, 0);
    // Sent once more by hand, all of its line is due.
    let first = db.store.messages(None, None, None, 100).await.expect("them").pop().expect("one");
    let waiting = "SELECT count(*) FROM outbox WHERE state = 'waiting' AND destination = \
                   (SELECT destination FROM outbox ORDER BY seq, nth LIMIT 1)";
    assert!(db.number(waiting).await > 1);
    assert!(db.store.redeliver(first.id, now).await.expect("an answer"));
    assert_eq!(db.number(&due).await, db.number(waiting).await);
    let to = now.plus_ms(60_000);
    let advanced = tokio::time::timeout(Duration::from_secs(20), house.engine.advance_clock(to));
    advanced.await.expect("the clock comes to its end").expect("advanced");
    let carried = house.post.carried.lock().expect("a post");
    let mut first = carried.iter().map(|one| (one.destination.clone(), one.id));
    let (to_whom, id) = first.next().expect("one");
    assert!(first.all(|one| one.0 != to_whom || one.1 == id));
}

async fn a_notice_is_worked_in_when_its_day_comes(db: TestDatabase) {
    let folder = tempfile::TempDir::new().expect("a folder");
    crate::published::calendars(folder.path(), true);
    let calendar = || duban_shipped::calendar_of(folder.path());
    let start = instant("2026-12-28T10:00:00+08:00");
    let house = House::with(&db.store, Clock::simulated(start), calendar()).await;
    let ticket = house.review("matter", "R1").await.expect("a ticket").ticket;
    let form = json!({"agency": AGENCY});
    house.act(ticket, "dispatch", hotline(), form).await.expect("dispatched");
    while !house.engine.housekeep(100).await.expect("kept").finished {}
    // The day of the publication begins while the house runs by the system's clock.
    let day = instant("2026-12-30T00:00:00+08:00");
    let clock = Clock::system(day.plus_ms(SETTLE_MS - 700).ms() - wall().ms());
    let house = House::with(&db.store, clock.clone(), calendar()).await;
    assert_eq!(house.engine.next_publication(), Some(day.plus_ms(SETTLE_MS)));
    assert!(house.engine.housekeep(100).await.expect("kept").finished);
    while clock.now() < day.plus_ms(SETTLE_MS) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    house.engine.advance_due(100).await.expect("advanced");
    while !house.engine.housekeep(100).await.expect("kept").finished {}
    let events = house.events(ticket).await;
    let moved = events.iter().filter(|one| matches!(one.fact, Fact::DeadlineMoved(_)));
    let moved: Vec<_> = moved.map(|one| one.at).collect();
    assert!(!moved.is_empty() && moved.iter().all(|at| *at >= day), "{moved:?}");
}

async fn a_key_stays_taken_when_its_caller_goes_away(db: TestDatabase) {
    let (_first, house, due) = before_a_rung(&db, 0).await;
    let (_, loaded) = db.store.due(due, 1).await.expect("it").remove(0);
    let ticket = loaded.expect("readable").instance.ticket;
    let urge = || {
        let engine = house.engine.clone();
        async move {
            let arrival = engine.arrive().await;
            let task = urging(ticket);
            engine.submit(&arrival, task, Some(keyed("K1", "body"))).await
        }
    };
    // It waits for what is due to settle, and its caller goes away.
    let gone = tokio::time::timeout(Duration::from_millis(500), urge()).await;
    assert!(gone.is_err());
    assert_eq!(urge().await.expect_err("refused"), Declined::KeyRunning);
    while house.engine.clock().now() < due.plus_ms(SETTLE_MS + 500) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let again = urge().await.expect("done before");
    assert!(again.repeated && again.receipt.is_some());
    let events = house.events(ticket).await;
    assert_eq!(urged(&events), 1);
}

async fn a_destination_that_hangs_holds_up_nobody_else(db: TestDatabase) {
    let house = simulated(&db).await;
    house.post.hangs.lock().expect("a post").insert(format!("agency:{AGENCY}"));
    let mut tickets = Vec::new();
    for nr in 0..40 {
        let ticket = house.review("matter", &format!("R{nr}")).await.expect("a ticket").ticket;
        let form = json!({"agency": AGENCY});
        house.act(ticket, "dispatch", hotline(), form).await.expect("dispatched");
        tickets.push(ticket);
    }
    assert_eq!(house.engine.send_couriers(8).await.expect("sent"), 1);
    tokio::time::sleep(Duration::from_millis(100)).await;
    // It hangs; there is nothing to wake anybody for, and nobody is sent a second time.
    assert_eq!(house.engine.next_delivery().await.expect("an answer"), None);
    assert_eq!(house.engine.send_couriers(8).await.expect("sent"), 0);
    let other = house.review("matter", "R99").await.expect("a ticket").ticket;
    house.act(other, "dispatch", hotline(), json!({"agency": "SZ007"})).await.expect("dispatched");
    assert_eq!(house.engine.send_couriers(8).await.expect("sent"), 1);
    tokio::time::timeout(Duration::from_secs(5), async {
        loop {
            let done =
                db.store.messages(Some(DeliveryState::Delivered), Some(other), None, 9).await;
            if !done.expect("them").is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("delivered");
}
