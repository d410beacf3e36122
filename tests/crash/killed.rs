//! SIGKILL at a random moment, with commands under way and a thousand rungs due: of the only node, of
//! one of two, of the database. `DUBAN_KILLS=N` sets the number of rounds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use duban_core::digest::Digest;
use duban_core::event::{Event, Fact};
use duban_core::limits::EVENTS_MAX;
use duban_core::role::Role;
use duban_core::ticket_id::TicketId;
use reqwest::Method;
use sea_orm::{ConnectionTrait, Database, Statement};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::postgres::Postgres;
use crate::proxy::Proxy;
use crate::served::{Place, Server, on_servers, review};
use crate::{AT_ONCE, START, delivered, instant, offset};

on_servers!(
    one_of_two_nodes_may_die,
    the_database_may_die,
    the_database_may_stand_still,
    connections_may_be_cut,
    connections_may_fall_silent,
);

const TICKETS: usize = 1_000;

/// When a rung of each ticket falls due: `contact` −1wd.
const DUE: &str = "2026-03-05T00:00:00+08:00";

/// Rounds unless `DUBAN_KILLS` says otherwise.
const ROUNDS: usize = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_or_doubled() {
    killed_in_rounds(1, 20).await;
}

/// The other one goes on, with the herd too.
async fn one_of_two_nodes_may_die() {
    killed_in_rounds(2, 10).await;
}

/// One of so many nodes is killed, again and again; at least so many requests are cut off each time.
async fn killed_in_rounds(nodes: usize, cut_off_min: usize) {
    let rounds = std::env::var("DUBAN_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(ROUNDS);
    let mut tally = BTreeMap::new();
    for round in 0..rounds {
        let place = if nodes > 1 { Place::on_postgres().await } else { Place::new().await };
        for (what, count) in one_round(place, nodes, round).await {
            *tally.entry(what).or_insert(0) += count;
        }
    }
    println!("{rounds} kills of one of {nodes}: {tally:?}");
    assert!(tally["acknowledged"] > 0, "{tally:?}");
    assert!(tally["cut off"] >= cut_off_min * rounds, "{tally:?}");
}

/// How long a herd may take, with what was harmed meanwhile.
const DONE_WITHIN: Duration = Duration::from_mins(2);

/// How often all connections to the database are cut.
const CUTS: usize = 20;

/// What one sender saw.
#[derive(Default)]
struct Seen {
    /// Key, ticket, sequence number and hash of what was acknowledged.
    acknowledged: Vec<(String, String, u64, String)>,
    /// Reviews that were acknowledged, with their tickets.
    opened: Vec<(String, String)>,
    /// Keys of requests whose outcome the server did not know.
    unknown: Vec<(String, String)>,
    /// Keys of requests that were sent and not answered.
    cut_off: Vec<(String, String)>,
}

/// Senders at work on nodes.
struct Load {
    ended: Arc<AtomicBool>,
    /// Requests that are on their way.
    under_way: Arc<AtomicUsize>,
    senders: Vec<tokio::task::JoinHandle<Seen>>,
}

impl Load {
    fn begin(servers: &[Server], numbers: &Arc<Vec<String>>, hotline: &str) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let under_way = Arc::new(AtomicUsize::new(0));
        let sender = |sender: usize| {
            let server = &servers[sender % servers.len()];
            let (address, client) = (server.address.clone(), server.client.clone());
            let (numbers, hotline) = (Arc::clone(numbers), hotline.to_owned());
            let (ended, under_way) = (Arc::clone(&ended), Arc::clone(&under_way));
            tokio::spawn(async move {
                let caller = Caller { address, client, hotline };
                send(&caller, sender, &numbers, &ended, &under_way).await
            })
        };
        let senders = (0..AT_ONCE).map(sender).collect();
        Self { ended, under_way, senders }
    }

    /// What all of them have seen; those whose node is gone have ended before.
    async fn end(self) -> Seen {
        self.ended.store(true, Ordering::SeqCst);
        let mut seen = Seen::default();
        for sender in self.senders {
            let one = sender.await.expect("a sender");
            seen.acknowledged.extend(one.acknowledged);
            seen.opened.extend(one.opened);
            seen.unknown.extend(one.unknown);
            seen.cut_off.extend(one.cut_off);
        }
        seen
    }
}

/// One of so many nodes is killed.
async fn one_round(place: Place, nodes: usize, round: usize) -> BTreeMap<&'static str, usize> {
    let numbers = Arc::new(delivered(&place, TICKETS, false).await);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    // What is due may be recorded six seconds later: the server comes up just before.
    let from = offset(instant(DUE).plus_ms(5_700));
    let mut servers: Vec<Server> =
        (0..nodes).map(|_| place.serve(&["--clock-offset-ms", &from])).collect();
    let load = Load::begin(&servers, &numbers, &hotline);
    // Between the first and the last of the thousand.
    let moment = 350 + (round as u64 * 7_919 + u64::from(std::process::id())) % 900;
    tokio::time::sleep(Duration::from_millis(moment)).await;
    let in_flight = load.under_way.load(Ordering::SeqCst);
    let mut killed = servers.remove(0);
    killed.kill();
    if let Some(other) = servers.first() {
        wait_until_done(other, &place).await;
    }
    let seen = load.end().await;
    let fired_before = fired(&place).await;
    let server = place.serve(&["--clock-offset-ms", &from]);
    wait_until_done(&server, &place).await;
    ask_again(&server, &hotline, &seen).await;
    servers.push(server);
    for server in servers {
        assert_eq!(server.stop(), Some(0));
    }
    check(&place, &seen).await;
    assert!(in_flight >= 20, "{in_flight}");
    BTreeMap::from([
        ("acknowledged", seen.acknowledged.len() + seen.opened.len()),
        ("cut off", seen.cut_off.len()),
        ("fired before the kill", fired_before),
    ])
}

struct Caller {
    address: String,
    client: reqwest::Client,
    hotline: String,
}

/// Sends until the server is gone.
async fn send(
    caller: &Caller,
    sender: usize,
    numbers: &[String],
    ended: &AtomicBool,
    under_way: &AtomicUsize,
) -> Seen {
    let mut seen = Seen::default();
    for nr in 0.. {
        let key = format!("{sender}-{nr}");
        let number = &numbers[(sender * 7 + nr * 13) % numbers.len()];
        let opens = nr % 5 == 4;
        let (path, body) = if opens {
            ("/v1/reviews".to_owned(), review(&format!("K{key}"), "matter", instant(START)))
        } else {
            (format!("/v1/tickets/{number}/actions/urge"), json!({}))
        };
        let call = caller.client.post(format!("{}{path}", caller.address));
        let call = call.bearer_auth(&caller.hotline).header("idempotency-key", &key).json(&body);
        under_way.fetch_add(1, Ordering::SeqCst);
        let answer = call.send().await;
        under_way.fetch_sub(1, Ordering::SeqCst);
        let answered = match answer {
            Ok(answer) => (answer.status(), answer.json::<Value>().await.ok()),
            Err(_) => (reqwest::StatusCode::BAD_GATEWAY, None),
        };
        match answered {
            (status, Some(body)) if status.is_success() && opens => {
                let number = body["ticket_no"].as_str().expect("a number").to_owned();
                seen.opened.push((format!("K{key}"), number));
            }
            (status, Some(body)) if status.is_success() => {
                let receipt = &body["receipt"];
                let seq = receipt["seq"].as_u64().expect("a number");
                let hash = receipt["hash"].as_str().expect("a hash").to_owned();
                seen.acknowledged.push((key, number.clone(), seq, hash));
            }
            (status, Some(body)) => {
                assert_eq!(status.as_u16(), 503, "{body}");
                if body["type"] == "urn:duban:problem:outcome-unknown" {
                    seen.unknown.push((key, number.clone()));
                }
            }
            (_, None) => seen.cut_off.push((key, number.clone())),
        }
        if ended.load(Ordering::SeqCst) || seen.cut_off.len() > 2 {
            break;
        }
    }
    seen
}

async fn wait_until_done(server: &Server, place: &Place) {
    let begun = std::time::Instant::now();
    let mut last = Value::Null;
    while begun.elapsed() < DONE_WITHIN {
        let ready = server.get("/readyz", "").await.body;
        let sure = ready["lag_ms"] == 0 && ready["status"] == "ready";
        let fired = server.get("/metrics", "").await.body.to_string();
        if sure && !fired.is_empty() {
            return;
        }
        last = ready;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("what is due was not worked off: {last}\n{}", place.log());
}

/// Whoever got no answer asks again with the same key, and gets one effect.
async fn ask_again(server: &Server, hotline: &str, seen: &Seen) {
    for (key, number) in seen.cut_off.iter().chain(&seen.unknown) {
        let nr: usize = key.split('-').nth(1).and_then(|nr| nr.parse().ok()).expect("a number");
        if nr % 5 == 4 {
            continue;
        }
        let path = format!("/v1/tickets/{number}/actions/urge");
        let headers = [("idempotency-key", key.as_str())];
        let (mut receipts, form) = (BTreeSet::new(), json!({}));
        for _ in 0..2 {
            let call = server.call_with(Method::POST, &path, hotline, Some(&form), &headers);
            let body = call.await.expect("an answer").ok();
            receipts.insert(body["receipt"].to_string());
        }
        assert_eq!(receipts.len(), 1, "{key}");
    }
}

async fn number(place: &Place, query: &str) -> i64 {
    let raw = Database::connect(place.url()).await.expect("a connection");
    let statement = Statement::from_string(raw.get_database_backend(), query);
    let row = raw.query_one_raw(statement).await.expect("an answer").expect("a row");
    row.try_get_by_index(0).expect("a number")
}

async fn fired(place: &Place) -> usize {
    let mut query = "SELECT count(*) FROM event WHERE CAST(bytes AS TEXT) LIKE".to_owned();
    if !place.is_file() {
        query = query.replace("CAST(bytes AS TEXT)", "convert_from(bytes, 'UTF8')");
    }
    query.push_str(" '%\"kind\":\"rung_fired\"%'");
    usize::try_from(number(place, &query).await).expect("a count")
}

/// Every ticket, read past the server.
async fn check(place: &Place, seen: &Seen) {
    let store = &place.store;
    let mut urged = 0;
    let mut histories: BTreeMap<TicketId, Vec<(Event, Digest)>> = BTreeMap::new();
    let mut position = 0;
    loop {
        let events = store.events_after(position, 5_000).await.expect("events");
        let Some(last) = events.last() else { break };
        assert_eq!(last.position - position, i64::try_from(events.len()).expect("small"));
        position = last.position;
        for one in events {
            let event = one.event().expect("an event");
            histories.entry(one.ticket).or_default().push((event, one.hash));
        }
    }
    for (ticket, history) in &histories {
        let (_, loaded) = store.load(&[*ticket]).await.expect("an answer").remove(0);
        let loaded = loaded.expect("readable");
        assert_eq!(store.replayed(*ticket).await.expect("a history"), *loaded.instance);
        assert_eq!(history.last().map(|(_, hash)| *hash), Some(loaded.head));
        let mut rungs = BTreeSet::new();
        for (event, _) in history {
            if let Fact::RungFired(rung) = &event.fact {
                let RunKey { deadline, run } = RunKey::of(rung);
                assert!(rungs.insert((deadline, run, rung.generation, rung.rung)), "{ticket}");
                let told = store.messages(None, Some(*ticket), None, 500).await.expect("messages");
                assert!(told.iter().any(|one| one.id.seq == event.seq), "{ticket} {}", event.seq);
            }
            urged += i64::from(matches!(&event.fact, Fact::Acted(acted) if acted.action == "urge"));
        }
        assert_eq!(history.len() as u64, loaded.instance.seq);
        assert!(loaded.instance.next_wake().is_none_or(|wake| wake > instant(DUE)));
        assert!(history.len() < usize::try_from(EVENTS_MAX).expect("small"));
    }
    let fired = histories.values().filter(|history| {
        history.iter().any(|(event, _)| matches!(event.fact, Fact::RungFired(_)))
    });
    assert_eq!(fired.count(), TICKETS);
    // Each urging stands with its key, or neither does.
    let keys = "SELECT count(*) FROM idempotency WHERE operation LIKE '%urge'";
    assert_eq!(number(place, keys).await, urged);
    for (key, number, seq, hash) in &seen.acknowledged {
        let ticket = store.ticket_of(number).await.expect("an answer").expect("the ticket");
        let at = histories[&ticket].get(usize::try_from(*seq).expect("small") - 1);
        assert_eq!(at.map(|(_, hash)| hash.to_string()).as_ref(), Some(hash), "{key} {number}");
    }
    for (review_id, number) in &seen.opened {
        let name = ("shenzhen".into(), review_id.clone());
        let known = store.known_reviews(&[name]).await.expect("an answer").remove(0).1;
        let ticket = store.ticket_of(number).await.expect("an answer");
        assert_eq!(Some(known.ticket), ticket);
    }
    let tickets = number(place, "SELECT count(*) FROM ticket").await;
    assert_eq!(tickets, number(place, "SELECT count(*) FROM review").await);
    assert_eq!(tickets, number(place, "SELECT CAST(sum(last) AS bigint) FROM ticket_number").await);
}

/// A run of a deadline, as a key.
struct RunKey {
    deadline: String,
    run: u16,
}

impl RunKey {
    fn of(rung: &duban_core::event::RungFired) -> Self {
        Self { deadline: rung.run.deadline.to_string(), run: rung.run.run }
    }
}

/// Nodes over a database that is harmed while requests come and a herd falls due; where the herd is
/// done and nobody waits any more, all is as it should be.
async fn while_the_database(harm: impl FnOnce(&Postgres), mend: impl FnOnce(&Postgres)) {
    let database = Postgres::start();
    let url = database.url();
    let harm = async || harm(&database);
    while_harmed(url, harm, || mend(&database)).await;
}

async fn while_harmed(url: String, harm: impl AsyncFnOnce(), mend: impl FnOnce()) {
    let place = Place::on(TempDir::new().expect("a folder"), url).await;
    let numbers = Arc::new(delivered(&place, TICKETS, false).await);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let from = offset(instant(DUE).plus_ms(5_000));
    let servers: Vec<Server> = (0..2).map(|_| place.serve(&["--clock-offset-ms", &from])).collect();
    let load = Load::begin(&servers, &numbers, &hotline);
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    harm().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    mend();
    for server in &servers {
        wait_until_done(server, &place).await;
    }
    let seen = load.end().await;
    assert_eq!(seen.cut_off.len(), 0, "no node died");
    ask_again(&servers[0], &hotline, &seen).await;
    for server in servers {
        assert_eq!(server.stop(), Some(0));
    }
    check(&place, &seen).await;
    println!("acknowledged {}, unknown {}", seen.acknowledged.len(), seen.unknown.len());
    assert!(!seen.acknowledged.is_empty());
}

async fn the_database_may_die() {
    while_the_database(Postgres::kill, Postgres::start_again).await;
}

async fn the_database_may_stand_still() {
    let freeze = |database: &Postgres| {
        database.freeze();
        std::thread::sleep(Duration::from_secs(8));
    };
    while_the_database(freeze, Postgres::thaw).await;
}

/// All connections to the database, again and again, with commits in the middle of their way.
async fn connections_may_be_cut() {
    let (_database, proxy, url) = behind_a_proxy().await;
    let cut = async || {
        for _ in 0..CUTS {
            proxy.cut();
            tokio::time::sleep(Duration::from_millis(170)).await;
        }
    };
    while_harmed(url, cut, || ()).await;
}

/// All connections to the database at once: only new ones lead there.
async fn connections_may_fall_silent() {
    let (_database, proxy, url) = behind_a_proxy().await;
    while_harmed(url, async || proxy.silence(), || ()).await;
}

async fn behind_a_proxy() -> (Postgres, Proxy, String) {
    let database = Postgres::start();
    let proxy = Proxy::before(database.port()).await;
    let url = format!("postgres://postgres@{}/postgres", proxy.address());
    (database, proxy, url)
}
