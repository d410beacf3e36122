//! The same lives over HTTP: every scenario of the core, driven through the API with the simulated
//! clock, gives the same events but for what the house adds (identities, references, commitments,
//! hashes, when things were recorded).

use std::collections::BTreeMap;
use std::path::Path;

use duban::catalog::Source;
use duban::replay::House;
use duban::store::Attachment;
use duban::{clock, crypto};
use duban_core::digest::Hasher;
use duban_core::name::Name;
use duban_core::role::Role;
use duban_core::simulate::{Life, Scenario, Step, simulate};
use duban_core::time::Instant;
use serde_json::{Value, json};

use crate::replayed::every_decision;
use crate::served::{Place, Server, review};

/// Scenarios whose point is that something is recorded later than it arrived, or comes after what is
/// recorded already: with one clock that stands still in between that cannot be.
const NEED_TWO_CLOCKS: &[&str] = &["at_the_stamp_before", "overtaken"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_lives_the_same_life_over_http() {
    let folder = duban_shipped::folder("tests/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .collect();
    files.sort();
    assert!(files.len() > 40, "{}", files.len());
    let mut wrong = Vec::new();
    for four in files.chunks(4) {
        let played = four.iter().map(|file| play(file));
        for said in futures::future::join_all(played).await {
            wrong.extend(said);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Plays one scenario both ways; what differs.
async fn play(file: &Path) -> Option<String> {
    let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
    if NEED_TWO_CLOCKS.contains(&name.as_str()) {
        return None;
    }
    let text = std::fs::read_to_string(file).expect("readable");
    let mut scenario = Scenario::read(&name, &text).expect("a scenario");
    // duban itself archives when its time has come: nobody can ask for it.
    scenario.steps.retain(|step| step.by != Role::System);
    let (shelf, calendar) = (duban_shipped::shelf(), duban_shipped::calendar());
    let life = simulate(&shelf, &calendar, &scenario).expect("a life");
    let over_http = match served(&scenario, &life).await {
        Ok(events) => events,
        Err(said) => return Some(format!("{name}, {said}")),
    };
    let expected: Vec<Value> = life
        .history()
        .map(|event| serde_json::from_slice(&event.to_bytes()).expect("JSON"))
        .collect();
    let (expected, found) = (plain(&expected), plain(&over_http));
    let pairs = expected.iter().zip(&found);
    let first = pairs.clone().position(|(expected, found)| expected != found);
    match first {
        Some(place) => Some(format!(
            "{name}, event {}:\n  expected {}\n  over HTTP {}",
            place + 1,
            expected[place],
            found[place]
        )),
        None if expected.len() != found.len() => {
            let more = expected.get(found.len()).or(found.get(expected.len()));
            Some(format!("{name}: {} events, {} over HTTP: {more:?}", expected.len(), found.len()))
        }
        None => None,
    }
}

/// The life over HTTP; its history.
async fn served(scenario: &Scenario, life: &Life) -> Result<Vec<Value>, String> {
    let place = Place::new().await;
    let register = register(place.path());
    let start = scenario.received.to_string();
    let mut hotline: Vec<&str> = scenario.hotline_agencies.iter().map(Name::as_str).collect();
    if hotline.is_empty() && scenario.flags.iter().any(|flag| flag == "hotline_self") {
        hotline.push("SZ002");
    }
    let config = place.path().join("test.toml");
    std::fs::write(&config, format!("hotline_agencies = {hotline:?}\n")).expect("written");
    let flags = ["--clock", "simulated", "--start-at", &start, "--register", &register];
    let config = config.display().to_string();
    let flags = [&flags[..], &["--config", &config]].concat();
    let server = place.serve(&flags);
    let admin = place.token(Role::SystemAdmin, "admin", None).await;
    let auditor = place.token(Role::Auditor, "auditor", None).await;
    let number = opened(scenario, life, &place, &server).await;
    let mut tokens = BTreeMap::new();
    let mut steps: Vec<&Step> = scenario.steps.iter().collect();
    steps.sort_by_key(|step| step.at);
    for step in steps {
        server.advance(&admin, step.at).await;
        let shown = server.get(&format!("/v1/tickets/{number}"), &auditor).await.ok();
        let own = shown["agency"].as_str().filter(|_| step.by.is_bound_to_agency());
        let agency = step.agency.as_ref().map(Name::as_str).or(own);
        let who = (step.by, step.subject.clone(), agency.map(str::to_owned));
        if !tokens.contains_key(&who) {
            let token = place.token(step.by, step.subject.as_str(), agency).await;
            tokens.insert(who.clone(), token);
        }
        let mut step = step.clone();
        if step.form["evidence"][0]["sm3"].is_string() {
            uploaded(&place, &number, "text/plain", b"abc").await;
        }
        if step.refused.is_none() && step.form.get("duplicate_of").is_some() {
            // The other ticket, of which it is a duplicate, has to be there.
            let intake = place.token(Role::Intake, "intake", None).await;
            let other = review("R2", "matter", scenario.reviewed);
            let other = server.post("/v1/reviews", &intake, &other).await.ok();
            step.form["duplicate_of"] = other["ticket_no"].clone();
        }
        act(&server, &number, &step, &tokens[&who]).await?;
    }
    let last = life.history().last().map_or(scenario.received, |event| event.at);
    server.advance(&admin, last.max(scenario.steps.last().map_or(last, |step| step.at))).await;
    let house = House {
        calendars: Source::Embedded,
        workflows: Source::Embedded,
        hotline_agencies: hotline.iter().map(|code| Name::from(*code)).collect(),
    };
    let decided = every_decision(&place, &number, &house).await;
    assert_eq!(decided["open"], 1);
    let history = server.get(&format!("/v1/tickets/{number}/history"), &auditor).await.ok();
    assert_eq!(history["verified"], true);
    assert_eq!(history["next"], Value::Null);
    Ok(history["events"].as_array().expect("events").clone())
}

/// A file that is there without a word about it in the history.
async fn uploaded(place: &Place, number: &str, content_type: &str, bytes: &[u8]) {
    let mut hasher = Hasher::default();
    hasher.update(bytes);
    let ticket = place.store.ticket_of(number).await.expect("an answer").expect("a ticket");
    let attachment = Attachment {
        id: crypto::identity(),
        ticket,
        sm3: hasher.finish(),
        bytes: bytes.len() as u64,
        content_type: content_type.to_owned(),
        agency: None,
        uploaded_by: "scan".into(),
        uploaded_at: clock::wall(),
    };
    place.store.add_attachment(&attachment).await.expect("added");
}

async fn opened(scenario: &Scenario, life: &Life, place: &Place, server: &Server) -> String {
    let intake = place.token(Role::Intake, "intake", None).await;
    let class = life.turns.first().map(|turn| turn.instance.class.clone());
    let class = class.expect("a class");
    let mut body = review("R1", class.as_str(), scenario.reviewed);
    let has = |flag: &str| scenario.flags.iter().any(|one| one == flag);
    if has("anonymous") {
        body.as_object_mut().expect("an object").remove("reviewer");
    }
    if has("hotline_self") {
        let hotline = scenario.hotline_agencies.first().map_or("SZ002", Name::as_str);
        body["agency"] = json!(hotline);
    }
    let accepted = server.post("/v1/reviews", &intake, &body).await.ok();
    accepted["ticket_no"].as_str().expect("a number").to_owned()
}

async fn act(server: &Server, number: &str, step: &Step, token: &str) -> Result<(), String> {
    let path = format!("/v1/tickets/{number}/actions/{}", step.action);
    let revision = step.revision.map(|revision| format!("\"{revision}\""));
    let headers: Vec<(&str, &str)> =
        revision.iter().map(|revision| ("if-match", revision.as_str())).collect();
    let answer = server
        .call_with(reqwest::Method::POST, &path, token, Some(&step.form), &headers)
        .await
        .expect("an answer");
    let wanted = step.refused.as_deref();
    let refused = answer.status.is_client_error();
    if refused == wanted.is_some() && (refused || answer.status.is_success()) {
        return Ok(());
    }
    let said = if refused { answer.body.to_string() } else { String::new() };
    Err(format!("line {}: expected {wanted:?}, {} {said}", step.line, answer.status))
}

/// The register with an agency that one scenario invents.
fn register(folder: &Path) -> String {
    let from = duban_shipped::folder("src/catalog/register");
    let to = folder.join("register");
    std::fs::create_dir_all(&to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("the folder") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("readable");
        let more = "\"agencies\": [\n  {\"code\": \"SZ12345\", \"name\": \"热线\"},";
        let text = text.replacen("\"agencies\": [", more, 1);
        std::fs::write(to.join(path.file_name().expect("a name")), text).expect("written");
    }
    to.display().to_string()
}

/// Events without what the house adds.
fn plain(events: &[Value]) -> Vec<Value> {
    let one = |event: &Value| {
        let mut event = event.clone();
        let fields = event.as_object_mut().expect("an object");
        for key in ["hash", "recorded_at", "arrived_at", "text"] {
            fields.remove(key);
        }
        let data = fields.get_mut("data").and_then(Value::as_object_mut).expect("data");
        if data.contains_key("ticket") {
            for key in ["ticket", "district", "sealed", "rated"] {
                data.remove(key);
            }
        }
        if let Some(other) = data.get_mut("form").and_then(|form| form.get_mut("duplicate_of")) {
            *other = json!("another");
        }
        if let Some(sealed) = data.get_mut("sealed") {
            *sealed = json!("sealed");
        }
        event
    };
    events.iter().map(one).collect()
}

/// Instants are compared as text: one way of writing.
#[test]
fn instants_are_written_one_way() {
    let at: Instant = "2026-03-02T02:00:00Z".parse().expect("an instant");
    assert_eq!(at.to_string(), "2026-03-02T10:00:00+08:00");
}
