//! Who may call: issued and revoked over the API, the three administrators apart, districts.

use std::time::Duration;

use duban_core::role::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::lives::instant;
use crate::served::{Place, review};

const START: &str = "2026-03-02T10:00:00+08:00";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_shown_once_counts_at_once_and_not_after_its_revocation() {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let admin = place.token(Role::SecurityAdmin, "sec", None).await;
    let issue = async |body: Value| server.post("/v1/tokens", &admin, &body).await;
    let issued = issue(json!({"role": "agency", "subject": "liu", "agency": "SZ013"})).await;
    assert_eq!(issued.status, StatusCode::CREATED, "{}", issued.body);
    let (token, id) = (&issued.body["token"], issued.body["id"].as_str().expect("an id"));
    let token = token.as_str().expect("a token");
    server.get("/v1/tickets", token).await.ok();
    let listed = server.get("/v1/tokens?limit=1", &admin).await.ok();
    assert!(!listed.to_string().contains(token));
    assert_eq!(listed["tokens"][0]["id"], id);
    assert_eq!(listed["tokens"][0]["valid"], true);
    let next = listed["next"].as_str().expect("two tokens on two pages");
    let listed = server.get(&format!("/v1/tokens?limit=1&cursor={next}"), &admin).await.ok();
    assert_eq!(listed["tokens"][0]["subject"], "sec");
    assert_eq!(listed["next"], Value::Null);
    let revoke = async || {
        server.call(Method::DELETE, &format!("/v1/tokens/{id}"), &admin, None).await.status
    };
    assert_eq!(revoke().await, StatusCode::NO_CONTENT);
    assert_eq!(revoke().await, StatusCode::NOT_FOUND);
    assert_eq!(server.get("/v1/tickets", token).await.status, StatusCode::UNAUTHORIZED);
    assert!(!place.log().contains(token), "a token in the log");

    let check = async |body: Value, status: u16, field: &str| {
        let answer = issue(body).await;
        assert_eq!(answer.status.as_u16(), status, "{field}: {}", answer.body);
        assert!(answer.body.to_string().contains(field), "{field}: {}", answer.body);
    };
    check(json!({"role": "agency", "subject": "liu"}), 422, "/agency").await;
    check(json!({"role": "agency", "subject": "liu", "agency": "SZ999"}), 422, "/agency").await;
    check(json!({"role": "hotline", "subject": "liu", "agency": "SZ013"}), 422, "/agency").await;
    check(json!({"role": "hotline", "subject": "liu", "district": "440304"}), 422, "/district")
        .await;
    check(json!({"role": "auditor", "subject": "liu", "district": "999999"}), 422, "/district")
        .await;
    check(json!({"role": "hotline", "subject": "13800001234"}), 422, "/subject").await;
    check(json!({"role": "hotline", "subject": "刘"}), 422, "/subject").await;
    check(json!({"role": "hotline", "subject": "system"}), 422, "/subject").await;
    check(json!({"role": "hotline", "subject": "sec"}), 422, "/subject").await;
    check(json!({"role": "system", "subject": "liu"}), 422, "/role").await;
    check(json!({"role": "king", "subject": "liu"}), 400, "/role").await;
    check(json!({"role": "hotline", "subject": "liu", "days": 0}), 422, "/days").await;
}

/// Whoever sends the head of a request, and its body only after his token is revoked, does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_revoked_while_a_body_comes_counts_no_more() {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let admin = place.token(Role::SecurityAdmin, "sec", None).await;
    let wanted = json!({"role": "hotline", "subject": "slow"});
    let issued = server.post("/v1/tokens", &admin, &wanted).await.ok();
    let (token, id) = (issued["token"].as_str().expect("it"), issued["id"].as_str().expect("it"));
    let body = review("R1", "matter", instant(START)).to_string();
    let head = |path: &str, kind: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: duban\r\nauthorization: Bearer {token}\r\n\
             content-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        )
    };
    let address = server.address.trim_start_matches("http://");
    let mut calls = Vec::new();
    for (path, kind) in
        [("/v1/reviews", "application/json"), ("/v1/reviews/batch", "application/x-ndjson")]
    {
        let mut call = TcpStream::connect(address).await.expect("connected");
        call.write_all(head(path, kind).as_bytes()).await.expect("sent");
        calls.push(call);
    }
    tokio::time::sleep(Duration::from_millis(700)).await;
    let path = format!("/v1/tokens/{id}");
    let revoked = server.call(Method::DELETE, &path, &admin, None).await.status;
    assert_eq!(revoked, StatusCode::NO_CONTENT);
    for mut call in calls {
        call.write_all(body.as_bytes()).await.expect("sent");
        let mut said = String::new();
        call.read_to_string(&mut said).await.expect("an answer");
        assert!(said.starts_with("HTTP/1.1 401"), "{said}");
    }
    let auditor = place.token(Role::Auditor, "aud", None).await;
    let listed = server.get("/v1/tickets", &auditor).await.ok();
    assert_eq!(listed["tickets"].as_array().map(Vec::len), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_three_administrators_exclude_each_other() {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let admin = place.token(Role::SecurityAdmin, "sec", None).await;
    let issue = async |role: &str, subject: &str| {
        server.post("/v1/tokens", &admin, &json!({"role": role, "subject": subject})).await
    };
    let first = issue("audit_admin", "wang").await.ok();
    for role in ["system_admin", "security_admin"] {
        let refused = issue(role, "wang").await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);
        assert_eq!(refused.problem(), "role-excluded");
    }
    // A second token of the same role is the same actor; another role of the house is allowed.
    issue("audit_admin", "wang").await.ok();
    issue("system_admin", "li").await.ok();
    // Once the first counts no more, the role is free; the second still holds it.
    let id = first["id"].as_str().expect("an id");
    server.call(Method::DELETE, &format!("/v1/tokens/{id}"), &admin, None).await;
    assert_eq!(issue("system_admin", "wang").await.status, StatusCode::CONFLICT);
    // However it is written, it is the same person.
    assert_eq!(issue("security_admin", "Wang").await.status, StatusCode::CONFLICT);
    assert_eq!(issue("hotline", "SEC").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    // Many at once: one role wins, however they race.
    let roles = ["system_admin", "audit_admin", "security_admin"].into_iter().cycle().take(12);
    let raced = roles.map(|role| issue(role, "zhao"));
    let raced = futures::future::join_all(raced).await;
    let won = raced.iter().filter(|one| one.status == StatusCode::CREATED);
    assert_eq!(won.count(), 4, "one role of three");
    // The command line keeps to it too.
    let refused = std::process::Command::new(env!("CARGO_BIN_EXE_duban"))
        .args(["token", "issue", "--role", "security_admin", "--name", "li"])
        .env("DUBAN_DATABASE_URL", place.url())
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("--role") && said.contains("三员"), "{said}");
}

/// Who talks to the citizen knows him again; who judges needs no more than that he is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_is_shown_of_a_reviewer_what_it_needs() {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let body = review("R1", "matter", instant(START));
    let accepted = server.post("/v1/reviews", &hotline, &body).await.ok();
    let path = format!("/v1/tickets/{}", accepted["ticket_no"].as_str().expect("a number"));
    let dispatch = format!("{path}/actions/dispatch");
    server.post(&dispatch, &hotline, &json!({"agency": "SZ013"})).await.ok();
    let partial = json!({"name": "张*三", "phone": "199****0001", "id_no": null});
    let public = json!({"name": "张**", "phone": null, "id_no": null});
    let roles = [
        (Role::Hotline, &partial),
        (Role::Supervisor, &partial),
        (Role::Agency, &partial),
        (Role::AgencyLead, &partial),
        (Role::Approver, &public),
        (Role::Auditor, &public),
    ];
    for (role, expected) in roles {
        let agency = role.is_bound_to_agency().then_some("SZ013");
        let token = place.token(role, &format!("one_{role}"), agency).await;
        assert_eq!(server.get(&path, &token).await.ok()["reviewer"], *expected, "{role}");
    }
}

/// Whoever is bound to a district sees nothing of another one, in no list and by no number.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_district_is_a_border() {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let intake = place.token(Role::Intake, "gd", None).await;
    let security = place.token(Role::SecurityAdmin, "sec", None).await;
    let body = json!({"role": "supervisor", "subject": "sup", "district": "440304"});
    let bound = server.post("/v1/tokens", &security, &body).await.ok()["token"].clone();
    let bound = bound.as_str().expect("a token");
    let mut numbers = Vec::new();
    for (review_id, district) in [("R1", "440304"), ("R2", "440305")] {
        let mut body = review(review_id, "matter", instant(START));
        body["district"] = json!(district);
        let accepted = server.post("/v1/reviews", &intake, &body).await.ok();
        numbers.push(accepted["ticket_no"].as_str().expect("a number").to_owned());
    }
    let listed = server.get("/v1/tickets", bound).await.ok().to_string();
    assert!(listed.contains(&numbers[0]) && !listed.contains(&numbers[1]), "{listed}");
    server.get(&format!("/v1/tickets/{}", numbers[0]), bound).await.ok();
    let foreign = server.get(&format!("/v1/tickets/{}", numbers[1]), bound).await;
    let none = server.get("/v1/tickets/HCP20260302000999-9", bound).await;
    assert_eq!((foreign.status, foreign.body), (none.status, none.body));
    let mut elsewhere = review("R3", "matter", instant(START));
    elsewhere["district"] = json!("440305");
    let taken = server.post("/v1/reviews", bound, &elsewhere).await;
    assert_eq!(taken.body["errors"][0]["field"], "/district", "{}", taken.body);
    let asked = server.get("/v1/tickets?district=440305", bound).await;
    assert_eq!(asked.body["errors"][0]["field"], "/district", "{}", asked.body);
}
