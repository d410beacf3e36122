//! A notice counts from its publication: a server that starts with a file for 2027 makes estimated
//! deadlines firm, and history says so.

use std::fs;
use std::path::Path;

use duban::catalog::Source;
use duban::replay::House;
use duban_core::role::Role;
use serde_json::{Value, json};

use crate::lives::instant;
use crate::replayed::every_decision;
use crate::served::{Place, review};

/// A ticket whose days reach into 2027.
const START: &str = "2026-12-28T10:00:00+08:00";

/// An invented notice, published two days before the year that it arranges.
const NOTICE: &str = r#"
year = 2027
notice = "国务院办公厅关于2027年部分节假日安排的通知（国办发明电〔2026〕9号）"
number = "国办发明电〔2026〕9号"
dated = 2026-12-30
published = 2026-12-30
url = "https://www.gov.cn/"
text = ["元旦：1月1日至3日放假调休，共3天。1月9日（周六）上班。"]
off_days = [{ name = "元旦", days = [2027-01-01, 2027-01-02, 2027-01-03] }]
workdays = [{ name = "元旦", days = [2027-01-09] }]
"#;

/// The shipped notices, and that of 2027 if asked for, in a folder.
pub(crate) fn calendars(to: &Path, with_2027: bool) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(duban_shipped::folder("calendars")).expect("the folder") {
        let path = entry.expect("an entry").path();
        fs::copy(&path, to.join(path.file_name().expect("a name"))).expect("copied");
    }
    if with_2027 {
        fs::write(to.join("CN-2027.toml"), NOTICE).expect("written");
    }
}

fn completion(ticket: &Value) -> &Value {
    let deadlines = ticket["deadlines"].as_array().expect("deadlines");
    deadlines.iter().find(|one| one["name"] == "completion").expect("the deadline")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_added_before_a_restart_makes_estimates_firm() {
    let place = Place::new().await;
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let admin = place.token(Role::SystemAdmin, "s1", None).await;
    let (old, new) = (place.path().join("old"), place.path().join("new"));
    calendars(&old, false);
    calendars(&new, true);
    let (old, new) = (old.display().to_string(), new.display().to_string());
    let server = place.serve(&["--clock", "simulated", "--start-at", START, "--calendars", &old]);
    let body = review("R1", "matter", instant(START));
    let number = server.post("/v1/reviews", &hotline, &body).await.ok()["ticket_no"].clone();
    let path = format!("/v1/tickets/{}", number.as_str().expect("a number"));
    let form = json!({"agency": "SZ013"});
    let ticket = server.post(&format!("{path}/actions/dispatch"), &hotline, &form).await.ok();
    let before = completion(&ticket).clone();
    assert_eq!(before["certainty"], "estimated");
    assert_eq!(before["due_at"], "2027-01-13T00:00:00+08:00");
    assert_eq!(before["missing_years"], json!([2027]));
    server.advance(&admin, instant("2026-12-31T09:00:00+08:00")).await;
    assert_eq!(server.stop(), Some(0));

    let later = ["--clock", "simulated", "--start-at", "2026-12-31T09:00:00+08:00"];
    let later = [&later[..], &["--calendars", &new]].concat();
    let server = place.serve(&later);
    let mut ticket = Value::Null;
    for _ in 0..100 {
        ticket = server.get(&path, &hotline).await.ok();
        if completion(&ticket)["certainty"] == "firm" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let after = completion(&ticket);
    assert_eq!(after["certainty"], "firm", "{after}");
    assert_eq!(after["missing_years"], json!([]));
    assert_eq!(after["original_due_at"], before["due_at"]);
    assert_eq!(after["due_at"], "2027-01-12T00:00:00+08:00");
    let history = server.get(&format!("{path}/history"), &hotline).await.ok();
    assert_eq!(history["verified"], true);
    let moved =
        history["events"].as_array().expect("events").iter().filter(|event| {
            event["kind"] == "deadline_moved" && event["data"]["reason"] == "calendar"
        });
    let moved: Vec<&Value> = moved.collect();
    assert!(moved.iter().any(|event| event["data"]["deadline"] == "completion"), "{history}");
    let explained = server.get(&format!("{path}/deadlines/completion/explanation"), &hotline).await;
    assert_eq!(explained.ok()["known_on"], "2026-12-30");
    // It is worked in once.
    let count = moved.len();
    assert_eq!(server.stop(), Some(0));
    let server = place.serve(&later);
    server.advance(&admin, instant("2026-12-31T10:00:00+08:00")).await;
    let history = server.get(&format!("{path}/history"), &hotline).await.ok();
    let events = history["events"].as_array().expect("events");
    let again = events.iter().filter(|event| event["kind"] == "deadline_moved").count();
    assert_eq!(again, count);
    // Each decision can be repeated from a file, the recomputation as well.
    let house = House {
        calendars: Source::Folder(place.path().join("new")),
        workflows: Source::Embedded,
        hotline_agencies: ["SZ002".into()].into(),
    };
    let number = number.as_str().expect("a number");
    assert_eq!(every_decision(&place, number, &house).await["recompute"], 1);
}
