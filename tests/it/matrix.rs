//! Who may call what: every operation of the policy table, by every role, about a ticket of his own
//! and one that is foreign to him; and that nothing foreign shows in what he is answered.

use duban::clock::wall;
use duban::http::policy::{Endpoint, Scope, is_of_the_house, scope};
use duban_core::role::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::lives::instant;
use crate::served::{Answer, Place, Server, review};

const START: &str = "2026-03-02T10:00:00+08:00";

/// A ticket that is a caller's own, or foreign to him.
#[derive(Clone, Debug)]
struct Ticket {
    number: String,
    agency: &'static str,
    district: &'static str,
}

/// An operation, called.
struct Call {
    endpoint: Endpoint,
    method: Method,
    path: String,
    body: Option<Value>,
    /// Whether it is about a foreign ticket.
    is_foreign: bool,
}

/// Everybody who can be a caller.
struct Who {
    role: Role,
    token: String,
    /// The district that the token is bound to.
    is_bound: bool,
}

/// What an operation is called with. Nothing of it changes a ticket; a look at the reviewer is
/// recorded.
fn sample(operation: &str) -> (&str, Option<Value>) {
    let none = || Some(json!({}));
    match operation {
        "POST /v1/reviews" => {
            let mut good = review("R9", "matter", instant(START));
            good["level"] = json!("satisfied");
            ("", Some(good))
        }
        "POST /v1/deadlines/compute" => ("", Some(json!({"received": START, "within": "10wd"}))),
        "POST /v1/tickets/{ticket_no}/reviewer" => ("", Some(json!({"purpose": "contact"}))),
        "POST /v1/tokens" => ("", Some(json!({"role": "hotline", "subject": "x", "days": 0}))),
        "POST /v1/clock/advance" => ("", Some(json!({"by": "-1d"}))),
        "POST /v1/tickets/actions/{action}" => {
            let items = json!([{"ticket_no": "HCP20260302000099-1"}]);
            ("", Some(json!({"items": items, "dry_run": true})))
        }
        "GET /v1/forecast" => ("?until=2026-12-31T00:00:00%2B08:00", None),
        "GET /v1/statistics" => ("?from=2026-01-01&until=2026-03-31", None),
        _ if operation.starts_with("POST ") => ("", none()),
        _ => ("", None),
    }
}

fn calls(tickets: &[(Ticket, bool)]) -> Vec<Call> {
    let mut calls = Vec::new();
    for endpoint in Endpoint::ALL {
        for operation in endpoint.operations() {
            let (method, template) = operation.split_once(' ').expect("method and path");
            let (query, body) = sample(operation);
            let path = template
                .replace(
                    "{name}",
                    if template.contains("deadlines") { "completion" } else { "matter" },
                )
                .replace("{year}", "2026")
                .replace("{action}", "no_such_action")
                .replace("{id}", "x");
            let about: &[(Ticket, bool)] =
                if path.contains("{ticket_no}") { tickets } else { &tickets[..1] };
            calls.extend(about.iter().map(|(ticket, is_foreign)| Call {
                endpoint: *endpoint,
                method: method.parse().expect("a method"),
                path: format!("{}{query}", path.replace("{ticket_no}", &ticket.number)),
                body: body.clone(),
                is_foreign: *is_foreign,
            }));
        }
    }
    calls
}

async fn ask(server: &Server, call: &Call, token: &str) -> Answer {
    server.call(call.method.clone(), &call.path, token, call.body.as_ref()).await
}

async fn ticket(
    server: &Server,
    hotline: &str,
    review_id: &str,
    agency: &'static str,
    district: &'static str,
) -> Ticket {
    let mut body = review(review_id, "matter", instant(START));
    body["district"] = json!(district);
    let accepted = server.post("/v1/reviews", hotline, &body).await.ok();
    let number = accepted["ticket_no"].as_str().expect("a number").to_owned();
    let path = format!("/v1/tickets/{number}/actions/dispatch");
    server.post(&path, hotline, &json!({"agency": agency})).await.ok();
    Ticket { number, agency, district }
}

async fn everybody(place: &Place) -> Vec<Who> {
    let until = wall().plus_ms(3_600_000);
    let mut all = Vec::new();
    for role in Role::ALL.iter().copied().filter(|role| *role != Role::System) {
        let agency = role.is_bound_to_agency().then_some("SZ013");
        let token = place.token(role, &format!("one_{role}"), agency).await;
        all.push(Who { role, token, is_bound: false });
        if role.can_be_bound_to_district() {
            let name = format!("bound_{role}");
            let token = place.token_of(role, &name, None, Some("440304"), until).await;
            all.push(Who { role, token, is_bound: true });
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_may_what_the_table_says_and_nothing_else() {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let own = ticket(&server, &hotline, "R1", "SZ013", "440304").await;
    let foreign = ticket(&server, &hotline, "R2", "SZ007", "440305").await;
    let calls = calls(&[(own, false), (foreign.clone(), true)]);
    let expired = place.token_until(Role::Supervisor, "old", None, wall()).await;
    for call in &calls {
        for token in ["", "duban_nonsense", expired.as_str()] {
            let answer = ask(&server, call, token).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{} {}", call.method, call.path);
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
    }
    let mut allowed = 0;
    for who in everybody(&place).await {
        for call in &calls {
            let answer = ask(&server, call, &who.token).await;
            let (status, role) = (answer.status, who.role);
            let what = format!("{role} {} {} {}", who.is_bound, call.method, call.path);
            let open = scope(role, call.endpoint);
            let is_narrow = open == Scope::Own || who.is_bound;
            if open == Scope::Nothing || (who.is_bound && is_of_the_house(call.endpoint)) {
                assert_eq!(status, StatusCode::FORBIDDEN, "{what}");
            } else if is_narrow && call.is_foreign {
                assert_eq!(status, StatusCode::NOT_FOUND, "{what}");
                assert_eq!(answer.problem(), "not-found", "{what}");
            } else {
                allowed += 1;
                // What a role may do on a ticket of some kind stands in its workflow.
                assert_ne!(answer.problem(), "forbidden", "{what}");
                assert_ne!(status, StatusCode::UNAUTHORIZED, "{what}");
                assert!(!status.is_server_error(), "{what}: {}", answer.body);
                // What is there is found; ids and actions of the test's own invention are not.
                let is_invented = ["/x", "no_such_action"].iter().any(|no| call.path.contains(no));
                assert!(is_invented || status != StatusCode::NOT_FOUND, "{what}: {}", answer.body);
            }
            // Everybody knows the register.
            if call.path != "/v1/register" && (open == Scope::Nothing || is_narrow) {
                let told = answer.body.to_string();
                for trace in [foreign.number.as_str(), foreign.agency, foreign.district] {
                    assert!(!told.contains(trace), "{what} shows {trace}: {told}");
                }
            }
        }
    }
    assert!(allowed > 200, "{allowed}");
}

/// What is foreign is not found by asking for it, and the answer is that of what is not there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_ticket_is_like_none() {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    ticket(&server, &hotline, "R1", "SZ013", "440304").await;
    let foreign = ticket(&server, &hotline, "R2", "SZ007", "440305").await;
    let agency = place.token(Role::Agency, "a1", Some("SZ013")).await;
    let until = wall().plus_ms(3_600_000);
    let bound = place.token_of(Role::Supervisor, "s1", None, Some("440304"), until).await;
    let nowhere = "HCP20260302000099-1";
    for token in [&agency, &bound] {
        for tail in [
            "",
            "/history",
            "/statements",
            "/actions",
            "/attachments",
            "/attachments/x",
            "/forecast",
            "/deadlines/contact/explanation",
        ] {
            let get = async |number: &str| {
                let answer = server.get(&format!("/v1/tickets/{number}{tail}"), token).await;
                (answer.status, answer.body)
            };
            assert_eq!(get(&foreign.number).await, get(nowhere).await, "{tail}");
        }
        let act = async |number: &str| {
            let path = format!("/v1/tickets/{number}/actions/sign");
            let answer = server.post(&path, token, &json!({})).await;
            (answer.status, answer.body)
        };
        assert_eq!(act(&foreign.number).await, act(nowhere).await);
        // Nor is it told apart where another ticket is named in a form.
        let own = server.get("/v1/tickets", token).await.ok()["tickets"][0]["ticket_no"].clone();
        let path = format!("/v1/tickets/{}/actions/cancel_duplicate", own.as_str().expect("one"));
        let same = async |number: &str| {
            let answer = server.post(&path, token, &json!({"duplicate_of": number})).await;
            (answer.status, answer.body)
        };
        assert_eq!(same(&foreign.number).await, same(nowhere).await);
        let listed = async |query: &str| server.get(query, token).await.ok()["tickets"].clone();
        for query in
            [format!("/v1/tickets?q={}", foreign.number), format!("/v1/tickets?q={nowhere}")]
        {
            assert_eq!(listed(&query).await, json!([]), "{query}");
        }
    }
}
