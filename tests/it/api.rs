//! The control API as its callers meet it: what is refused and how, and that a refusal changes
//! nothing.

use duban_core::role::Role;
use duban_core::time::Instant;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::lives::instant;
use crate::served::{Place, Server, review};

const START: &str = "2026-03-02T10:00:00+08:00";
const OWN: &str = "SZ013";
const FOREIGN: &str = "SZ007";

async fn house() -> (Place, Server, String) {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let admin = place.token(Role::SystemAdmin, "admin", None).await;
    (place, server, admin)
}

async fn delivered(place: &Place, server: &Server, review_id: &str, agency: &str) -> String {
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let body = review(review_id, "matter", instant(START));
    let accepted = server.post("/v1/reviews", &hotline, &body).await;
    assert_eq!(accepted.status, StatusCode::CREATED, "{}", accepted.body);
    let number = accepted.body["ticket_no"].as_str().expect("a number").to_owned();
    let path = format!("/v1/tickets/{number}/actions/dispatch");
    server.post(&path, &hotline, &json!({"agency": agency})).await.ok();
    number
}

/// Readers differ in which of two equal keys counts: a log could name another role than the token's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_said_twice_is_refused() {
    let (place, server, _) = house().await;
    let security = place.token(Role::SecurityAdmin, "sec", None).await;
    let asked = server.client.post(format!("{}/v1/tokens", server.address));
    let asked = asked.bearer_auth(&security).header("content-type", "application/json");
    let asked = asked.body(r#"{"role":"hotline","subject":"x","role":"system_admin"}"#);
    let answer = asked.send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert!(answer.text().await.expect("text").contains("写了两次"));
    let listed = server.get("/v1/tokens", &security).await.ok();
    assert!(!listed.to_string().contains("\"x\""), "{listed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_is_told_with_its_field_and_changes_nothing() {
    let (place, server, admin) = house().await;
    let number = delivered(&place, &server, "R1", OWN).await;
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let auditor = place.token(Role::Auditor, "aud", None).await;
    let before = server.get(&format!("/v1/tickets/{number}/history"), &auditor).await.ok();
    let good = || review("R9", "matter", instant(START));
    let with = |field: &str, value: Value| {
        let mut body = good();
        body[field] = value;
        body
    };
    let check = async |body: Value, field: &str, status: u16| {
        let answer = server.post("/v1/reviews", &hotline, &body).await;
        assert_eq!(answer.status.as_u16(), status, "{field}: {}", answer.body);
        let fields: Vec<&str> = answer.body["errors"]
            .as_array()
            .map(|all| all.iter().filter_map(|one| one["field"].as_str()).collect())
            .unwrap_or_default();
        assert!(fields.contains(&field), "{field}: {}", answer.body);
        assert!(!answer.body.to_string().contains("13800001234"), "{}", answer.body);
    };
    check(json!({}), "", 400).await;
    check(json!([]), "", 400).await;
    check(with("review_id", json!("")), "/review_id", 422).await;
    check(with("review_id", json!("13800001234")), "/review_id", 422).await;
    check(with("review_id", json!(7)), "/review_id", 400).await;
    check(with("source", json!("Nicht gut")), "/source", 422).await;
    check(with("level", json!("bad")), "/level", 400).await;
    check(with("reviewed_at", json!("13800001234")), "/reviewed_at", 400).await;
    check(with("reviewed_at", json!("gestern")), "/reviewed_at", 400).await;
    check(with("reviewed_at", json!("99999-01-01T00:00:00Z")), "/reviewed_at", 400).await;
    check(with("reviewed_at", json!("2026-03-02T10:06:00+08:00")), "/reviewed_at", 422).await;
    check(with("district", json!("999999")), "/district", 422).await;
    check(with("agency", json!("13800001234")), "/agency", 422).await;
    check(with("tags", json!(["13800001234"])), "/tags/0", 422).await;
    check(with("comment", json!("x".repeat(2_001))), "/comment", 422).await;
    check(with("comment", json!("a\u{0}b")), "/comment", 400).await;
    check(with("project_no", json!("44\u{202E}03")), "/project_no", 422).await;
    check(with("project_no", json!("4403\n5")), "/project_no", 422).await;
    check(with("surprise", json!(1)), "/surprise", 400).await;
    check(with("matter", json!({"code": "x"})), "/matter", 400).await;
    check(with("reviewer", json!({"phone": 13_800_001_234_u64})), "/reviewer/phone", 400).await;
    let mut silent = with("tags", json!([]));
    silent["comment"] = json!(" ");
    check(silent, "/tags", 422).await;
    let none = server.post("/v1/reviews", &hotline, &with("class", json!("themed"))).await;
    assert_eq!((none.status.as_u16(), none.problem()), (422, "class-not-enabled"));
    check(with("source", json!("19900000001")), "/source", 422).await;
    check(with("review_id", json!("11010519491231002X")), "/review_id", 422).await;
    let mut nobody = review("R9", "staff", instant(START));
    nobody.as_object_mut().expect("an object").remove("staff");
    check(nobody, "/staff", 422).await;
    let satisfied = json!("satisfied");
    let mut known = review("R1", "matter", instant(START));
    known["level"] = satisfied;
    let told = server.post("/v1/reviews", &hotline, &known).await;
    assert_eq!((told.status.as_u16(), told.problem()), (409, "review-differs"));
    raw_bodies(&server, &hotline).await;
    forms(&server, &hotline, &number).await;
    queries_and_clock(&server, &hotline, &admin).await;
    let after = server.get(&format!("/v1/tickets/{number}/history"), &auditor).await.ok();
    assert_eq!(before, after);
    let all = server.get("/v1/tickets", &hotline).await.ok();
    assert_eq!(all["tickets"].as_array().map(Vec::len), Some(2));
    assert!(!place.log().contains("13800001234"));
}

/// Queries that are none, and a clock that does not go there.
async fn queries_and_clock(server: &Server, hotline: &str, admin: &str) {
    for path in [
        "/v1/tickets?limit=0",
        "/v1/tickets?limit=x",
        "/v1/tickets?light=blue",
        "/v1/tickets?cursor=x",
        "/v1/tickets?nonsense=1",
        "/v1/tickets?due_before=gestern",
        "/v1/tickets/%00",
        "/v1/tickets?step=%00",
        "/v1/tickets/%ff",
        "/v1/tickets/HCP1/history?after=-1",
        "/v1/tickets/HCP1?as_of=2026-03-02T10:00:00%2B08:00",
        "/v1/calendars/12345",
        "/v1/outbox?state=x",
    ] {
        let token = if path.contains("outbox") { admin } else { hotline };
        let answer = server.get(path, token).await;
        assert!(answer.status.is_client_error(), "{path}: {} {}", answer.status, answer.body);
        assert!(answer.body["type"].is_string(), "{path}: {}", answer.body);
    }
    for body in
        [json!({}), json!({"by": "0d"}), json!({"to": START, "by": "1d"}), json!({"to": "x"})]
    {
        let answer = server.post("/v1/clock/advance", admin, &body).await;
        assert!(answer.status.is_client_error(), "{body}: {}", answer.body);
    }
    let back = json!({"to": "2026-03-02T09:59:59+08:00"});
    let answer = server.post("/v1/clock/advance", admin, &back).await;
    assert_eq!((answer.status.as_u16(), answer.problem()), (409, "clock-backwards"));
}

/// Bodies that are no JSON, or too much of it.
async fn raw_bodies(server: &Server, token: &str) {
    let send = async |body: Vec<u8>, kind: &str| {
        let call = server.client.post(format!("{}/v1/reviews", server.address));
        let call = call.bearer_auth(token).header("content-type", kind).body(body);
        call.send().await.map(|answer| answer.status().as_u16())
    };
    let json = "application/json";
    assert_eq!(send(b"{".to_vec(), json).await.ok(), Some(400));
    assert_eq!(send(b"\xff\xfe".to_vec(), json).await.ok(), Some(400));
    assert_eq!(send(br#"{"comment":"\ud800"}"#.to_vec(), json).await.ok(), Some(400));
    assert_eq!(send("[".repeat(100_000).into_bytes(), json).await.ok(), Some(400));
    assert_eq!(send(b"{}".to_vec(), "text/plain").await.ok(), Some(415));
    // The reason is told, and not only that the connection is closed.
    assert_eq!(send(vec![b' '; 20 * 1024 * 1024], json).await.ok(), Some(413));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_never_comes_whole_is_not_waited_for() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (place, server, _) = house().await;
    let token = place.token(Role::Hotline, "h1", None).await;
    let address = server.address.strip_prefix("http://").expect("an address");
    let begun = std::time::Instant::now();
    let slow = [
        "GET /livez HTTP/1.1\r\nHost".to_owned(),
        format!(
            "POST /v1/reviews HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
        ),
    ];
    let sent = slow.iter().map(|head| async move {
        let mut stream = tokio::net::TcpStream::connect(address).await.expect("connected");
        stream.write_all(head.as_bytes()).await.expect("sent");
        let mut said = String::new();
        let _ = stream.read_to_string(&mut said).await;
        said
    });
    let said =
        tokio::time::timeout(std::time::Duration::from_secs(40), futures::future::join_all(sent));
    let said = said.await.expect("hung up on");
    assert!(begun.elapsed().as_secs() >= 10);
    assert!(said[1].starts_with("HTTP/1.1 408"), "{}", said[1]);
    assert!(server.get("/livez", "").await.status.is_success());
}

/// Forms of actions, preconditions and keys.
async fn forms(server: &Server, token: &str, number: &str) {
    let path = format!("/v1/tickets/{number}/actions/urge");
    let check = async |path: &str, body: Value, headers: &[(&str, &str)], expected: (u16, &str)| {
        let answer = server.call_with(Method::POST, path, token, Some(&body), headers).await;
        let answer = answer.expect("an answer");
        assert_eq!((answer.status.as_u16(), answer.problem()), expected, "{}", answer.body);
    };
    check(&path, json!({"13800001234": 1}), &[], (422, "invalid-form")).await;
    check(&path, json!([1]), &[], (400, "bad-request")).await;
    check(&path, json!({}), &[("if-match", "\"99\"")], (412, "stale-revision")).await;
    check(&path, json!({}), &[("if-match", "x")], (400, "bad-request")).await;
    check(&path, json!({}), &[("idempotency-key", "with space")], (400, "bad-request")).await;
    let dispatch = format!("/v1/tickets/{number}/actions/dispatch");
    check(&dispatch, json!({"agency": OWN}), &[], (409, "wrong-step")).await;
    check(&dispatch, json!({"agency": "NOBODY"}), &[], (409, "wrong-step")).await;
    let fresh = review("R7", "matter", instant(START));
    let key = [("idempotency-key", "K7")];
    let mut numbers = Vec::new();
    for replayed in [false, true] {
        let answer = server.call_with(Method::POST, "/v1/reviews", token, Some(&fresh), &key).await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status.as_u16(), 201);
        assert_eq!(answer.headers.contains_key("idempotent-replayed"), replayed);
        numbers.push(answer.body["ticket_no"].as_str().expect("a number").to_owned());
    }
    assert_eq!(numbers[0], numbers[1]);
    let fresh = format!("/v1/tickets/{}/actions/dispatch", numbers[0]);
    check(&fresh, json!({"agency": "NOBODY"}), &[], (422, "invalid-form")).await;
    check(&fresh, json!({"agency": OWN}), &[], (200, "")).await;
    let duplicate = format!("/v1/tickets/{number}/actions/cancel_duplicate");
    for of in [number, "HCP20260709999999-1"] {
        check(&duplicate, json!({"duplicate_of": of}), &[], (422, "invalid-form")).await;
    }
    let sign = format!("/v1/tickets/{number}/actions/sign");
    check(&sign, json!({}), &[], (403, "not-permitted")).await;
    let none = format!("/v1/tickets/{number}/actions/nonsense");
    check(&none, json!({}), &[], (404, "unknown-action")).await;
    check("/v1/tickets/HCP1/actions/urge", json!({}), &[], (404, "not-found")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agency_that_gave_a_ticket_back_sees_its_own_part() {
    let (place, server, _) = house().await;
    let number = delivered(&place, &server, "R1", OWN).await;
    let first = place.token(Role::Agency, "a1", Some(OWN)).await;
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let act = async |action: &str, token: &str, body: Value| {
        let path = format!("/v1/tickets/{number}/actions/{action}");
        server.post(&path, token, &body).await.ok()
    };
    act("request_return", &first, json!({"reason": "不属于本单位职责"})).await;
    act("approve_return", &hotline, json!({})).await;
    act("dispatch", &hotline, json!({"agency": FOREIGN})).await;
    let path = format!("/v1/tickets/{number}");
    let former = server.get(&path, &first).await.ok();
    assert!(former["review"].is_null() && former["reviewer"].is_null(), "{former}");
    assert_ne!(former["agency"], FOREIGN);
    let deadlines = former["deadlines"].as_array().expect("deadlines");
    assert!(!deadlines.is_empty());
    assert!(deadlines.iter().all(|one| one["agency"] == OWN), "{former}");
    let history = server.get(&format!("{path}/history"), &first).await.ok();
    assert!(!history.to_string().contains(FOREIGN), "{history}");
    assert_eq!((&history["verified"], &history["next"]), (&json!(true), &Value::Null));
    let whole = server.get(&format!("{path}/history"), &hotline).await.ok();
    assert!(whole.to_string().contains(FOREIGN));
    // Nor how busy others are with it: what it sees stays as it was, and has nothing to compare.
    let second = place.token(Role::Agency, "a2", Some(FOREIGN)).await;
    act("sign", &second, json!({})).await;
    act("request_return", &second, json!({"reason": "不是本单位"})).await;
    let later = server.get(&path, &first).await;
    assert!(!later.headers.contains_key("etag"));
    assert_eq!(later.ok()["revision"], former["revision"]);
    for deadline in ["dispatch", "return_decision", "followup_window"] {
        let explained = format!("{path}/deadlines/{deadline}/explanation");
        let told = server.get(&explained, &first).await;
        assert_eq!(told.status, StatusCode::NOT_FOUND, "{deadline}");
    }
    let shown = server.get(&path, &second).await.ok();
    assert_eq!(shown["reviewer"]["name"], "张*三");
    assert!(
        shown["deadlines"]
            .as_array()
            .is_some_and(|all| all.iter().all(|one| one["name"] != "citizen"))
    );
    assert!(!shown.to_string().contains("19900000001"));
    // What the agency is not shown is not told by the history either.
    let history = server.get(&format!("{path}/history"), &second).await.ok();
    assert!(!history.to_string().contains("citizen") && history.to_string().contains("hidden"));
    let page = server.get(&format!("{path}/history?after=3&limit=2"), &second).await.ok();
    assert_eq!(page["events"].as_array().map(Vec::len), Some(2));
    assert_eq!((&page["verified"], &page["next"]), (&json!(true), &json!(5)));
    for beyond in ["10001", "9223372036854775808"] {
        let refused = server.get(&format!("{path}/history?after={beyond}"), &second).await;
        assert_eq!(refused.problem(), "invalid-form", "{beyond}");
    }
    let explained = format!("{path}/deadlines/dispatch/explanation");
    server.get(&explained, &second).await.ok();
    place.harm("UPDATE event SET bytes = hash WHERE seq = 2").await;
    place
        .harm("UPDATE event SET bytes = (SELECT bytes FROM event WHERE seq = 1) WHERE seq = 2")
        .await;
    let page = server.get(&format!("{path}/history?after=3&limit=2"), &second).await.ok();
    assert_eq!(page["verified"], false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_document_describes_every_route_and_the_docs_are_of_this_house() {
    let (_place, server, _) = house().await;
    let document = server.get("/openapi.json", "").await.ok();
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().expect("paths");
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().expect("operations") {
            assert!(operation["summary"].is_string(), "{method} {path}");
        }
    }
    let tags = document["tags"].as_array().expect("tags");
    let known = |tag: &Value| tags.iter().any(|one| one["name"] == *tag);
    let used =
        paths.values().flat_map(|one| one.as_object().into_iter().flat_map(|all| all.values()));
    assert!(used.into_iter().all(|operation| known(&operation["tags"][0])));
    let page = server.get("/docs/", "").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.body.to_string().contains("https://"), "{}", page.body);
    let nowhere = server.get("/v1/nowhere", "").await;
    assert_eq!((nowhere.status.as_u16(), nowhere.problem()), (404, "not-found"));
    let wrong = server.call(Method::DELETE, "/v1/reviews", "", None).await;
    assert_eq!((wrong.status.as_u16(), wrong.problem()), (405, "method-not-allowed"));
    let at: Instant = instant(START);
    assert!(at.ms() > 0);
}

/// What a clerk's or a program's mistake looks like is told apart from what was meant.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_queries_and_encodings_are_told() {
    let (place, server, _) = house().await;
    let hotline = place.token(Role::Hotline, "h1", None).await;
    for (query, says) in [
        ("limit=", "不能为空"),
        ("limit=1&limit=2", "limit 写了不止一次"),
        ("agency=SZ013&agency=SZ007", "agency 写了不止一次"),
        ("q=%ff", "UTF-8"),
        ("q=%C5%C5%B6%D3", "UTF-8"),
    ] {
        let refused = server.get(&format!("/v1/tickets?{query}"), &hotline).await;
        assert_eq!(refused.problem(), "bad-request", "{query}: {}", refused.body);
        assert!(refused.body.to_string().contains(says), "{query}: {}", refused.body);
    }
    server.get("/v1/tickets?q=%E6%8E%92", &hotline).await.ok();
    // What nobody has would look as if nothing were overdue.
    for list in ["tickets?", "board?", "deadlines?", "forecast?until=2026-12-31T00:00:00%2B08:00&"]
    {
        for filter in ["agency=", "agency=SZ999", "agency=%20SZ013", "district=", "district=999999"]
        {
            let refused = server.get(&format!("/v1/{list}{filter}"), &hotline).await;
            assert_eq!(refused.problem(), "invalid-form", "{list}{filter}: {}", refused.body);
        }
    }
    // What is not known must not look as if it had been heeded.
    for (path, body) in [
        ("/v1/tickets/HCP20260302000001-3/actions/urge?dry_run=true", json!({})),
        ("/v1/tickets/actions/urge?dry_run=true", json!({"items": []})),
        ("/v1/reviews?dry_run=true", json!({})),
        ("/v1/deadlines/compute?explain=true", json!({"received": START, "within": "10wd"})),
    ] {
        let refused = server.post(path, &hotline, &body).await;
        assert_eq!(refused.problem(), "bad-request", "{path}: {}", refused.body);
    }
    for path in ["/v1/workflows?version=1", "/v1/workflows/matter?version=1", "/v1/calendars?x=1"] {
        assert_eq!(server.get(path, &hotline).await.problem(), "bad-request", "{path}");
    }
    for (kind, status) in [
        ("application/json", 200),
        ("application/json; charset=UTF-8", 200),
        ("application/json;charset=\"utf-8\"", 200),
        ("application/json; charset=gbk", 415),
        ("text/json", 415),
    ] {
        let body = json!({"received": START, "within": "10wd"});
        let headers = [("content-type", kind)];
        let path = "/v1/deadlines/compute";
        let answer = server.call_with(Method::POST, path, &hotline, Some(&body), &headers).await;
        assert_eq!(answer.expect("an answer").status.as_u16(), status, "{kind}");
    }
    let body = json!({"received": START, "within": "10wd"});
    let packed = [("content-type", "application/json"), ("content-encoding", "gzip")];
    let path = "/v1/deadlines/compute";
    let answer = server.call_with(Method::POST, path, &hotline, Some(&body), &packed).await;
    assert_eq!(answer.expect("an answer").status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

/// Of two tickets one stays, however many people close each as the duplicate of the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tickets_are_not_each_other_s_duplicates() {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", "2026-03-02T10:00:00+08:00"]);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    for pair in 0..10 {
        let mut numbers = Vec::new();
        for one in 0..2 {
            let at = instant("2026-03-02T10:00:00+08:00");
            let body = review(&format!("R{pair}-{one}"), "matter", at);
            let accepted = server.post("/v1/reviews", &hotline, &body).await.ok();
            numbers.push(accepted["ticket_no"].as_str().expect("a number").to_owned());
        }
        let close = async |own: usize| {
            let path = format!("/v1/tickets/{}/actions/cancel_duplicate", numbers[own]);
            let form = json!({"duplicate_of": numbers[1 - own]});
            server.post(&path, &hotline, &form).await.status.is_success()
        };
        let (one, other) = tokio::join!(close(0), close(1));
        assert!(one != other, "{pair}: {one} {other}");
    }
}

/// What pages and other callers say to people: each event as a sentence, what is expected next, and
/// what the days of a year are called.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happened_and_what_is_expected_is_told() {
    let (place, server, admin) = house().await;
    let number = delivered(&place, &server, "R1", OWN).await;
    let agency = place.token(Role::Agency, "a1", Some(OWN)).await;
    let path = |rest: &str| format!("/v1/tickets/{number}{rest}");
    let expected = async || {
        let listed = server.get(&path("/actions"), &agency).await.ok();
        let actions = listed["actions"].as_array().expect("actions").clone();
        let mut expected = actions.iter().filter(|one| one["expected"] == true);
        let first = expected.next().map(|one| one["action"].clone());
        assert!(expected.next().is_none(), "{actions:?}");
        first
    };
    assert_eq!(expected().await, Some(json!("sign")));
    server.post(&path("/actions/sign"), &agency, &json!({})).await.ok();
    // It could be given back still, but is expected to be worked on.
    assert_eq!(expected().await, Some(json!("record_contact")));
    let told = server.get(&path("/history"), &agency).await.ok();
    let events = told["events"].as_array().expect("events");
    let is_told = |one: &Value| one["text"].as_str().is_some_and(|text| !text.is_empty());
    assert!(events.iter().all(|one| is_told(one) != (one["hidden"] == true)), "{events:?}");
    assert_eq!(events[0]["text"], "收到差评，生成工单，进入“待转办”");
    // Three working days are over at the end of Thursday; on Monday it is two more.
    server.advance(&admin, instant("2026-03-09T09:00:00+08:00")).await;
    let ticket = server.get(&path(""), &agency).await.ok();
    let all = ticket["deadlines"].as_array().expect("deadlines");
    let contact = all.iter().find(|one| one["name"] == "contact").expect("contact");
    assert_eq!((&contact["overdue_working_days"], &contact["light"]), (&json!(2), &json!("red")));
    let year = server.get("/v1/calendars/2026", &agency).await.ok();
    let named = year["named"].as_array().expect("days");
    let of = |day: &str| named.iter().find(|one| one["day"] == day).expect(day);
    assert_eq!(
        (&of("2026-02-14")["holiday"], &of("2026-02-14")["working"]),
        (&json!("春节"), &json!(true))
    );
    assert_eq!(
        (&of("2026-02-16")["notice"], &of("2026-02-16")["working"]),
        (&json!("国办发明电〔2025〕7号"), &json!(false))
    );
    let year = server.get("/v1/calendars/2027", &agency).await.ok();
    let first = &year["named"][0];
    assert_eq!((&first["day"], &first["notice"]), (&json!("2027-01-01"), &Value::Null));
}
