//! Forms filled in by chance: mostly as they should be, sometimes not.

use duban_core::instance::Instance;
use duban_core::time::Day;
use serde_json::{Value, json};

use crate::life::written;
use crate::random::Random;

const DAY_MS: i64 = 86_400_000;

/// An instant that somebody claims: now, or some time of the last days.
fn claimed(random: &mut Random, at: i64) -> String {
    let ago = match random.below(6) {
        0 => -random.below(5 * 60_000),
        1 | 2 => 0,
        3 => random.below(DAY_MS / 2),
        _ => random.below(3 * DAY_MS),
    };
    written(at - ago)
}

/// The same of something that is counted, mostly not from before the agency had the ticket.
fn counted(random: &mut Random, instance: &Instance, at: i64) -> String {
    let since = instance.agency_since.ms();
    match random.below(20) {
        0 => claimed(random, at),
        1 => written((since - since.rem_euclid(60_000) - random.below(2)).min(at)),
        _ => {
            let longest = if random.chance(40) { DAY_MS / 2 } else { 3 * DAY_MS };
            written(at - random.below((at - since).clamp(0, longest) + 1))
        }
    }
}

fn papers(random: &mut Random, least: i64) -> Value {
    let kinds = ["document", "photo", "recording", "video", "screenshot", "other"];
    let paper =
        |random: &mut Random| json!({ "sm3": "0a".repeat(32), "kind": random.pick(&kinds) });
    let count = least + random.below(2);
    (0..count).map(|_| paper(random)).collect()
}

fn informed(random: &mut Random, at: i64) -> Value {
    let outcome = *random.pick(&["informed", "no_answer", "not_possible"]);
    json!({ "channel": "phone", "at": claimed(random, at), "outcome": outcome })
}

/// A form for an action at an instant.
pub(crate) fn form(random: &mut Random, action: &str, instance: &Instance, at: i64) -> Value {
    let mut form = sound(random, action, instance, at);
    if random.chance(4) {
        spoil(random, &mut form, at);
    }
    form
}

fn sound(random: &mut Random, action: &str, instance: &Instance, at: i64) -> Value {
    match action {
        "dispatch" | "rule_dispatch" => {
            let agency = *random.weighted(&[
                (6, &"SZ013"),
                (4, &"SZ014"),
                (3, &"SZ015"),
                (2, &"SZ016"),
                (3, &"SZ002"),
            ]);
            let mut form = json!({ "agency": agency });
            if action == "rule_dispatch" {
                form["reason"] = json!("先办后议");
            }
            form
        }
        "cancel_duplicate" => json!({ "duplicate_of": "HCP20260304000127-5" }),
        "reclassify" => {
            let class = *random.pick(&["matter", "business", "system", "staff", "staff"]);
            json!({ "class": class, "reason": "归类有误" })
        }
        "request_return" => json!({ "reason": "不属本单位职责", "suggested_agency": "SZ014" }),
        "record_contact" => contact(random, instance, at),
        "conclude" => conclusion(random),
        "request_extension" => {
            let run = instance.runs.iter().rev().find(|run| run.deadline == *"completion");
            let from = run.map_or(Day::from_number(20_000), |run| run.original_due_day);
            let days = i32::try_from(random.between(-1, 16)).expect("a few days");
            json!({
                "reason": "涉及多个部门",
                "new_due_date": from.plus(days).to_string(),
                "reviewer_informed": informed(random, at),
            })
        }
        "feed_back" => json!({ "result": "已整改", "reviewer_informed": informed(random, at) }),
        "record_callback" => callback(random, instance, at),
        "send_callback_sms" => json!({ "sent_at": claimed(random, at) }),
        "serve_notice" => {
            let proof = random.weighted(&[(2, "none"), (1, "read_receipt"), (1, "signature")]);
            json!({ "served_at": claimed(random, at), "proof": proof })
        }
        "file_appeal" => json!({ "reason": "情况不符", "received_at": claimed(random, at) }),
        "waive_appeal" => json!({ "waived_at": claimed(random, at) }),
        "record_measures" => json!({ "measures": measures(random) }),
        "record_rectification" => json!({ "measure": "已改正" }),
        "attach" => json!({ "attachments": papers(random, 1) }),
        "contest_card" | "uphold_card" | "revoke_card" => {
            let card = match instance.cards.as_slice() {
                [] => "contact.1.0.end".to_owned(),
                cards => random.pick(cards).id.to_string(),
            };
            json!({ "card": card, "reason": "情况说明" })
        }
        "add_note" | "supervise" => json!({ "note": "请尽快" }),
        "refuse_extension" | "refuse_feedback" | "refuse_return" | "reject_finding" | "reopen" => {
            json!({ "reason": "不符合要求" })
        }
        "archive" | "sign" => json!({}),
        _ if random.chance(50) => json!({ "note": "同意" }),
        _ => json!({}),
    }
}

fn measures(random: &mut Random) -> &'static [&'static str] {
    random.weighted(&[
        (4, &["correction", "written_self_criticism"] as &[&str]),
        (2, &["correction", "talk"]),
        (2, &["written_self_criticism"]),
        (2, &["talk"]),
        (1, &["training", "transfer"]),
    ])
}

fn contact(random: &mut Random, instance: &Instance, at: i64) -> Value {
    let (outcome, channel) = random.weighted(&[
        (30, ("reached", "phone")),
        (4, ("reached", "sms")),
        (50, ("no_answer", "phone")),
        (4, ("wrong_number", "video")),
        (4, ("refused", "visit")),
        (24, ("sent", "sms")),
        (1, ("sent", "phone")),
        (1, ("no_answer", "sms")),
    ]);
    let mut form = json!({ "outcome": outcome, "channel": channel, "attempted_at": counted(random, instance, at) });
    if random.chance(20) {
        form["recording"] = json!("R-2026-0001");
    }
    form
}

fn conclusion(random: &mut Random) -> Value {
    let finding = random.weighted(&[
        (50, "valid"),
        (15, "unreasonable"),
        (20, "mistaken"),
        (20, "malicious"),
    ]);
    let mut form = json!({ "finding": finding, "summary": "经核实" });
    match finding {
        "valid" => form["handling"] = json!(random.pick(&["immediate", "ledger"])),
        "unreasonable" => form["legal_basis"] = json!("有关规定"),
        _ => form["evidence"] = papers(random, 1),
    }
    form
}

fn callback(random: &mut Random, instance: &Instance, at: i64) -> Value {
    let rating = random.weighted(&[
        (10, "very_satisfied"),
        (10, "satisfied"),
        (10, "basically_satisfied"),
        (20, "dissatisfied"),
        (20, "very_dissatisfied"),
        (50, "no_answer"),
        (5, "declined"),
    ]);
    let channel = random.weighted(&[(5, "phone"), (1, "sms")]);
    json!({ "rating": rating, "channel": channel, "called_at": counted(random, instance, at) })
}

/// Makes a form wrong in some way, or at least another one.
fn spoil(random: &mut Random, form: &mut Value, at: i64) {
    let Some(fields) = form.as_object_mut() else { return };
    let names: Vec<String> = fields.keys().cloned().collect();
    if names.is_empty() || random.chance(20) {
        fields.insert("unheard_of".to_owned(), json!(1));
        return;
    }
    let name = random.pick(&names).clone();
    match random.below(5) {
        0 => {
            fields.remove(&name);
        }
        1 => {
            fields.insert(name, json!(7));
        }
        2 => {
            fields.insert(name, json!(if random.chance(50) { "" } else { "\u{3000} " }));
        }
        3 => {
            fields.insert(name, json!("2026-02-30"));
        }
        _ => {
            let ahead = if random.chance(50) { 10 * 60_000 } else { DAY_MS };
            fields.insert(name, json!(written(at + random.between(1, ahead))));
        }
    }
}
