//! `Idempotency-Key`: the same key has one effect, whatever is asked for; and one action on many
//! tickets.

use duban::clock::Clock;
use duban::engine::{Declined, Done};
use duban_core::role::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::database::TestDatabase;
use crate::house::{House, keyed};
use crate::lives::instant;
use crate::served::{Answer, Place, Server, review};

const START: &str = "2026-03-02T10:00:00+08:00";

/// What was set down before a crash is gone on with; what was refused is as if it had not come.
async fn a_turn_is_taken_once(db: TestDatabase) {
    let house = House::new(&db.store, Clock::simulated(instant(START))).await;
    let (key, other) = (keyed("K1", "body"), keyed("K1", "another body"));
    let first = house.engine.turn(Some(&key), 7).await.expect("a turn");
    assert!(!first.is_repeated && !first.is_done);
    let about = first.about;
    let running = house.engine.turn(Some(&key), 8).await;
    assert!(matches!(running, Err(Declined::KeyRunning)), "{running:?}");
    // As if the process had died in the middle.
    drop(first);
    let reused = house.engine.turn(Some(&other), 8).await;
    assert!(matches!(reused, Err(Declined::KeyReused)), "{reused:?}");
    let second = house.engine.turn(Some(&key), 8).await.expect("a turn");
    assert_eq!((second.about, second.number), (about, 7));
    assert!(second.is_repeated && !second.is_done);
    house.engine.end_turn(second, 201).await;
    let third = house.engine.turn(Some(&key), 9).await.expect("a turn");
    assert_eq!((third.about, third.number, third.is_done), (about, 7, true));
    house.engine.give_up_turn(third).await;
    let known = db.store.known_request(&key.key).await.expect("an answer").expect("kept");
    assert_eq!(known.status, 201, "what is done stays done");
    let refused = house.engine.turn(Some(&keyed("K2", "body")), 0).await.expect("a turn");
    house.engine.give_up_turn(refused).await;
    house.engine.turn(Some(&keyed("K2", "another")), 0).await.expect("as if it had not come");
}

/// A review that was there uses up its key too.
async fn a_key_of_nothing_new_is_used(db: TestDatabase) {
    let house = House::new(&db.store, Clock::simulated(instant(START))).await;
    let first: Done = house.review("matter", "R1").await.expect("opened");
    let arrival = house.engine.arrive().await;
    let open = |id: &str| {
        let review = crate::house::new_review("matter", id, "content", arrival.at);
        duban::engine::Task::Open(Box::new(review))
    };
    let again = house.engine.submit(&arrival, open("R1"), Some(keyed("K", "R1"))).await;
    assert_eq!(again.expect("known").ticket, first.ticket);
    let other = house.engine.submit(&arrival, open("R2"), Some(keyed("K", "R2"))).await;
    assert!(matches!(other, Err(Declined::KeyReused)), "{other:?}");
}

crate::database::on_both!(a_turn_is_taken_once, a_key_of_nothing_new_is_used);

async fn keyed_post(server: &Server, path: &str, token: &str, body: &Value, key: &str) -> Answer {
    let headers = [("idempotency-key", key)];
    server.call_with(Method::POST, path, token, Some(body), &headers).await.expect("an answer")
}

fn is_replayed(answer: &Answer) -> bool {
    answer.headers.contains_key("idempotent-replayed")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_post_has_one_effect_under_one_key() {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let security = place.token(Role::SecurityAdmin, "sec", None).await;
    let admin = place.token(Role::SystemAdmin, "ops", None).await;
    let intake = place.token(Role::Intake, "gd", None).await;
    let tokens = async || {
        let all = server.get("/v1/tokens?limit=200", &security).await.ok();
        all["tokens"].as_array().map_or(0, Vec::len)
    };
    let before = tokens().await;
    let holder = json!({"role": "hotline", "subject": "liu"});
    let first = keyed_post(&server, "/v1/tokens", &security, &holder, "K1").await;
    let again = keyed_post(&server, "/v1/tokens", &security, &holder, "K1").await;
    assert_eq!((first.status, again.status), (StatusCode::CREATED, StatusCode::CREATED));
    assert!(!is_replayed(&first) && is_replayed(&again));
    assert_eq!(first.body["id"], again.body["id"]);
    assert!(first.body["token"].is_string() && again.body["token"].is_null(), "{}", again.body);
    assert_eq!(tokens().await, before + 1);
    let other = json!({"role": "hotline", "subject": "wang"});
    let reused = keyed_post(&server, "/v1/tokens", &security, &other, "K1").await;
    assert_eq!(reused.problem(), "idempotency-key-reused");
    // What was refused may come again, put right.
    let wrong = json!({"role": "hotline", "subject": "wang", "days": 0});
    let refused = keyed_post(&server, "/v1/tokens", &security, &wrong, "K2").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    keyed_post(&server, "/v1/tokens", &security, &other, "K2").await.ok();

    // A period counts once.
    let by = json!({"by": "3wd"});
    let moved = keyed_post(&server, "/v1/clock/advance", &admin, &by, "K3").await;
    let again = keyed_post(&server, "/v1/clock/advance", &admin, &by, "K3").await;
    assert!(is_replayed(&again));
    assert_eq!(moved.body["now"], again.body["now"]);
    assert_eq!(again.body["stops"], 0);

    let compute = json!({"received": START, "within": "3wd"});
    keyed_post(&server, "/v1/deadlines/compute", &intake, &compute, "K4").await.ok();
    let other = json!({"received": START, "within": "4wd"});
    let reused = keyed_post(&server, "/v1/deadlines/compute", &intake, &other, "K4").await;
    assert_eq!(reused.problem(), "idempotency-key-reused");

    let mut good = review("R1", "matter", instant(START));
    good["level"] = json!("satisfied");
    keyed_post(&server, "/v1/reviews", &intake, &good, "K5").await.ok();
    let bad = review("R2", "matter", instant(START));
    let reused = keyed_post(&server, "/v1/reviews", &intake, &bad, "K5").await;
    assert_eq!(reused.problem(), "idempotency-key-reused");
    let batch = keyed_post(&server, "/v1/reviews/batch", &intake, &bad, "K6").await;
    let again = keyed_post(&server, "/v1/reviews/batch", &intake, &bad, "K6").await;
    assert!(is_replayed(&again));
    assert_eq!((&batch.body["status"], &again.body["status"]), (&json!(201), &json!(200)));
    assert_eq!(batch.body["ticket_no"], again.body["ticket_no"]);

    server.post("/v1/clock/advance", &admin, &by).await.ok();
    let listed = server.get("/v1/outbox?limit=1", &admin).await.ok();
    let id = listed["messages"][0]["id"].as_str().expect("a message");
    let path = format!("/v1/outbox/{id}/redeliver");
    for replayed in [false, true] {
        let sent = keyed_post(&server, &path, &admin, &json!({}), "K7").await;
        assert_eq!((sent.status, is_replayed(&sent)), (StatusCode::ACCEPTED, replayed));
    }
}

struct Desk {
    _place: Place,
    server: Server,
    hotline: String,
    agency: String,
    numbers: Vec<String>,
}

impl Desk {
    async fn new(tickets: usize) -> Self {
        let place = Place::new().await;
        let server = place.serve(&["--clock", "simulated", "--start-at", START]);
        let hotline = place.token(Role::Hotline, "h1", None).await;
        let agency = place.token(Role::Agency, "a1", Some("SZ013")).await;
        let mut numbers = Vec::new();
        for id in 0..tickets {
            let body = review(&format!("R{id}"), "matter", instant(START));
            let accepted = server.post("/v1/reviews", &hotline, &body).await.ok();
            numbers.push(accepted["ticket_no"].as_str().expect("a number").to_owned());
        }
        Self { _place: place, server, hotline, agency, numbers }
    }

    fn items(&self) -> Value {
        self.numbers.iter().map(|number| json!({"ticket_no": number})).collect()
    }

    async fn events(&self) -> Vec<usize> {
        let mut all = Vec::new();
        for number in &self.numbers {
            let path = format!("/v1/tickets/{number}/history");
            let history = self.server.get(&path, &self.hotline).await.ok();
            all.push(history["events"].as_array().map_or(0, Vec::len));
        }
        all
    }
}

fn statuses(answer: &Value) -> Vec<u64> {
    let results = answer["results"].as_array().expect("results").iter();
    results.map(|one| one["status"].as_u64().expect("a status")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_action_on_many_tickets_is_tried_then_done_then_repeated() {
    let desk = Desk::new(3).await;
    let path = "/v1/tickets/actions/dispatch";
    let before = desk.events().await;
    let mut many = json!({"items": desk.items(), "form": {"agency": "SZ013"}, "dry_run": true});
    let tried = desk.server.post(path, &desk.hotline, &many).await.ok();
    assert_eq!((statuses(&tried), &tried["done"]), (vec![200; 3], &json!(3)));
    assert_eq!(tried["results"][0]["ticket"]["step"], "delivered");
    assert_eq!(desk.events().await, before, "a rehearsal leaves nothing behind");

    many["dry_run"] = json!(false);
    let done = keyed_post(&desk.server, path, &desk.hotline, &many, "B1").await;
    assert_eq!(statuses(&done.body), [200; 3]);
    let receipt = done.body["results"][2]["ticket"]["receipt"].clone();
    assert!(receipt["hash"].is_string(), "{}", done.body);
    let after = desk.events().await;
    assert_ne!(after, before);
    let again = keyed_post(&desk.server, path, &desk.hotline, &many, "B1").await;
    assert!(is_replayed(&again));
    assert_eq!(again.body["results"][2]["ticket"]["receipt"], receipt);
    assert_eq!(again.body["results"][2]["replayed"], true);
    assert_eq!(desk.events().await, after);
    many["form"] = json!({"agency": "SZ007"});
    let reused = keyed_post(&desk.server, path, &desk.hotline, &many, "B1").await;
    assert_eq!(reused.problem(), "idempotency-key-reused");
    // Without the key it is another request, and each ticket says why not.
    let late = desk.server.post(path, &desk.hotline, &many).await.ok();
    assert_eq!((statuses(&late), &late["refused"]), (vec![409; 3], &json!(3)));
    assert_eq!(late["results"][0]["problem"]["type"], "urn:duban:problem:wrong-step");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_ticket_of_many_is_answered_for_itself() {
    let desk = Desk::new(3).await;
    let first = &desk.numbers[0];
    let dispatch = format!("/v1/tickets/{first}/actions/dispatch");
    desk.server.post(&dispatch, &desk.hotline, &json!({"agency": "SZ013"})).await.ok();
    let items = json!([
        {"ticket_no": first},
        {"ticket_no": desk.numbers[1], "revision": 99},
        {"ticket_no": desk.numbers[2]},
        {"ticket_no": "HCP20260302000099-1"},
    ]);
    for dry_run in [true, false] {
        let many = json!({"items": items, "form": {"agency": "SZ013"}, "dry_run": dry_run});
        let done = desk.server.post("/v1/tickets/actions/dispatch", &desk.hotline, &many).await;
        assert_eq!(statuses(&done.ok()), [409, 412, 200, 404], "{dry_run}");
    }
    // An agency signs its own, and learns nothing of the others.
    let many = json!({"items": desk.items()});
    let signed = desk.server.post("/v1/tickets/actions/sign", &desk.agency, &many).await.ok();
    assert_eq!(statuses(&signed), [200, 404, 200]);
    let check = async |many: Value, field: &str| {
        let refused = desk.server.post("/v1/tickets/actions/sign", &desk.agency, &many).await;
        assert!(refused.status.is_client_error(), "{}", refused.body);
        assert_eq!(refused.body["errors"][0]["field"], field, "{}", refused.body);
    };
    check(json!({"items": []}), "/items").await;
    check(json!({"items": [{"ticket_no": first}, {"ticket_no": first}]}), "/items/1/ticket_no")
        .await;
    check(json!({"items": [{"ticket_no": first}], "form": []}), "/form").await;
    check(json!({"items": [{"ticket_no": first, "x": 1}]}), "/items/0/x").await;
    let all: Value = (0..501).map(|id| json!({"ticket_no": format!("X{id}")})).collect();
    check(json!({"items": all}), "/items").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_one_and_is_free_where_nothing_was_done() {
    let desk = Desk::new(1).await;
    let path = "/v1/tickets/actions/urge";
    let wrong = json!({"items": desk.items(), "form": {"bad": 1}});
    let right = json!({"items": desk.items(), "form": {}});
    let refused = keyed_post(&desk.server, path, &desk.hotline, &wrong, "B2").await;
    assert_eq!(statuses(&refused.body), [422]);
    let done = keyed_post(&desk.server, path, &desk.hotline, &right, "B2").await;
    assert_eq!(statuses(&done.body), [200]);
    let mut tried = right.clone();
    tried["dry_run"] = json!(true);
    let refused = keyed_post(&desk.server, path, &desk.hotline, &tried, "B3").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "a rehearsal has no effect to repeat");
    let urge = format!("/v1/tickets/{}/actions/urge", desk.numbers[0]);
    for headers in [
        [("idempotency-key", "K1"), ("idempotency-key", "K2")],
        [("if-match", "\"1\""), ("if-match", "\"2\"")],
    ] {
        let (who, form) = (&desk.hotline, json!({}));
        let answer = desk.server.call_with(Method::POST, &urge, who, Some(&form), &headers).await;
        assert_eq!(answer.expect("an answer").status, StatusCode::BAD_REQUEST);
    }
}

/// What an agency did in time it may repeat; it is told nothing of who has the ticket now.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_former_agency_that_repeats_sees_its_own_part() {
    let desk = Desk::new(1).await;
    let act = async |who: &str, action: &str, form: Value| {
        let path = format!("/v1/tickets/{}/actions/{action}", desk.numbers[0]);
        desk.server.post(&path, who, &form).await.ok()
    };
    act(&desk.hotline, "dispatch", json!({"agency": "SZ013"})).await;
    let many = json!({"items": desk.items()});
    let path = "/v1/tickets/actions/sign";
    let signed = keyed_post(&desk.server, path, &desk.agency, &many, "B4").await;
    assert_eq!(statuses(&signed.body), [200]);
    act(&desk.agency, "request_return", json!({"reason": "不是本单位"})).await;
    act(&desk.hotline, "approve_return", json!({})).await;
    act(&desk.hotline, "dispatch", json!({"agency": "SZ007"})).await;
    let again = keyed_post(&desk.server, path, &desk.agency, &many, "B4").await;
    assert_eq!(statuses(&again.body), [200]);
    assert_eq!(again.body["results"][0]["replayed"], true);
    assert!(!again.body.to_string().contains("SZ007"), "{}", again.body);
}
