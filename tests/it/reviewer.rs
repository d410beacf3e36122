//! The reviewer unmasked: for a purpose, on the record, and for nobody else.

use duban_core::role::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::lives::instant;
use crate::served::{Place, review};

const START: &str = "2026-03-02T10:00:00+08:00";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_shown_the_reviewer_stands_in_the_history() {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let agency = place.token(Role::Agency, "a1", Some("SZ013")).await;
    let foreign = place.token(Role::Agency, "a2", Some("SZ007")).await;
    let approver = place.token(Role::Approver, "ap", None).await;
    let body = review("R1", "matter", instant(START));
    let accepted = server.post("/v1/reviews", &hotline, &body).await.ok();
    let ticket = format!("/v1/tickets/{}", accepted["ticket_no"].as_str().expect("a number"));
    let dispatch = format!("{ticket}/actions/dispatch");
    server.post(&dispatch, &hotline, &json!({"agency": "SZ013"})).await.ok();
    let events = async || {
        let history = server.get(&format!("{ticket}/history"), &hotline).await.ok();
        history["events"].as_array().expect("events").clone()
    };
    let before = events().await.len();
    let revision = server.get(&ticket, &hotline).await.ok()["revision"].clone();
    let path = format!("{ticket}/reviewer");
    let contact = json!({"purpose": "contact"});

    // Refused, and nothing is recorded: no right, not his, no purpose, one that is none.
    let refused: &[(&str, Value, u16)] = &[
        (&approver, contact.clone(), 403),
        (&foreign, contact.clone(), 404),
        (&agency, json!({}), 400),
        (&agency, json!({"purpose": "好奇"}), 400),
        (&agency, json!({"purpose": "contact", "note": "x"}), 400),
    ];
    for (who, look, status) in refused {
        let answer = server.post(&path, who, look).await;
        assert_eq!(answer.status.as_u16(), *status, "{}", answer.body);
        assert!(!answer.body.to_string().contains("张小三"));
    }
    assert_eq!(events().await.len(), before);

    let shown = server.post(&path, &agency, &contact).await.ok();
    assert_eq!((&shown["name"], &shown["phone"]), (&json!("张小三"), &json!("19900000001")));
    let after = events().await;
    assert_eq!(after.len(), before + 1);
    let last = &after[before];
    assert_eq!((&last["kind"], &last["actor"]), (&json!("disclosed"), &json!("a1")));
    assert_eq!(last["data"], json!({"role": "agency", "agency": "SZ013", "purpose": "contact"}));
    assert_eq!(shown["receipt"]["hash"], last["hash"]);
    assert!(!json!(after).to_string().contains("张小三"));
    // A repetition is another look: no key spares it its record.
    let key = [("idempotency-key", "L1")];
    for _ in 0..2 {
        let look = server.call_with(Method::POST, &path, &agency, Some(&contact), &key).await;
        look.expect("an answer").ok();
    }
    assert_eq!(events().await.len(), before + 3);
    // The ticket is what it was: a look changes nothing.
    let shown = server.get(&ticket, &agency).await.ok();
    assert_eq!((&shown["step"], &shown["revision"]), (&json!("delivered"), &revision));
    assert_eq!(shown["reviewer"]["name"], "张*三");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_nobody_there_is_nothing_to_see() {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let mut body = review("R1", "matter", instant(START));
    body.as_object_mut().expect("an object").remove("reviewer");
    let accepted = server.post("/v1/reviews", &hotline, &body).await.ok();
    let path = format!("/v1/tickets/{}", accepted["ticket_no"].as_str().expect("a number"));
    let path = format!("{path}/reviewer");
    let looked = server.post(&path, &hotline, &json!({"purpose": "verify"})).await;
    assert_eq!(looked.status, StatusCode::NOT_FOUND);
}

/// Two tokens of one subject are one actor: nobody approves what he himself concluded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tokens_of_one_subject_are_one_actor() {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let agency = place.token(Role::Agency, "wang", Some("SZ013")).await;
    let lead = place.token(Role::AgencyLead, "li", Some("SZ013")).await;
    let body = review("R1", "matter", instant(START));
    let accepted = server.post("/v1/reviews", &hotline, &body).await.ok();
    let ticket = format!("/v1/tickets/{}", accepted["ticket_no"].as_str().expect("a number"));
    let act = async |token: &str, action: &str, form: Value| {
        server.post(&format!("{ticket}/actions/{action}"), token, &form).await
    };
    act(&hotline, "dispatch", json!({"agency": "SZ013"})).await.ok();
    let reached = json!({"outcome": "reached", "channel": "phone", "attempted_at": START});
    act(&agency, "record_contact", reached).await.ok();
    let path = format!("{ticket}/attachments");
    let sm3 = server.upload(&path, &hotline, "text/plain", b"abc").await.ok();
    let evidence = json!([{"sm3": sm3["attachment"]["sm3"], "kind": "document"}]);
    let conclusion = json!({"finding": "mistaken", "summary": "误评", "evidence": evidence});
    act(&agency, "conclude", conclusion).await.ok();
    // The same person with another token.
    let as_lead = place.token(Role::AgencyLead, "wang", Some("SZ013")).await;
    assert_eq!(act(&as_lead, "confirm_finding", json!({})).await.problem(), "guarded");
    act(&lead, "confirm_finding", json!({})).await.ok();
    for one in ["wang", "li"] {
        let token = place.token(Role::Approver, one, None).await;
        let refused = act(&token, "approve_finding", json!({})).await;
        assert_eq!(refused.problem(), "guarded", "{one}: {}", refused.body);
    }
    let approver = place.token(Role::Approver, "zhao", None).await;
    act(&approver, "approve_finding", json!({})).await.ok();
}

/// What people write in forms names the reviewer too: it is covered as he is himself, for each role;
/// and nobody reads what was written with an event that he does not see.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_names_nobody() {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let first = place.token(Role::Agency, "a1", Some("SZ013")).await;
    let second = place.token(Role::Agency, "a2", Some("SZ007")).await;
    let approver = place.token(Role::Approver, "ap", None).await;
    let mut body = review("R1", "matter", instant(START));
    body["comment"] = json!("我是张小三，电话138 1234 1234");
    let accepted = server.post("/v1/reviews", &hotline, &body).await.ok();
    let ticket = format!("/v1/tickets/{}", accepted["ticket_no"].as_str().expect("a number"));
    let act = async |token: &str, action: &str, form: Value| {
        server.post(&format!("{ticket}/actions/{action}"), token, &form).await.ok()
    };
    act(&hotline, "dispatch", json!({"agency": "SZ013"})).await;
    let reason = "张小三（１９９ 0000 0001）2026-03-02反映的不属本单位，见HCP20260302000001-1";
    act(&first, "request_return", json!({"reason": reason})).await;
    let texts = async |token: &str| {
        let written = server.get(&format!("{ticket}/statements"), token).await.ok();
        assert!(!written.to_string().contains("张小三"), "{written}");
        let all = written["statements"].as_array().expect("a list").iter();
        all.map(|one| one["fields"][0]["text"].as_str().expect("a text").to_owned())
            .collect::<Vec<_>>()
    };
    let partly = "张*三（199****0001）2026-03-02反映的不属本单位，见HCP20260302000001-1";
    assert_eq!(texts(&hotline).await, [partly]);
    assert_eq!(texts(&first).await, [partly]);
    assert_eq!(
        texts(&approver).await,
        [partly.replace("张*三", "张**").replace("199****0001", "***********")]
    );
    let comment =
        async |token: &str| server.get(&ticket, token).await.ok()["review"]["comment"].clone();
    assert_eq!(comment(&first).await, "我是张*三，电话138****1234");
    assert_eq!(comment(&approver).await, "我是张**，电话***********");

    // The next agency reads why the first gave it back; that one does not read what comes after.
    act(&hotline, "approve_return", json!({})).await;
    act(&hotline, "dispatch", json!({"agency": "SZ007"})).await;
    act(&second, "add_note", json!({"note": "已转窗口"})).await;
    assert_eq!(texts(&second).await, [partly, "已转窗口"]);
    assert_eq!(texts(&first).await, [partly]);
    let foreign = place.token(Role::Agency, "a3", Some("SZ001")).await;
    let answer = server.get(&format!("{ticket}/statements"), &foreign).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}
