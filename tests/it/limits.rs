//! How much one token may ask for: whoever asks for more is told when to come again, and nobody
//! else hears of it.

use duban_core::role::Role;
use reqwest::StatusCode;
use serde_json::json;

use crate::lives::instant;
use crate::served::{Place, review};

const START: &str = "2026-03-02T10:00:00+08:00";

const SETTINGS: &str = "token_requests_per_s = 5\ntoken_streams = 2\nbody_kib = 1\npage_max = 3\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_token_may_ask_for_so_much_and_no_more() {
    let place = Place::new().await;
    std::fs::write(place.path().join("duban.toml"), SETTINGS).expect("written");
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let other = place.token(Role::Hotline, "h2", None).await;
    let intake = place.token(Role::Intake, "gd", None).await;
    let mut answers = Vec::new();
    for _ in 0..12 {
        answers.push(server.get("/v1/workflows", &hotline).await);
    }
    let refused = answers.iter().find(|one| one.status == StatusCode::TOO_MANY_REQUESTS);
    let refused = refused.expect("too many");
    assert_eq!(refused.problem(), "rate-limited");
    assert_eq!(refused.headers["retry-after"], "1");
    assert!(answers.iter().filter(|one| one.status == StatusCode::OK).count() >= 5);
    server.get("/v1/workflows", &other).await.ok();
    // Reviews are pushed faster than people click.
    for id in 0..20 {
        let body = review(&format!("R{id}"), "matter", instant(START));
        assert_eq!(server.post("/v1/reviews", &intake, &body).await.status, StatusCode::CREATED);
    }
    let mut long = review("R99", "matter", instant(START));
    long["comment"] = json!("久".repeat(500));
    let refused = server.post("/v1/reviews", &intake, &long).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(refused.body["detail"].as_str().is_some_and(|say| say.contains("1 KiB")));
    let page = server.get("/v1/tickets", &other).await.ok();
    assert_eq!(page["tickets"].as_array().map(Vec::len), Some(3));
    let refused = server.get("/v1/tickets?limit=4", &other).await;
    assert_eq!(refused.body["errors"][0]["message"], "应为 1 至 3");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_has_so_many_open_streams() {
    let place = Place::new().await;
    std::fs::write(place.path().join("duban.toml"), "token_streams = 2\n").expect("written");
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let (auditor, other) = (
        place.token(Role::Auditor, "aud", None).await,
        place.token(Role::Auditor, "o", None).await,
    );
    let open = async |token: &str| {
        let call = server.client.get(format!("{}/v1/stream", server.address));
        call.bearer_auth(token).send().await.expect("an answer")
    };
    let (first, second) = (open(&auditor).await, open(&auditor).await);
    assert_eq!((first.status(), second.status()), (StatusCode::OK, StatusCode::OK));
    let third = open(&auditor).await;
    assert_eq!(third.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(third.headers().contains_key("retry-after"));
    assert_eq!(open(&other).await.status(), StatusCode::OK);
    // Whoever hangs up makes room, as soon as the server has noticed.
    drop(first);
    for _ in 0..100 {
        if open(&auditor).await.status() == StatusCode::OK {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("a stream that was left stays open");
}
