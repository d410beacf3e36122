//! Extensions of the completion deadline: granted, refused, too late, too often.

use super::played::play;

#[test]
fn an_extension_warns_again() {
    let life = play("extension_warns_again");
    life.check_ledger(
        "completion",
        &[
            "2026-03-09T09:20 start 1 due 2026-03-24T00:00 firm",
            "2026-03-19T00:00 rung 1.0.-3wd early_warning",
            "2026-03-20T15:00 moved 1.1 extension 2026-03-24T00:00 to 2026-03-31T00:00 firm",
            "2026-03-26T00:00 rung 1.1.-3wd early_warning",
            "2026-03-28T00:00 rung 1.1.-1wd early_warning",
            "2026-03-31T00:00 rung 1.1.end yellow_card",
            "2026-04-01T00:00 rung 1.1.+1wd urge",
            "2026-04-03T00:00 rung 1.1.+3wd supervise",
            "2026-04-08T00:00 rung 1.1.+5wd red_card",
        ],
    );
    let run = life.run("completion", 1);
    assert_eq!(run["generation"], 1);
    assert_eq!(run["original_due_at"], "2026-03-24T00:00:00+08:00");
    assert_eq!(run["extended_to"], "2026-03-30");
    // The citizen waits as long as ever.
    life.check_ledger("citizen", &["2026-03-09T09:20 start 1 due 2026-03-24T00:00 firm"]);
}

#[test]
fn asked_before_the_end_and_granted_after_it() {
    let life = play("extension_granted_after_due");
    life.check_ledger(
        "completion",
        &[
            "2026-03-09T09:20 start 1 due 2026-03-24T00:00 firm",
            "2026-03-19T00:00 rung 1.0.-3wd early_warning",
            "2026-03-21T00:00 rung 1.0.-1wd early_warning",
            "2026-03-24T00:00 rung 1.0.end yellow_card",
            "2026-03-25T00:00 rung 1.0.+1wd urge",
            "2026-03-25T10:00 moved 1.1 extension 2026-03-24T00:00 to 2026-03-31T00:00 firm",
            "2026-03-25T10:00 revoked completion.1.0.end extension_pending",
            "2026-03-26T00:00 rung 1.1.-3wd early_warning",
            "2026-03-28T00:00 rung 1.1.-1wd early_warning",
            "2026-03-30T16:00 met 1",
        ],
    );
    assert_eq!(life.cards_of("completion"), ["completion.1.0.end yellow_card revoked"]);
    life.check_ledger(
        "citizen",
        &["2026-03-09T09:20 start 1 due 2026-03-24T00:00 firm", "2026-03-30T16:00 met late 1"],
    );
    life.check_ledger(
        "extension_decision",
        &[
            "2026-03-23T23:59:59.999 start 1 due 2026-03-25T00:00 firm",
            "2026-03-24T00:00 rung 1.0.-1wd early_warning",
            "2026-03-25T00:00 rung 1.0.end yellow_card",
            "2026-03-25T10:00 met late 1",
        ],
    );
}

#[test]
fn asked_before_the_end_and_refused_after_it() {
    let life = play("extension_refused_after_due");
    life.check_ledger(
        "completion",
        &[
            "2026-03-09T09:20 start 1 due 2026-03-24T00:00 firm",
            "2026-03-19T00:00 rung 1.0.-3wd early_warning",
            "2026-03-21T00:00 rung 1.0.-1wd early_warning",
            "2026-03-24T00:00 rung 1.0.end yellow_card",
            "2026-03-25T00:00 rung 1.0.+1wd urge",
            "2026-03-26T16:00 met late 1",
        ],
    );
    let cards = life.cards_of("completion");
    assert!(cards.iter().all(|card| card.ends_with(" issued")), "{cards:?}");
    assert_eq!(life.run("completion", 1)["extended_to"], serde_json::Value::Null);
}

#[test]
fn how_far_how_often_and_what_for() {
    let life = play("extension_limits");
    assert_eq!(
        life.refusals(),
        [
            "approve_extension guarded",
            "request_extension form",
            "request_extension form",
            "request_extension form",
            "request_extension guarded",
            "request_extension guarded"
        ]
    );
    let said = life.message("request_extension");
    assert_eq!(life.fields("request_extension"), ["/new_due_date"]);
    assert!(said.contains("2026-03-24 至 2026-04-07"), "{said}");
    assert_eq!(life.ledger("completion").len(), 1);
    assert_eq!(life.run("extension_decision", 2)["state"], "met");
}

#[test]
fn at_the_very_end_it_is_too_late_to_ask() {
    let life = play("extension_at_due");
    assert_eq!(life.refusals(), ["request_extension guarded"]);
    assert!(life.message("request_extension").contains("办结反馈时限已到"));
    life.check_ledger(
        "completion",
        &[
            "2026-03-09T09:20 start 1 due 2026-03-24T00:00 firm",
            "2026-03-19T00:00 rung 1.0.-3wd early_warning",
            "2026-03-21T00:00 rung 1.0.-1wd early_warning",
            "2026-03-24T00:00 rung 1.0.end yellow_card",
            "2026-03-25T00:00 rung 1.0.+1wd urge",
            "2026-03-25T10:00 met late 1",
        ],
    );
}
