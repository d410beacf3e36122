//! The stream of commits: each once, in order, however often a reader drops; and no reader sees, or
//! can count, what is not his.

use std::time::Duration;

use duban_core::role::Role;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::lives::instant;
use crate::served::{Caller, Place, Server, review};

const START: &str = "2026-03-02T10:00:00+08:00";

/// An event as a browser takes it.
#[derive(Debug)]
struct Told {
    id: String,
    /// None for a sign of life.
    data: Option<Value>,
}

/// A connection to the stream.
struct Reading {
    response: Response,
    text: String,
}

impl Reading {
    async fn open(caller: &Caller, token: &str, query: &str, last: Option<&str>) -> Self {
        let mut call = caller.client.get(format!("{}/v1/stream{query}", caller.address));
        call = call.bearer_auth(token).timeout(Duration::from_mins(5));
        if let Some(last) = last {
            call = call.header("last-event-id", last);
        }
        let response = call.send().await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// The next event; none where the stream has ended.
    async fn next(&mut self) -> Option<Told> {
        loop {
            if let Some((event, _)) = self.text.split_once("\n\n") {
                let line = |name: &str| {
                    let mut lines = event.lines().filter_map(|line| line.split_once(": "));
                    lines.find(|(field, _)| *field == name).map(|(_, value)| value.to_owned())
                };
                let data = line("data").map(|data| serde_json::from_str(&data).expect("JSON"));
                let told = Told { id: line("id").expect("an id"), data };
                let end = event.len() + 2;
                self.text.drain(..end);
                return Some(told);
            }
            let chunk = self.response.chunk().await.ok()??;
            self.text.push_str(std::str::from_utf8(&chunk).expect("whole lines of ASCII"));
        }
    }

    /// The next commit, signs of life aside.
    async fn commit(&mut self) -> Option<Told> {
        loop {
            let told = self.next().await?;
            if told.data.is_some() {
                return Some(told);
            }
        }
    }
}

async fn open_ticket(server: &Caller, token: &str, id: &str, agency: Option<&str>) -> String {
    let body = review(id, "matter", instant(START));
    let accepted = server.post("/v1/reviews", token, &body).await.ok();
    let number = accepted["ticket_no"].as_str().expect("a number").to_owned();
    if let Some(agency) = agency {
        let path = format!("/v1/tickets/{number}/actions/dispatch");
        server.post(&path, token, &json!({"agency": agency})).await.ok();
    }
    number
}

/// Reads until a commit has been seen, dropping the connection again and again.
async fn reads(caller: Caller, token: String, until: i64, mut chance: u64) -> (Vec<i64>, usize) {
    let (mut seen, mut last, mut connections) = (Vec::new(), None::<String>, 0);
    while seen.last() != Some(&until) {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        let stays = (chance >> 33) % 1_500;
        let query = if last.is_none() { "?after=start" } else { "" };
        let mut reading = Reading::open(&caller, &token, query, last.as_deref()).await;
        connections += 1;
        for _ in 0..stays {
            let Some(told) = reading.next().await else { break };
            last = Some(told.id);
            if let Some(data) = told.data {
                seen.push(data["number"].as_i64().expect("a number"));
            }
            if seen.last() == Some(&until) {
                break;
            }
        }
    }
    (seen, connections)
}

/// As many commits as the three readers follow.
const COMMITS: i64 = 10_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_readers_that_drop_see_each_commit_once() {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let auditor = place.token(Role::Auditor, "aud", None).await;
    let caller: Caller = (*server).clone();
    let writers = (0..4).map(|writer| {
        let (caller, store, hotline) = (caller.clone(), place.store.clone(), hotline.clone());
        tokio::spawn(async move {
            for id in 0.. {
                open_ticket(&caller, &hotline, &format!("W{writer}-{id}"), None).await;
                if id % 16 == 0 && store.commits_head().await.expect("a head") >= COMMITS {
                    break;
                }
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let readers = (1..=3).map(|reader| {
        tokio::spawn(reads(caller.clone(), auditor.clone(), COMMITS, reader * 7_919))
    });
    for reader in readers.collect::<Vec<_>>() {
        let (seen, connections) = reader.await.expect("read");
        assert!(seen.iter().copied().eq(1..=COMMITS), "not each once: {} seen", seen.len());
        assert!(connections > 3, "{connections}");
    }
    for writer in writers {
        writer.await.expect("written");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agency_reads_its_own_and_cannot_count_the_rest() {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let agency = place.token(Role::Agency, "a1", Some("SZ013")).await;
    let first = open_ticket(&server, &hotline, "R1", Some("SZ013")).await;
    let mut reading = Reading::open(&server, &agency, "", None).await;
    let here = reading.next().await.expect("where it is").id;
    let foreign = open_ticket(&server, &hotline, "R2", Some("SZ007")).await;
    let sign = format!("/v1/tickets/{first}/actions/sign");
    server.post(&sign, &agency, &json!({})).await.ok();
    let told = reading.commit().await.expect("its own");
    let data = told.data.expect("a commit");
    assert_eq!(data["tickets"][0]["ticket_no"], first);
    assert_eq!(data["tickets"].as_array().map(Vec::len), Some(1));
    assert!(data.get("number").is_none(), "{data}");
    assert!(!data.to_string().contains(&foreign));
    // Whoever comes again is told the same, and nothing between.
    let mut again = Reading::open(&server, &agency, "", Some(&here)).await;
    let repeated = again.commit().await.expect("the same").data;
    assert_eq!(repeated, Some(data));
    // From the beginning: what is its own now, with what was before it had it.
    let mut whole = Reading::open(&server, &agency, "?after=start", None).await;
    for _ in 0..3 {
        let told = whole.commit().await.expect("a commit").data.expect("data");
        assert_eq!(told["tickets"][0]["ticket_no"], first, "{told}");
    }
    let wrong = server.get("/v1/stream?after=00000000000000000000000000000001", &agency).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        server.get("/v1/stream?after=7", &agency).await.body["errors"][0]["field"],
        "/after"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_with_its_token_and_with_the_service() {
    let place = Place::new().await;
    let server: Server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let auditor = place.token(Role::Auditor, "aud", None).await;
    let security = place.token(Role::SecurityAdmin, "sec", None).await;
    let mut reading = Reading::open(&server, &auditor, "", None).await;
    let mut other = Reading::open(&server, &hotline, "", None).await;
    reading.next().await.expect("where it is");
    other.next().await.expect("where it is");
    let listed = server.get("/v1/tokens", &security).await.ok();
    let tokens = listed["tokens"].as_array().expect("tokens");
    let its = tokens.iter().find(|one| one["subject"] == "aud").expect("the token");
    let path = format!("/v1/tokens/{}", its["id"].as_str().expect("an id"));
    server.call(reqwest::Method::DELETE, &path, &security, None).await.ok();
    open_ticket(&server, &hotline, "R1", None).await;
    assert!(reading.commit().await.is_none(), "whose token is gone is told nothing more");
    assert!(other.commit().await.is_some());
    let begun = std::time::Instant::now();
    let code = tokio::task::spawn_blocking(|| server.stop()).await.expect("an end");
    assert_eq!(code, Some(0));
    assert!(begun.elapsed() < Duration::from_secs(5), "an open stream held up the end");
    while other.next().await.is_some() {}
}

/// A ticket or an event that cannot be read is told, and hides nothing that comes after it: neither
/// here nor in lists and forecasts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_hides_nothing() {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let mut numbers = Vec::new();
    for id in ["R1", "R2", "R3"] {
        numbers.push(open_ticket(&server, &hotline, id, Some("SZ013")).await);
    }
    let of = |number: &str| format!("(SELECT id FROM ticket WHERE ticket_no = '{number}')");
    // The snapshot of the second, and with it its history; of the third one event only.
    place
        .harm(&format!("UPDATE snapshot SET bytes = head WHERE ticket = {}", of(&numbers[1])))
        .await;
    let first =
        format!("UPDATE event SET bytes = hash WHERE seq = 1 AND ticket = {}", of(&numbers[1]));
    place.harm(&first).await;
    let last =
        format!("UPDATE event SET bytes = hash WHERE seq > 1 AND ticket = {}", of(&numbers[2]));
    place.harm(&last).await;
    let mut reading = Reading::open(&server, &hotline, "?after=start", None).await;
    let mut unreadable = Vec::new();
    for number in 1..=6 {
        let told = reading.commit().await.expect("a commit").data.expect("data");
        assert_eq!(told["number"], number);
        unreadable.push(told["unreadable"].clone());
    }
    let told = |place: usize| json!([numbers[place]]);
    assert_eq!(unreadable[..4], [Value::Null, Value::Null, told(1), told(1)]);
    assert_eq!(unreadable[5], told(2));
    for sort in ["newest", "oldest", "due"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/tickets?limit=1&sort={sort}{cursor}");
            let page = server.get(&path, &hotline).await.ok();
            let tickets = page["tickets"].as_array().expect("tickets").iter();
            seen.extend(tickets.map(|one| one["ticket_no"].as_str().expect("one").to_owned()));
            let lost = page["unreadable"].as_array().into_iter().flatten();
            seen.extend(lost.map(|one| one.as_str().expect("one").to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        seen.sort();
        assert_eq!(seen, numbers, "{sort}");
    }
    let path = "/v1/forecast?until=2026-03-06T00:00:00%2B08:00";
    let forecast = server.get(path, &hotline).await.ok();
    let turning = forecast["tickets"].as_array().expect("tickets");
    for number in &numbers {
        let turns = turning.iter().filter(|one| one["ticket_no"] == **number).count();
        assert_eq!(turns, 2, "{number}: yellow, then red");
    }
}

/// What an agency gave back and cannot be read any more hides nothing of what it has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_given_back_and_cannot_be_read_ends_no_stream() {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let agency = place.token(Role::Agency, "a1", Some("SZ013")).await;
    let given = open_ticket(&server, &hotline, "R1", Some("SZ013")).await;
    let path = format!("/v1/tickets/{given}/actions");
    let reason = json!({"reason": "不属于本单位"});
    server.post(&format!("{path}/request_return"), &agency, &reason).await.ok();
    server.post(&format!("{path}/approve_return"), &hotline, &json!({})).await.ok();
    server.post(&format!("{path}/dispatch"), &hotline, &json!({"agency": "SZ007"})).await.ok();
    let kept = open_ticket(&server, &hotline, "R2", Some("SZ013")).await;
    let harm = format!(
        "UPDATE event SET bytes = hash WHERE seq = 1 AND ticket = \
         (SELECT id FROM ticket WHERE ticket_no = '{given}')"
    );
    place.harm(&harm).await;
    let mut reading = Reading::open(&server, &agency, "?after=start", None).await;
    let told = reading.commit().await.expect("a commit").data.expect("data");
    assert_eq!(told["tickets"][0]["ticket_no"], json!(kept), "{told}");
    let listed = server.get("/v1/tickets", &agency).await.ok();
    assert_eq!(listed["tickets"].as_array().expect("tickets").len(), 1);
}
