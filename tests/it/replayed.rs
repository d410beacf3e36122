//! A decision that was taken away is decided again anywhere: the same bytes, or where they differ;
//! and nobody is found in the file.

use std::path::Path;
use std::process::{Command, Output};

use duban::crypto;
use duban::store::NewIncident;
use duban_core::role::Role;
use serde_json::{Value, json};

use crate::lives::instant;
use crate::served::{Place, review};

const START: &str = "2026-03-02T10:00:00+08:00";

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
    assert!(code == Some(1) && told.contains("not-permitted"), "{told}");
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

/// What could not be decided is told; a program that has been mended decides it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_is_taken_away() {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let body = review("R1", "matter", instant(START));
    let accepted = server.post("/v1/reviews", &hotline, &body).await.ok();
    let number = accepted["ticket_no"].as_str().expect("a number").to_owned();
    let ticket = place.store.ticket_of(&number).await.expect("an answer").expect("a ticket");
    let (none, told) = said(&duban(&place, &["incident", "list"]));
    assert!(none == Some(0) && told.contains("没有未处理的异常"), "{told}");
    let id = crypto::identity();
    let what = NewIncident {
        ticket,
        command: "advance".to_owned(),
        code: "definition".to_owned(),
        message: "程序在办理该工单时出错".to_owned(),
        seq: 2,
        at: instant("2026-03-06T00:00:00+08:00"),
    };
    place.store.note_incidents(&[(id, what)]).await.expect("noted");
    let (_, told) = said(&duban(&place, &["incident", "list"]));
    assert!(told.contains(&number) && told.contains(&id.to_string()), "{told}");
    let taken = duban(&place, &["incident", "export", &id.to_string()]);
    assert_eq!(taken.status.code(), Some(0), "{:?}", said(&taken));
    let file = place.path().join("incident.json");
    std::fs::write(&file, &taken.stdout).expect("written");
    let (code, told) = replay(&place, &file);
    assert!(code == Some(1) && told.contains("本程序可以办理"), "{told}");
    let (code, _) = said(&duban(&place, &["incident", "export", &crypto::identity().to_string()]));
    assert_eq!(code, Some(2));
}
