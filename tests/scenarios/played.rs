//! A scenario that was played with `--json`, and short words for what happened in it.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// What the program said.
pub(crate) struct Output {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) complaint: String,
}

pub(crate) fn duban(args: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_duban"))
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Output { code: output.status.code(), out: text(output.stdout), complaint: text(output.stderr) }
}

/// A life as the program tells it to programs.
pub(crate) struct Played(pub(crate) Value);

/// Plays a scenario of this folder.
pub(crate) fn play(name: &str) -> Played {
    play_with(name, &[])
}

/// The same with more flags.
pub(crate) fn play_with(name: &str, flags: &[&str]) -> Played {
    let file = crate::folder().join(format!("{name}.toml"));
    play_file(&file, flags)
}

pub(crate) fn play_file(file: &Path, flags: &[&str]) -> Played {
    let file = file.to_str().expect("UTF-8");
    let mut args = vec!["simulate", "--json", "--scenario", file];
    args.extend(flags);
    let output = duban(&args);
    assert_eq!(output.code, Some(0), "{file}: {}", output.complaint);
    Played(serde_json::from_str(&output.out).expect("JSON"))
}

/// `2026-02-13T16:30` for `2026-02-13T16:30:00+08:00`.
fn short(instant: &Value) -> &str {
    let text = instant.as_str().expect("an instant");
    let text = text.strip_suffix("+08:00").expect("the zone of the calendar");
    text.strip_suffix(":00").unwrap_or(text)
}

fn word<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or("-")
}

impl Played {
    pub(crate) fn turns(&self) -> &[Value] {
        self.0["turns"].as_array().expect("turns")
    }

    /// The whole history.
    pub(crate) fn events(&self) -> Vec<&Value> {
        let events = self.turns().iter().map(|turn| turn["events"].as_array().expect("events"));
        events.flatten().collect()
    }

    pub(crate) fn of_kind(&self, kind: &str) -> Vec<&Value> {
        self.events().into_iter().filter(|event| event["kind"] == kind).collect()
    }

    /// Everything that happened to one deadline, a line each; see the tests for the words.
    pub(crate) fn ledger(&self, deadline: &str) -> Vec<String> {
        let events = self.events();
        let told = events.iter().filter_map(|event| told(event, deadline));
        told.collect()
    }

    pub(crate) fn check_ledger(&self, deadline: &str, expected: &[&str]) {
        assert_eq!(self.ledger(deadline), expected, "{deadline} in {}", self.0["title"]);
    }

    /// From step to step, in order.
    pub(crate) fn steps(&self) -> Vec<String> {
        let events = self.events();
        let changes = events.iter().map(|event| &event["data"]["change"]["step"]["to"]);
        changes.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// The refused actions with their codes, in order.
    pub(crate) fn refusals(&self) -> Vec<String> {
        let refused = self.turns().iter().filter(|turn| !turn["refused"].is_null());
        refused
            .map(|turn| format!("{} {}", word(turn, "action"), word(&turn["refused"], "code")))
            .collect()
    }

    /// What a refusal said.
    pub(crate) fn message(&self, action: &str) -> &str {
        let mut turns = self.turns().iter();
        let turn = turns.find(|turn| !turn["refused"].is_null() && turn["action"] == action);
        word(&turn.expect("a refused action")["refused"], "message")
    }

    /// The fields for which an action was refused, when it was first.
    pub(crate) fn fields(&self, action: &str) -> Vec<&str> {
        let mut turns = self.turns().iter();
        let turn = turns.find(|turn| !turn["refused"].is_null() && turn["action"] == action);
        let errors = turn.expect("a refused action")["refused"]["errors"].as_array();
        errors.expect("errors").iter().map(|error| word(error, "field")).collect()
    }

    /// The ticket at the end.
    pub(crate) fn ticket(&self) -> &Value {
        &self.0["ticket"]
    }

    /// One run of a deadline at the end.
    pub(crate) fn run(&self, deadline: &str, run: u16) -> &Value {
        let runs = self.ticket()["runs"].as_array().expect("runs");
        let found = runs.iter().find(|one| one["deadline"] == deadline && one["run"] == run);
        found.unwrap_or_else(|| panic!("no run {run} of {deadline}"))
    }

    /// Every card at the end: `contact.1.0.end yellow_card issued`.
    pub(crate) fn cards(&self) -> Vec<String> {
        let cards = self.ticket()["cards"].as_array().expect("cards");
        let told = cards.iter().map(|card| {
            format!("{} {} {}", word(card, "id"), word(card, "kind"), word(card, "state"))
        });
        told.collect()
    }

    /// Cards of one deadline at the end.
    pub(crate) fn cards_of(&self, deadline: &str) -> Vec<String> {
        let prefix = format!("{deadline}.");
        self.cards().into_iter().filter(|card| card.starts_with(&prefix)).collect()
    }
}

/// An event of this deadline in short words; none for other events.
fn told(event: &Value, deadline: &str) -> Option<String> {
    let data = &event["data"];
    let card = data["card"].as_str().unwrap_or_default();
    let concerns = data["deadline"] == deadline
        || card.strip_prefix(deadline).is_some_and(|rest| rest.starts_with('.'));
    if !concerns {
        return None;
    }
    let run = &data["run"];
    let over = data["passed_over"].as_array().cloned().unwrap_or_default();
    let over: Vec<&str> = over.iter().filter_map(Value::as_str).collect();
    let rung = || format!("{run}.{}.{}", data["generation"], word(data, "rung"));
    let said = match word(event, "kind") {
        "deadline_started" => {
            format!("start {run} due {} {}", short(&data["due_at"]), word(data, "certainty"))
        }
        "deadline_met" if data["late"] == true => format!("met late {run}"),
        "deadline_met" => format!("met {run}"),
        "deadline_reopened" => format!("reopened {run} over [{}]", over.join(" ")),
        "deadline_resumed" => format!("resumed {run} over [{}]", over.join(" ")),
        "deadline_lapsed" => format!("lapsed {run} {}", word(data, "raised")),
        "deadline_cancelled" => format!("cancelled {run} {}", word(data, "reason")),
        "deadline_moved" => {
            let (from, to) = (short(&data["from_due_at"]), short(&data["due_at"]));
            let (why, sure) = (word(data, "reason"), word(data, "certainty"));
            format!("moved {run}.{} {why} {from} to {to} {sure}", data["generation"])
        }
        "rung_fired" if data["card"].is_null() => {
            format!("rung {} {}", rung(), word(data, "notice"))
        }
        "rung_fired" => format!("rung {} {}", rung(), word(data, "card")),
        "rung_withheld" => format!("withheld {}", rung()),
        "card_revoked" => format!("revoked {card} {}", word(data, "reason")),
        "card_contested" => format!("contested {card}"),
        "card_upheld" => format!("upheld {card}"),
        other => other.to_owned(),
    };
    Some(format!("{} {said}", short(&event["at"])))
}
