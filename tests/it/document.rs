//! The document says what is there: the example of each operation, sent for real by somebody who
//! may, is understood; and every answer is one that the document describes, field by field.

use std::collections::BTreeMap;

use duban_core::role::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::lives::instant;
use crate::served::{Answer, Place, Server, review};

const START: &str = "2026-03-04T09:10:00+08:00";

/// Fields of examples that name what is not there in this house.
const NOT_THERE: &[&str] = &["/duplicate_of", "/card"];

/// A server with a ticket in the middle of its life, and the document that it serves.
struct World {
    _place: Place,
    server: Server,
    tokens: BTreeMap<Role, String>,
    document: Value,
    ticket: String,
    /// What stands for the ids of examples.
    ids: BTreeMap<&'static str, String>,
}

impl World {
    async fn new() -> Self {
        let place = Place::new().await;
        let server = place.serve(&["--clock", "simulated", "--start-at", START]);
        let mut tokens = BTreeMap::new();
        for role in Role::ALL.iter().copied().filter(|role| *role != Role::System) {
            let agency = role.is_bound_to_agency().then_some("SZ013");
            tokens.insert(role, place.token(role, &format!("one_{role}"), agency).await);
        }
        let taken = review("R1", "matter", instant("2026-03-04T09:00:00+08:00"));
        let accepted = server.post("/v1/reviews", &tokens[&Role::Intake], &taken).await.ok();
        let ticket = accepted["ticket_no"].as_str().expect("a number").to_owned();
        let path = format!("/v1/tickets/{ticket}");
        let hotline = &tokens[&Role::Hotline];
        let dispatch = format!("{path}/actions/dispatch");
        server.post(&dispatch, hotline, &json!({"agency": "SZ013"})).await.ok();
        let kept =
            server.upload(&format!("{path}/attachments"), hotline, "text/plain", b"abc").await.ok();
        let outbox = server.get("/v1/outbox", &tokens[&Role::SystemAdmin]).await.ok();
        let text = |value: &Value| value.as_str().expect("an id").to_owned();
        let ids = BTreeMap::from([
            ("attachments", text(&kept["attachment"]["id"])),
            ("outbox", text(&outbox["messages"][0]["id"])),
        ]);
        let document = server.get("/openapi.json", "").await.ok();
        Self { _place: place, server, tokens, document, ticket, ids }
    }

    /// The example of an operation as a request: path, type and body.
    fn request(&self, path: &str, operation: &Value) -> (String, Option<(String, Value)>) {
        let (mut path, mut query) = (path.to_owned(), Vec::new());
        let before = path.split("/{id}").next().unwrap_or_default();
        let kind = before.rsplit('/').next().unwrap_or_default().to_owned();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().expect("a name");
            let example = match &parameter["example"] {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            match (parameter["in"].as_str(), name) {
                (Some("path"), "ticket_no") => path = path.replace("{ticket_no}", &self.ticket),
                (Some("path"), "id") => {
                    let id = self.ids.get(kind.as_str()).cloned().unwrap_or(example);
                    path = path.replace("{id}", &id);
                }
                (Some("path"), _) => path = path.replace(&format!("{{{name}}}"), &example),
                (Some("query"), _) if parameter["required"] == true => {
                    query.push(format!("{name}={}", example.replace('+', "%2B")));
                }
                _ => {}
            }
        }
        if !query.is_empty() {
            path = format!("{path}?{}", query.join("&"));
        }
        let content = operation["requestBody"]["content"].as_object();
        let body = content.into_iter().flatten().find_map(|(kind, content)| {
            let named = content["schema"]["$ref"].as_str().map(|name| &name[1..]);
            let of_schema = named.and_then(|at| self.document.pointer(at));
            let example =
                [&content["example"], of_schema.map_or(&Value::Null, |one| &one["example"])];
            let example = example.into_iter().find(|one| !one.is_null())?;
            Some((kind.clone(), example.clone()))
        });
        (path, body)
    }

    async fn send(&self, method: &str, path: &str, operation: &Value, token: &str) -> Answer {
        let (path, body) = self.request(path, operation);
        let method: Method = method.to_uppercase().parse().expect("a method");
        match body {
            Some((kind, body)) if kind != "application/json" => {
                let body = body.as_str().expect("text").as_bytes().to_vec();
                self.server.upload(&path, token, &kind, &body).await
            }
            Some((_, body)) => self.server.call(method, &path, token, Some(&body)).await,
            None => self.server.call(method, &path, token, None).await,
        }
    }

    /// What is wrong with an answer, by the document.
    fn faults(&self, operation: &Value, answer: &Answer) -> Vec<String> {
        let mut response = &operation["responses"][answer.status.as_str()];
        if let Some(named) = response["$ref"].as_str() {
            response = self.document.pointer(&named[1..]).expect("a response");
        }
        if response.is_null() {
            return vec![format!("{} is not described", answer.status)];
        }
        let kind = answer.headers.get("content-type").map(|kind| kind.to_str().expect("text"));
        let Some(kind) = kind.map(|kind| kind.split(';').next().unwrap_or_default()) else {
            return Vec::new();
        };
        let schema = &response["content"][kind]["schema"];
        if schema.is_null() {
            return vec![format!("{} {kind} is not described", answer.status)];
        }
        if !kind.ends_with("json") {
            return Vec::new();
        }
        let whole = json!({"allOf": [schema], "components": self.document["components"]});
        let schema =
            jsonschema::options().should_validate_formats(true).build(&whole).expect("a schema");
        let faults = schema.iter_errors(&answer.body);
        faults.map(|fault| format!("{} {fault}", fault.instance_path())).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_example_is_understood_and_every_answer_is_described() {
    let world = World::new().await;
    let paths = world.document["paths"].as_object().expect("paths");
    let (mut sent, mut refused) = (0, 0);
    for (path, item) in paths {
        for (method, operation) in item.as_object().expect("operations") {
            if path == "/v1/clock/advance" {
                continue;
            }
            let mut good = None;
            for (role, token) in &world.tokens {
                let answer = world.send(method, path, operation, token).await;
                let faults = world.faults(operation, &answer);
                assert!(faults.is_empty(), "{role} {method} {path}: {faults:?}: {}", answer.body);
                sent += 1;
                if answer.status.is_success() {
                    good = Some(answer.status);
                    continue;
                }
                refused += 1;
                // It may not be his, or not the time for it; but it was understood.
                let status = answer.status.as_u16();
                let field = answer.body["errors"][0]["field"].as_str().unwrap_or_default();
                let is_known = matches!(status, 403 | 404 | 409)
                    || (status == 422 && NOT_THERE.contains(&field));
                assert!(is_known, "{role} {method} {path}: {status} {}", answer.body);
            }
            let is_action = operation["tags"][0] == "actions" || path.contains("{action}");
            let is_invented = path.ends_with("/retry") || method == "delete";
            assert!(good.is_some() || is_action || is_invented, "{method} {path}");
        }
    }
    // The clock last: whatever comes after it would come too late.
    let advance = &paths["/v1/clock/advance"]["post"];
    let admin = &world.tokens[&Role::SystemAdmin];
    let answer = world.send("post", "/v1/clock/advance", advance, admin).await;
    assert_eq!(world.faults(advance, &answer), [] as [String; 0]);
    assert!(answer.status.is_success(), "{}", answer.body);
    // The ticket's whole life is described too: cards, rungs, what was moved.
    for tail in ["", "/history", "/forecast", "/deadlines/completion/explanation", "/actions"] {
        let path = format!("/v1/tickets/{{ticket_no}}{tail}").replace("/completion/", "/{name}/");
        let operation = &paths[&path]["get"];
        let answer = world.send("get", &path, operation, &world.tokens[&Role::Auditor]).await;
        assert_eq!(world.faults(operation, &answer), [] as [String; 0], "{path}");
    }
    assert!(sent > 600 && refused > 100, "{sent} {refused}");
}
