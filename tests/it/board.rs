//! The board and the lists, as supervisors and agencies meet them: what is counted is what is
//! listed, and nobody counts what he may not see.

use std::collections::BTreeMap;

use duban_core::role::Role;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::lives::instant;
use crate::served::{Place, Server, review};

/// A Wednesday; Thursday and Friday are working days.
const START: &str = "2026-03-04T10:00:00+08:00";

struct Town {
    place: Place,
    server: Server,
    supervisor: String,
    hotline: String,
    admin: String,
}

impl Town {
    async fn new() -> Self {
        let place = Place::new().await;
        let server = place.serve(&["--clock", "simulated", "--start-at", START]);
        let supervisor = place.token(Role::Supervisor, "s1", None).await;
        let hotline = place.token(Role::Hotline, "h1", None).await;
        let admin = place.token(Role::SystemAdmin, "ops", None).await;
        Self { place, server, supervisor, hotline, admin }
    }

    /// A review becomes a ticket of an agency, or stays with the hotline.
    async fn ticket(&self, id: &str, class: &str, district: &str, agency: Option<&str>) -> String {
        let mut body = review(id, class, instant(START));
        body["district"] = json!(district);
        let accepted = self.server.post("/v1/reviews", &self.hotline, &body).await.ok();
        let number = accepted["ticket_no"].as_str().expect("a number").to_owned();
        if let Some(agency) = agency {
            self.act(&number, &self.hotline, "dispatch", json!({"agency": agency})).await;
        }
        number
    }

    async fn act(&self, number: &str, token: &str, action: &str, form: Value) {
        let path = format!("/v1/tickets/{number}/actions/{action}");
        self.server.post(&path, token, &form).await.ok();
    }

    async fn board(&self, query: &str, token: &str) -> BTreeMap<String, Value> {
        let board = self.server.get(&format!("/v1/board{query}"), token).await.ok();
        let lines = board["lines"].as_array().expect("lines").iter();
        let all = lines.map(|line| (line["code"].as_str().unwrap_or("-").to_owned(), line.clone()));
        all.chain([("total".to_owned(), board["total"].clone())]).collect()
    }

    async fn listed(&self, query: &str, token: &str) -> Vec<String> {
        let page = self.server.get(&format!("/v1/tickets{query}"), token).await.ok();
        let tickets = page["tickets"].as_array().expect("tickets").iter();
        tickets.map(|one| one["ticket_no"].as_str().expect("a number").to_owned()).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_board_counts_what_the_lists_show() {
    let town = Town::new().await;
    town.ticket("R1", "matter", "440304", Some("SZ013")).await;
    let back = town.ticket("R2", "matter", "440305", Some("SZ013")).await;
    let told = town.ticket("R3", "staff", "440304", Some("SZ007")).await;
    let kept = town.ticket("R4", "matter", "440304", None).await;
    let agency = town.place.token(Role::Agency, "a1", Some("SZ013")).await;
    let other = town.place.token(Role::Agency, "a2", Some("SZ007")).await;
    let form = json!({"reason": "非本单位职责"});
    town.act(&back, &agency, "request_return", form).await;
    town.act(&told, &other, "sign", json!({})).await;
    let proof = json!({"served_at": START, "proof": "read_receipt"});
    town.act(&told, &other, "serve_notice", proof).await;

    let board = town.board("", &town.supervisor).await;
    assert_eq!(board["SZ013"]["open"], 2);
    assert_eq!(board["SZ013"]["returned"], 1);
    assert_eq!(board["SZ013"]["in_appeal"], 0);
    assert_eq!(board["SZ007"]["in_appeal"], 1);
    assert_eq!(board["-"]["open"], 1);
    assert_eq!(board["total"]["open"], 4);
    let there = town.board("?by=district", &town.supervisor).await;
    assert_eq!((&there["440304"]["open"], &there["440305"]["open"]), (&json!(3), &json!(1)));
    assert_eq!(there["440304"]["name"], "福田区");
    assert_eq!(there["440304"]["in_appeal"], 1);
    assert_eq!(town.listed("?window=appeal_window", &town.supervisor).await, [told]);
    assert_eq!(town.listed("?agency=none", &town.supervisor).await, [kept]);
    assert_eq!(town.listed("?district=none", &town.supervisor).await, [] as [&str; 0]);
    for query in ["?agency=none", "?agency=SZ007"] {
        let answer = town.server.get(&format!("/v1/tickets{query}"), &agency).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
    }
    let line = town.board("?agency=SZ013&district=440305", &town.supervisor).await;
    assert_eq!((line.len(), &line["SZ013"]["open"]), (2, &json!(1)));

    // Contact within three working days, or two: on the evening before, each is due in turn.
    let counts = async |at: &str| {
        town.server.advance(&town.admin, instant(at)).await;
        let own = town.board("", &town.supervisor).await["SZ013"].clone();
        ["due_today", "due_next_working_day", "overdue"].map(|name| own[name].as_u64().unwrap_or(9))
    };
    assert_eq!(counts("2026-03-05T18:00:00+08:00").await, [0, 0, 0]);
    assert_eq!(counts("2026-03-06T18:00:00+08:00").await, [0, 2, 0]);
    // On Saturday what is due on Monday is due the next working day.
    assert_eq!(counts("2026-03-07T18:00:00+08:00").await, [0, 2, 0]);
    assert_eq!(counts("2026-03-09T18:00:00+08:00").await, [2, 0, 0]);
    let today = "due_after=2026-03-09T18:00:00%2B08:00&due_before=2026-03-10T00:00:00%2B08:00";
    let listed = town.listed(&format!("?agency=SZ013&{today}"), &town.supervisor).await;
    assert_eq!(listed.len(), 2);
    assert_eq!(counts("2026-03-10T00:00:10+08:00").await, [0, 0, 2]);
    let listed = town.listed("?agency=SZ013&light=red", &town.supervisor).await;
    assert_eq!(listed.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_counts_what_he_may_not_see() {
    let town = Town::new().await;
    town.ticket("R1", "matter", "440304", Some("SZ013")).await;
    town.ticket("R2", "matter", "440305", Some("SZ007")).await;
    let agency = town.place.token(Role::Agency, "a1", Some("SZ013")).await;
    for query in ["", "?by=district"] {
        let board = town.board(query, &agency).await;
        assert_eq!((board.len(), &board["total"]["open"]), (2, &json!(1)), "{query}: {board:?}");
    }
    for query in ["?agency=SZ007", "?agency=SZ007&by=district"] {
        let asked = town.server.get(&format!("/v1/board{query}"), &agency).await;
        assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
    }
    let intake = town.place.token(Role::Intake, "i1", None).await;
    assert_eq!(town.server.get("/v1/board", &intake).await.status, StatusCode::FORBIDDEN);
    assert!(town.board("?district=440304", &agency).await.contains_key("SZ013"));
    assert!(!town.board("?district=440305", &agency).await.contains_key("SZ013"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filter_that_nobody_knows_is_refused_and_pages_lead_to_the_end() {
    let town = Town::new().await;
    let mut all = Vec::new();
    for id in 0..5 {
        all.push(town.ticket(&format!("R{id}"), "matter", "440304", Some("SZ013")).await);
    }
    for query in ["step=nowhere", "status=gone", "class=x", "flag=nobody", "light=blue", "sort=x"] {
        let asked = town.server.get(&format!("/v1/tickets?{query}"), &town.supervisor).await;
        assert!(asked.status.is_client_error(), "{query}: {}", asked.body);
        let told = asked.body["errors"][0]["message"].as_str().unwrap_or_default().to_owned();
        assert!(told.contains("取值应为"), "{query}: {}", asked.body);
    }
    for sort in ["newest", "oldest", "due"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/tickets?sort={sort}&limit=2&status=open{cursor}");
            let page = town.server.get(&path, &town.supervisor).await.ok();
            let tickets = page["tickets"].as_array().expect("tickets").iter();
            seen.extend(tickets.map(|one| one["ticket_no"].as_str().expect("one").to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        if sort == "newest" {
            seen.reverse();
        }
        assert_eq!(seen, all, "{sort}");
        // A page of one order leads nowhere in another.
        let other = if sort == "due" { "oldest" } else { "due" };
        let path = format!("/v1/tickets?sort={other}&limit=2{cursor}");
        let asked = town.server.get(&path, &town.supervisor).await;
        assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY, "{sort}");
    }
    let (mut seen, mut cursor) = (0, String::new());
    loop {
        let page = town.server.get(&format!("/v1/outbox?limit=3{cursor}"), &town.admin).await.ok();
        seen += page["messages"].as_array().expect("messages").len();
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let all = town.server.get("/v1/outbox?limit=200", &town.admin).await.ok();
    assert_eq!(seen, all["messages"].as_array().expect("messages").len());
    for list in ["outbox", "incidents", "tokens", "deadlines"] {
        let who = if list == "tokens" {
            &town.place.token(Role::SecurityAdmin, "sec", None).await
        } else if list == "deadlines" {
            &town.supervisor
        } else {
            &town.admin
        };
        let asked = town.server.get(&format!("/v1/{list}?cursor=eA"), who).await;
        assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY, "{list}: {}", asked.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_foretold_comes_about() {
    let town = Town::new().await;
    let number = town.ticket("R1", "matter", "440304", Some("SZ013")).await;
    town.ticket("R2", "staff", "440305", Some("SZ007")).await;
    let until = "2026-03-13T00:00:00+08:00";
    let path = format!("/v1/tickets/{number}/forecast");
    let query = format!("?until={}", until.replace('+', "%2B"));
    let foretold = town.server.get(&format!("{path}{query}"), &town.supervisor).await.ok();
    assert_eq!(foretold["complete"], true);
    let whole = town.server.get(&path, &town.supervisor).await.ok();
    assert!(whole["coming"].as_array().map(Vec::len) > foretold["coming"].as_array().map(Vec::len));
    let lights = town.server.get(&format!("/v1/forecast{query}"), &town.supervisor).await.ok();
    let agencies = lights["agencies"].as_array().expect("agencies");
    let told: Vec<_> =
        agencies.iter().map(|one| (one["agency"].as_str(), &one["yellow"], &one["red"])).collect();
    let one = json!(1);
    assert_eq!(told, [(Some("SZ007"), &one, &one), (Some("SZ013"), &one, &one)]);
    assert_eq!(lights["tickets"].as_array().map(Vec::len), Some(4));

    // Page by page it is the same.
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/forecast{query}&limit=1{cursor}");
        let page = town.server.get(&path, &town.supervisor).await.ok();
        paged.extend(page["tickets"].as_array().expect("tickets").iter().cloned());
        assert_eq!(page["agencies"], lights["agencies"]);
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(json!(paged), lights["tickets"]);

    // An agency is told of its own, and of no deadline that it is not shown.
    let agency = town.place.token(Role::Agency, "a1", Some("SZ013")).await;
    let own = town.server.get(&format!("/v1/forecast{query}"), &agency).await.ok();
    assert_eq!(own["agencies"].as_array().map(Vec::len), Some(1));
    assert_eq!(own["tickets"].as_array().map(Vec::len), Some(2));
    let shown = town.server.get(&path, &agency).await.ok().to_string();
    assert!(!shown.contains("citizen"), "{shown}");
    let foreign = town.place.token(Role::Agency, "a2", Some("SZ007")).await;
    assert_eq!(town.server.get(&path, &foreign).await.status, StatusCode::NOT_FOUND);
    let past = town.server.get(&format!("{path}?until=2026-03-01T00:00:00Z"), &agency).await;
    assert_eq!(past.status, StatusCode::UNPROCESSABLE_ENTITY);

    // Nobody acts, and it happens: the same events at the same instants, and everybody is told.
    let seen = |ticket: &Value| ticket["events"].as_array().expect("events").len();
    let history = format!("/v1/tickets/{number}/history");
    let before = seen(&town.server.get(&history, &town.supervisor).await.ok());
    town.server.advance(&town.admin, instant(until)).await;
    let happened = town.server.get(&history, &town.supervisor).await.ok();
    let happened = &happened["events"].as_array().expect("events")[before..];
    let happened: Vec<_> = happened.iter().map(|one| (&one["kind"], &one["at"])).collect();
    let coming = foretold["coming"].as_array().expect("coming");
    let expected: Vec<_> = coming.iter().map(|one| (&one["kind"], &one["at"])).collect();
    assert_eq!(happened, expected);
    let told: usize = coming.iter().map(|one| one["told"].as_array().expect("told").len()).sum();
    let sent = town.server.get(&format!("/v1/outbox?ticket_no={number}"), &town.admin).await.ok();
    let rungs = sent["messages"].as_array().expect("messages").iter();
    let rungs = rungs.filter(|one| one["about"].get("rung").is_some()).count();
    assert!(told > 0 && told == rungs, "{told} {rungs}");
}
