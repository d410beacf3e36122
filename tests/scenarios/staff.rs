//! Courses of a staff ticket: contact and notice side by side, the appeal window and its ways out.

use super::played::play;

const TO_THE_END: [&str; 5] = ["under_review", "measures", "fed_back", "callback", "closed"];

#[test]
fn an_appeal_ends_the_window() {
    let life = play("staff_appeal");
    assert_eq!(
        life.steps(),
        [&["delivered", "contacting", "appeal_open"], &TO_THE_END[..]].concat()
    );
    assert_eq!(
        life.refusals(),
        [
            "serve_notice guarded",
            "conclude wrong-step",
            "conclude wrong-step",
            "file_appeal wrong-step"
        ]
    );
    life.check_ledger(
        "staff_notice",
        &["2026-03-09T09:20 start 1 due 2026-03-12T00:00 firm", "2026-03-10T10:00 met 1"],
    );
    life.check_ledger(
        "appeal_window",
        &["2026-03-10T10:00 start 1 due 2026-03-14T00:00 firm", "2026-03-12T10:00 met 1"],
    );
    assert_eq!(life.ticket()["outcome"], "rectified");
}

#[test]
fn a_waiver_ends_the_window_but_not_the_duty_to_contact() {
    let life = play("staff_waived");
    assert_eq!(life.refusals(), ["waive_appeal guarded", "conclude wrong-step"]);
    let steps = life.steps();
    // The window is over when the reviewer is contacted: there is nothing left to wait for.
    assert_eq!(
        steps,
        ["delivered", "contacting", "under_review", "explaining", "fed_back", "callback", "closed"]
    );
    life.check_ledger(
        "contact",
        &[
            "2026-03-09T09:20 start 1 due 2026-03-12T00:00 firm",
            "2026-03-11T00:00 rung 1.0.-1wd early_warning",
            "2026-03-11T10:00 met 1",
        ],
    );
    assert_eq!(life.ticket()["outcome"], "explained");
}

#[test]
fn a_lapse_ends_the_window() {
    let life = play("staff_lapsed");
    assert_eq!(life.refusals(), ["conclude wrong-step", "waive_appeal wrong-step"]);
    life.check_ledger(
        "appeal_window",
        &[
            "2026-03-10T10:00 start 1 due 2026-03-14T00:00 firm",
            "2026-03-14T00:00 lapsed 1 appeal_lapsed",
        ],
    );
    // The transition follows in the same commit, at the same instant, brought about by time.
    let moved = life.of_kind("moved").pop().expect("moved");
    assert_eq!(moved["at"], "2026-03-14T00:00:00+08:00");
    assert_eq!(moved["actor"], "system");
    assert_eq!(moved["data"]["change"]["step"]["to"], "under_review");
    assert_eq!(life.ticket()["outcome"], "rectified");
}

#[test]
fn an_appeal_that_arrived_before_the_lapse_counts() {
    let life = play("staff_appeal_in_time");
    life.check_ledger(
        "appeal_window",
        &["2026-03-10T10:00 start 1 due 2026-03-14T00:00 firm", "2026-03-13T23:59:59.999 met 1"],
    );
    assert_eq!(life.run("appeal_window", 1)["state"], "met");
    assert_eq!(life.steps().last().map(String::as_str), Some("fed_back"));
}

#[test]
fn without_proof_the_notice_counts_as_served_after_a_working_day() {
    let life = play("staff_deemed");
    assert_eq!(life.refusals(), ["waive_appeal guarded", "conclude wrong-step"]);
    life.check_ledger(
        "staff_notice",
        &[
            "2026-03-09T09:20 start 1 due 2026-03-12T00:00 firm",
            "2026-03-11T00:00 rung 1.0.-1wd early_warning",
            "2026-03-11T16:00 met 1",
        ],
    );
    life.check_ledger(
        "deemed_service",
        &[
            "2026-03-11T16:00 start 1 due 2026-03-13T00:00 firm",
            "2026-03-13T00:00 lapsed 1 deemed_served",
        ],
    );
    // Served when the 12th ends: that day does not count; 13, 16 and 17 March do.
    life.check_ledger(
        "appeal_window",
        &[
            "2026-03-13T00:00 start 1 due 2026-03-18T00:00 firm",
            "2026-03-18T00:00 lapsed 1 appeal_lapsed",
        ],
    );
    assert_eq!(life.run("appeal_window", 1)["starts_at"], "2026-03-12T23:59:59.999+08:00");
    let at = "2026-03-18T00:00:00+08:00";
    let events = life.events();
    let night = events.iter().filter(|event| event["at"] == at);
    let kinds: Vec<&str> = night.filter_map(|event| event["kind"].as_str()).collect();
    assert_eq!(kinds, ["deadline_lapsed", "moved"]);
    // Two days for the notice, one for its service, three for the appeal: four of ten are left.
    assert_eq!(life.run("completion", 1)["due_at"], "2026-03-24T00:00:00+08:00");
}

#[test]
fn proof_that_comes_later_starts_the_window_at_once() {
    let life = play("staff_proof_later");
    life.check_ledger(
        "deemed_service",
        &["2026-03-10T10:00 start 1 due 2026-03-12T00:00 firm", "2026-03-10T16:00 met 1"],
    );
    life.check_ledger(
        "appeal_window",
        &["2026-03-10T16:00 start 1 due 2026-03-14T00:00 firm", "2026-03-11T10:00 met 1"],
    );
    assert_eq!(life.run("staff_notice", 1)["state"], "met");
}
