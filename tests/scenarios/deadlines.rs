//! The instant of an action, runs and rungs, and refused feedback.

use super::played::play;

#[test]
fn what_follows_counts_from_the_arrival() {
    // Recorded on the 6th, arrived on the 5th: the 6th is the working day.
    let life = play("arrived_before_due");
    assert_eq!(life.run("feedback_decision", 1)["starts_at"], "2026-03-05T23:59:50+08:00");
    assert_eq!(life.run("feedback_decision", 1)["due_at"], "2026-03-07T00:00:00+08:00");
    assert_eq!(life.run("completion", 1)["state"], "met");
}

#[test]
fn recording_never_goes_back() {
    for name in
        ["arrived_before_due", "staff_appeal_in_time", "extension_at_due", "overtaken", "lane_off"]
    {
        let life = play(name);
        let recorded: Vec<&str> =
            life.events().iter().filter_map(|event| event["recorded_at"].as_str()).collect();
        assert!(recorded.is_sorted(), "{name}: {recorded:?}");
    }
}

#[test]
fn at_the_very_instant_is_late_and_a_millisecond_before_is_not() {
    let late = play("at_the_due_instant");
    late.check_ledger(
        "contact",
        &[
            "2026-02-13T16:30 start 1 due 2026-02-26T00:00 firm",
            "2026-02-25T00:00 rung 1.0.-1wd early_warning",
            "2026-02-26T00:00 rung 1.0.end yellow_card",
            "2026-02-26T00:00 met late 1",
        ],
    );
    assert_eq!(late.run("contact", 1)["state"], "met_late");
    assert_eq!(late.run("completion", 1)["state"], "met_late");
    assert_eq!(late.cards_of("contact")[0], "contact.1.0.end yellow_card issued");
    let in_time = play("one_ms_before_due");
    in_time.check_ledger(
        "contact",
        &[
            "2026-02-13T16:30 start 1 due 2026-02-26T00:00 firm",
            "2026-02-25T00:00 rung 1.0.-1wd early_warning",
            "2026-02-25T23:59:59.999 met 1",
        ],
    );
    assert_eq!(in_time.run("completion", 1)["state"], "met");
    assert_eq!(in_time.run("citizen", 1)["state"], "met");
}

#[test]
fn forms_cannot_claim_the_future() {
    let life = play("future_claims");
    assert_eq!(
        life.refusals(),
        [
            "record_contact form",
            "record_rectification form",
            "feed_back form",
            "send_callback_sms form",
            "record_callback form"
        ]
    );
    assert_eq!(life.fields("record_contact"), ["/attempted_at"]);
    assert_eq!(life.fields("feed_back"), ["/reviewer_informed/at"]);
    assert!(!life.message("feed_back").contains("10:05:01"), "what a form said is not repeated");
    // A claim that lies a little ahead is taken as now.
    let mut contacts = life.of_kind("acted").into_iter();
    let contact = contacts.rfind(|one| one["data"]["action"] == "record_contact");
    let claimed = &contact.expect("a contact")["data"]["form"]["attempted_at"];
    assert_eq!(claimed, "2026-03-10T10:01:00+08:00");
    assert_eq!(life.ticket()["outcome"], "rectified");
}

#[test]
fn a_claim_of_the_past_does_not_make_it_timely() {
    let life = play("claims_do_not_backdate");
    assert_eq!(life.run("contact", 1)["state"], "met_late");
    assert_eq!(life.run("contact", 1)["ended_at"], "2026-03-13T09:00:00+08:00");
}

#[test]
fn a_rung_not_after_the_start_is_not_armed() {
    let life = play("saturday");
    // Received on Saturday the 14th: the end is Monday 24:00, a working day before is Friday
    // 24:00, which was there before the ticket.
    life.check_ledger(
        "dispatch",
        &["2026-03-14T11:00 start 1 due 2026-03-17T00:00 firm", "2026-03-16T23:59:59 met 1"],
    );
    let started = life.of_kind("deadline_started");
    let dispatch = started.iter().find(|event| event["data"]["deadline"] == "dispatch");
    let rungs = dispatch.expect("started")["data"]["rungs"].as_array().expect("rungs").clone();
    let names: Vec<&str> = rungs.iter().filter_map(|rung| rung["rung"].as_str()).collect();
    assert_eq!(names, ["end", "+1wd"]);
    assert_eq!(life.run("contact", 1)["due_at"], "2026-03-20T00:00:00+08:00");
}

#[test]
fn a_second_start_is_a_second_run() {
    let life = play("second_run");
    life.check_ledger(
        "feedback_decision",
        &[
            "2026-03-11T10:00 start 1 due 2026-03-13T00:00 firm",
            "2026-03-12T00:00 rung 1.0.-1wd early_warning",
            "2026-03-13T00:00 rung 1.0.end yellow_card",
            "2026-03-13T10:00 met late 1",
            "2026-03-13T16:00 start 2 due 2026-03-17T00:00 firm",
            "2026-03-14T00:00 rung 2.0.-1wd early_warning",
            "2026-03-17T00:00 rung 2.0.end yellow_card",
            "2026-03-17T10:00 met late 2",
        ],
    );
    assert_eq!(
        life.cards_of("feedback_decision"),
        [
            "feedback_decision.1.0.end yellow_card issued",
            "feedback_decision.2.0.end yellow_card issued",
        ]
    );
    // The refusal came with nothing of completion's ladder in between.
    life.check_ledger(
        "completion",
        &[
            "2026-03-09T09:20 start 1 due 2026-03-24T00:00 firm",
            "2026-03-11T10:00 met 1",
            "2026-03-13T10:00 reopened 1 over []",
            "2026-03-13T16:00 met 1",
        ],
    );
}

#[test]
fn refused_feedback_is_as_if_it_had_never_been() {
    let life = play("feedback_refused");
    life.check_ledger(
        "completion",
        &[
            "2026-03-09T09:20 start 1 due 2026-03-24T00:00 firm",
            "2026-03-18T16:00 met 1",
            "2026-03-23T10:00 reopened 1 over [-3wd -1wd]",
            "2026-03-24T00:00 rung 1.0.end yellow_card",
            "2026-03-25T00:00 rung 1.0.+1wd urge",
            "2026-03-25T10:00 met late 1",
        ],
    );
    let run = life.run("completion", 1);
    assert_eq!(run["due_at"], run["original_due_at"]);
    let change = &run["ledger"][0];
    assert_eq!(change["reason"], "refused");
    assert_eq!(change["held_from"], "2026-03-18T16:00:00+08:00");
    assert_eq!(change["at"], "2026-03-23T10:00:00+08:00");
    life.check_ledger(
        "callback_call",
        &[
            "2026-03-18T16:00 start 1 due 2026-03-25T00:00 firm",
            "2026-03-23T10:00 cancelled 1 feedback_refused",
            "2026-03-25T10:00 start 2 due 2026-04-01T00:00 firm",
        ],
    );
    life.check_ledger(
        "citizen",
        &[
            "2026-03-09T09:20 start 1 due 2026-03-24T00:00 firm",
            "2026-03-18T16:00 met 1",
            "2026-03-23T10:00 reopened 1 over []",
            "2026-03-25T10:00 met late 1",
        ],
    );
}

#[test]
fn a_rung_at_midnight_does_not_change_the_revision() {
    let life = play("revision_kept");
    assert_eq!(life.refusals(), ["conclude stale-revision"]);
    assert_eq!(life.steps(), ["delivered", "contacting", "verifying"]);
    assert_eq!(life.ledger("contact")[1], "2026-03-12T00:00 rung 1.0.-1wd early_warning");
}
