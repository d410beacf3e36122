//! What somebody might do next with a ticket as it is: mostly what its step asks for. Must never
//! decide whether it is allowed.

use duban_core::deadline::{RungState, State};
use duban_core::instance::Instance;

use crate::fill;
use crate::life::{Deed, Life};
use crate::oracle::almanac::{day_number, start_of};
use crate::play::Player;
use crate::random::Random;
use crate::setting::Settings;

const SECOND_MS: i64 = 1000;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 86_400_000;

/// How a life is lived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// How many in a hundred actions come at once.
    haste: i64,
    /// How many in a hundred come late to what is already committed.
    lateness: i64,
    /// How many in a hundred are out of place.
    folly: i64,
    /// How many in a hundred tickets are given back where they can be.
    refusal: i64,
    pub(crate) deeds: i64,
}

/// A life without deeds: which review, when, and when the lane is off.
pub(crate) fn beginning(random: &mut Random, seed: u64, settings: &Settings) -> (Life, Manner) {
    let mut life = Life {
        seed,
        has_late_notices: random.chance(45),
        class: random
            .weighted(&[(4, "matter"), (2, "business"), (1, "system"), (6, "staff")])
            .into(),
        reviewed_at: 0,
        received_at: 0,
        flags: Vec::new(),
        outages: Vec::new(),
        lane_late_ms: 0,
        deeds: Vec::new(),
        until: 0,
    };
    let received_at = received(random, &settings.of(&life).publications());
    life.received_at = received_at;
    life.until = received_at;
    life.reviewed_at = match random.below(10) {
        0..6 => received_at,
        6..9 => received_at - random.below(5 * DAY_MS),
        _ => received_at - random.below(90 * DAY_MS),
    };
    if random.chance(12) {
        life.flags.push("anonymous".to_owned());
    }
    if random.chance(4) {
        life.flags.push("hotline_self".to_owned());
    }
    life.outages = match random.below(10) {
        0..6 => Vec::new(),
        6..9 => {
            let from = received_at + random.below(20 * DAY_MS);
            vec![(from, from + 30 * DAY_MS)]
        }
        _ => vec![(received_at, received_at + 2000 * DAY_MS)],
    };
    let manner = Manner {
        haste: *random.pick(&[10, 30, 60, 85]),
        lateness: *random.pick(&[0, 0, 8, 20]),
        folly: *random.pick(&[3, 8, 15]),
        refusal: *random.pick(&[20, 20, 95]),
        deeds: random.between(6, 34),
    };
    (life, manner)
}

/// An instant of any covered year or the first after, often where something happens.
fn received(random: &mut Random, publications: &[i64]) -> i64 {
    let year = random.weighted(&[
        (1, 2015),
        (1, 2017),
        (1, 2018),
        (3, 2019),
        (4, 2020),
        (1, 2021),
        (1, 2022),
        (1, 2023),
        (1, 2024),
        (2, 2025),
        (4, 2026),
        (2, 2027),
    ]);
    let day = match random.below(10) {
        0..3 => random.pick(publications) + random.between(-30, 3),
        3..5 => day_number(year, 12, 31) + random.between(-40, 12),
        5 => day_number(year, 2, 1) + random.between(-20, 20),
        6 => day_number(year, 5, 1) + random.between(-20, 6),
        7 => day_number(year, 10, 1) + random.between(-20, 10),
        _ => day_number(year, 1, 1) + random.below(365),
    };
    start_of(day) + time_of_day(random)
}

fn time_of_day(random: &mut Random) -> i64 {
    match random.below(10) {
        0 => 0,
        1 => DAY_MS - 1,
        2 => 12 * HOUR_MS - random.below(2),
        3 => DAY_MS - random.between(1, 9 * SECOND_MS),
        4..8 => random.between(8 * HOUR_MS, 18 * HOUR_MS),
        _ => random.below(DAY_MS),
    }
}

/// What is done next, and when.
pub(crate) fn next(random: &mut Random, manner: Manner, player: &Player<'_>) -> Deed {
    let instance = &player.instance;
    let (at, recorded_at) = when(random, manner, player);
    let is_folly = random.chance(manner.folly);
    let action = if is_folly { anything(random) } else { sensible(random, manner, instance) };
    let role = if is_folly && random.chance(60) {
        let roles = ["hotline", "supervisor", "agency", "agency_lead", "approver", "auditor"];
        *random.pick(&roles)
    } else {
        usual_role(random, action, instance)
    };
    let is_of_agency = role.starts_with("agency");
    let own = instance.agency.as_ref().map(ToString::to_string);
    let agency = match random.below(40) {
        _ if !is_of_agency => None,
        0 => Some("SZ099".to_owned()),
        1 => None,
        _ => own,
    };
    let number = 1 + random.below(2);
    let subject = format!("{role}-{number}");
    let form = fill::form(random, action, instance, at);
    let contested = form.get("card").and_then(serde_json::Value::as_str);
    let card = contested.filter(|_| action == "contest_card" && random.chance(60)).and_then(|id| {
        let mut cards = instance.cards.iter();
        cards.find(|card| card.id == *id)
    });
    // Whose card it is, whoever has the ticket.
    let agency = card.map_or(agency, |card| card.agency.as_ref().map(ToString::to_string));
    Deed {
        at,
        recorded_at,
        action: action.to_owned(),
        role: role.to_owned(),
        subject,
        agency,
        form,
        revision: match random.below(12) {
            0 => Some(instance.revision),
            1 => Some(instance.revision.saturating_sub(1)),
            _ => None,
        },
    }
}

/// The arrival and the commit.
fn when(random: &mut Random, manner: Manner, player: &Player<'_>) -> (i64, i64) {
    let (instance, now) = (&player.instance, player.now);
    let wake = instance.next_wake().map(duban_core::time::Instant::ms).filter(|at| *at >= now);
    if random.chance(manner.lateness) {
        let (ago, rest) = (random.between(1, 10 * SECOND_MS), random.below(SECOND_MS));
        return match wake {
            Some(wake) if random.chance(75) => {
                // The lane records it six seconds later: some come before that, some after.
                let recorded_at = wake + rest + 1000 * random.below(9);
                (wake - random.below(2 * ago), recorded_at.max(now))
            }
            _ => (now - ago, now),
        };
    }
    let mut turns = Vec::new();
    for run in instance.runs.iter().filter(|run| run.state == State::Running) {
        turns.push(run.due_at.ms());
        let armed = run.rungs.iter().filter(|rung| rung.state == RungState::Armed);
        turns.extend(armed.map(|rung| rung.at.ms()));
    }
    turns.retain(|turn| (now + 1..now + 60 * DAY_MS).contains(turn));
    let at = if random.chance(manner.haste) {
        now + random.below(2) * random.below(10 * 60 * SECOND_MS)
    } else {
        match random.below(10) {
            0..3 => wake.unwrap_or(now) + random.between(-1, 1),
            3..5 if !turns.is_empty() => random.pick(&turns) + random.between(-1, 1),
            3..7 => now + random.below(9 * HOUR_MS),
            7..9 => {
                let day = crate::oracle::almanac::day_of(now) + random.below(6);
                start_of(day) + time_of_day(random)
            }
            _ => now + random.below(25 * DAY_MS),
        }
    };
    let at = at.max(now);
    (at, at)
}

fn anything(random: &mut Random) -> &'static str {
    random.pick::<&str>(&[
        "dispatch",
        "rule_dispatch",
        "reclassify",
        "cancel_duplicate",
        "sign",
        "request_return",
        "approve_return",
        "refuse_return",
        "record_contact",
        "serve_notice",
        "file_appeal",
        "waive_appeal",
        "conclude",
        "record_measures",
        "record_rectification",
        "request_extension",
        "approve_extension",
        "refuse_extension",
        "feed_back",
        "confirm_finding",
        "approve_finding",
        "reject_finding",
        "accept_feedback",
        "refuse_feedback",
        "send_callback_sms",
        "record_callback",
        "reopen",
        "archive",
        "urge",
        "supervise",
        "add_note",
        "attach",
        "contest_card",
        "uphold_card",
        "revoke_card",
        "abolish",
    ])
}

fn usual_role(random: &mut Random, action: &str, instance: &Instance) -> &'static str {
    let is_about_hotline = instance.flags.iter().any(|flag| *flag == *"hotline_self");
    let role = plain_role(random, action);
    if is_about_hotline && ["hotline", "supervisor"].contains(&role) && random.chance(80) {
        return "approver";
    }
    role
}

fn plain_role(random: &mut Random, action: &str) -> &'static str {
    match action {
        "approve_finding" | "reject_finding" => "approver",
        "rule_dispatch" | "reopen" | "uphold_card" => "supervisor",
        "revoke_card" => random.pick::<&str>(&["supervisor", "auditor"]),
        "archive" => "system",
        "confirm_finding" | "contest_card" => "agency_lead",
        "sign"
        | "request_return"
        | "record_contact"
        | "serve_notice"
        | "file_appeal"
        | "waive_appeal"
        | "conclude"
        | "record_measures"
        | "record_rectification"
        | "request_extension"
        | "feed_back" => random.weighted(&[(3, "agency"), (1, "agency_lead")]),
        "attach" => random.weighted(&[(4, "agency"), (1, "agency_lead"), (1, "hotline")]),
        _ => random.weighted(&[(3, "hotline"), (1, "supervisor")]),
    }
}

fn sensible(random: &mut Random, manner: Manner, instance: &Instance) -> &'static str {
    let is_running = |name: &str| {
        let run = instance.current_run(name).map(|index| &instance.runs[index]);
        run.is_some_and(|run| run.state == State::Running)
    };
    let is_open = instance.status.word() == "open";
    if is_open && is_running("extension_decision") && random.chance(35) {
        return random.weighted(&[(3, "approve_extension"), (2, "refuse_extension")]);
    }
    if !instance.cards.is_empty() && random.chance(5) {
        return random.weighted(&[(4, "contest_card"), (2, "uphold_card"), (2, "revoke_card")]);
    }
    if is_open && random.chance(6) {
        return random.weighted(&[
            (3, "urge"),
            (3, "supervise"),
            (3, "add_note"),
            (3, "attach"),
            (2, "cancel_duplicate"),
        ]);
    }
    let is_staff = instance.class == *"staff";
    let give_back = manner.refusal;
    let by_step: &[(i64, &'static str)] = match instance.step.as_str() {
        "pending_dispatch" if instance.tallies.get("bounce").is_some_and(|one| one.len() > 2) => {
            &[(4, "rule_dispatch"), (1, "dispatch")]
        }
        "pending_dispatch" => &[(20, "dispatch"), (2, "reclassify")],
        "delivered" => {
            &[(100 - give_back, "sign"), (60, "record_contact"), (give_back, "request_return")]
        }
        "return_requested" => &[(2 + give_back / 10, "approve_return"), (2, "refuse_return")],
        "contacting" if is_staff => &[
            (30, "record_contact"),
            (25, "serve_notice"),
            (5, "file_appeal"),
            (4, "waive_appeal"),
            (give_back / 4, "request_return"),
        ],
        "contacting" => &[(40, "record_contact"), (give_back / 4, "request_return")],
        "appeal_open" => {
            &[(3, "file_appeal"), (2, "waive_appeal"), (3, "conclude"), (2, "add_note")]
        }
        "verifying" => &[(5, "conclude"), (3, "request_extension")],
        "under_review" => &[(6, "conclude"), (1, "file_appeal")],
        "rectifying" => &[(5, "feed_back"), (2, "record_rectification"), (4, "request_extension")],
        "measures" => &[(3, "feed_back"), (5, "record_measures")],
        "explaining" | "reworking" => &[(1, "feed_back")],
        "invalid_review" if is_running("finding_decision") => {
            &[(3, "approve_finding"), (2, "reject_finding"), (1, "confirm_finding")]
        }
        "invalid_review" => &[(5, "confirm_finding"), (1, "approve_finding")],
        "fed_back" => &[(4, "accept_feedback"), (3, "refuse_feedback"), (2, "send_callback_sms")],
        "callback" => &[(6, "record_callback"), (1, "send_callback_sms")],
        "closed" => &[(2, "reopen"), (3, "archive"), (1, "revoke_card")],
        _ => &[(1, "reopen"), (1, "add_note"), (1, "contest_card")],
    };
    random.weighted(by_step)
}
