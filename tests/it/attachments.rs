//! Evidence comes in as bytes, is named by its digest in forms and in the history, and goes out as
//! a download; of a file nothing is kept but all of it.

use std::io::Write;
use std::path::PathBuf;

use duban_core::role::Role;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::lives::instant;
use crate::served::{Answer, Place, Server, review};

const START: &str = "2026-03-02T10:00:00+08:00";

/// SM3 of “abc” (GB/T 32905, A.1).
const ABC: &str = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";

/// Bytes of a file that is a while on its way to the disk.
const FILE: usize = 300_000;

struct Street {
    place: Place,
    server: Server,
    hotline: String,
    agency: String,
    lead: String,
    ticket: String,
}

impl Street {
    async fn new() -> Self {
        let place = Place::new().await;
        let server = place.serve(&["--clock", "simulated", "--start-at", START]);
        let hotline = place.token(Role::Hotline, "h1", None).await;
        let agency = place.token(Role::Agency, "wang", Some("SZ013")).await;
        let lead = place.token(Role::AgencyLead, "li", Some("SZ013")).await;
        let body = review("R1", "matter", instant(START));
        let accepted = server.post("/v1/reviews", &hotline, &body).await.ok();
        let ticket = format!("/v1/tickets/{}", accepted["ticket_no"].as_str().expect("a number"));
        let street = Self { place, server, hotline, agency, lead, ticket };
        street.act(&street.hotline, "dispatch", json!({"agency": "SZ013"})).await.ok();
        street
    }

    /// Another process over the same database; the one before was killed.
    fn restarted(self) -> Self {
        drop(self.server);
        let server = self.place.serve(&["--clock", "simulated", "--start-at", START]);
        Self { server, ..self }
    }

    async fn act(&self, token: &str, action: &str, form: Value) -> Answer {
        self.server.post(&format!("{}/actions/{action}", self.ticket), token, &form).await
    }

    async fn upload(&self, token: &str, kind: &str, bytes: &[u8]) -> Answer {
        self.server.upload(&format!("{}/attachments", self.ticket), token, kind, bytes).await
    }

    async fn list(&self, token: &str) -> Vec<Value> {
        let path = format!("{}/attachments", self.ticket);
        let listed = self.server.get(&path, token).await.ok();
        listed["attachments"].as_array().expect("a list").clone()
    }

    async fn history(&self) -> Value {
        self.server.get(&format!("{}/history", self.ticket), &self.hotline).await.ok()
    }

    fn file(&self) -> PathBuf {
        self.place.attachments().join("66").join(ABC)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evidence_comes_in_and_goes_out_as_it_was() {
    let street = Street::new().await;
    let sent = street.upload(&street.agency, "application/pdf; x=y", b"abc").await;
    assert_eq!(sent.status, StatusCode::CREATED);
    let sent = sent.body;
    assert_eq!(sent["attachment"]["sm3"], ABC);
    assert_eq!(sent["attachment"]["bytes"], 3);
    assert_eq!(sent["attachment"]["content_type"], "application/pdf");
    // The history has it, with the receipt that was given.
    let history = street.history().await;
    let events = history["events"].as_array().expect("events");
    let event = events.iter().find(|event| event["data"]["action"] == "attach").expect("recorded");
    assert_eq!(event["data"]["form"]["attachments"][0]["sm3"], ABC);
    assert_eq!(event["data"]["form"]["attachments"][0]["kind"], "document");
    assert_eq!(
        (&event["seq"], &event["hash"]),
        (&sent["receipt"]["seq"], &sent["receipt"]["hash"])
    );
    // The same again is the same: no second record, the same receipt.
    let again = street.upload(&street.agency, "application/pdf", b"abc").await.ok();
    assert_eq!(again, sent);
    assert_eq!(street.history().await["events"], history["events"]);
    // It goes out as a download and nothing else.
    let id = sent["attachment"]["id"].as_str().expect("an id");
    let path = format!("{}/attachments/{id}", street.ticket);
    let got = street.server.get(&path, &street.hotline).await;
    assert_eq!((got.status, &got.body), (StatusCode::OK, &json!("abc")));
    let disposition = got.headers["content-disposition"].to_str().expect("text");
    assert!(disposition.starts_with("attachment; filename=\"HCP"), "{disposition}");
    assert!(disposition.ends_with("-66c7f0f4.pdf\""), "{disposition}");
    assert_eq!(got.headers["x-content-type-options"], "nosniff");
    assert_eq!(got.headers["content-security-policy"], "default-src 'none'; sandbox");
    assert_eq!(got.headers["cache-control"], "no-store");
    // The end of a process changes nothing of it.
    let street = street.restarted();
    assert_eq!(street.server.get(&path, &street.hotline).await.body, json!("abc"));
    assert_eq!(street.upload(&street.agency, "application/pdf", b"abc").await.ok(), sent);
    // A changed file is not given out, and comes back by the same upload.
    std::fs::write(street.file(), b"abd").expect("harmed");
    assert_eq!(street.server.get(&path, &street.hotline).await.problem(), "attachment-damaged");
    street.upload(&street.agency, "application/pdf", b"abc").await.ok();
    assert_eq!(street.server.get(&path, &street.hotline).await.body, json!("abc"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_file_is_refused_and_leaves_nothing() {
    let street = Street::new().await;
    let limit = 20 * 1024 * 1024;
    let largest = street.upload(&street.hotline, "video/mp4", &vec![7; limit]).await;
    assert_eq!(largest.status, StatusCode::CREATED);
    assert!(largest.body["receipt"]["seq"].is_u64(), "{}", largest.body);
    let check = async |kind: &str, bytes: &[u8], status: u16, problem: &str| {
        let refused = street.upload(&street.agency, kind, bytes).await;
        assert_eq!((refused.status.as_u16(), refused.problem()), (status, problem), "{kind}");
    };
    check("video/mp4", &vec![7; limit + 1], 413, "body-too-large").await;
    check("application/pdf", b"", 400, "bad-request").await;
    for kind in ["text/html", "image/svg+xml", "application/json", "multipart/form-data", ""] {
        check(kind, b"<script>", 415, "unsupported-media-type").await;
    }
    let path = format!("{}/attachments?kind=virus", street.ticket);
    let refused = street.server.upload(&path, &street.agency, "image/png", b"x").await;
    assert_eq!(refused.problem(), "bad-request");
    let auditor = street.place.token(Role::Auditor, "aud", None).await;
    assert_eq!(street.upload(&auditor, "image/png", b"x").await.problem(), "forbidden");
    assert_eq!(street.list(&street.hotline).await.len(), 1);
    let incoming = street.place.attachments().join("incoming");
    assert_eq!(std::fs::read_dir(incoming).expect("a folder").count(), 0);
    let history = street.history().await.to_string();
    assert_eq!(history.matches("\"attach\"").count(), 1, "{history}");
}

/// Whoever loses his token while he sends is nobody at the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_revoked_meanwhile_counts_no_more() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let street = Street::new().await;
    let security = street.place.token(Role::SecurityAdmin, "sec", None).await;
    let address = street.server.address.strip_prefix("http://").expect("an address");
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("connected");
    let head = format!(
        "POST {}/attachments HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: text/plain\r\ncontent-length: 6\r\nconnection: close\r\n\r\nabc",
        street.ticket, street.agency
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    let incoming = street.place.attachments().join("incoming");
    while std::fs::read_dir(&incoming).expect("a folder").count() == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let tokens = street.server.get("/v1/tokens", &security).await.ok();
    let tokens = tokens["tokens"].as_array().expect("tokens");
    let its = tokens.iter().find(|one| one["subject"] == "wang").expect("the token");
    let id = its["id"].as_str().expect("an id");
    let path = format!("{}/v1/tokens/{id}", street.server.address);
    let revoked = street.server.client.delete(path).bearer_auth(&security).send().await;
    assert!(revoked.expect("an answer").status().is_success());
    stream.write_all(b"def").await.expect("sent");
    let mut said = String::new();
    stream.read_to_string(&mut said).await.expect("an answer");
    assert!(said.starts_with("HTTP/1.1 401"), "{said}");
    assert_eq!(std::fs::read_dir(&incoming).expect("a folder").count(), 0);
    assert_eq!(street.list(&street.hotline).await, Vec::<Value>::new());
}

/// A form names only what was uploaded to its ticket, and what its author can see.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forms_name_what_was_uploaded() {
    let street = Street::new().await;
    let reached = json!({"outcome": "reached", "channel": "phone", "attempted_at": START});
    street.act(&street.agency, "record_contact", reached).await.ok();
    let conclusion = json!({
        "finding": "mistaken", "summary": "误评",
        "evidence": [{"sm3": ABC, "kind": "document"}],
    });
    let refused = street.act(&street.agency, "conclude", conclusion.clone()).await;
    assert_eq!(refused.problem(), "invalid-form");
    assert_eq!(refused.body["errors"][0]["field"], "/evidence/0/sm3");
    // Of another ticket it does not help.
    let body = review("R2", "matter", instant(START));
    let other = street.server.post("/v1/reviews", &street.hotline, &body).await.ok();
    let path = format!("/v1/tickets/{}/attachments", other["ticket_no"].as_str().expect("one"));
    street.server.upload(&path, &street.hotline, "text/plain", b"abc").await.ok();
    assert_eq!(
        street.act(&street.agency, "conclude", conclusion.clone()).await.problem(),
        "invalid-form"
    );
    street.upload(&street.hotline, "text/plain", b"abc").await.ok();
    street.act(&street.agency, "conclude", conclusion).await.ok();
}

/// An agency that gave a ticket back sees what it had uploaded, and nothing that came after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_former_agency_has_its_own() {
    let street = Street::new().await;
    let own = street.upload(&street.agency, "text/plain", b"own").await.ok();
    street.upload(&street.hotline, "text/plain", b"house").await.ok();
    assert_eq!(street.list(&street.agency).await.len(), 2);
    street.act(&street.agency, "request_return", json!({"reason": "不属于本单位"})).await.ok();
    street.act(&street.hotline, "approve_return", json!({})).await.ok();
    street.act(&street.hotline, "dispatch", json!({"agency": "SZ007"})).await.ok();
    let next = street.place.token(Role::Agency, "zhou", Some("SZ007")).await;
    let foreign = street.upload(&next, "text/plain", b"abc").await.ok();
    assert_eq!(street.list(&next).await.len(), 3);
    assert_eq!(street.list(&street.agency).await, [own["attachment"].clone()]);
    let id = foreign["attachment"]["id"].as_str().expect("an id");
    let path = format!("{}/attachments/{id}", street.ticket);
    assert_eq!(street.server.get(&path, &street.agency).await.problem(), "not-found");
    assert_eq!(street.server.get(&path, &next).await.status, StatusCode::OK);
    // It has nothing left to do here: what it would upload now could only be in the way.
    assert_eq!(street.upload(&street.lead, "text/plain", b"abc").await.problem(), "not-yours");
    assert_eq!(street.list(&street.agency).await.len(), 1);
}

/// Whoever gave a ticket back may still object to its card, and shows why, with what is his.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_former_agency_objects_with_evidence() {
    let street = Street::new().await;
    let admin = street.place.token(Role::SystemAdmin, "ops", None).await;
    let returned = json!({"reason": "不属于本单位"});
    street.act(&street.agency, "request_return", returned).await.ok();
    street.server.advance(&admin, instant("2026-03-06T09:00:00+08:00")).await;
    street.act(&street.hotline, "approve_return", json!({})).await.ok();
    street.act(&street.hotline, "dispatch", json!({"agency": "SZ007"})).await.ok();
    let next = street.place.token(Role::Agency, "zhou", Some("SZ007")).await;
    let foreign = street.upload(&next, "text/plain", b"theirs").await.ok();
    let shown = street.server.get(&street.ticket, &street.lead).await.ok();
    let card = shown["cards"][0]["id"].clone();
    assert!(card.is_string(), "{shown}");
    let contest = async |sm3: &Value| {
        let evidence = json!([{"sm3": sm3, "kind": "document"}]);
        let form = json!({"card": card, "reason": "系统停机", "evidence": evidence});
        street.act(&street.lead, "contest_card", form).await
    };
    let refused = contest(&foreign["attachment"]["sm3"]).await;
    assert_eq!(refused.body["errors"][0]["field"], "/evidence/0/sm3", "{}", refused.body);
    let sent = street.upload(&street.lead, "text/plain", b"outage").await.ok();
    assert_eq!(sent["receipt"], Value::Null, "it has the ticket no more");
    contest(&sent["attachment"]["sm3"]).await.ok();
}

/// Nobody uses up the room of somebody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_side_has_its_own_room() {
    let street = Street::new().await;
    for n in 0..200 {
        street.upload(&street.hotline, "text/plain", format!("{n}").as_bytes()).await.ok();
    }
    let full = street.upload(&street.hotline, "text/plain", b"200").await;
    assert_eq!((full.status, full.problem()), (StatusCode::CONFLICT, "attachments-full"));
    // What was refused left no file behind; what is there may come again.
    let folder = street.place.attachments();
    let folders =
        std::fs::read_dir(folder).expect("the folder").map(|one| one.expect("one").path());
    let files: usize = folders.map(|one| std::fs::read_dir(one).expect("files").count()).sum();
    assert_eq!(files, 200);
    street.upload(&street.hotline, "text/plain", b"7").await.ok();
    street.upload(&street.agency, "text/plain", b"mine").await.ok();
}

/// The same file at the same time is one attachment and one record; another type is another one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_file_at_once_is_recorded_once() {
    let street = Street::new().await;
    let each = (0..4).map(|_| street.upload(&street.agency, "text/plain", b"abc"));
    for answer in futures::future::join_all(each).await {
        let (status, problem) = (answer.status, answer.problem().to_owned());
        let is_running = problem == "idempotency-key-running";
        assert!(status == StatusCode::CREATED || is_running, "{status} {}", answer.body);
    }
    let history = street.history().await;
    let events = history["events"].as_array().expect("events");
    let attached = events.iter().filter(|event| event["data"]["action"] == "attach");
    assert_eq!(attached.count(), 1);
    let wrong = street.upload(&street.agency, "text/plain", b"%PDF").await.ok();
    let right = street.upload(&street.agency, "application/pdf", b"%PDF").await.ok();
    assert_eq!(right["attachment"]["content_type"], "application/pdf");
    assert_eq!(right["receipt"], wrong["receipt"], "the bytes are in the history already");
}

/// The path of a ticket on a server that goes by the system's clock.
async fn opened_now(server: &Server, hotline: &str) -> String {
    let body = review("R1", "matter", duban::clock::wall().plus_ms(-60_000));
    let accepted = server.post("/v1/reviews", hotline, &body).await.ok();
    format!("/v1/tickets/{}", accepted["ticket_no"].as_str().expect("a number"))
}

/// Where nobody waits for the answer as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_whose_sender_hung_up_is_recorded_once() {
    let place = Place::new().await;
    let server = place.serve(&[]);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let ticket = opened_now(&server, &hotline).await;
    let path = format!("{ticket}/attachments");
    for n in 0..40_u8 {
        let bytes = [n];
        let wait = std::time::Duration::from_millis(u64::from(n) / 4);
        let impatient = server.upload(&path, &hotline, "text/plain", &bytes);
        let _ = tokio::time::timeout(wait, impatient).await;
        let again = server.upload(&path, &hotline, "text/plain", &bytes).await;
        let is_under_way = again.problem() == "idempotency-key-running";
        assert!(again.status.is_success() || is_under_way, "{}", again.body);
    }
    for n in 0..40_u8 {
        let again = server.upload(&path, &hotline, "text/plain", &[n]).await;
        assert!(again.status.is_success(), "{}", again.body);
    }
    let history = server.get(&format!("{ticket}/history"), &hotline).await.ok();
    let events = history["events"].as_array().expect("events");
    let attached = events.iter().filter(|event| event["data"]["action"] == "attach");
    let file = |event: &Value| event["data"]["form"]["attachments"][0]["sm3"].to_string();
    let files: Vec<String> = attached.map(file).collect();
    let each: std::collections::BTreeSet<&String> = files.iter().collect();
    assert_eq!((each.len(), files.len()), (40, 40));
}

/// Whoever hangs up when the last byte has been taken has sent his file all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_came_in_whole_is_recorded_though_nobody_waits() {
    let place = Place::new().await;
    let server = place.serve(&[]);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let ticket = opened_now(&server, &hotline).await;
    let incoming = place.attachments().join("incoming");
    let whole = || {
        let files = std::fs::read_dir(&incoming).expect("a folder").flatten();
        files.filter_map(|file| file.metadata().ok()).any(|file| file.len() == FILE as u64)
    };
    let recorded = async || {
        let history = server.get(&format!("{ticket}/history"), &hotline).await.ok();
        let events = history["events"].as_array().expect("events").clone();
        events.iter().filter(|event| event["data"]["action"] == "attach").count()
    };
    for n in 0..20_u8 {
        let address = server.address.strip_prefix("http://").expect("an address");
        let mut sender = std::net::TcpStream::connect(address).expect("connected");
        let head = format!(
            "POST {ticket}/attachments HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {hotline}\r\n\
             content-type: text/plain\r\ncontent-length: {FILE}\r\n\r\n"
        );
        sender.write_all(head.as_bytes()).expect("sent");
        sender.write_all(&vec![n; FILE]).expect("sent");
        // Missed, it has gone its way already.
        let begun = std::time::Instant::now();
        while !whole() && begun.elapsed().as_millis() < 500 {
            std::thread::yield_now();
        }
        drop(sender);
        let begun = std::time::Instant::now();
        while recorded().await <= usize::from(n) {
            assert!(begun.elapsed().as_secs() < 10, "{n} was not recorded");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
}

/// One key stands for one file of one side; a token of the same person elsewhere has no use of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_stands_for_one_upload() {
    let street = Street::new().await;
    let as_hotline = street.place.token(Role::Hotline, "wang", None).await;
    let upload = async |token: &str, query: &str, bytes: &'static str| {
        let url = format!("{}{}/attachments{query}", street.server.address, street.ticket);
        let call = street.server.client.post(url).bearer_auth(token).body(bytes);
        let call = call.header("content-type", "text/plain").header("idempotency-key", "K");
        let answer = call.send().await.expect("an answer");
        (answer.status().as_u16(), answer.headers().contains_key("idempotent-replayed"))
    };
    assert_eq!(upload(&street.agency, "", "abc").await, (201, false));
    assert_eq!(upload(&street.agency, "", "abc").await, (201, true));
    for (token, query, bytes) in [
        (&street.agency, "", "abd"),
        (&street.agency, "?kind=photo", "abc"),
        (&as_hotline, "", "abc"),
    ] {
        assert_eq!(upload(token, query, bytes).await, (422, false), "{query} {bytes}");
    }
}

/// What is wrong with a request is told before anything is taken in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_none_is_refused_first() {
    let street = Street::new().await;
    let url = format!("{}/v1/tickets/HCP20260302000009-1/attachments", street.server.address);
    let call = street.server.client.post(url).bearer_auth(&street.agency).body("abc");
    let call = call.header("content-type", "text/plain").header("idempotency-key", "a b");
    assert_eq!(call.send().await.expect("an answer").status(), StatusCode::BAD_REQUEST);
}

/// Where nobody can name a file any more, none comes in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archived_ticket_takes_no_files() {
    let street = Street::new().await;
    let admin = street.place.token(Role::SystemAdmin, "ops", None).await;
    let body = review("R2", "matter", instant(START));
    let other = street.server.post("/v1/reviews", &street.hotline, &body).await.ok();
    let same = json!({"duplicate_of": other["ticket_no"]});
    street.act(&street.hotline, "cancel_duplicate", same).await.ok();
    street.server.advance(&admin, instant("2026-12-01T00:00:00+08:00")).await;
    let shown = street.server.get(&street.ticket, &street.hotline).await.ok();
    assert_eq!(shown["status"], "archived");
    let refused = street.upload(&street.hotline, "text/plain", b"late").await;
    assert_eq!((refused.status, refused.problem()), (StatusCode::CONFLICT, "wrong-step"));
}

/// A caller who takes nothing of what he asked for has a place among his transfers until he is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn downloads_that_stand_still_are_counted() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let street = Street::new().await;
    let sent = street.upload(&street.hotline, "video/mp4", &vec![7; 20 * 1024 * 1024]).await.ok();
    let id = sent["attachment"]["id"].as_str().expect("an id");
    let path = format!("{}/attachments/{id}", street.ticket);
    let address = street.server.address.strip_prefix("http://").expect("an address");
    let mut standing = Vec::new();
    for _ in 0..4 {
        let mut stream = tokio::net::TcpStream::connect(address).await.expect("connected");
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
            street.hotline
        );
        stream.write_all(head.as_bytes()).await.expect("sent");
        let mut first = [0; 12];
        stream.read_exact(&mut first).await.expect("an answer");
        assert_eq!(&first, b"HTTP/1.1 200");
        standing.push(stream);
    }
    let refused = street.server.get(&path, &street.hotline).await;
    assert_eq!(refused.problem(), "too-many-transfers");
    drop(standing);
    for _ in 0..100 {
        if street.server.get(&path, &street.hotline).await.status == StatusCode::OK {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("places of those who are gone are not free");
}

/// Where the hotline itself was rated the approver stands in for it, with evidence too; nobody sends
/// what he could name nowhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_can_name_no_file_sends_none() {
    let street = Street::new().await;
    let approver = street.place.token(Role::Approver, "zhao", None).await;
    let refused = street.upload(&approver, "text/plain", b"abc").await;
    assert_eq!((refused.status, refused.problem()), (StatusCode::FORBIDDEN, "not-permitted"));
    let mut body = review("R2", "staff", instant(START));
    body["agency"] = json!("SZ002");
    let of_hotline = street.server.post("/v1/reviews", &street.hotline, &body).await.ok();
    let number = of_hotline["ticket_no"].as_str().expect("a number");
    let path = format!("/v1/tickets/{number}/attachments");
    let refused = street.server.upload(&path, &street.hotline, "text/plain", b"abc").await;
    assert_eq!((refused.status, refused.problem()), (StatusCode::FORBIDDEN, "not-permitted"));
    let sent = street.server.upload(&path, &approver, "text/plain", b"abc").await;
    assert_eq!(sent.status, StatusCode::CREATED, "{}", sent.body);
    assert!(sent.body["receipt"]["seq"].is_u64(), "{}", sent.body);
}
