//! 退单: an agency gives a ticket back.

use super::played::play;

#[test]
fn another_agency_starts_afresh() {
    let life = play("return_approved");
    life.check_ledger(
        "contact",
        &[
            "2026-03-09T09:20 start 1 due 2026-03-13T00:00 firm",
            "2026-03-12T00:00 rung 1.0.-1wd early_warning",
            "2026-03-13T00:00 rung 1.0.end yellow_card",
            "2026-03-13T10:00 cancelled 1 released",
            "2026-03-13T15:00 start 2 due 2026-03-19T00:00 firm",
            "2026-03-16T10:00 met 2",
        ],
    );
    // The clocks ran while the hotline thought it over, and the cards of that time stay.
    assert_eq!(life.cards_of("contact"), ["contact.1.0.end yellow_card issued"]);
    let cards = life.ticket()["cards"].as_array().expect("cards");
    let contact = cards.iter().find(|card| card["deadline"] == "contact").expect("its card");
    assert_eq!(contact["agency"], "SZ013");
    assert_eq!(life.run("contact", 2)["agency"], "SZ021");
    life.check_ledger(
        "completion",
        &[
            "2026-03-09T09:20 start 1 due 2026-03-24T00:00 firm",
            "2026-03-13T10:00 cancelled 1 released",
            "2026-03-13T15:00 start 2 due 2026-03-28T00:00 firm",
            "2026-03-25T00:00 rung 2.0.-3wd early_warning",
            "2026-03-26T10:00 met 2",
        ],
    );
    // The citizen's time never starts again.
    life.check_ledger(
        "citizen",
        &["2026-03-09T09:20 start 1 due 2026-03-24T00:00 firm", "2026-03-26T10:00 met late 1"],
    );
    life.check_ledger(
        "dispatch",
        &[
            "2026-03-09T09:00 start 1 due 2026-03-11T00:00 firm",
            "2026-03-09T09:20 met 1",
            "2026-03-13T10:00 start 2 due 2026-03-17T00:00 firm",
            "2026-03-13T15:00 met 2",
        ],
    );
    assert_eq!(life.refusals(), ["add_note not-yours", "request_return wrong-step"]);
}

#[test]
fn refused_it_goes_back_to_where_it_was() {
    let life = play("return_refused");
    assert_eq!(
        life.steps(),
        [
            "delivered",
            "contacting",
            "return_requested",
            "contacting",
            "verifying",
            "rectifying",
            "fed_back"
        ]
    );
    assert_eq!(life.refusals(), ["record_contact wrong-step", "request_return guarded"]);
    assert!(life.message("request_return").contains("一次"));
    life.check_ledger(
        "contact",
        &[
            "2026-03-09T09:20 start 1 due 2026-03-13T00:00 firm",
            "2026-03-12T00:00 rung 1.0.-1wd early_warning",
            "2026-03-12T10:00 met 1",
        ],
    );
}

#[test]
fn the_window_ends_at_its_instant() {
    let life = play("return_window_lapsed");
    assert_eq!(life.refusals(), ["request_return guarded"]);
    life.check_ledger(
        "return_window",
        &["2026-03-09T09:20 start 1 due 2026-03-11T00:00 firm", "2026-03-11T00:00 lapsed 1 -"],
    );
    assert_eq!(life.ticket()["step"], "contacting");
}

#[test]
fn after_three_bounces_the_supervisor_rules() {
    let life = play("return_third_bounce");
    assert_eq!(
        life.refusals(),
        [
            "rule_dispatch wrong-step",
            "rule_dispatch guarded",
            "dispatch guarded",
            "rule_dispatch not-permitted",
            "request_return guarded"
        ]
    );
    assert!(life.message("dispatch").contains("须由热线督导指派"));
    assert!(life.message("request_return").contains("督导已指派"));
    assert_eq!(life.ticket()["agency"], "SZ004");
    assert_eq!(life.ticket()["flags"], serde_json::json!(["ruled"]));
    let tallies = &life.ticket()["tallies"]["bounce"];
    assert_eq!(tallies.as_array().map(Vec::len), Some(3));
    for run in 1..=3 {
        assert_eq!(life.run("completion", run)["cancelled"], "released");
    }
    assert_eq!(life.run("completion", 4)["state"], "met");
}

#[test]
fn an_agency_that_gets_its_ticket_back_goes_on() {
    let life = play("return_comes_back");
    life.check_ledger(
        "contact",
        &[
            "2026-03-09T09:20 start 1 due 2026-03-13T00:00 firm",
            "2026-03-09T11:00 cancelled 1 released",
            "2026-03-09T14:00 start 2 due 2026-03-13T00:00 firm",
            "2026-03-11T16:00 cancelled 2 released",
            "2026-03-12T09:00 resumed 1 over [-1wd]",
            "2026-03-12T15:00 met 1",
        ],
    );
    let run = life.run("contact", 1);
    assert_eq!(run["agency"], "SZ001");
    assert_eq!(run["due_at"], run["original_due_at"]);
    assert_eq!(run["ledger"][0]["reason"], "resumed");
    assert_eq!(run["ledger"][0]["held_from"], "2026-03-09T11:00:00+08:00");
    life.check_ledger(
        "completion",
        &[
            "2026-03-09T09:20 start 1 due 2026-03-24T00:00 firm",
            "2026-03-09T11:00 cancelled 1 released",
            "2026-03-09T14:00 start 2 due 2026-03-24T00:00 firm",
            "2026-03-11T16:00 cancelled 2 released",
            "2026-03-12T09:00 resumed 1 over []",
            "2026-03-16T10:00 met 1",
        ],
    );
    // It has asked once and may not ask again.
    assert_eq!(life.refusals(), ["request_return guarded"]);
    assert_eq!(life.ledger("return_window").len(), 4);
}
