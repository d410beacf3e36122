//! Rules that a second reading of the regulation and of our answers brought to light.

use serde_json::{Value, json};

use super::played::{Played, play};

/// Who is told of what, a line each: `card_upheld`-like words, the audience, the agency.
fn told(life: &Played) -> Vec<String> {
    let messages = life.turns().iter().flat_map(|turn| turn["messages"].as_array().expect("them"));
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let say = |message: &Value| {
        let about = &message["about"];
        let what = match (&about["event"]["event"], &about["card"]["state"], &about["rung"]) {
            (Value::String(event), _, _) => event.clone(),
            (_, Value::String(state), _) => format!("card {state}"),
            (_, _, rung) => format!("{} {}", word(&rung["run"]["deadline"]), word(&rung["rung"])),
        };
        format!("{what} to {} of {}", word(&message["to"]), word(&message["agency"]))
    };
    messages.map(say).collect()
}

#[test]
fn a_window_that_was_over_at_the_receipt_is_over_at_the_opening() {
    let life = play("old_review");
    life.check_ledger(
        "followup_window",
        &["2026-06-09T09:00 start 1 due 2026-05-01T00:00 firm", "2026-06-09T09:00 lapsed 1 -"],
    );
    let opening = &life.turns()[0];
    assert_eq!(opening["recorded_at"], "2026-06-09T09:00:00+08:00");
    assert_eq!(life.ticket()["step"], "delivered");
}

#[test]
fn a_new_class_keeps_the_start_and_has_its_own_length() {
    let life = play("reclassified_same_agency");
    life.check_ledger(
        "contact",
        &[
            "2026-03-09T09:20 start 1 due 2026-03-13T00:00 firm",
            "2026-03-09T14:00 cancelled 1 released",
            "2026-03-10T09:00 resumed 1 over []",
            "2026-03-10T09:00 moved 1.0 reclassified 2026-03-13T00:00 to 2026-03-12T00:00 firm",
            "2026-03-11T00:00 rung 1.0.-1wd early_warning",
            "2026-03-12T00:00 rung 1.0.end yellow_card",
        ],
    );
    let run = life.run("contact", 1);
    assert_eq!(
        (&run["within"], &run["starts_at"]),
        (&json!("2wd"), &json!("2026-03-09T09:20:00+08:00"))
    );
    // What the agency had not had under the old class begins now.
    assert_eq!(life.run("staff_notice", 1)["starts_at"], "2026-03-10T09:00:00+08:00");
}

#[test]
fn an_order_to_correct_and_a_written_self_criticism() {
    let life = play("measures");
    let refused = ["feed_back guarded", "record_measures guarded", "feed_back guarded"];
    assert_eq!(life.refusals(), refused);
    assert!(life.message("record_measures").contains("“责令改正”或“书面检讨”"));
    assert_eq!(life.ticket()["flags"], json!(["ordered_to_correct", "self_criticised"]));
    assert_eq!(life.ticket()["step"], "fed_back");
    assert!(life.cards().is_empty(), "whoever is on time ends without a card");
}

#[test]
fn only_calls_count_and_not_all_on_one_day() {
    let life = play("sms_is_no_call");
    let tally = life.ticket()["tallies"]["callback_unanswered"].as_array().expect("calls");
    assert_eq!(tally.len(), 4);
    let events = life.of_kind("acted");
    let closing = events.iter().find(|event| event["data"]["change"]["step"]["to"] == "closed");
    assert_eq!(closing.expect("closed")["at"], "2026-03-11T09:00:00+08:00");
}

#[test]
fn a_slow_decision_makes_nobody_late() {
    let life = play("slow_decision");
    life.check_ledger(
        "completion",
        &[
            "2026-03-09T09:20 start 1 due 2026-03-24T00:00 firm",
            "2026-03-19T00:00 rung 1.0.-3wd early_warning",
            "2026-03-21T00:00 rung 1.0.-1wd early_warning",
            "2026-03-24T00:00 rung 1.0.end yellow_card",
            "2026-03-25T00:00 rung 1.0.+1wd urge",
            "2026-03-25T10:00 met late 1",
            "2026-03-25T15:00 moved 1.1 extension 2026-03-24T00:00 to 2026-03-27T00:00 firm",
            "2026-03-25T15:00 revoked completion.1.0.end extension_pending",
        ],
    );
    assert_eq!(life.run("completion", 1)["state"], "met");
    assert_eq!(life.run("citizen", 1)["state"], "met_late");
    assert_eq!(life.run("extension_decision", 1)["state"], "met_late");
}

#[test]
fn what_was_closed_by_mistake_goes_on_by_its_old_dates() {
    let life = play("duplicate_by_mistake");
    assert_eq!(
        life.steps(),
        ["delivered", "return_requested", "closed", "return_requested", "delivered", "verifying"]
    );
    life.check_ledger(
        "contact",
        &[
            "2026-03-09T09:20 start 1 due 2026-03-13T00:00 firm",
            "2026-03-09T11:00 cancelled 1 closed",
            "2026-03-12T09:00 resumed 1 over [-1wd]",
            "2026-03-12T11:00 met 1",
        ],
    );
    life.check_ledger(
        "citizen",
        &[
            "2026-03-09T09:20 start 1 due 2026-03-24T00:00 firm",
            "2026-03-09T11:00 cancelled 1 closed",
            "2026-03-12T09:00 resumed 1 over []",
        ],
    );
    assert_eq!(life.run("return_decision", 1)["state"], "met_late");
    assert!(life.cards_of("return_decision").is_empty(), "its rungs passed while it was closed");
    assert!(life.ticket()["outcome"].is_null());
}

#[test]
fn the_appeal_belongs_to_the_staff_member() {
    let life = play("appeal_while_away");
    life.check_ledger(
        "appeal_window",
        &[
            "2026-03-09T11:00 start 1 due 2026-03-13T00:00 firm",
            "2026-03-10T10:00 cancelled 1 released",
            "2026-03-13T11:00 start 2 due 2026-03-19T00:00 firm",
            "2026-03-18T10:00 met 2",
        ],
    );
    assert_eq!(life.refusals(), ["conclude wrong-step"]);
}

#[test]
fn on_a_ticket_about_the_hotline_the_approver_does_owes_and_is_told_everything() {
    let life = play("hotline_judged");
    let refused = ["dispatch", "reclassify", "urge", "record_callback", "reopen"];
    let refused: Vec<String> = refused.iter().map(|one| format!("{one} not-permitted")).collect();
    assert_eq!(life.refusals(), refused);
    let runs = life.ticket()["runs"].as_array().expect("runs");
    let charged = runs.iter().filter(|run| run["kind"] == "obligation");
    for run in charged {
        assert_ne!(run["party"], "hotline", "{run}");
    }
    assert_eq!(life.run("dispatch", 1)["party"], "approver");
    let told = told(&life);
    assert!(told.contains(&"dispatch -1wd to approver of -".to_owned()), "{told:?}");
    assert!(told.contains(&"dispatch end to approver of -".to_owned()), "{told:?}");
    assert!(told.contains(&"fed_back to approver of SZ002".to_owned()), "{told:?}");
    assert!(!told.iter().any(|one| one.contains("to hotline") || one.contains("to supervisor")));
}

#[test]
fn a_contested_card_is_upheld_or_revoked_and_its_agency_is_told() {
    let life = play("card_upheld");
    assert_eq!(
        life.refusals(),
        ["uphold_card form", "uphold_card not-permitted", "contest_card form"]
    );
    assert!(life.message("contest_card").contains("维持"));
    let cards = life.ticket()["cards"].as_array().expect("cards");
    let card = cards.iter().find(|card| card["id"] == "contact.1.0.end").expect("the card");
    assert_eq!((&card["state"], &card["upheld"]), (&json!("revoked"), &json!(true)));
    // The ticket is with another agency by now.
    assert_eq!(life.ticket()["agency"], "SZ021");
    let of_cards: Vec<String> =
        told(&life).into_iter().filter(|one| one.starts_with("card ")).collect();
    assert_eq!(
        of_cards,
        [
            "card contested to supervisor of SZ013",
            "card issued to agency of SZ013",
            "card revoked to agency of SZ013"
        ]
    );
}

#[test]
fn the_agency_hears_of_its_return_and_of_its_finding() {
    let returned = told(&play("released_in_time"));
    assert!(returned.contains(&"return_approved to agency of SZ013".to_owned()), "{returned:?}");
    let found = told(&play("finding_approved"));
    assert!(found.contains(&"finding_approved to agency of SZ013".to_owned()), "{found:?}");
}

#[test]
fn days_left_the_yellow_light_and_a_warning_that_is_no_card() {
    let life = play("smooth");
    assert!(life.cards().is_empty(), "on time, and no card: {:?}", life.cards());
    // Yellow from the end of the working day before the last, over the days off in between.
    let run = play("cards");
    let run = run.run("contact", 1);
    assert_eq!(run["yellow_at"], "2026-03-12T00:00:00+08:00");
    let spring = play("saturday");
    let run = spring.run("contact", 1);
    let warned = run["rungs"].as_array().expect("rungs").iter().find(|rung| rung["rung"] == "-1wd");
    assert_eq!(run["yellow_at"], warned.expect("a warning")["at"]);
}

#[test]
fn a_contact_under_another_class_is_contact() {
    let life = play("contacted_before_reclassified");
    assert_eq!(life.ticket()["step"], "rectifying");
    assert_eq!(life.run("contact", 1)["state"], "met");
    let steps = life.steps();
    assert_eq!(steps[steps.len() - 3..], ["contacting", "verifying", "rectifying"]);
}

#[test]
fn an_extension_counts_from_where_a_notice_moved_the_end() {
    let life = play("extension_after_notice");
    assert_eq!(life.refusals(), ["request_extension form"]);
    assert!(life.message("request_extension").contains("2020-02-12 至 2020-02-25"));
    let run = life.run("completion", 1);
    assert_eq!(run["due_at"], "2020-02-13T00:00:00+08:00");
    let first = &run["original_due_at"];
    assert!(first.as_str() < Some("2020-02-11"), "the first date stays visible: {first}");
}

#[test]
fn a_call_before_the_feedback_is_no_callback() {
    let life = play("called_before_feedback");
    assert_eq!(life.refusals(), ["record_callback form"]);
    let tally = life.ticket()["tallies"]["callback_unanswered"].as_array().expect("calls");
    assert_eq!(tally.len(), 1);
}

#[test]
fn an_extension_can_be_decided_after_the_closing() {
    let life = play("extension_decided_after_closing");
    assert_eq!(life.ticket()["status"], "closed");
    assert_eq!(life.run("completion", 1)["state"], "met");
    assert_eq!(life.run("extension_decision", 1)["state"], "met");
    assert_eq!(life.cards_of("completion"), ["completion.1.0.end yellow_card revoked"]);
}

#[test]
fn while_nobody_has_the_ticket_whoever_must_act_is_told() {
    let told = told(&play("nobody_has_it"));
    for event in ["urged", "supervised", "reopened"] {
        assert!(told.contains(&format!("{event} to hotline of -")), "{event}: {told:?}");
    }
}

#[test]
fn who_is_reached_after_all_is_not_unreachable() {
    let life = play("reached_after_all");
    let flagged = |event: &&&Value| event["data"]["change"]["flagged"] == json!(["unreachable"]);
    let acted = life.of_kind("acted");
    assert_eq!(acted.iter().filter(flagged).count(), 1);
    assert_eq!(life.ticket()["flags"], json!([]));
}
