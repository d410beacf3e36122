//! Whoever sees one district sees its tickets on every page, and of other districts nothing.

use duban_core::role::Role;
use reqwest::StatusCode;
use serde_json::json;

use crate::browser::Browser;
use crate::lives::instant;
use crate::pages::{House, OWN};
use crate::served::review;

/// The district of tickets as tests make them.
const HERE: &str = "440304";
const THERE: &str = "440305";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_district_is_all_that_its_people_see() {
    let house = House::new().await;
    let here = house.ticket("R1", OWN).await;
    let mut body = review("R2", "matter", instant("2026-03-02T10:00:00+08:00"));
    body["district"] = json!(THERE);
    let accepted = house.server.post("/v1/reviews", &house.hotline, &body).await.ok();
    let there = accepted["ticket_no"].as_str().expect("a number").to_owned();
    let act = format!("/v1/tickets/{there}/actions/dispatch");
    house.server.post(&act, &house.hotline, &json!({"agency": OWN})).await.ok();
    // Both are overdue, with cards.
    let admin = house.place.token(Role::SystemAdmin, "ops", None).await;
    house.server.advance(&admin, instant("2026-03-20T10:00:00+08:00")).await;
    let expires = instant("2099-01-01T00:00:00+08:00");
    for role in [Role::Supervisor, Role::Hotline, Role::Auditor, Role::Approver] {
        let token =
            house.place.token_of(role, &format!("d_{role}"), None, Some(HERE), expires).await;
        let mut browser = Browser::of(&house.server);
        browser.enter(&token).await.expect("in");
        let lists = [
            "/board",
            "/board?by=district",
            "/tickets",
            "/tickets?q=HCP",
            "/tonight",
            "/desk",
            "/registers/cards",
            "/registers/overdue",
            "/compare",
            "/export/tickets.csv",
            "/export/cards.csv",
            "/export/overdue.csv",
        ];
        for path in lists {
            let answer = browser.get(path).await;
            assert_eq!(answer.status(), StatusCode::OK, "{role} {path}");
            let page = answer.text().await.expect("a page");
            assert!(!page.contains(&there), "{role} {path}: {page}");
        }
        assert!(browser.text("/tickets").await.contains(&here), "{role}");
        assert!(browser.text("/registers/overdue").await.contains(&here), "{role}");
        for path in ["", "/why/contact", "/reviewer"] {
            let own = browser.get(&format!("/tickets/{here}{path}")).await.status();
            let may = role != Role::Approver || path != "/reviewer";
            assert_eq!(
                own,
                if may { StatusCode::OK } else { StatusCode::FORBIDDEN },
                "{role} {path}"
            );
            let foreign = browser.get(&format!("/tickets/{there}{path}")).await.status();
            let says = if may { StatusCode::NOT_FOUND } else { StatusCode::FORBIDDEN };
            assert_eq!(foreign, says, "{role} {path}");
        }
        // Asked for by name, the other one is refused.
        let asked = browser.get(&format!("/tickets?district={THERE}")).await;
        assert!(asked.status().is_client_error(), "{role}: {}", asked.status());
        assert!(!asked.text().await.expect("a page").contains(&there));
    }
}
