//! The real process, killed in the middle and watched at midnight: nothing that was acknowledged is
//! lost or doubled, and the stamp alone says who was in time.

mod killed;
mod midnight;
mod postgres;
mod proxy;
#[path = "../it/served.rs"]
#[expect(dead_code, reason = "the tests of the API use the rest of it")]
mod served;

use duban::clock::wall;
use duban_core::role::Role;
use duban_core::time::Instant;
use futures::stream::{self, StreamExt};
use serde_json::json;
use served::{Place, Server, review};

/// When the tickets of these tests come in: contact is due at 24:00 on 5 March.
pub(crate) const START: &str = "2026-03-02T10:00:00+08:00";

pub(crate) const AGENCY: &str = "SZ013";

/// Requests that are under way at once.
pub(crate) const AT_ONCE: usize = 40;

pub(crate) fn instant(text: &str) -> Instant {
    text.parse().expect("an instant")
}

/// The flag that makes the system's clock show an instant.
pub(crate) fn offset(at: Instant) -> String {
    (at.ms() - wall().ms()).to_string()
}

/// So many tickets, delivered to the agency; their numbers. The server is gone afterwards.
pub(crate) async fn delivered(place: &Place, tickets: usize, signed: bool) -> Vec<String> {
    let hotline = place.token(Role::Hotline, "h0", None).await;
    let agency = place.token(Role::Agency, "a0", Some(AGENCY)).await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let at = instant(START);
    let lines: Vec<String> =
        (0..tickets).map(|nr| review(&format!("S{nr}"), "matter", at).to_string()).collect();
    let path = format!("{}/v1/reviews/batch", server.address);
    let answer = server.client.post(path).bearer_auth(&hotline).body(lines.join("\n")).send().await;
    let text = answer.expect("an answer").text().await.expect("text");
    let number = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        line["ticket_no"].as_str().expect("a number").to_owned()
    };
    let numbers: Vec<String> = text.lines().map(number).collect();
    assert_eq!(numbers.len(), tickets);
    let each = numbers.iter().map(|number| deliver(&server, &hotline, &agency, number, signed));
    stream::iter(each).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    assert_eq!(server.stop(), Some(0));
    numbers
}

async fn deliver(server: &Server, hotline: &str, agency: &str, number: &str, signed: bool) {
    let path = format!("/v1/tickets/{number}/actions");
    let form = json!({"agency": AGENCY});
    server.post(&format!("{path}/dispatch"), hotline, &form).await.ok();
    if signed {
        server.post(&format!("{path}/sign"), agency, &json!({})).await.ok();
    }
}
