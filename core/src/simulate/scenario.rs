//! A scenario: how a ticket starts and who does what when. Read from TOML, all faults at once.
//! Must never be played in part: a scenario with a fault is refused whole.

use serde_json::Value;

use crate::definition::FUTURE_MS_MAX;
use crate::document::{Faults, Table, read};
use crate::echo::{echo, unknown};
use crate::name::Name;
use crate::rejection::REFUSALS;
use crate::role::Role;
use crate::time::Instant;

/// The most steps and outages of a scenario: far above what a person writes, low enough to play.
const ENTRIES_MAX: usize = 10_000;

/// A ticket's start, what is done to it, and when nobody looks.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// What it shows.
    pub title: String,
    /// The workflow.
    pub workflow: Name,
    /// The class; the workflow's first if none.
    pub class: Option<Name>,
    /// When the review became a ticket.
    pub received: Instant,
    /// When the citizen rated.
    pub reviewed: Instant,
    /// `anonymous`, `hotline_self`.
    pub flags: Vec<Name>,
    /// Agencies that are the hotline itself.
    pub hotline_agencies: Vec<Name>,
    /// Left alone until then; none: until nothing more falls due.
    pub until: Option<Instant>,
    /// What is done, in the order in which it is recorded.
    pub steps: Vec<Step>,
    /// When the advance lane stands still.
    pub outages: Vec<Outage>,
}

/// One thing that somebody does.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// When it arrives.
    pub at: Instant,
    /// When it is recorded; the lane has worked until then.
    pub recorded_at: Instant,
    /// The action.
    pub action: Name,
    /// The role.
    pub by: Role,
    /// The person.
    pub subject: Name,
    /// The agency, for roles that have one; the ticket's own if none.
    pub agency: Option<Name>,
    /// The form.
    pub form: Value,
    /// The revision that the person saw.
    pub revision: Option<u32>,
    /// The refusal that the scenario expects, by its code.
    pub refused: Option<String>,
    /// Where it stands in the file.
    pub line: usize,
}

/// A time in which the advance lane stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// From then, included.
    pub from: Instant,
    /// Until then, excluded.
    pub to: Instant,
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// Every fault with file, line and key.
    pub fn read(file: &str, text: &str) -> Result<Self, Faults> {
        read(file, text, read_scenario)
    }

    /// The same scenario with another start. Its steps keep their instants.
    ///
    /// # Errors
    /// When a step, or the end, would come before the start.
    pub fn starting(mut self, received: Instant) -> Result<Self, String> {
        if let Some(step) = self.steps.iter().find(|step| step.line > 0 && step.at < received) {
            return Err(format!("第 {} 行的 at 早于收到时间 {received}", step.line));
        }
        if let Some(until) = self.until.filter(|until| *until < received) {
            return Err(format!("收到时间 {received} 晚于情景文件中的 until（{until}）"));
        }
        if self.reviewed == self.received || self.reviewed > received {
            self.reviewed = received;
        }
        self.received = received;
        Ok(self)
    }
}

fn read_scenario(root: &Table<'_>) -> Option<Scenario> {
    let instant = |key| root.optional_parsed(key, str::parse::<Instant>);
    let word = |text: &str| Ok::<Name, String>(text.into());
    let title = root.text("title");
    let workflow = root.parsed("workflow", word);
    let class = root.optional_parsed("class", |text| match text.trim() {
        "" => Err("应写明类别".to_owned()),
        _ => word(text),
    });
    let received = root.parsed("received", str::parse::<Instant>);
    let reviewed = instant("reviewed");
    let until = instant("until");
    let flags = root.list("flags", flag);
    let hotline_agencies = root.list("hotline_agencies", |text| match text.trim() {
        "" => Err("应写明单位代码".to_owned()),
        _ => word(text),
    });
    for (key, list) in [("flags", &flags), ("hotline_agencies", &hotline_agencies)] {
        let twice = (1..)
            .zip(list)
            .find(|(place, one)| list.iter().take(place - 1).any(|other| other == *one));
        if let Some((_, one)) = twice {
            root.fault(key, format!("“{}”写了两次", echo(one.as_str())));
        }
    }
    let (steps, outages) = (root.several("do"), root.several("outage"));
    for (key, count) in [("do", steps.len()), ("outage", outages.len())] {
        if count > ENTRIES_MAX {
            root.fault(key, format!("至多 {ENTRIES_MAX} 项，共写了 {count} 项"));
            return None;
        }
    }
    let steps: Vec<(&Table<'_>, Step)> =
        steps.iter().filter_map(|table| Some((table, read_step(table)?))).collect();
    let outages = joined(outages.iter().filter_map(read_outage).collect());
    let received = received?;
    check_order(root, received, reviewed, until, &steps);
    let steps = steps.into_iter().map(|(_, step)| step).collect();
    Some(Scenario {
        title: title?,
        workflow: workflow?,
        class,
        received,
        reviewed: reviewed.unwrap_or(received),
        flags,
        hotline_agencies,
        until,
        steps,
        outages,
    })
}

fn check_order(
    root: &Table<'_>,
    received: Instant,
    reviewed: Option<Instant>,
    until: Option<Instant>,
    steps: &[(&Table<'_>, Step)],
) {
    if reviewed.is_some_and(|reviewed| reviewed > received.plus_ms(FUTURE_MS_MAX)) {
        root.fault("reviewed", "评价时间最多可比收到时间（received）晚五分钟");
    }
    let mut before = received;
    for (table, step) in steps {
        if step.at < received {
            table.fault("at", format!("早于收到时间 {received}"));
        }
        let is_sound = step.at >= received && step.recorded_at >= step.at;
        if is_sound && step.recorded_at < before {
            table.fault("at", "各步须按记录的先后排列");
        }
        before = before.max(step.recorded_at);
    }
    if until.is_some_and(|until| until < before) {
        let last = if steps.is_empty() { "收到时间" } else { "最后一步的时间" };
        root.fault("until", format!("不得早于{last} {before}"));
    }
}

fn read_step(table: &Table<'_>) -> Option<Step> {
    let at = table.parsed("at", str::parse::<Instant>);
    let recorded_at = table.optional_parsed("recorded_at", str::parse::<Instant>);
    let word = |text: &str| Ok::<Name, String>(text.into());
    let action = table.parsed("action", |text| match text.trim() {
        "" => Err("应写明动作".to_owned()),
        _ => word(text),
    });
    let by = table.parsed("by", str::parse::<Role>);
    let subject = table.optional_parsed("as", |text| match text.trim() {
        "" => Err("应写明由谁办理".to_owned()),
        _ => word(text),
    });
    let agency = table.optional_parsed("agency", word);
    let form = table.optional_table("form").map(|form| form.json());
    let revision = table.integer("revision", 0..=i64::from(u32::MAX));
    let refused = table.optional_parsed("refused", refusal);
    table.close();
    let (at, by) = (at?, by?);
    if agency.is_some() && !by.is_bound_to_agency() {
        table.fault("agency", format!("{}不属于承办单位，不能写承办单位", by.title()));
    }
    let recorded_at = recorded_at.unwrap_or(at);
    if recorded_at < at {
        table.fault("recorded_at", "记录时间不得早于办理时间（at）");
    }
    Some(Step {
        at,
        recorded_at,
        action: action?,
        by,
        subject: subject.unwrap_or_else(|| by.word().into()),
        agency,
        form: Value::Object(form.unwrap_or_default()),
        revision: revision.and_then(|revision| u32::try_from(revision).ok()),
        refused,
        line: table.position().line,
    })
}

/// What is known of a review besides its class.
fn flag(text: &str) -> Result<Name, String> {
    match text {
        "anonymous" | "hotline_self" => Ok(Name::from(text)),
        _ => {
            let known = "anonymous（匿名评价）、hotline_self（涉热线）";
            Err(unknown("标记", text, known))
        }
    }
}

/// Why a step is expected not to be done: one of the known reasons.
fn refusal(code: &str) -> Result<String, String> {
    let known = || REFUSALS.map(|(code, title)| format!("{code}（{title}）")).join("、");
    if REFUSALS.iter().any(|(known, _)| *known == code) {
        return Ok(code.to_owned());
    }
    Err(unknown("不能办理的原因", code, &known()))
}

/// Outages in order, those that touch as one.
fn joined(mut outages: Vec<Outage>) -> Vec<Outage> {
    outages.sort_by_key(|outage| outage.from);
    let mut joined: Vec<Outage> = Vec::with_capacity(outages.len());
    for outage in outages {
        match joined.last_mut() {
            Some(last) if outage.from <= last.to => last.to = last.to.max(outage.to),
            _ => joined.push(outage),
        }
    }
    joined
}

fn read_outage(table: &Table<'_>) -> Option<Outage> {
    let from = table.parsed("from", str::parse::<Instant>);
    let to = table.parsed("to", str::parse::<Instant>);
    table.close();
    let (from, to) = (from?, to?);
    if to <= from {
        table.fault("to", "停止推进的结束时间须晚于开始时间（from）");
        return None;
    }
    Some(Outage { from, to })
}
