//! A ticket as it stood at an instant of the past (`?as_of=`).

use duban::clock::wall;
use duban_core::role::Role;
use duban_core::time::Instant;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::lives::instant;
use crate::served::{Answer, Place, Server, review};

const START: &str = "2026-03-02T10:00:00+08:00";

/// A server with one ticket, and who looks at it.
struct Setting {
    place: Place,
    server: Server,
    hotline: String,
    /// Of SZ013.
    agency: String,
    admin: String,
    path: String,
}

impl Setting {
    async fn simulated() -> Self {
        Self::new(&["--clock", "simulated", "--start-at", START], instant(START)).await
    }

    async fn new(flags: &[&str], reviewed_at: Instant) -> Self {
        let place = Place::new().await;
        let server = place.serve(flags);
        let hotline = place.token(Role::Hotline, "h1", None).await;
        let agency = place.token(Role::Agency, "a1", Some("SZ013")).await;
        let admin = place.token(Role::SystemAdmin, "ops", None).await;
        let body = review("R1", "matter", reviewed_at);
        let accepted = server.post("/v1/reviews", &hotline, &body).await.ok();
        let path = format!("/v1/tickets/{}", accepted["ticket_no"].as_str().expect("a number"));
        Self { place, server, hotline, agency, admin, path }
    }

    async fn as_of(&self, token: &str, at: &str) -> Answer {
        let path = format!("{}?as_of={}", self.path, at.replace('+', "%2B"));
        self.server.get(&path, token).await
    }

    async fn now(&self, token: &str) -> Value {
        self.server.get(&self.path, token).await.ok()
    }

    async fn act(&self, token: &str, action: &str, form: Value) {
        self.server.post(&format!("{}/actions/{action}", self.path), token, &form).await.ok();
    }

    async fn advance(&self, to: &str) {
        self.server.advance(&self.admin, instant(to)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_past_is_shown_as_it_was_in_the_lights_of_then() {
    let setting = Setting::simulated().await;
    let Setting { hotline, agency, .. } = &setting;
    setting.advance("2026-03-02T11:00:00+08:00").await;
    setting.act(hotline, "dispatch", json!({"agency": "SZ013"})).await;
    // The contact's last day is Thursday, the 5th.
    setting.advance("2026-03-06T10:00:00+08:00").await;

    let check = async |at: &str, step: &str, light: Value, cards: usize| {
        let answer = setting.as_of(agency, at).await;
        assert!(!answer.headers.contains_key("etag"), "{at}");
        let view = answer.ok();
        assert_eq!((&view["step"], &view["light"]), (&json!(step), &light), "{at}");
        assert_eq!(view["cards"].as_array().map(Vec::len), Some(cards), "{at}");
        assert_eq!(view["settled"], true, "{at}");
        view
    };
    let early = check(START, "pending_dispatch", Value::Null, 0).await;
    assert_eq!(early["agency"], Value::Null);
    check("2026-03-02T10:59:59.999+08:00", "pending_dispatch", Value::Null, 0).await;
    check("2026-03-02T11:00:00+08:00", "delivered", json!("green"), 0).await;
    check("2026-03-04T23:59:59.999+08:00", "delivered", json!("green"), 0).await;
    check("2026-03-05T00:00:00+08:00", "delivered", json!("yellow"), 0).await;
    check("2026-03-05T23:59:59.999+08:00", "delivered", json!("yellow"), 0).await;
    let late = check("2026-03-06T00:00:00+08:00", "delivered", json!("red"), 1).await;
    let mut deadlines = late["deadlines"].as_array().expect("deadlines").iter();
    let completion = deadlines.find(|one| one["name"] == "completion").expect("running");
    assert_eq!(completion["remaining_working_days"], 7, "the 6th to the 16th");
    // As of now it is what it is, whoever asks.
    for token in [agency, hotline] {
        let then = setting.as_of(token, "2026-03-06T10:00:00+08:00").await.ok();
        assert_eq!(then, setting.now(token).await);
    }

    let check = async |at: &str, status: u16| {
        let answer = setting.as_of(agency, at).await;
        assert_eq!(answer.status.as_u16(), status, "{at}: {}", answer.body);
        assert_eq!(answer.body["errors"][0]["field"], "/as_of", "{at}: {}", answer.body);
    };
    check("2026-03-06T10:00:00.001+08:00", 422).await;
    check("2026-03-02T09:59:59.999+08:00", 422).await;
    check("yesterday", 400).await;
    check("", 400).await;
    let foreign = setting.place.token(Role::Agency, "a2", Some("SZ007")).await;
    assert_eq!(setting.as_of(&foreign, START).await.status, StatusCode::NOT_FOUND);
}

/// Whoever was in time may still be on his way: until then the last instants are not settled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_just_been_may_still_change_and_says_so() {
    let setting = Setting::new(&[], wall().plus_ms(-60_000)).await;
    let received = setting.now(&setting.hotline).await["received_at"].clone();
    let received = received.as_str().expect("an instant");
    let then = setting.as_of(&setting.hotline, received).await.ok();
    assert_eq!((&then["received_at"], &then["settled"]), (&json!(received), &json!(false)));
}

/// An agency that gave its ticket back sees no further than that, at whatever instant.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_former_agency_sees_the_past_up_to_its_release_and_its_own_part_only() {
    let setting = Setting::simulated().await;
    let Setting { hotline, agency: former, .. } = &setting;
    setting.act(hotline, "dispatch", json!({"agency": "SZ013"})).await;
    setting.act(former, "request_return", json!({"reason": "不属本单位职责"})).await;
    setting.act(hotline, "approve_return", json!({})).await;
    setting.advance("2026-03-03T10:00:00+08:00").await;
    setting.act(hotline, "dispatch", json!({"agency": "SZ007"})).await;
    setting.advance("2026-03-03T11:00:00+08:00").await;
    let view = setting.as_of(former, "2026-03-03T11:00:00+08:00").await.ok();
    assert!(!view.to_string().contains("SZ007"), "{view}");
    assert_eq!(view["step"], "pending_dispatch");
    assert_eq!((&view["review"], &view["reviewer"]), (&Value::Null, &Value::Null));
    // Its clocks stood still when it gave the ticket back, now and at every instant since.
    setting.advance("2026-03-20T10:00:00+08:00").await;
    for at in
        ["2026-03-02T10:00:00+08:00", "2026-03-03T11:00:00+08:00", "2026-03-20T10:00:00+08:00"]
    {
        let view = setting.as_of(former, at).await.ok();
        let deadlines = view["deadlines"].as_array().expect("deadlines");
        assert!(!deadlines.is_empty() && deadlines.iter().all(|one| one["agency"] == "SZ013"));
        assert!(deadlines.iter().all(|one| one["state"] != "running"), "{at}: {view}");
        assert_eq!((&view["light"], &view["settled"]), (&Value::Null, &json!(true)), "{at}");
    }
    let now = setting.as_of(former, "2026-03-20T10:00:00+08:00").await.ok();
    assert_eq!(now["deadlines"], setting.now(former).await["deadlines"]);
    let whole = setting.as_of(hotline, "2026-03-03T11:00:00+08:00").await.ok();
    assert_eq!(whole["agency"], "SZ007");
}

/// An agency that gets a ticket back goes on with the periods that it had: of several of a name the one
/// that rules is explained, now and as of then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_date_that_rules_is_explained_now_and_then() {
    let setting = Setting::simulated().await;
    let Setting { place, server, hotline, agency, .. } = &setting;
    let other = place.token(Role::Agency, "a2", Some("SZ007")).await;
    let back = async |token: &str, to: &str| {
        setting.act(token, "request_return", json!({"reason": "不属于本单位职责"})).await;
        setting.act(hotline, "approve_return", json!({})).await;
        setting.act(hotline, "dispatch", json!({"agency": to})).await;
    };
    setting.act(hotline, "dispatch", json!({"agency": "SZ013"})).await;
    setting.advance("2026-03-03T10:00:00+08:00").await;
    back(agency, "SZ007").await;
    setting.advance("2026-03-04T10:00:00+08:00").await;
    back(&other, "SZ013").await;
    let running = |ticket: &Value| {
        let all = ticket["deadlines"].as_array().expect("deadlines").clone();
        let all =
            all.into_iter().find(|one| one["name"] == "completion" && one["state"] == "running");
        let one = all.expect("one that runs");
        (one["starts_at"].clone(), one["due_at"].clone())
    };
    let explained = async |token: &str, then: &str| {
        let path = format!("{}/deadlines/completion/explanation{then}", setting.path);
        let told = server.get(&path, token).await.ok();
        (told["starts_at"].clone(), told["due_at"].clone())
    };
    let then = "2026-03-04T09:00:00+08:00";
    for token in [hotline, agency] {
        assert_eq!(explained(token, "").await, running(&setting.now(token).await));
    }
    let was = running(&setting.as_of(hotline, then).await.ok());
    assert_ne!(was, running(&setting.now(hotline).await));
    let words = format!("?as_of={}", then.replace('+', "%2B"));
    assert_eq!(explained(hotline, &words).await, was);
    let future =
        format!("{}/deadlines/completion/explanation?as_of=2027-01-01T00:00:00Z", setting.path);
    assert_eq!(server.get(&future, hotline).await.problem(), "invalid-form");
}
