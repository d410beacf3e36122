//! A whole day by hand, as `docs/a-day.md` tells it: intake, hotline and agency do what they do
//! every day; and the same ticket left alone until the red card.

use duban_core::role::Role;
use serde_json::{Value, json};

use crate::lives::instant;
use crate::served::{Place, Server, review};

const START: &str = "2026-03-02T09:00:00+08:00";

struct Day {
    server: Server,
    _place: Place,
    intake: String,
    hotline: String,
    agency: String,
    admin: String,
}

impl Day {
    async fn begins() -> Self {
        let place = Place::new().await;
        let server = place.serve(&["--clock", "simulated", "--start-at", START]);
        let intake = place.token(Role::Intake, "shenzhen", None).await;
        let hotline = place.token(Role::Hotline, "h001", None).await;
        let agency = place.token(Role::Agency, "a001", Some("SZ013")).await;
        let admin = place.token(Role::SystemAdmin, "ops1", None).await;
        Self { server, _place: place, intake, hotline, agency, admin }
    }

    async fn arrives(&self) -> String {
        let body = review("R1", "matter", instant(START));
        let accepted = self.server.post("/v1/reviews", &self.intake, &body).await.ok();
        accepted["ticket_no"].as_str().expect("a number").to_owned()
    }

    /// Somebody does something at a time of the day, having asked what may be done.
    async fn does(&self, number: &str, at: &str, who: &str, action: &str, form: Value) -> Value {
        self.server.advance(&self.admin, instant(at)).await;
        let path = format!("/v1/tickets/{number}/actions");
        let open = self.server.get(&path, who).await.ok();
        let actions = open["actions"].as_array().expect("actions");
        assert!(actions.iter().any(|one| one["action"] == action), "{action}: {open}");
        self.server.post(&format!("{path}/{action}"), who, &form).await.ok()
    }
}

fn state<'t>(ticket: &'t Value, deadline: &str) -> &'t str {
    let deadlines = ticket["deadlines"].as_array().expect("deadlines");
    let run = deadlines.iter().rfind(|one| one["name"] == deadline).expect("the deadline");
    run["state"].as_str().expect("a state")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_the_review_to_the_callback_in_time() {
    let day = Day::begins().await;
    let number = day.arrives().await;
    let (hotline, agency) = (&day.hotline, &day.agency);
    let ticket = day.does(
        &number,
        "2026-03-02T09:20:00+08:00",
        hotline,
        "dispatch",
        json!({"agency": "SZ013"}),
    );
    assert_eq!(ticket.await["step"], "delivered");
    let ticket = day.does(&number, "2026-03-02T10:00:00+08:00", agency, "sign", json!({})).await;
    assert_eq!(ticket["step"], "contacting");
    let at = "2026-03-03T10:30:00+08:00";
    let form = json!({"outcome": "reached", "channel": "phone", "attempted_at": at});
    let ticket = day.does(&number, at, agency, "record_contact", form).await;
    assert_eq!((state(&ticket, "contact"), &ticket["step"]), ("met", &json!("verifying")));
    let form = json!({"finding": "valid", "summary": "情况属实", "handling": "immediate"});
    day.does(&number, "2026-03-04T16:00:00+08:00", agency, "conclude", form).await;
    let at = "2026-03-05T15:00:00+08:00";
    let form = json!({"measure": "补充办事指南", "done_at": at});
    day.does(&number, at, agency, "record_rectification", form).await;
    let informed = json!({"channel": "phone", "at": at, "outcome": "informed"});
    let form = json!({"result": "已整改并告知评价人", "reviewer_informed": informed});
    let ticket = day.does(&number, "2026-03-05T16:00:00+08:00", agency, "feed_back", form).await;
    assert_eq!((state(&ticket, "completion"), &ticket["step"]), ("met", &json!("fed_back")));
    day.does(&number, "2026-03-06T09:30:00+08:00", hotline, "accept_feedback", json!({})).await;
    let at = "2026-03-06T11:00:00+08:00";
    let form = json!({"rating": "satisfied", "channel": "phone", "called_at": at});
    let ticket = day.does(&number, at, hotline, "record_callback", form).await;
    assert_eq!((&ticket["step"], &ticket["outcome"]), (&json!("closed"), &json!("rectified")));
    assert_eq!(ticket["cards"], json!([]));
    let outbox = day.server.get(&format!("/v1/outbox?ticket_no={number}"), &day.admin).await.ok();
    let messages = outbox["messages"].as_array().expect("messages");
    assert!(messages.iter().any(|one| one["destination"] == "source:shenzhen"), "{outbox}");
    assert!(messages.iter().any(|one| one["destination"] == "agency:SZ013"), "{outbox}");
    assert!(messages.iter().all(|one| one["state"] == "delivered"), "{outbox}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_ticket_left_alone_until_the_red_card() {
    let day = Day::begins().await;
    let number = day.arrives().await;
    let form = json!({"agency": "SZ013"});
    day.does(&number, "2026-03-02T09:20:00+08:00", &day.hotline, "dispatch", form).await;
    let path = format!("/v1/tickets/{number}");
    // Contact is due at 24:00 on 5 March: warned a working day before, yellow at the end, red after
    // five working days more.
    for (at, light, cards) in [
        ("2026-03-04T23:59:59.999+08:00", "green", vec![]),
        ("2026-03-05T00:00:00+08:00", "yellow", vec![]),
        ("2026-03-05T23:59:59.999+08:00", "yellow", vec![]),
        ("2026-03-06T00:00:00+08:00", "red", vec!["yellow_card"]),
        ("2026-03-12T23:59:59.999+08:00", "red", vec!["yellow_card"]),
        ("2026-03-13T00:00:00+08:00", "red", vec!["yellow_card", "red_card"]),
    ] {
        day.server.advance(&day.admin, instant(at)).await;
        let ticket = day.server.get(&path, &day.hotline).await.ok();
        assert_eq!(ticket["light"], light, "{at}");
        let kinds: Vec<&str> = ticket["cards"]
            .as_array()
            .expect("cards")
            .iter()
            .filter(|card| card["deadline"] == "contact")
            .map(|card| card["kind"].as_str().expect("a kind"))
            .collect();
        assert_eq!(kinds, cards, "{at}");
    }
}
