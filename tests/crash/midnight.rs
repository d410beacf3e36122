//! Midnight: two hundred agencies report their contact within the last and the first second. Whose
//! stamp was before the end is in time, whose was not is late, whatever happens in between.

use std::time::Duration;

use duban_core::deadline::State;
use duban_core::event::{Event, Fact};
use duban_core::role::Role;
use duban_core::time::Instant;
use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;

use crate::postgres::Postgres;
use crate::served::{Caller, Place, on_servers};
use crate::{delivered, instant, offset};

on_servers!(neither_clocks_apart_nor_a_database_that_stalls_decide_who_was_in_time);

/// The exclusive end of `contact`.
const END: &str = "2026-03-06T00:00:00+08:00";

const TICKETS: usize = 200;

/// How an action was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answered {
    Done,
    Overtaken,
    /// Nothing happened.
    Busy,
    /// Whether it was done is found out by asking again.
    Unknown,
    CutOff,
    Other(String),
}

async fn report(server: &Caller, token: &str, number: &str) -> Answered {
    let path = format!("/v1/tickets/{number}/actions/record_contact");
    let form = json!({
        "outcome": "reached", "channel": "phone", "attempted_at": "2026-03-05T17:00:00+08:00",
    });
    let headers = [("idempotency-key", number)];
    match server.call_with(Method::POST, &path, token, Some(&form), &headers).await {
        Err(_) => Answered::CutOff,
        Ok(answer) if answer.status.is_success() => Answered::Done,
        Ok(answer) if answer.problem() == "overtaken" => Answered::Overtaken,
        Ok(answer) if answer.problem() == "busy" => Answered::Busy,
        Ok(answer) if answer.problem() == "outcome-unknown" => Answered::Unknown,
        Ok(answer) => Answered::Other(format!("{} {}", answer.status, answer.body)),
    }
}

/// Sends each ticket's report at its instant, to one node after the other: through the last and the
/// first second.
async fn through_midnight(nodes: &[Caller], token: &str, numbers: &[String]) -> Vec<Answered> {
    let begun = tokio::time::Instant::now();
    let sends = numbers.iter().enumerate().map(|(nr, number)| async move {
        let after = Duration::from_millis(1_000 + 10 * nr as u64);
        tokio::time::sleep_until(begun + after).await;
        report(&nodes[nr % nodes.len()], token, number).await
    });
    futures::future::join_all(sends).await
}

async fn history(place: &Place, number: &str) -> Vec<Event> {
    let ticket = place.store.ticket_of(number).await.expect("an answer").expect("the ticket");
    let events = place.store.history(ticket, 0, 1_000).await.expect("a history");
    events.iter().map(|one| one.event().expect("an event")).collect()
}

/// The stamp decides: no card and met in time before the end, both the other way from it on.
async fn check(place: &Place, number: &str, answered: &Answered, end: Instant) -> Option<bool> {
    let events = history(place, number).await;
    let contacts: Vec<&Event> = events
        .iter()
        .filter(|event| matches!(&event.fact, Fact::Acted(one) if one.action == "record_contact"))
        .collect();
    let carded = events.iter().any(|event| match &event.fact {
        Fact::RungFired(rung) => rung.run.deadline == "contact" && rung.card.is_some(),
        _ => false,
    });
    let ticket = place.store.ticket_of(number).await.expect("an answer").expect("the ticket");
    let (_, loaded) = place.store.load(&[ticket]).await.expect("an answer").remove(0);
    let instance = loaded.expect("readable").instance;
    let run = instance.runs.iter().rfind(|run| run.deadline == "contact").expect("the run");
    match (contacts.as_slice(), answered) {
        ([], Answered::Done) => panic!("{number}: acknowledged and not there"),
        ([], _) => {
            assert!(carded && run.state == State::Running, "{number}: left alone, {:?}", run.state);
            None
        }
        ([contact], answered) => {
            let is_sure = !matches!(answered, Answered::Overtaken | Answered::Busy);
            assert!(is_sure, "{number}: {answered:?} and there all the same");
            let stamp = contact.arrived_at.unwrap_or(contact.at);
            let in_time = stamp < end;
            assert_eq!(carded, !in_time, "{number}: stamped {stamp}");
            let state = if in_time { State::Met } else { State::MetLate };
            assert_eq!(run.state, state, "{number}: stamped {stamp}");
            Some(in_time)
        }
        (many, _) => panic!("{number}: {} contacts", many.len()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stamp_alone_says_who_was_in_time() {
    let place = Place::new().await;
    let numbers = delivered(&place, TICKETS, true).await;
    let token = place.token(Role::Agency, "a1", Some(crate::AGENCY)).await;
    let end = instant(END);
    let server = place.serve(&["--clock-offset-ms", &offset(end.plus_ms(-2_100))]);
    let answered = through_midnight(&[(*server).clone()], &token, &numbers).await;
    assert_eq!(server.stop(), Some(0));
    let mut in_time = 0;
    let mut late = 0;
    for (number, answered) in numbers.iter().zip(&answered) {
        assert!(!matches!(answered, Answered::Other(_) | Answered::CutOff), "{answered:?}");
        match check(&place, number, answered, end).await {
            Some(true) => in_time += 1,
            Some(false) => late += 1,
            None => {}
        }
    }
    println!("in time {in_time}, late {late}, of {TICKETS}");
    assert!(in_time > 20 && late > 20, "{in_time} {late}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn and_so_it_does_when_the_process_is_killed() {
    let place = Place::new().await;
    let numbers = delivered(&place, TICKETS, true).await;
    let token = place.token(Role::Agency, "a1", Some(crate::AGENCY)).await;
    let end = instant(END);
    let from = offset(end.plus_ms(-2_100));
    let mut server = place.serve(&["--clock-offset-ms", &from]);
    let caller = (*server).clone();
    let killer = async {
        // Some in time are done, those that are late wait for midnight to settle.
        tokio::time::sleep(Duration::from_secs(4)).await;
    };
    let sending = {
        let (numbers, token) = (numbers.clone(), token.clone());
        tokio::spawn(async move { through_midnight(&[caller], &token, &numbers).await })
    };
    killer.await;
    server.kill();
    let answered = sending.await.expect("the senders");
    let cut_off = answered.iter().filter(|one| **one == Answered::CutOff).count();
    assert!(cut_off > 20, "{cut_off}");
    let server = place.serve(&["--clock-offset-ms", &from]);
    // Whoever got no answer asks again with the same key: if it was done it stays as it was, else it
    // comes now, and late.
    let mut after = Vec::new();
    for (number, answered) in numbers.iter().zip(answered) {
        let again = answered == Answered::CutOff;
        after.push(if again { report(&server, &token, number).await } else { answered });
    }
    assert_eq!(server.stop(), Some(0));
    for (number, answered) in numbers.iter().zip(&after) {
        check(&place, number, answered, end).await;
    }
}

/// Two nodes, 900 milliseconds apart, on a database that stands still for seconds, before midnight
/// and when it settles: by the stamp of the node that received it each is in time, or late.
async fn neither_clocks_apart_nor_a_database_that_stalls_decide_who_was_in_time() {
    let database = Postgres::start();
    let folder = TempDir::new().expect("a folder");
    let mut place = Place::on(folder, database.url()).await;
    let numbers = delivered(&place, TICKETS, true).await;
    let token = place.token(Role::Agency, "a1", Some(crate::AGENCY)).await;
    let end = instant(END);
    let middle: i64 = offset(end.plus_ms(-2_100)).parse().expect("a number");
    place.settings.push(("DUBAN_DATABASE_CLOCK_OFFSET_MS", middle.to_string()));
    let node = |apart: i64| place.serve(&["--clock-offset-ms", &(middle + apart).to_string()]);
    let servers = [node(-450), node(450)];
    let nodes: Vec<Caller> = servers.iter().map(|server| (**server).clone()).collect();
    let stalls = async {
        for (after_ms, long_ms) in [(1_400, 2_500), (2_500, 4_000)] {
            tokio::time::sleep(Duration::from_millis(after_ms)).await;
            database.freeze();
            tokio::time::sleep(Duration::from_millis(long_ms)).await;
            database.thaw();
        }
    };
    let (answered, ()) = tokio::join!(through_midnight(&nodes, &token, &numbers), stalls);
    let mut tally = std::collections::BTreeMap::<String, usize>::new();
    let mut after = Vec::new();
    for (nr, (number, answered)) in numbers.iter().zip(answered).enumerate() {
        *tally.entry(format!("{answered:?}")).or_default() += 1;
        assert!(!matches!(answered, Answered::CutOff | Answered::Other(_)), "{answered:?}");
        let again = answered == Answered::Unknown;
        // On the other node: whoever is asked knows.
        let node = &nodes[(nr + 1) % 2];
        after.push(if again { report(node, &token, number).await } else { answered });
    }
    for server in servers {
        assert_eq!(server.stop(), Some(0));
    }
    let mut seen = [0, 0, 0];
    for (number, answered) in numbers.iter().zip(&after) {
        match check(&place, number, answered, end).await {
            Some(true) => seen[0] += 1,
            Some(false) => seen[1] += 1,
            None => seen[2] += 1,
        }
    }
    println!("{tally:?}; in time, late, not at all: {seen:?}");
    assert!(seen[0] > 5 && seen[1] > 5, "{seen:?}");
}
