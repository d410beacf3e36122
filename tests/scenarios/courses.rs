//! Whole courses of a matter ticket: left alone, smooth, every finding, and what goes wrong at
//! the end.

use super::played::play;

/// 13 February 2026 is a Friday, 14 and 28 February are make-up Saturdays, the 15th to the 23rd
/// are the Spring Festival: three working days end on the 25th, ten on 5 March.
#[test]
fn left_alone() {
    let life = play("left_alone");
    life.check_ledger(
        "contact",
        &[
            "2026-02-13T16:30 start 1 due 2026-02-26T00:00 firm",
            "2026-02-25T00:00 rung 1.0.-1wd early_warning",
            "2026-02-26T00:00 rung 1.0.end yellow_card",
            "2026-02-27T00:00 rung 1.0.+1wd urge",
            "2026-03-01T00:00 rung 1.0.+3wd supervise",
            "2026-03-04T00:00 rung 1.0.+5wd red_card",
        ],
    );
    life.check_ledger(
        "completion",
        &[
            "2026-02-13T16:30 start 1 due 2026-03-06T00:00 firm",
            "2026-03-03T00:00 rung 1.0.-3wd early_warning",
            "2026-03-05T00:00 rung 1.0.-1wd early_warning",
            "2026-03-06T00:00 rung 1.0.end yellow_card",
            "2026-03-07T00:00 rung 1.0.+1wd urge",
            "2026-03-11T00:00 rung 1.0.+3wd supervise",
            "2026-03-13T00:00 rung 1.0.+5wd red_card",
        ],
    );
    life.check_ledger(
        "return_window",
        &["2026-02-13T16:30 start 1 due 2026-02-15T00:00 firm", "2026-02-15T00:00 lapsed 1 -"],
    );
    // Sixty natural days, without a ladder; the end of the window is the end of the story.
    life.check_ledger(
        "followup_window",
        &["2026-02-13T16:30 start 1 due 2026-04-15T00:00 firm", "2026-04-15T00:00 lapsed 1 -"],
    );
    life.check_ledger("citizen", &["2026-02-13T16:30 start 1 due 2026-03-06T00:00 firm"]);
    assert_eq!(life.steps(), ["delivered"]);
    // Two yellow and two red cards; a warning is none.
    assert_eq!(life.cards().len(), 4);
}

#[test]
fn smooth() {
    let life = play("smooth");
    assert_eq!(
        life.steps(),
        [
            "delivered",
            "contacting",
            "verifying",
            "rectifying",
            "fed_back",
            "callback",
            "closed",
            "archived"
        ]
    );
    assert_eq!(
        life.refusals(),
        [
            "record_callback wrong-step",
            "send_callback_sms guarded",
            "archive guarded",
            "add_note wrong-step"
        ]
    );
    let ticket = life.ticket();
    assert_eq!(ticket["outcome"], "rectified");
    assert_eq!(ticket["finding"], "valid");
    assert_eq!(ticket["status"], "archived");
    for deadline in ["dispatch", "contact", "completion", "citizen", "callback_call"] {
        assert_eq!(life.run(deadline, 1)["state"], "met", "{deadline}");
    }
    life.check_ledger(
        "followup_window",
        &["2026-03-09T09:00 start 1 due 2026-05-09T00:00 firm", "2026-05-09T00:00 lapsed 1 -"],
    );
}

#[test]
fn unreasonable() {
    let life = play("unreasonable");
    assert_eq!(
        life.steps(),
        ["delivered", "verifying", "explaining", "fed_back", "callback", "closed"]
    );
    assert_eq!(life.refusals(), ["conclude form", "record_rectification wrong-step"]);
    assert_eq!(life.fields("conclude"), ["/legal_basis"]);
    assert_eq!(life.ticket()["outcome"], "explained");
}

#[test]
fn mistaken() {
    let life = play("mistaken");
    assert_eq!(
        life.refusals(),
        [
            "conclude form",
            "approve_finding guarded",
            "confirm_finding not-permitted",
            "confirm_finding guarded",
            "confirm_finding guarded"
        ]
    );
    assert_eq!(
        life.steps(),
        ["delivered", "verifying", "invalid_review", "fed_back", "callback", "closed"]
    );
    assert_eq!(life.ticket()["outcome"], "mistaken");
    // The agency's part is done with the confirmation; the approver's time is not charged to it.
    life.check_ledger(
        "completion",
        &["2026-03-09T09:20 start 1 due 2026-03-24T00:00 firm", "2026-03-11T11:10 met 1"],
    );
    life.check_ledger(
        "finding_decision",
        &[
            "2026-03-11T11:10 start 1 due 2026-03-13T00:00 firm",
            "2026-03-12T00:00 rung 1.0.-1wd early_warning",
            "2026-03-12T09:00 met 1",
        ],
    );
}

#[test]
fn malicious() {
    let life = play("malicious");
    assert_eq!(life.refusals(), ["approve_finding not-permitted"]);
    assert_eq!(life.ticket()["outcome"], "malicious");
    assert_eq!(life.ticket()["finding"], "malicious");
}

#[test]
fn finding_rejected() {
    let life = play("finding_rejected");
    assert_eq!(
        life.steps(),
        [
            "delivered",
            "verifying",
            "invalid_review",
            "verifying",
            "rectifying",
            "fed_back",
            "callback",
            "closed"
        ]
    );
    life.check_ledger(
        "completion",
        &[
            "2026-03-09T09:20 start 1 due 2026-03-24T00:00 firm",
            "2026-03-17T10:00 met 1",
            "2026-03-19T10:00 reopened 1 over [-3wd]",
            "2026-03-20T16:00 met 1",
        ],
    );
    life.check_ledger(
        "finding_decision",
        &[
            "2026-03-17T10:00 start 1 due 2026-03-19T00:00 firm",
            "2026-03-18T00:00 rung 1.0.-1wd early_warning",
            "2026-03-19T00:00 rung 1.0.end yellow_card",
            "2026-03-19T10:00 met late 1",
        ],
    );
    assert_eq!(life.ticket()["outcome"], "rectified");
}

#[test]
fn unhappy_twice() {
    let life = play("unhappy_twice");
    assert_eq!(life.ticket()["outcome"], "unresolved");
    let last = life.of_kind("acted").pop().expect("an action");
    assert_eq!(last["data"]["change"]["raised"], serde_json::json!(["called_back", "supervised"]));
    life.check_ledger(
        "rework",
        &["2026-03-12T15:00 start 1 due 2026-03-20T00:00 firm", "2026-03-17T10:00 met 1"],
    );
    let steps = life.steps();
    assert_eq!(steps.iter().filter(|step| *step == "reworking").count(), 1);
    assert_eq!(steps.last().map(String::as_str), Some("closed"));
    // An unhappy citizen does not take back that the agency had fed back in time.
    life.check_ledger(
        "completion",
        &["2026-03-09T09:20 start 1 due 2026-03-24T00:00 firm", "2026-03-11T10:00 met 1"],
    );
}

#[test]
fn three_unanswered() {
    let life = play("three_unanswered");
    assert_eq!(life.ticket()["outcome"], "rectified");
    life.check_ledger(
        "callback_call",
        &["2026-03-11T10:00 start 1 due 2026-03-18T00:00 firm", "2026-03-13T10:00 met 1"],
    );
    life.check_ledger(
        "callback_sms",
        &[
            "2026-03-11T10:00 start 1 due 2026-03-13T00:00 firm",
            "2026-03-12T00:00 rung 1.0.-1wd early_warning",
            "2026-03-13T00:00 rung 1.0.end yellow_card",
            "2026-03-13T10:00 met late 1",
        ],
    );
}

#[test]
fn unanswered_calls_start_from_nothing_after_a_rework() {
    let life = play("three_unanswered_reset");
    assert_eq!(life.steps().last().map(String::as_str), Some("closed"));
    let closed = life.of_kind("acted").pop().expect("an action");
    assert_eq!(closed["at"], "2026-03-13T09:00:00+08:00");
    assert_eq!(life.refusals(), [""; 0]);
}

#[test]
fn reopened() {
    let life = play("reopened");
    assert_eq!(life.refusals(), ["reopen not-permitted"]);
    let reopened = life.events().into_iter().find(|event| event["data"]["action"] == "reopen");
    let change = &reopened.expect("reopened")["data"]["change"];
    // The outcome is taken back, not merely left out.
    assert_eq!(change["outcome"], "cleared");
    life.check_ledger(
        "rework",
        &[
            "2026-03-20T10:00 start 1 due 2026-03-28T00:00 firm",
            "2026-03-27T00:00 rung 1.0.-1wd early_warning",
            "2026-03-27T10:00 met 1",
        ],
    );
    assert_eq!(life.ticket()["outcome"], "rectified");
    // The citizen's window was never interrupted.
    assert_eq!(life.ledger("followup_window").len(), 2);
}

#[test]
fn duplicate() {
    let life = play("duplicate");
    assert_eq!(life.refusals(), ["cancel_duplicate form"]);
    assert_eq!(life.steps(), ["closed", "pending_dispatch", "delivered"]);
    assert!(life.ticket()["outcome"].is_null());
    life.check_ledger(
        "dispatch",
        &[
            "2026-03-09T09:00 start 1 due 2026-03-11T00:00 firm",
            "2026-03-09T10:00 cancelled 1 closed",
            "2026-03-09T11:00 resumed 1 over []",
            "2026-03-09T14:00 met 1",
        ],
    );
    // The citizen's window was never interrupted.
    assert_eq!(life.ledger("followup_window").len(), 1);
}
