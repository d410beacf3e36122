//! A decision that was taken away is decided again anywhere: the same bytes, or where they differ;
//! and nobody is found in the file.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use duban::crypto;
use duban::replay::{
    Again, Asked, DecisionFile, Expected, ExportError, House, decide_again, of_event,
};
use duban::store::NewIncident;
use duban_core::role::Role;
use serde_json::{Value, json};

use crate::lives::instant;
use crate::served::{Place, review};

const START: &str = "2026-03-02T10:00:00+08:00";

/// Each decision of a life, taken away as a file and decided again, gives the same bytes: how many
/// there are of each kind.
pub(crate) async fn every_decision(
    place: &Place,
    number: &str,
    house: &House,
) -> BTreeMap<&'static str, usize> {
    let ticket = place.store.ticket_of(number).await.expect("an answer").expect("a ticket");
    let mut decided = BTreeMap::new();
    let mut seq = 1;
    loop {
        let (taken, again) = match of_event(&place.store, house, ticket, seq).await {
            Ok(taken) => taken,
            Err(ExportError::NoEvent(_)) => return decided,
            Err(error) => panic!("{number} {seq}: {error}"),
        };
        let file = serde_json::to_string(&taken).expect("JSON");
        let taken: DecisionFile = serde_json::from_str(&file).expect("a file");
        let Expected::Events(events) = &taken.expected else { panic!("{number} {seq}") };
        let count = events.len();
        let kind = match taken.command {
            Asked::Open { .. } => "open",
            Asked::Act { .. } => "act",
            Asked::Disclose { .. } => "disclose",
            Asked::Advance => "advance",
            Asked::Recompute { .. } => "recompute",
        };
        assert_eq!(again, Again::Same(count), "{number} {seq} {:?}", taken.command);
        assert_eq!(decide_again(&taken).expect("decided"), again);
        assert_eq!(taken.history.len() as u64 + 1, seq, "{number}: between two decisions");
        seq += count as u64;
        *decided.entry(kind).or_default() += 1;
    }
}

fn duban(place: &Place, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_duban"));
    command.args(args).env("DUBAN_DATABASE_URL", place.url()).current_dir(place.path());
    command.output().expect("it runs")
}

fn said(output: &Output) -> (Option<i32>, String) {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    (output.status.code(), String::from_utf8(text).expect("text"))
}

fn replay(place: &Place, file: &Path) -> (Option<i32>, String) {
    said(&duban(place, &["replay", &file.display().to_string()]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_is_taken_away_and_decided_again() {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let agency = place.token(Role::Agency, "a1", Some("SZ013")).await;
    let body = review("R1", "matter", instant(START));
    let accepted = server.post("/v1/reviews", &hotline, &body).await.ok();
    let number = accepted["ticket_no"].as_str().expect("a number").to_owned();
    let path = format!("/v1/tickets/{number}");
    server
        .post(&format!("{path}/actions/dispatch"), &hotline, &json!({"agency": "SZ013"}))
        .await
        .ok();
    let note = json!({"note": "鶬鶊来电，电话19912345678"});
    let noted = server.post(&format!("{path}/actions/add_note"), &agency, &note).await.ok();
    let seq = noted["receipt"]["seq"].to_string();
    let taken = duban(&place, &["incident", "export", "--ticket", &number, "--seq", &seq]);
    assert_eq!(taken.status.code(), Some(0), "{:?}", said(&taken));
    let text = String::from_utf8(taken.stdout).expect("text");
    for word in ["张小三", "19900000001", "等了很久", "鶬鶊", "19912345678"] {
        assert!(!text.contains(word), "{word}");
    }
    let file = place.path().join("decision.json");
    std::fs::write(&file, &text).expect("written");
    let (code, told) = replay(&place, &file);
    assert!(code == Some(0) && told.contains("重演一致：1 条记录逐字节相同"), "{told}");
    // Whatever is changed in it is found, or is no such file any more.
    let change = |with: &dyn Fn(&mut Value)| {
        let mut changed: Value = serde_json::from_str(&text).expect("JSON");
        with(&mut changed);
        std::fs::write(&file, changed.to_string()).expect("written");
        replay(&place, &file)
    };
    let (code, told) = change(&|file| file["command"]["act"]["subject"] = json!("a2"));
    assert!(code == Some(1) && told.contains("重演不一致，第 1 条"), "{told}");
    let (code, told) = change(&|file| file["command"]["act"]["role"] = json!("auditor"));
    assert!(code == Some(1) && told.contains("无权办理"), "{told}");
    for with in [
        &(|file: &mut Value| file["format"] = json!("x")) as &dyn Fn(&mut Value),
        &|file| file["more"] = json!(1),
        &|file| file["history"][0] = json!("{}"),
        &|file| file["history"] = json!([]),
        &|file| file["definitions"][0]["text"] = json!("x = ["),
        &|file| file["calendar"] = json!({"2026.toml": "x"}),
        &|file| file["definitions"] = json!([]),
        &|file| {
            let last = file["history"].as_array().expect("events").len() - 1;
            let text = file["history"][last].as_str().expect("text");
            let text =
                text.replace(&format!("\"seq\":{}", last + 1), "\"seq\":18446744073709551615");
            file["history"][last] = json!(text);
        },
    ] {
        let (code, told) = change(with);
        assert!(code == Some(2) && told.contains("decision.json"), "{told}");
    }
    for args in [
        &["incident", "export", "--ticket", &number, "--seq", "99"][..],
        &["incident", "export", "--ticket", "HCP20260302000099-1", "--seq", "1"],
        &["incident", "export", "--ticket", &number],
        &["incident", "export"],
        &["replay", "nowhere.json"],
        &["replay", "/dev/zero"],
    ] {
        let (code, told) = said(&duban(&place, args));
        assert!(code == Some(2) && !told.is_empty(), "{args:?}: {told}");
    }
}

/// What could not be decided is told, and cannot be decided elsewhere either; a program that has been
/// mended decides it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_is_taken_away() {
    let place = Place::new().await;
    let clock = ["--clock", "simulated", "--start-at", START];
    let server = place.serve(&clock);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let admin = place.token(Role::SystemAdmin, "ops", None).await;
    let body = review("R1", "matter", instant(START));
    let accepted = server.post("/v1/reviews", &hotline, &body).await.ok();
    let number = accepted["ticket_no"].as_str().expect("a number").to_owned();
    let (none, told) = said(&duban(&place, &["incident", "list"]));
    assert!(none == Some(0) && told.contains("没有未处理的异常"), "{told}");
    // Its workflow is lost, and time does not stop for that.
    drop(server);
    place.harm("UPDATE definition SET name = 'lost'").await;
    place.harm("DELETE FROM definition").await;
    let others = place.path().join("workflows");
    other_version(&others);
    let workflows = ["--workflows", &others.display().to_string()];
    let server = place.serve(&[&clock[..], &workflows].concat());
    server.advance(&admin, instant("2026-03-06T00:00:10+08:00")).await;
    // Nobody is kept from seeing the rest of the house by it.
    for path in [
        "/v1/tickets",
        "/v1/board",
        "/v1/deadlines",
        "/v1/forecast?until=2026-03-10T00:00:00%2B08:00",
    ] {
        let seen = server.get(path, &hotline).await;
        assert!(seen.status.is_success(), "{path}: {}", seen.body);
    }
    let path = format!("/v1/tickets/{number}");
    assert_eq!(server.get(&path, &hotline).await.problem(), "incident");
    let (_, told) = said(&duban(&place, &["incident", "list", "--json"]));
    let mut told = told.lines().map(|line| serde_json::from_str(line).expect("an incident"));
    let what: Value = told.find(|one: &Value| one["command"] == "advance").expect("of time");
    assert_eq!((&what["ticket_no"], &what["code"]), (&json!(number), &json!("unknown-definition")));
    let id = what["id"].as_str().expect("an id");
    let file = place.path().join("incident.json");
    let export = |flags: &[&str]| {
        let taken = duban(&place, &[&["incident", "export", id][..], flags].concat());
        assert_eq!(taken.status.code(), Some(0), "{:?}", said(&taken));
        std::fs::write(&file, &taken.stdout).expect("written");
        replay(&place, &file)
    };
    let (code, told) = export(&workflows);
    assert!(code == Some(0) && told.contains("重演一致：同样不能办理"), "{told}");
    let taken: Value = serde_json::from_slice(&std::fs::read(&file).expect("it")).expect("a file");
    assert_eq!(taken["command"], "advance");
    assert_eq!(taken["arrived_at"], "2026-03-03T00:00:00+08:00");
    // With the workflow at hand it goes on.
    drop(server);
    let server = place.serve(&clock);
    let retried = server.post(&format!("/v1/incidents/{id}/retry"), &admin, &json!({})).await;
    assert!(retried.status.is_success(), "{}", retried.body);
    server.advance(&admin, instant("2026-03-06T00:00:20+08:00")).await;
    let (code, told) = export(&[]);
    assert!(code == Some(1) && told.contains("本程序可以办理"), "{told}");
    let (code, _) = said(&duban(&place, &["incident", "export", &crypto::identity().to_string()]));
    assert_eq!(code, Some(2));
}

/// The shipped workflows as if they were another version of themselves.
fn other_version(to: &Path) {
    let from = duban_shipped::folder("workflows");
    for folder in ["", "forms"] {
        std::fs::create_dir_all(to.join(folder)).expect("a folder");
        for entry in std::fs::read_dir(from.join(folder)).expect("the folder") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                let text = std::fs::read_to_string(&path).expect("text");
                let text = text.replace("\nversion = ", "\nversion = 9");
                let name = path.file_name().expect("a name");
                std::fs::write(to.join(folder).join(name), text).expect("written");
            }
        }
    }
}

/// A command of which nothing is kept cannot be taken away, nor what cannot be read; and what the
/// database refused is told apart from what could not be decided.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn incidents_of_other_kinds_say_what_they_are() {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let body = review("R1", "matter", instant(START));
    let accepted = server.post("/v1/reviews", &hotline, &body).await.ok();
    let number = accepted["ticket_no"].as_str().expect("a number");
    let ticket = place.store.ticket_of(number).await.expect("an answer").expect("a ticket");
    let export = async |command: &str, code: &str| {
        let id = crypto::identity();
        let what = NewIncident {
            ticket,
            command: command.to_owned(),
            code: code.to_owned(),
            message: "x".to_owned(),
            seq: 1,
            at: instant("2026-03-06T00:00:10+08:00"),
            arrived_at: instant("2026-03-06T00:00:00+08:00"),
            known_on: None,
        };
        place.store.note_incidents(&[(id, what)]).await.expect("noted");
        duban(&place, &["incident", "export", &id.to_string()])
    };
    let (code, told) = said(&export("urge", "fault").await);
    assert!(code == Some(2) && told.contains("表单不保存"), "{told}");
    let (code, told) = said(&export("advance", "unreadable").await);
    assert!(code == Some(2) && told.contains("记录本身无法读取"), "{told}");
    let file = place.path().join("refused.json");
    std::fs::write(&file, export("advance", "refused-by-store").await.stdout).expect("written");
    let (code, told) = replay(&place, &file);
    assert!(code == Some(1) && told.contains("数据库拒绝写入"), "{told}");
}

/// Where the row does not even say when something is due the lane never comes by: whoever looks finds
/// an incident, once, and its retry lets time go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_an_incident_for_whoever_looks() {
    let place = Place::on_sqlite().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let admin = place.token(Role::SystemAdmin, "s1", None).await;
    let mut numbers = Vec::new();
    for id in ["R1", "R2"] {
        let body = review(id, "matter", instant(START));
        let posted = server.post("/v1/reviews", &hotline, &body).await.ok();
        numbers.push(posted["ticket_no"].as_str().expect("a number").to_owned());
    }
    place
        .harm(&format!(
            "UPDATE snapshot SET wake_at = 'soon' WHERE ticket = \
             (SELECT id FROM ticket WHERE ticket_no = '{}')",
            numbers[0]
        ))
        .await;
    let path = format!("/v1/tickets/{}", numbers[0]);
    assert_eq!(server.get(&path, &hotline).await.problem(), "incident");
    let urge = server.post(&format!("{path}/actions/urge"), &hotline, &json!({})).await;
    let shown = server.get("/v1/incidents?all=true", &admin).await.ok();
    // The publications of the first day may have come upon it too.
    let all = shown["incidents"].as_array().expect("them").iter();
    let held: Vec<_> = all.filter(|one| one["command"] == "advance").collect();
    let [one] = held[..] else { panic!("{shown}") };
    assert_eq!((&one["code"], &one["ticket_no"]), (&json!("unreadable"), &json!(numbers[0])));
    assert!(one["message"].as_str().is_some_and(|say| say.contains("wake_at")), "{one}");
    // Its time is held, and with that it can be read again.
    assert!(urge.status.is_success(), "{}", urge.body);
    server.advance(&admin, instant("2026-03-06T00:00:00+08:00")).await;
    for number in &numbers {
        let ticket = server.get(&format!("/v1/tickets/{number}"), &hotline).await.ok();
        assert_eq!(ticket["cards"].as_array().map(Vec::len), Some(1), "{ticket}");
    }
}
