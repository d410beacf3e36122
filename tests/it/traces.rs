//! Traces as a collector receives them: whose request it was, what it shared a batch with, what it
//! cost; and nothing about people. A collector that is not there holds up nobody.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant as Stopwatch};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use duban_core::role::Role;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message;
use reqwest::Method;
use serde_json::json;
use tokio::net::TcpListener;

use crate::lives::instant;
use crate::served::{Place, review};
use crate::webhooks::{Receiver, SECRET};

const START: &str = "2026-03-02T10:00:00+08:00";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// So long that random bytes do not happen to say it.
const REVIEW: &str = "review-of-the-trace-1";

type Bodies = Arc<Mutex<Vec<Bytes>>>;

/// A collector that keeps what it is sent.
async fn collector() -> (String, Bodies) {
    let bodies = Bodies::default();
    let take = |State(bodies): State<Bodies>, body: Bytes| async move {
        bodies.lock().expect("bodies").push(body);
    };
    let routes = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&bodies));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}/v1/traces", listener.local_addr().expect("its address"));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (address, bodies)
}

fn spans(bodies: &Bodies) -> Vec<Span> {
    let bodies = bodies.lock().expect("bodies");
    let read = |body: &Bytes| ExportTraceServiceRequest::decode(body.clone()).expect("spans");
    let resources = bodies.iter().map(read).flat_map(|one| one.resource_spans);
    resources.flat_map(|one| one.scope_spans).flat_map(|one| one.spans).collect()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_seen_with_all_that_it_cost() {
    let (address, bodies) = collector().await;
    let place = Place::new().await;
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let flags = ["--otlp-endpoint", &address, "--clock", "simulated", "--start-at", START];
    let server = place.serve(&flags);
    let mut body = review(REVIEW, "matter", instant(START));
    body["comment"] = "窗口人员态度恶劣".into();
    let parent = format!("00-{TRACE}-{CALLER}-01");
    let headers = [("traceparent", parent.as_str()), ("tracestate", "who=mr-private-canary")];
    let posted = server.call_with(Method::POST, "/v1/reviews", &hotline, Some(&body), &headers);
    let number = posted.await.expect("an answer").ok()["ticket_no"].clone();
    let number = number.as_str().expect("a number").to_owned();
    server.get(&format!("/v1/tickets/{number}"), &hotline).await.ok();
    server.get("/readyz", "").await.ok();
    assert_eq!(server.stop(), Some(0));

    let spans = spans(&bodies);
    let named =
        |name: &str| -> Vec<&Span> { spans.iter().filter(|one| one.name == name).collect() };
    let [request] = named("POST /v1/reviews")[..] else { panic!("{spans:?}") };
    assert_eq!(hex(&request.trace_id), TRACE);
    assert_eq!(hex(&request.parent_span_id), CALLER);
    let is_of = |batch: &&Span| batch.links.iter().any(|link| link.span_id == request.span_id);
    let batch = named("batch").into_iter().find(is_of).expect("its batch");
    let commits = named("commit");
    assert!(commits.iter().any(|one| one.parent_span_id == batch.span_id), "{commits:?}");
    assert_eq!(named("GET /v1/tickets/{ticket_no}").len(), 1);
    assert!(named("GET /readyz").is_empty());
    // What is in there is codes.
    for sent in bodies.lock().expect("bodies").iter() {
        let sent = String::from_utf8_lossy(sent);
        for private in [number.as_str(), "态度恶劣", hotline.as_str(), REVIEW, "private-canary"]
        {
            assert!(!sent.contains(private), "{private}");
        }
    }
}

/// What was due, what was carried, and whether it arrived; whom it is carried to can go on with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_is_seen_and_can_be_gone_on_with() {
    let (address, bodies) = collector().await;
    let receiver = Receiver::new().await;
    receiver.answers(&["500 Oops"]);
    let place = Place::new().await;
    let file = place.path().join("hooks.toml");
    let to = format!(
        "[[destinations]]\nto = \"agency:SZ013\"\nurl = \"{}\"\nsecret = \"{SECRET}\"\nprivate = true\n",
        receiver.address
    );
    std::fs::write(&file, to).expect("written");
    let file = file.display().to_string();
    let flags = ["--otlp-endpoint", &address, "--clock", "simulated", "--start-at", START];
    let server = place.serve(&[&flags[..], &["--config", &file]].concat());
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let admin = place.token(Role::SystemAdmin, "s1", None).await;
    let body = review(REVIEW, "matter", instant(START));
    let number = server.post("/v1/reviews", &hotline, &body).await.ok()["ticket_no"].clone();
    let number = number.as_str().expect("a number").to_owned();
    let path = format!("/v1/tickets/{number}/actions/dispatch");
    server.post(&path, &hotline, &json!({"agency": "SZ013"})).await.ok();
    receiver.wait_for(1).await;
    // Past the second attempt, and past the end of a contact.
    let to = json!({"to": "2026-03-06T00:00:00+08:00"});
    server.post("/v1/clock/advance", &admin, &to).await.ok();
    let calls = receiver.wait_for(2).await;
    assert_eq!(server.stop(), Some(0));

    let spans = spans(&bodies);
    let told = |span: &&Span| span.name == "deliver";
    let delivered: Vec<&Span> = spans.iter().filter(told).collect();
    let failed: Vec<bool> = delivered.iter().map(|one| has_failed(one)).collect();
    assert!(failed.contains(&true) && failed.contains(&false), "{delivered:?}");
    assert!(delivered.iter().all(|one| one.kind == SpanKind::Client as i32), "{delivered:?}");
    assert!(spans.iter().any(|one| one.name == "advance" && !has_failed(one)), "{spans:?}");
    for call in calls {
        let named = call.headers["traceparent"].to_str().expect("text").to_owned();
        let is_named =
            |one: &Span| named == format!("00-{}-{}-01", hex(&one.trace_id), hex(&one.span_id));
        assert!(delivered.iter().copied().any(is_named), "{named}");
    }
}

fn has_failed(span: &Span) -> bool {
    span.status.as_ref().is_some_and(|status| status.code == StatusCode::Error as i32)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_takes_nothing_holds_up_nobody() {
    // It takes connections, and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}/v1/traces", silent.local_addr().expect("its address"));
    let place = Place::new().await;
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let server = place.serve(&["--otlp-endpoint", &address]);
    let begun = Stopwatch::now();
    for nr in 0..50 {
        let body = review(&format!("R{nr}"), "matter", instant(START));
        server.post("/v1/reviews", &hotline, &body).await.ok();
    }
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    let begun = Stopwatch::now();
    assert_eq!(server.stop(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    for none in ["collector:4318", "ftp://collector/v1/traces", "http://"] {
        let told = place.try_serve(&["--otlp-endpoint", none]).err().expect("refused");
        assert!(told.contains("otlp_endpoint") && told.contains("exit Some(2)"), "{told}");
    }
}
