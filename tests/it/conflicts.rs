//! Many clients repeat, reorder and abort requests: one effect for each key, and every refusal as
//! designed. For some seconds; `DUBAN_CONFLICTS_S=60` for a minute.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant as Stopwatch};

use duban_core::role::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::lives::instant;
use crate::served::{Caller, Place, review};

const START: &str = "2026-03-02T10:00:00+08:00";
const CLIENTS: u64 = 64;
const TICKETS: usize = 24;

/// What a client heard.
#[derive(Default)]
struct Heard {
    /// The receipts of each key that was answered well.
    receipts: BTreeMap<String, BTreeSet<String>>,
    statuses: BTreeMap<u16, u64>,
    wrong: Vec<String>,
}

/// What may be answered to what is asked here.
fn is_designed(status: u16, problem: &str) -> bool {
    matches!(
        (status, problem),
        (200, _)
            | (409, "wrong-step" | "guarded" | "idempotency-key-running")
            | (412, "stale-revision")
            | (422, "idempotency-key-reused" | "invalid-form")
            | (429, "rate-limited")
            | (503, "busy")
    )
}

/// One client: on tickets that all work on, with keys that others use too.
async fn client(
    caller: Caller,
    token: String,
    numbers: Vec<String>,
    seed: u64,
    until: Stopwatch,
) -> Heard {
    let mut heard = Heard::default();
    let mut rng = fastrand::Rng::with_seed(seed);
    while Stopwatch::now() < until {
        let number = &numbers[rng.usize(..numbers.len())];
        // A few hundred keys, each with the body that belongs to it; now and then with another.
        let nr = rng.u64(..40);
        let key = format!("{number}-{nr}");
        let note = if rng.u8(..20) == 0 { "another body".to_owned() } else { format!("note {nr}") };
        let form = json!({ "note": note });
        let path = format!("/v1/tickets/{number}/actions/add_note");
        let mut headers = vec![("idempotency-key", key.as_str())];
        // A revision that nobody has seen.
        if rng.u8(..15) == 0 {
            headers.push(("if-match", "\"9999\""));
        }
        let call = caller.call_with(Method::POST, &path, &token, Some(&form), &headers);
        let answer = if rng.u8(..8) == 0 {
            // Hangs up in the middle; whoever asks again hears what became of it.
            let patience = Duration::from_micros(rng.u64(100..4_000));
            match tokio::time::timeout(patience, call).await {
                Ok(answer) => answer,
                Err(_) => continue,
            }
        } else {
            call.await
        };
        let Ok(answer) = answer else {
            heard.wrong.push("no answer".to_owned());
            continue;
        };
        let status = answer.status.as_u16();
        *heard.statuses.entry(status).or_default() += 1;
        if !is_designed(status, answer.problem()) {
            heard.wrong.push(format!("{status} {}", answer.body));
        }
        if status == 200 && note != "another body" {
            let receipt = answer.body["receipt"]["hash"].as_str().expect("a receipt").to_owned();
            heard.receipts.entry(key).or_default().insert(receipt);
        }
    }
    heard
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_key_has_one_effect_whoever_repeats_it() {
    let seconds = std::env::var("DUBAN_CONFLICTS_S").ok().and_then(|text| text.parse().ok());
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let mut numbers = Vec::new();
    for id in 0..TICKETS {
        let body = review(&format!("R{id}"), "matter", instant(START));
        let accepted = server.post("/v1/reviews", &hotline, &body).await.ok();
        numbers.push(accepted["ticket_no"].as_str().expect("a number").to_owned());
    }
    // One actor with many tokens: keys are the actor's, limits each token's.
    let until = Stopwatch::now() + Duration::from_secs(seconds.unwrap_or(6));
    let mut clients = Vec::new();
    for seed in 0..CLIENTS {
        let token = place.token(Role::Hotline, "h1", None).await;
        let (caller, numbers) = ((*server).clone(), numbers.clone());
        clients.push(tokio::spawn(client(caller, token, numbers, seed, until)));
    }
    let mut all = Heard::default();
    for client in clients {
        let heard = client.await.expect("heard");
        all.wrong.extend(heard.wrong);
        for (key, receipts) in heard.receipts {
            all.receipts.entry(key).or_default().extend(receipts);
        }
        for (status, many) in heard.statuses {
            *all.statuses.entry(status).or_default() += many;
        }
    }
    assert!(all.wrong.is_empty(), "{} as {:?}", all.wrong.len(), all.wrong.first());
    for (key, receipts) in &all.receipts {
        assert_eq!(receipts.len(), 1, "{key} had {} effects", receipts.len());
    }
    for status in [200, 409, 412, 422] {
        assert!(all.statuses.contains_key(&status), "{status} was never heard: {:?}", all.statuses);
    }
    println!("{:?}, {} keys", all.statuses, all.receipts.len());
    // In the history there is one note for each key, at most: those whose answer nobody heard too.
    let mut noted: BTreeSet<String> = BTreeSet::new();
    for number in &numbers {
        let history = server.get(&format!("/v1/tickets/{number}/history"), &hotline).await.ok();
        assert_eq!(history["verified"], true);
        let events = history["events"].as_array().expect("events");
        let is_note = |event: &&Value| event["data"]["action"] == "add_note";
        let notes: Vec<&Value> = events.iter().filter(is_note).collect();
        assert!(notes.len() <= 40, "{number} has {} notes", notes.len());
        noted.extend(notes.iter().map(|one| one["hash"].as_str().expect("a hash").to_owned()));
    }
    for receipt in all.receipts.values().flatten() {
        assert!(noted.contains(receipt), "an answer that stands in no history");
    }
}
