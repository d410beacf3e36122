//! The forms by heart: which fields an action has, what they may hold, and what of them is seen.

use serde_json::{Map, Value};

use super::almanac::{day_number, day_of, start_of, year_of};

/// How far a claim may lie ahead; it is then taken as now.
const FUTURE_MS: i64 = 5 * 60_000;

/// What a field holds.
#[derive(Clone, Copy)]
enum Field {
    /// Free text of 1 to 2000 characters, not all of them blank.
    Text,
    /// Free text of 1 to 120 characters, not all of them blank.
    Short,
    /// One of these words.
    Word(&'static [&'static str]),
    /// An instant that is past.
    Past,
    Date,
    Agency,
    Ticket,
    Card,
    /// So many pieces of evidence at least.
    Papers(usize),
    Measures,
    Informed,
}

const CHANNELS: &[&str] = &["phone", "sms", "visit", "video", "online", "mail"];
const RATINGS: &[&str] = &[
    "very_satisfied",
    "satisfied",
    "basically_satisfied",
    "dissatisfied",
    "very_dissatisfied",
    "no_answer",
    "declined",
];
const PAPERS: &[&str] = &["document", "photo", "recording", "video", "screenshot", "other"];
const MEASURES: &[&str] =
    &["correction", "written_self_criticism", "talk", "training", "transfer", "other"];

/// The fields of an action: name, whether it must be there, what it holds.
fn fields(action: &str) -> &'static [(&'static str, bool, Field)] {
    use Field::{Agency, Card, Date, Informed, Measures, Papers, Past, Short, Text, Ticket, Word};
    match action {
        "add_note" | "supervise" => &[("note", true, Text)],
        "attach" => &[("attachments", true, Papers(1))],
        "cancel_duplicate" => &[("duplicate_of", true, Ticket), ("reason", false, Text)],
        "conclude" => &[
            ("finding", true, Word(&["valid", "unreasonable", "mistaken", "malicious"])),
            ("summary", true, Text),
            ("handling", false, Word(&["immediate", "ledger"])),
            ("legal_basis", false, Text),
            ("evidence", false, Papers(0)),
        ],
        "contest_card" => {
            &[("card", true, Card), ("reason", true, Text), ("evidence", false, Papers(0))]
        }
        "revoke_card" | "uphold_card" => &[("card", true, Card), ("reason", true, Text)],
        "dispatch" => &[("agency", true, Agency), ("note", false, Text)],
        "rule_dispatch" => &[("agency", true, Agency), ("reason", true, Text)],
        "feed_back" => &[
            ("result", true, Text),
            ("reviewer_informed", true, Informed),
            ("attachments", false, Papers(0)),
        ],
        "file_appeal" => {
            &[("reason", true, Text), ("received_at", true, Past), ("evidence", false, Papers(0))]
        }
        "reclassify" => &[
            ("class", true, Word(&["matter", "business", "system", "staff"])),
            ("reason", true, Text),
        ],
        "record_callback" => &[
            ("rating", true, Word(RATINGS)),
            ("channel", true, Word(&["phone", "sms"])),
            ("called_at", true, Past),
            ("note", false, Text),
        ],
        "record_contact" => &[
            ("outcome", true, Word(&["reached", "no_answer", "wrong_number", "refused", "sent"])),
            ("channel", true, Word(CHANNELS)),
            ("attempted_at", true, Past),
            ("recording", false, Short),
            ("note", false, Text),
        ],
        "record_measures" => &[("measures", true, Measures), ("note", false, Text)],
        "record_rectification" => {
            &[("measure", true, Text), ("done_at", false, Past), ("evidence", false, Papers(0))]
        }
        "refuse_extension" | "refuse_feedback" | "refuse_return" | "reject_finding" | "reopen" => {
            &[("reason", true, Text)]
        }
        "request_extension" => &[
            ("reason", true, Text),
            ("new_due_date", true, Date),
            ("reviewer_informed", true, Informed),
            ("proof", false, Papers(0)),
        ],
        "request_return" => &[("reason", true, Text), ("suggested_agency", false, Agency)],
        "send_callback_sms" => &[("sent_at", true, Past)],
        "serve_notice" => &[
            ("served_at", true, Past),
            ("proof", true, Word(&["read_receipt", "signature", "none"])),
            ("evidence", false, Papers(0)),
        ],
        "waive_appeal" => &[("waived_at", true, Past)],
        "archive" | "sign" => &[],
        _ => &[("note", false, Text)],
    }
}

/// Whether a form is filled in as it should be at an instant.
pub(super) fn is_sound(action: &str, is_staff: bool, form: &Value, now: i64) -> bool {
    let Some(filled) = form.as_object() else { return false };
    let fields = fields(action);
    let is_known = |name: &String| fields.iter().any(|(field, _, _)| field == name);
    let is_filled = |(name, needed, field): &(&str, bool, Field)| match filled.get(*name) {
        Some(value) => holds(*field, value, now),
        None => !needed,
    };
    filled.keys().all(is_known) && fields.iter().all(is_filled) && belongs(action, is_staff, filled)
}

/// Whether a list of a form has an item.
pub(super) fn lists(form: &Value, field: &str, item: &str) -> bool {
    let items = form.get(field).and_then(Value::as_array);
    items.is_some_and(|items| items.iter().any(|one| one.as_str() == Some(item)))
}

/// What history may show of a form: everything but free text; claims that lie ahead are now.
pub(super) fn seen(action: &str, form: &Value, now: i64) -> Value {
    let mut seen = Map::new();
    for (name, _, field) in fields(action) {
        let Some(value) = form.get(*name) else { continue };
        let taken = |text: &Value| match text.as_str().and_then(instant) {
            Some(at) => Value::from(written(at.min(now))),
            None => text.clone(),
        };
        let shown = match field {
            Field::Text | Field::Short => continue,
            Field::Past => taken(value),
            Field::Informed => {
                let mut informed = value.clone();
                informed["at"] = taken(&value["at"]);
                informed
            }
            _ => value.clone(),
        };
        seen.insert((*name).to_owned(), shown);
    }
    Value::Object(seen)
}

/// Whether a form holds more than is seen of it.
pub(super) fn is_private(form: &Value, seen: &Value) -> bool {
    form.as_object().map(Map::len) != seen.as_object().map(Map::len)
}

/// What one field asks of another.
fn belongs(action: &str, is_staff: bool, form: &Map<String, Value>) -> bool {
    let word = |name: &str| form.get(name).and_then(Value::as_str).unwrap_or_default();
    match action {
        "conclude" => match word("finding") {
            // Article 24 asks how it is handled; the articles about staff do not.
            "valid" => is_staff || form.contains_key("handling"),
            "unreasonable" => form.contains_key("legal_basis"),
            _ => form.get("evidence").is_some_and(|papers| are_papers(papers, 1)),
        },
        "record_contact" => match (word("outcome"), word("channel")) {
            ("sent", channel) => channel == "sms",
            (outcome, "sms") => outcome == "reached",
            _ => true,
        },
        _ => true,
    }
}

fn holds(field: Field, value: &Value, now: i64) -> bool {
    match field {
        Field::Papers(least) => return are_papers(value, least),
        Field::Measures => return are_measures(value),
        Field::Informed => return is_informed(value, now),
        _ => {}
    }
    let Some(text) = value.as_str() else { return false };
    let length = text.chars().count();
    match field {
        Field::Text => (1..=2000).contains(&length) && !text.trim().is_empty(),
        Field::Short => (1..=120).contains(&length) && !text.trim().is_empty(),
        Field::Word(words) => words.contains(&text),
        Field::Past => instant(text).is_some_and(|at| at <= now + FUTURE_MS),
        Field::Date => date(text).is_some(),
        Field::Agency => {
            let is_fit = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "_-".contains(c);
            (2..=32).contains(&length) && text.chars().all(is_fit)
        }
        Field::Ticket => {
            let parts = text.strip_prefix("HCP").and_then(|rest| rest.split_once('-'));
            parts.is_some_and(|(number, check)| {
                let is_number = number.chars().all(|c| c.is_ascii_digit());
                let is_check = check.len() == 1 && "0123456789X".contains(check);
                (14..=20).contains(&number.len()) && is_number && is_check
            })
        }
        Field::Card => {
            let is_fit =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.+-".contains(c);
            (3..=64).contains(&length) && text.chars().all(is_fit)
        }
        Field::Papers(_) | Field::Measures | Field::Informed => false,
    }
}

fn are_papers(value: &Value, least: usize) -> bool {
    let is_paper = |paper: &Value| {
        let Some(paper) = paper.as_object() else { return false };
        let text = |name: &str| paper.get(name).and_then(Value::as_str).unwrap_or_default();
        let is_digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        paper.len() == 2
            && text("sm3").len() == 64
            && text("sm3").chars().all(is_digit)
            && PAPERS.contains(&text("kind"))
    };
    let papers = value.as_array();
    papers.is_some_and(|papers| (least..=20).contains(&papers.len()) && papers.iter().all(is_paper))
}

fn are_measures(value: &Value) -> bool {
    let Some(measures) = value.as_array() else { return false };
    let is_measure =
        |measure: &Value| measure.as_str().is_some_and(|word| MEASURES.contains(&word));
    let is_first = |(index, measure): (usize, &Value)| !measures[..index].contains(measure);
    (1..=6).contains(&measures.len())
        && measures.iter().all(is_measure)
        && measures.iter().enumerate().all(is_first)
}

fn is_informed(value: &Value, now: i64) -> bool {
    let Some(informed) = value.as_object() else { return false };
    let text = |name: &str| informed.get(name).and_then(Value::as_str).unwrap_or_default();
    informed.len() == 3
        && CHANNELS.contains(&text("channel"))
        && ["informed", "no_answer", "not_possible"].contains(&text("outcome"))
        && instant(text("at")).is_some_and(|at| at <= now + FUTURE_MS)
}

/// The number of a date written `YYYY-MM-DD`.
pub(super) fn date(text: &str) -> Option<i64> {
    let mut parts = text.split('-').map(str::parse::<i64>);
    let (Some(Ok(year)), Some(Ok(month)), Some(Ok(day)), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    if text.len() != 10 || !(2000..2100).contains(&year) || !(1..=12).contains(&month) || day < 1 {
        return None;
    }
    let number = day_number(year, month, day);
    let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    (number < day_number(next.0, next.1, 1)).then_some(number)
}

/// The milliseconds of an instant written `YYYY-MM-DDTHH:MM:SS[.fff]+08:00`.
pub(super) fn instant(text: &str) -> Option<i64> {
    let (day, time) = text.strip_suffix("+08:00")?.split_once('T')?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut parts = time.split(':').map(str::parse::<i64>);
    let (Some(Ok(hour)), Some(Ok(minute)), Some(Ok(second)), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    if time.len() != 8 || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let ms: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    Some(start_of(date(day)?) + ((hour * 60 + minute) * 60 + second) * 1000 + ms)
}

/// An instant as it is written, `YYYY-MM-DDTHH:MM:SS[.fff]+08:00`.
fn written(ms: i64) -> String {
    let day = day_of(ms);
    let year = year_of(day);
    let mut month = 1;
    while month < 12 && day_number(year, month + 1, 1) <= day {
        month += 1;
    }
    let of_month = day - day_number(year, month, 1) + 1;
    let rest = ms - start_of(day);
    let (hour, minute, second, ms) =
        (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60, rest % 1000);
    let fraction = if ms == 0 { String::new() } else { format!(".{ms:03}") };
    format!("{year:04}-{month:02}-{of_month:02}T{hour:02}:{minute:02}:{second:02}{fraction}+08:00")
}
