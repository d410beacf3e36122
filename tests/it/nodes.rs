//! Many nodes over one database, with a Redis that comes and goes: each hears of the others' work,
//! and nothing is done twice.

use std::time::{Duration, Instant};

use duban_core::event::Fact;
use duban_core::role::Role;
use futures::stream::{self, StreamExt};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::lives::instant;
use crate::redis::Redis;
use crate::served::{Answer, Place, Server, free_port, on_servers, review};
use crate::webhooks::{Receiver, SECRET};

on_servers!(
    what_one_node_commits_starts_on_another_at_once,
    redis_may_go_and_come,
    all_nodes_count_a_token_together,
    a_burst_below_the_limit_is_let_through,
    a_stream_shows_what_other_nodes_commit,
    nodes_that_start_together_make_the_tables_once,
    nodes_are_replaced_one_after_the_other_without_a_failed_request,
    a_node_whose_clock_is_off_stands_aside,
    a_simulated_clock_is_one_nodes_alone,
    one_key_at_two_nodes_at_once_has_one_effect_and_one_answer,
);

/// Nodes over a database and a Redis of their own.
struct House {
    place: Place,
    redis: Redis,
    receiver: Receiver,
    hotline: String,
    admin: String,
}

impl House {
    async fn new() -> Self {
        let mut place = Place::on_postgres().await;
        let (redis, receiver) = (Redis::start(), Receiver::new().await);
        let destination = format!(
            "[[destinations]]\nto = \"agency\"\nurl = \"{}\"\nsecret = \"{SECRET}\"\nprivate = true\n",
            receiver.address
        );
        std::fs::write(place.path().join("duban.toml"), destination).expect("written");
        place.settings.push(("DUBAN_REDIS_URL", redis.url()));
        let hotline = place.token(Role::Hotline, "h1", None).await;
        let admin = place.token(Role::SystemAdmin, "s1", None).await;
        Self { place, redis, receiver, hotline, admin }
    }

    /// A review comes in at a node, and is dispatched; its number.
    async fn dispatched(&self, node: &Server, review_id: &str) -> String {
        let body = review(review_id, "matter", duban::clock::wall());
        let number = node.post("/v1/reviews", &self.hotline, &body).await.ok();
        let number = number["ticket_no"].as_str().expect("a number").to_owned();
        let path = format!("/v1/tickets/{number}/actions/dispatch");
        node.post(&path, &self.hotline, &json!({"agency": "SZ013"})).await.ok();
        number
    }

    async fn nodes(&self, node: &Server) -> Vec<Value> {
        let shown = node.get("/v1/nodes", &self.admin).await.ok();
        shown["nodes"].as_array().expect("nodes").clone()
    }
}

/// Waits until a node says of its Redis what is expected.
async fn until_redis_is(node: &Server, expected: &str) {
    for _ in 0..200 {
        let ready = node.get("/readyz", "").await;
        assert!(ready.status.is_success(), "{}", ready.body);
        if ready.body["redis"] == expected {
            let is_degraded = ready.body["status"] == "degraded";
            assert_eq!(is_degraded, expected == "unavailable", "{}", ready.body);
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("Redis never was {expected}");
}

async fn what_one_node_commits_starts_on_another_at_once() {
    let house = House::new().await;
    let asked = house.place.serve(&["--roles", "api"]);
    let works = house.place.serve(&["--roles", "jobs"]);
    until_redis_is(&asked, "ready").await;
    until_redis_is(&works, "ready").await;
    let begun = Instant::now();
    for nr in 1..=20 {
        house.dispatched(&asked, &format!("R{nr}")).await;
        house.receiver.wait_for(nr).await;
    }
    // Without a wake-up each of them would wait for the next look, half a second on average.
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    // A node that only works tells how it is, and nothing else.
    assert_eq!(works.get("/v1/tickets", &house.hotline).await.status, StatusCode::NOT_FOUND);
    let nodes = house.nodes(&asked).await;
    let roles: Vec<&Value> = nodes.iter().map(|node| &node["roles"]).collect();
    assert_eq!(roles, [&json!(["api"]), &json!(["jobs"])]);
    assert_eq!(works.stop(), Some(0));
    assert_eq!(house.nodes(&asked).await.len(), 1);
}

async fn redis_may_go_and_come() {
    let mut house = House::new().await;
    let asked = house.place.serve(&["--roles", "api"]);
    let works = house.place.serve(&["--roles", "jobs"]);
    let mut calls = 0;
    for round in 0..4 {
        until_redis_is(&asked, "ready").await;
        until_redis_is(&works, "ready").await;
        match round {
            0 => house.redis.kill(),
            1 => house.redis.freeze(),
            2 => house.redis.flush(),
            _ => {}
        }
        if round < 2 {
            until_redis_is(&asked, "unavailable").await;
        }
        // Whatever Redis does, work goes on.
        for nr in 0..3 {
            house.dispatched(&asked, &format!("R{round}-{nr}")).await;
        }
        calls += 3;
        house.receiver.wait_for(calls).await;
        match round {
            0 => house.redis.start_again(),
            1 => house.redis.thaw(),
            _ => {}
        }
    }
    let up = works.get("/metrics", "").await.body.to_string();
    assert!(up.contains("duban_redis_up 1"), "{up}");
    let mut ids: Vec<String> = house
        .receiver
        .calls()
        .iter()
        .map(|call| call.headers["webhook-id"].to_str().expect("text").to_owned())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), calls, "each once");
}

async fn all_nodes_count_a_token_together() {
    let mut house = House::new().await;
    house.place.settings.push(("DUBAN_TOKEN_REQUESTS_PER_S", "20".to_owned()));
    let nodes = [house.place.serve(&[]), house.place.serve(&[])];
    for node in &nodes {
        until_redis_is(node, "ready").await;
    }
    let begun = Instant::now();
    let asks = (0..200).map(|nr| nodes[nr % 2].get("/v1/workflows", &house.hotline));
    let answers = stream::iter(asks).buffer_unordered(8).collect::<Vec<_>>().await;
    // Seconds that were touched, of Redis's clock.
    let seconds = usize::try_from(begun.elapsed().as_secs()).expect("few") + 2;
    let good = answers.iter().filter(|one| one.status == StatusCode::OK).count();
    assert!(good <= 20 * seconds, "{good} in {seconds} seconds");
    assert!(answers.iter().any(|one| one.status == StatusCode::TOO_MANY_REQUESTS));
    // Alone, each of them would let through as much as all may.
    assert!(good >= 20, "{good}");
}

/// Many requests at once are one question to Redis, not one each.
async fn a_burst_below_the_limit_is_let_through() {
    let house = House::new().await;
    let node = house.place.serve(&[]);
    until_redis_is(&node, "ready").await;
    for _ in 0..3 {
        let asks = (0..150).map(|_| node.get("/v1/workflows", &house.hotline));
        let answers = futures::future::join_all(asks).await;
        let refused = answers.iter().filter(|one| one.status != StatusCode::OK).count();
        assert_eq!(refused, 0);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    // What is no Redis is said at once.
    let port = free_port();
    let mut other = Place::on_postgres().await;
    other.settings.push(("DUBAN_REDIS_URL", format!("redis://127.0.0.1:{port}")));
    let node = other.serve(&[]);
    until_redis_is(&node, "unavailable").await;
    for _ in 0..100 {
        if other.log().contains("Redis does not answer") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{}", other.log());
}

async fn a_stream_shows_what_other_nodes_commit() {
    let house = House::new().await;
    let nodes = [house.place.serve(&[]), house.place.serve(&[])];
    until_redis_is(&nodes[0], "ready").await;
    let auditor = house.place.token(Role::Auditor, "aud", None).await;
    let call = nodes[0].client.get(format!("{}/v1/stream", nodes[0].address));
    let mut seen = call.bearer_auth(&auditor).send().await.expect("a stream");
    let mut text = String::new();
    for nr in 0..5 {
        house.dispatched(&nodes[1], &format!("R{nr}")).await;
    }
    while text.matches("event: commit").count() < 10 {
        let chunk = tokio::time::timeout(Duration::from_secs(10), seen.chunk()).await;
        let chunk = chunk.expect("in time").expect("a stream").expect("more of it");
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
}

async fn a_node_whose_clock_is_off_stands_aside() {
    let mut house = House::new().await;
    house.place.settings.push(("DUBAN_DATABASE_CLOCK_OFFSET_MS", "0".to_owned()));
    let body = |id: &str| review(id, "matter", duban::clock::wall());
    for offset in ["-1500", "1500"] {
        let off = house.place.serve(&["--clock-offset-ms", offset, "--accept-clock"]);
        let ready = off.get("/readyz", "").await;
        assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE, "{}", ready.body);
        let skew_ms = ready.body["skew_ms"].as_i64().expect("a number");
        let expected: i64 = offset.parse().expect("a number");
        assert!((skew_ms + expected).abs() < 300, "{offset}: {skew_ms}");
        let refused = off.post("/v1/reviews", &house.hotline, &body(offset)).await;
        assert_eq!((refused.status.as_u16(), refused.problem()), (503, "busy"));
        let say = refused.body["detail"].as_str().expect("a sentence");
        assert!(say.contains("时钟") && say.contains("未予办理"), "{say}");
        // Looking is not deciding.
        off.get("/v1/tickets", &house.hotline).await.ok();
        assert!(house.place.log().contains("this node stands aside"), "{}", house.place.log());
    }
    for offset in ["-300", "300"] {
        let near = house.place.serve(&["--clock-offset-ms", offset, "--accept-clock"]);
        near.get("/readyz", "").await.ok();
        near.post("/v1/reviews", &house.hotline, &body(offset)).await.ok();
    }
}

async fn a_simulated_clock_is_one_nodes_alone() {
    let place = Place::on_postgres().await;
    let simulated = ["--clock", "simulated", "--start-at", "2026-03-02T10:00:00+08:00"];
    let one = place.serve(&simulated);
    for flags in [&simulated[..], &[]] {
        let told = place.try_serve(flags).err().expect("refused");
        assert!(told.contains("一个进程拨动") && told.ends_with("exit Some(2)"), "{told}");
    }
    // Whoever stops gives it back at once; whoever is killed is not waited for long.
    assert_eq!(one.stop(), Some(0));
    let begun = Instant::now();
    let mut one = place.serve(&simulated);
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    one.kill();
    let one = place.serve(&simulated);
    // A node in whose place another one has come ends by itself.
    place.harm("UPDATE ledger SET clock_node = '00000000-0000-0000-0000-000000000001'").await;
    assert_eq!(one.ended(), Some(1));
    // Whoever waits for one that moves the clock on and stops then goes on from there.
    let one = place.serve(&simulated);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let admin = place.token(Role::SystemAdmin, "s1", None).await;
    let body = review("R1", "matter", instant("2026-03-02T10:00:00+08:00"));
    one.post("/v1/reviews", &hotline, &body).await.ok();
    let by = json!({"by": "10wd"});
    let other = tokio::task::block_in_place(|| {
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| place.serve(&simulated));
            std::thread::sleep(Duration::from_secs(1));
            let moved = one.post("/v1/clock/advance", &admin, &by);
            tokio::runtime::Handle::current().block_on(moved).ok();
            assert_eq!(one.stop(), Some(0));
            waiting.join().expect("it serves")
        })
    });
    let back = json!({"to": "2026-03-03T10:00:00+08:00"});
    let refused = other.post("/v1/clock/advance", &admin, &back).await;
    assert_eq!(refused.problem(), "clock-backwards", "{}", refused.body);
    assert_eq!(other.stop(), Some(0));
    // By the system's clock many may serve, from when the simulated one is gone.
    let nodes = [place.serve(&[]), place.serve(&[])];
    for node in &nodes {
        node.get("/readyz", "").await.ok();
    }
}

/// Asks one of two nodes; another one where it does not even take the call.
async fn ask(
    client: &reqwest::Client,
    addresses: [&str; 2],
    token: &str,
    body: &Value,
) -> Result<StatusCode, reqwest::Error> {
    let mut refused = None;
    for address in addresses.into_iter().cycle().take(200) {
        let call = client.post(format!("http://{address}/v1/reviews")).bearer_auth(token);
        match call.json(body).send().await {
            Ok(answer) => return Ok(answer.status()),
            Err(error) if error.is_connect() => {
                refused = Some(error);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Err(error) => return Err(error),
        }
    }
    Err(refused.expect("a refusal"))
}

async fn nodes_are_replaced_one_after_the_other_without_a_failed_request() {
    let house = House::new().await;
    let listen: [String; 2] = std::array::from_fn(|_| format!("127.0.0.1:{}", free_port()));
    let serve = |nr: usize| house.place.serve(&["--listen", &listen[nr]]);
    let mut nodes = [Some(serve(0)), Some(serve(1))];
    let ended = std::sync::atomic::AtomicBool::new(false);
    let client = nodes[0].as_ref().expect("a node").client.clone();
    let callers = (0..8).map(|caller: usize| {
        let (client, ended, token) = (&client, &ended, &house.hotline);
        let addresses = [listen[caller % 2].as_str(), listen[(caller + 1) % 2].as_str()];
        async move {
            let mut answered = 0;
            while !ended.load(std::sync::atomic::Ordering::SeqCst) {
                let id = format!("R{caller}-{answered}");
                let body = review(&id, "matter", duban::clock::wall());
                let status = ask(client, addresses, token, &body).await.expect("an answer");
                assert_eq!(status, StatusCode::CREATED, "{id}");
                answered += 1;
            }
            answered
        }
    });
    let replaced = async {
        for nr in [0, 1, 0] {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let gone = nodes[nr].take().expect("a node");
            let code = tokio::task::spawn_blocking(move || gone.stop()).await.expect("an end");
            assert_eq!(code, Some(0));
            nodes[nr] = Some(serve(nr));
        }
        ended.store(true, std::sync::atomic::Ordering::SeqCst);
    };
    let (answered, ()) = tokio::join!(futures::future::join_all(callers), replaced);
    assert!(answered.iter().all(|count| *count > 10), "{answered:?}");
}

async fn nodes_that_start_together_make_the_tables_once() {
    // Who comes when is chance: a few rounds.
    for _ in 0..5 {
        let url = crate::served::postgres().await;
        let opens = (0..4).map(|_| duban::store::Store::migrate(&url));
        let opened = futures::future::join_all(opens).await;
        let steps: Vec<usize> = opened.into_iter().map(|one| one.expect("tables").1).collect();
        assert!(steps.iter().any(|steps| *steps > 0), "{steps:?}");
        let (_, again) = duban::store::Store::migrate(&url).await.expect("tables");
        assert_eq!(again, 0);
    }
}

/// Both are asked the same at the same instant, again and again.
async fn one_key_at_two_nodes_at_once_has_one_effect_and_one_answer() {
    let house = House::new().await;
    let nodes = [house.place.serve(&[]), house.place.serve(&[])];
    let keeper = house.place.token(Role::SecurityAdmin, "k1", None).await;
    let number = house.dispatched(&nodes[0], "R0").await;
    let urging = format!("/v1/tickets/{number}/actions/urge");
    for round in 0..20 {
        let key = format!("key-{round}");
        let both = async |path: &str, token: &str, bodies: [&Value; 2]| {
            let headers = [("idempotency-key", key.as_str())];
            let ask = |place: usize| {
                nodes[place].call_with(Method::POST, path, token, Some(bodies[place]), &headers)
            };
            let (one, other) = tokio::join!(ask(0), ask(1));
            [one.expect("an answer"), other.expect("an answer")]
        };
        // An action: one effect, and the same receipt for both.
        let [one, other] = both(&urging, &house.hotline, [&json!({}), &json!({})]).await;
        let (one, other) = (one.ok(), other.ok());
        assert!(one["receipt"]["hash"].is_string(), "{one} {other}");
        assert_eq!(one["receipt"], other["receipt"]);
        // One that can be carried out once only: nobody hears that it no longer can.
        let opened = review(&format!("D{round}"), "matter", duban::clock::wall());
        let opened = nodes[0].post("/v1/reviews", &house.hotline, &opened).await.ok();
        let path = opened["ticket_no"].as_str().expect("a number");
        let path = format!("/v1/tickets/{path}/actions/dispatch");
        let form = json!({"agency": "SZ013"});
        let [one, other] = both(&path, &house.hotline, [&form, &form]).await;
        let (one, other) = (one.ok(), other.ok());
        assert_eq!(one["receipt"], other["receipt"]);
        // And both are shown the ticket as it is after that.
        assert_eq!((&one["step"], &other["step"]), (&json!("delivered"), &json!("delivered")));
        // A review: the same, and with other content.
        let same = review(&format!("S{round}"), "matter", duban::clock::wall());
        let [one, other] = both("/v1/reviews", &house.hotline, [&same, &same]).await;
        let replayed = |one: &Answer| one.headers.contains_key("idempotent-replayed");
        assert_ne!(replayed(&one), replayed(&other), "{one:?} {other:?}");
        assert_eq!(one.ok()["ticket_no"], other.ok()["ticket_no"]);
        // A token: never a fault of the database's.
        let holder = json!({"role": "hotline", "subject": format!("h-{round}")});
        let [one, other] = both("/v1/tokens", &keeper, [&holder, &holder]).await;
        assert_eq!(one.ok()["id"], other.ok()["id"]);
    }
    let urged = house.place.store.ticket_of(&number).await.expect("an answer").expect("a ticket");
    let history = house.place.store.history(urged, 0, 500).await.expect("a history");
    let facts = history.iter().map(|one| one.event().expect("an event").fact);
    let urgings = facts.filter(|fact| matches!(fact, Fact::Acted(acted) if acted.action == "urge"));
    assert_eq!(urgings.count(), 20);
}
