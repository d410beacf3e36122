//! Lives that chance hardly ever finds, written down.

use serde_json::{Value, json};

use crate::coverage::Coverage;
use crate::life::{Deed, Life, written};
use crate::oracle::almanac::{day_number, start_of};
use crate::play::Player;
use crate::setting::Settings;

/// Day, hour, role, action, form; the hours count from the first day.
type Line = (i64, i64, &'static str, &'static str, Value);

fn check(class: &str, first_day: i64, lines: &[Line]) {
    let start = start_of(first_day);
    let at = |day: i64, hour: i64| start + (24 * day + hour) * 3_600_000;
    let mut life = Life {
        seed: 0,
        has_late_notices: false,
        class: class.to_owned(),
        reviewed_at: at(0, 8),
        received_at: at(0, 8),
        flags: Vec::new(),
        outages: Vec::new(),
        lane_late_ms: 0,
        deeds: Vec::new(),
        until: at(40, 0),
    };
    for (day, hour, role, action, form) in lines {
        let (at, is_of_agency) = (at(*day, *hour), role.starts_with("agency"));
        life.deeds.push(Deed {
            at,
            recorded_at: at,
            action: (*action).to_owned(),
            role: (*role).to_owned(),
            subject: format!("{role}-1"),
            agency: is_of_agency.then(|| "SZ013".to_owned()),
            form: form.clone(),
            revision: None,
        });
    }
    let settings = Settings::new();
    let played = Player::play(settings.of(&life), &life, true, &mut Coverage::default());
    match played {
        Ok(player) => assert!(player.refusals.iter().all(Option::is_none), "{:?}", player.refusals),
        Err(failure) => panic!("after {}: {}", failure.after, failure.what),
    }
}

#[test]
fn a_short_message_from_an_agency_that_has_its_ticket_again() {
    let first = day_number(2026, 3, 3);
    let called = |hour: i64| {
        let at = written(start_of(first) + hour * 3_600_000);
        json!({ "outcome": "no_answer", "channel": "phone", "attempted_at": at })
    };
    let sent_at = written(start_of(first) + 38 * 3_600_000);
    let told = json!({ "outcome": "sent", "channel": "sms", "attempted_at": sent_at });
    for class in ["staff", "matter"] {
        check(
            class,
            first,
            &[
                (0, 9, "hotline", "dispatch", json!({ "agency": "SZ013" })),
                (0, 10, "agency", "record_contact", called(10)),
                (0, 15, "agency", "record_contact", called(15)),
                (1, 10, "agency", "record_contact", called(34)),
                (1, 11, "agency", "request_return", json!({ "reason": "不属本单位职责" })),
                (1, 12, "hotline", "approve_return", json!({})),
                (1, 13, "hotline", "dispatch", json!({ "agency": "SZ013" })),
                (1, 14, "agency", "record_contact", told.clone()),
            ],
        );
    }
}

#[test]
fn a_granted_day_in_a_year_without_a_notice() {
    let first = day_number(2026, 12, 16);
    let now = |hour: i64| written(start_of(first) + hour * 3_600_000);
    let informed = json!({ "channel": "phone", "at": now(10), "outcome": "informed" });
    let reached = json!({ "outcome": "reached", "channel": "phone", "attempted_at": now(10) });
    let asked = json!({
        "reason": "涉及多个部门", "new_due_date": "2027-01-06", "reviewer_informed": informed,
    });
    check(
        "matter",
        first,
        &[
            (0, 9, "hotline", "dispatch", json!({ "agency": "SZ013" })),
            (0, 10, "agency", "record_contact", reached),
            (0, 11, "agency", "request_extension", asked),
            (0, 12, "hotline", "approve_extension", json!({})),
        ],
    );
}

#[test]
fn a_warning_that_fell_away_at_the_grant_stays_away_after_a_notice() {
    let first = day_number(2019, 3, 4);
    let at = |hour: i64| written(start_of(first) + hour * 3_600_000);
    let informed = json!({ "channel": "phone", "at": at(10), "outcome": "informed" });
    let reached = json!({ "outcome": "reached", "channel": "phone", "attempted_at": at(10) });
    let asked = json!({
        "reason": "涉及多个部门", "new_due_date": "2019-03-25", "reviewer_informed": informed,
    });
    check(
        "matter",
        first,
        &[
            (0, 9, "hotline", "dispatch", json!({ "agency": "SZ013" })),
            (0, 10, "agency", "record_contact", reached),
            (14, 10, "agency", "request_extension", asked),
            (17, 12, "hotline", "approve_extension", json!({})),
            // The notice of 2019-03-22 comes before this.
            (18, 10, "hotline", "urge", json!({})),
        ],
    );
}
