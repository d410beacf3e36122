//! Who may do what: agencies, the hotline judging itself, cards, anonymous reviews, reviewers that
//! nobody reaches, another class.

use serde_json::json;

use super::played::play;

#[test]
fn an_anonymous_reviewer_is_not_contacted() {
    let life = play("anonymous");
    assert_eq!(
        life.steps(),
        ["delivered", "contacting", "verifying", "rectifying", "fed_back", "callback", "closed"]
    );
    assert_eq!(life.refusals(), ["record_contact wrong-step"]);
    for deadline in ["contact", "callback_sms", "callback_call", "followup_window"] {
        assert_eq!(life.run(deadline, 1)["state"], "cancelled", "{deadline}");
        assert_eq!(life.run(deadline, 1)["cancelled"], "anonymous", "{deadline}");
        assert!(life.cards_of(deadline).is_empty(), "{deadline}");
    }
    assert_eq!(life.run("completion", 1)["state"], "met");
    assert_eq!(life.ticket()["flags"], json!(["anonymous"]));
    assert_eq!(life.ticket()["outcome"], "rectified");
}

#[test]
fn nobody_judges_himself() {
    let life = play("hotline_self");
    assert_eq!(
        life.refusals(),
        [
            "approve_return not-permitted",
            "approve_return not-permitted",
            "approve_extension not-permitted",
            "accept_feedback not-permitted",
            "refuse_feedback not-permitted",
            "cancel_duplicate not-permitted",
            "record_callback not-permitted"
        ]
    );
    assert!(life.message("accept_feedback").contains("政务服务管理部门"));
    let done = life.of_kind("acted");
    let by_approver = done.iter().filter(|event| event["data"]["role"] == "approver");
    let actions: Vec<&str> =
        by_approver.filter_map(|event| event["data"]["action"].as_str()).collect();
    assert_eq!(
        actions,
        ["refuse_return", "approve_extension", "accept_feedback", "record_callback"]
    );
    assert_eq!(life.ticket()["flags"], json!(["hotline_self"]));
}

#[test]
fn another_class_another_definition() {
    let life = play("reclassify");
    assert_eq!(
        life.refusals(),
        ["reclassify form", "reclassify not-permitted", "reclassify wrong-step"]
    );
    let ticket = life.ticket();
    assert_eq!(ticket["class"], "staff");
    assert_eq!(ticket["definition"]["name"], "staff");
    assert_eq!(life.0["workflow"]["name"], "staff");
    // Changing the class wins no time: the dispatch clock runs on.
    life.check_ledger(
        "dispatch",
        &[
            "2026-03-09T09:00 start 1 due 2026-03-11T00:00 firm",
            "2026-03-10T00:00 rung 1.0.-1wd early_warning",
            "2026-03-10T09:20 met 1",
        ],
    );
    // From here on the staff workflow's own: two working days, not three.
    assert_eq!(life.run("contact", 1)["due_at"], "2026-03-13T00:00:00+08:00");
    assert_eq!(life.run("staff_notice", 1)["state"], "met");
    assert_eq!(life.ticket()["step"], "fed_back");
}

#[test]
fn three_attempts_two_days_two_halves_and_an_sms() {
    let life = play("unreachable");
    assert_eq!(life.refusals(), ["record_contact form", "record_contact wrong-step"]);
    life.check_ledger(
        "contact",
        &["2026-03-09T09:20 start 1 due 2026-03-13T00:00 firm", "2026-03-10T15:00 met 1"],
    );
    assert_eq!(life.ticket()["flags"], json!(["unreachable"]));
    let attempts = &life.ticket()["tallies"]["contact_attempt"];
    assert_eq!(attempts.as_array().map(Vec::len), Some(5));
}

#[test]
fn an_attempt_on_a_saturday_is_no_second_working_day() {
    let life = play("unreachable_by_sms");
    life.check_ledger(
        "contact",
        &["2026-03-13T09:20 start 1 due 2026-03-19T00:00 firm", "2026-03-16T10:00 met 1"],
    );
    assert_eq!(life.ticket()["step"], "verifying");
}

#[test]
fn cards_are_contested_and_revoked_by_records() {
    let life = play("cards");
    assert_eq!(
        life.refusals(),
        [
            "contest_card not-permitted",
            "contest_card form",
            "contest_card form",
            "revoke_card not-permitted",
            "revoke_card form",
            "revoke_card form"
        ]
    );
    life.check_ledger(
        "contact",
        &[
            "2026-03-09T09:20 start 1 due 2026-03-13T00:00 firm",
            "2026-03-12T00:00 rung 1.0.-1wd early_warning",
            "2026-03-13T00:00 rung 1.0.end yellow_card",
            "2026-03-13T09:20 contested contact.1.0.end",
            "2026-03-13T10:10 revoked contact.1.0.end revoke_card",
            "2026-03-13T11:00 met late 1",
        ],
    );
    assert_eq!(life.cards(), ["contact.1.0.end yellow_card revoked"]);
    // Revoking a card does not make the contact timely.
    assert_eq!(life.run("contact", 1)["state"], "met_late");
}

#[test]
fn who_comes_before_what() {
    let life = play("who_may");
    assert_eq!(
        life.refusals(),
        [
            "sign not-yours",
            "sign not-yours",
            "sign not-permitted",
            "sign not-permitted",
            "fly unknown-action",
            "sign stale-revision",
            "feed_back not-yours",
            "feed_back stale-revision",
            "feed_back wrong-step",
            "sign form"
        ]
    );
    assert_eq!(life.ticket()["step"], "contacting");
    // A refused action leaves nothing behind: two actions and what they brought about.
    assert_eq!(life.of_kind("acted").len(), 2);
}
