//! Time first: the history does not depend on whether the lane or a caller came first.

use serde_json::Value;

use super::played::{Played, play};

/// A history without the instants at which it was recorded.
fn timeless(life: &Played) -> Vec<Value> {
    let events = life.events().into_iter().cloned();
    events
        .map(|mut event| {
            event.as_object_mut().expect("an event").remove("recorded_at");
            event
        })
        .collect()
}

fn ticket_without_recording(life: &Played) -> Value {
    let mut ticket = life.ticket().clone();
    ticket.as_object_mut().expect("a ticket").remove("recorded_at");
    ticket
}

#[test]
fn a_month_without_the_lane_changes_only_when_things_were_recorded() {
    let (on, off) = (play("lane_on"), play("lane_off"));
    assert_eq!(timeless(&on), timeless(&off));
    assert_eq!(ticket_without_recording(&on), ticket_without_recording(&off));
    assert!(on.turns().len() > off.turns().len() + 10, "the lane worked in one life only");
    // What is due waits six seconds until it has settled; more than that is the lane's absence.
    let minute = |event: &Value, key: &str| event[key].as_str().map(|at| at[..16].to_owned());
    let late = |life: &Played| {
        let events = life.events().into_iter();
        events.filter(|event| minute(event, "at") != minute(event, "recorded_at")).count()
    };
    assert_eq!(late(&on), 0);
    assert!(late(&off) > 10);
    for event in off.events() {
        assert!(
            event["recorded_at"].as_str() >= event["at"].as_str(),
            "recorded before it happened: {event}"
        );
    }
}

#[test]
fn what_happened_overdue_stays_overdue_with_the_lane_off() {
    let off = play("lane_off");
    off.check_ledger(
        "contact",
        &[
            "2026-03-09T09:20 start 1 due 2026-03-13T00:00 firm",
            "2026-03-12T00:00 rung 1.0.-1wd early_warning",
            "2026-03-13T00:00 rung 1.0.end yellow_card",
            "2026-03-14T00:00 rung 1.0.+1wd urge",
            "2026-03-16T10:00 met late 1",
        ],
    );
}

#[test]
fn a_month_left_alone_is_made_good_in_one_commit() {
    let (on, off) = (play("left_alone"), play("lane_off_alone"));
    assert_eq!(timeless(&on), timeless(&off));
    let back = off.turns().iter().find(|turn| turn["recorded_at"] == "2026-03-14T09:00:00+08:00");
    let back = back.expect("the lane came back");
    // Everything but the follow-up window, each at its own instant, recorded at once.
    assert_eq!(back["events"].as_array().map(Vec::len), Some(12));
    let events = back["events"].as_array().expect("events");
    assert!(events.iter().all(|event| event["recorded_at"] == "2026-03-14T09:00:00+08:00"));
    // Of each deadline's rungs an audience hears of the last only.
    let told = |life: &Value| -> Vec<String> {
        let messages = life["messages"].as_array().expect("messages");
        let about = |message: &Value| {
            let rung = &message["about"]["rung"];
            let name = |value: &Value| value.as_str().unwrap_or("-").to_owned();
            format!(
                "{} {} {}",
                name(&rung["run"]["deadline"]),
                name(&rung["rung"]),
                name(&message["to"])
            )
        };
        messages.iter().map(about).collect()
    };
    let mut expected = vec!["contact end hotline".to_owned()];
    for audience in ["agency", "agency_lead", "supervisor"] {
        expected.push(format!("contact +5wd {audience}"));
    }
    expected.push("completion end hotline".to_owned());
    for audience in ["agency", "agency_lead", "supervisor"] {
        expected.push(format!("completion +5wd {audience}"));
    }
    assert_eq!(told(back), expected);
    // With the lane at work each rung was told on its own day.
    let each: usize =
        on.turns().iter().map(|turn| turn["messages"].as_array().map_or(0, Vec::len)).sum();
    assert!(each > expected.len() + 10, "{each}");
}
