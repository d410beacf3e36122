//! One order of time: what was due is recorded when it has settled, nobody who was in time finds it
//! recorded before him, and nothing that was recorded is ever taken back.

use serde_json::Value;

use super::played::{Played, play};

/// What an event says of when: effective, recorded, arrived.
fn times(event: &Value) -> [&str; 3] {
    ["at", "recorded_at", "arrived_at"].map(|key| event[key].as_str().unwrap_or("-"))
}

fn acted<'l>(life: &'l Played, action: &str) -> &'l Value {
    let found = life.of_kind("acted").into_iter().find(|one| one["data"]["action"] == action);
    found.unwrap_or_else(|| panic!("nobody did {action}"))
}

/// Everything that was due is recorded six seconds later, and never by a card that is revoked.
fn nothing_is_taken_back(life: &Played) {
    assert!(life.of_kind("card_revoked").is_empty());
    for kind in ["rung_fired", "deadline_lapsed"] {
        for event in life.of_kind(kind) {
            let [at, recorded, _] = times(event);
            assert!(at.contains("T00:00:00+"), "{event}");
            assert!(recorded.contains("T00:00:06+"), "{event}");
        }
    }
}

#[test]
fn what_arrived_before_midnight_is_in_time_although_recorded_after() {
    let life = play("arrived_before_due");
    nothing_is_taken_back(&life);
    life.check_ledger(
        "contact",
        &[
            "2026-02-13T16:30 start 1 due 2026-02-26T00:00 firm",
            "2026-02-25T00:00 rung 1.0.-1wd early_warning",
            "2026-02-25T23:59:59.999 met 1",
        ],
    );
    let contact = times(acted(&life, "record_contact"));
    assert_eq!(contact, ["2026-02-25T23:59:59.999+08:00", "2026-02-26T00:00:03+08:00", "-"]);
    assert!(life.cards_of("contact").is_empty() && life.cards_of("completion").is_empty());
}

#[test]
fn who_was_overtaken_is_told_so_and_nothing_happened() {
    let life = play("overtaken");
    nothing_is_taken_back(&life);
    assert_eq!(life.refusals(), ["record_contact overtaken"]);
    assert!(life.message("record_contact").contains("重新提交的时间认定"));
    life.check_ledger(
        "contact",
        &[
            "2026-03-09T09:20 start 1 due 2026-03-13T00:00 firm",
            "2026-03-12T00:00 rung 1.0.-1wd early_warning",
            "2026-03-13T00:00 rung 1.0.end yellow_card",
            "2026-03-13T00:00:08 met late 1",
        ],
    );
}

#[test]
fn who_comes_late_takes_effect_at_the_tickets_last_instant() {
    let life = play("at_the_stamp_before");
    let note = times(acted(&life, "add_note"));
    let expected =
        ["2026-03-09T10:00:02+08:00", "2026-03-09T10:00:03+08:00", "2026-03-09T10:00:01+08:00"];
    assert_eq!(note, expected);
    assert_eq!(times(acted(&life, "sign"))[2], "-");
}

#[test]
fn contact_at_the_last_moment_of_the_appeal_leaves_nobody_stuck() {
    let life = play("staff_contact_at_the_last_moment");
    nothing_is_taken_back(&life);
    assert_eq!(
        life.steps(),
        ["delivered", "contacting", "appeal_open", "under_review", "explaining"]
    );
}

#[test]
fn a_deadline_that_was_ended_in_time_has_no_card() {
    for (name, reason) in [("ended_in_time", "closed"), ("released_in_time", "released")] {
        let life = play(name);
        nothing_is_taken_back(&life);
        assert_eq!(life.run("contact", 1)["cancelled"], reason);
        assert!(life.cards_of("contact").is_empty(), "{name}: {:?}", life.cards());
    }
}

#[test]
fn proof_before_deemed_service_is_proof() {
    let life = play("staff_proof_in_time");
    nothing_is_taken_back(&life);
    assert_eq!(life.refusals(), ["waive_appeal guarded"]);
    assert!(life.message("waive_appeal").contains("不在复核申请期内"));
    life.check_ledger(
        "deemed_service",
        &["2026-03-09T11:00 start 1 due 2026-03-11T00:00 firm", "2026-03-10T23:59:58 met 1"],
    );
    life.check_ledger("appeal_window", &["2026-03-10T23:59:58 start 1 due 2026-03-14T00:00 firm"]);
}

/// A request at the very instant is late, and waits for its answer until that has settled.
#[test]
fn an_answer_that_depends_on_what_is_due_waits() {
    for (name, action) in
        [("extension_at_due", "request_extension"), ("return_window_lapsed", "request_return")]
    {
        let life = play(name);
        assert_eq!(life.refusals(), [format!("{action} guarded")]);
        let mut turns = life.turns().iter();
        let refused = turns.find(|turn| !turn["refused"].is_null()).expect("a refusal");
        assert!(refused["at"].as_str().expect("an instant").contains("T00:00:00+"));
        assert!(refused["recorded_at"].as_str().expect("an instant").contains("T00:00:06+"));
    }
}
