//! A ticket as it stood at an instant of the past (`?as_of=`).

use duban_core::role::Role;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::lives::instant;
use crate::served::{Answer, Caller, Place, review};

const START: &str = "2026-03-02T10:00:00+08:00";

async fn as_of(server: &Caller, number: &str, token: &str, at: &str) -> Answer {
    let at = at.replace('+', "%2B");
    server.get(&format!("/v1/tickets/{number}?as_of={at}"), token).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_past_is_shown_as_it_was_in_the_lights_of_then() {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let agency = place.token(Role::Agency, "a1", Some("SZ013")).await;
    let admin = place.token(Role::SystemAdmin, "ops", None).await;
    let body = review("R1", "matter", instant(START));
    let accepted = server.post("/v1/reviews", &hotline, &body).await.ok();
    let number = accepted["ticket_no"].as_str().expect("a number").to_owned();
    server.advance(&admin, instant("2026-03-02T11:00:00+08:00")).await;
    let dispatch = format!("/v1/tickets/{number}/actions/dispatch");
    server.post(&dispatch, &hotline, &json!({"agency": "SZ013"})).await.ok();
    // The contact's last day is Thursday, the 5th.
    server.advance(&admin, instant("2026-03-06T10:00:00+08:00")).await;

    let check = async |at: &str, step: &str, light: Value, cards: usize| {
        let answer = as_of(&server, &number, &agency, at).await;
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
    let left = |view: &Value, name: &str| {
        let all = view["deadlines"].as_array().expect("deadlines").iter();
        all.filter(|one| one["name"] == name)
            .map(|one| one["remaining_working_days"].clone())
            .next()
    };
    assert_eq!(left(&late, "completion"), Some(json!(7)), "the 6th to the 16th");
    // As of now it is what it is, whoever asks.
    for token in [&agency, &hotline] {
        let now = server.get(&format!("/v1/tickets/{number}"), token).await.ok();
        let then = as_of(&server, &number, token, "2026-03-06T10:00:00+08:00").await.ok();
        assert_eq!(now, then);
    }

    let check = async |at: &str, status: u16| {
        let answer = as_of(&server, &number, &agency, at).await;
        assert_eq!(answer.status.as_u16(), status, "{at}: {}", answer.body);
        assert_eq!(answer.body["errors"][0]["field"], "/as_of", "{at}: {}", answer.body);
    };
    check("2026-03-06T10:00:00.001+08:00", 422).await;
    check("2026-03-02T09:59:59.999+08:00", 422).await;
    check("yesterday", 400).await;
    check("", 400).await;
    let foreign = place.token(Role::Agency, "a2", Some("SZ007")).await;
    assert_eq!(as_of(&server, &number, &foreign, START).await.status, StatusCode::NOT_FOUND);
}

/// An agency that gave its ticket back sees no further than that, at whatever instant.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_former_agency_sees_the_past_up_to_its_release_and_its_own_part_only() {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let former = place.token(Role::Agency, "a1", Some("SZ013")).await;
    let admin = place.token(Role::SystemAdmin, "ops", None).await;
    let body = review("R1", "matter", instant(START));
    let accepted = server.post("/v1/reviews", &hotline, &body).await.ok();
    let number = accepted["ticket_no"].as_str().expect("a number").to_owned();
    let act = async |token: &str, action: &str, form: Value| {
        server.post(&format!("/v1/tickets/{number}/actions/{action}"), token, &form).await.ok()
    };
    act(&hotline, "dispatch", json!({"agency": "SZ013"})).await;
    // Whatever the form asks for: the first of a list, or a sentence.
    let actions = server.get(&format!("/v1/tickets/{number}/actions"), &former).await.ok();
    let all = actions["actions"].as_array().expect("actions").clone();
    let form = all.iter().find(|one| one["action"] == "request_return").expect("open");
    let required: Vec<&str> = form["schema"]["required"]
        .as_array()
        .map(|all| all.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let mut filled = json!({});
    for field in required {
        let kind = &form["schema"]["properties"][field];
        filled[field] = kind["enum"].get(0).cloned().unwrap_or_else(|| json!("不属本单位"));
    }
    act(&former, "request_return", filled).await;
    act(&hotline, "approve_return", json!({})).await;
    server.advance(&admin, instant("2026-03-03T10:00:00+08:00")).await;
    act(&hotline, "dispatch", json!({"agency": "SZ007"})).await;
    server.advance(&admin, instant("2026-03-03T11:00:00+08:00")).await;
    let view = as_of(&server, &number, &former, "2026-03-03T11:00:00+08:00").await.ok();
    assert!(!view.to_string().contains("SZ007"), "{view}");
    assert_eq!(view["step"], "pending_dispatch");
    assert_eq!((&view["review"], &view["reviewer"]), (&Value::Null, &Value::Null));
    let whole = as_of(&server, &number, &hotline, "2026-03-03T11:00:00+08:00").await.ok();
    assert_eq!(whole["agency"], "SZ007");
}
