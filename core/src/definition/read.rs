//! Reads a definition out of its TOML text, all faults at once. Must never fill a gap with a
//! guess: what is missing is a fault.

use std::collections::BTreeSet;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::action::{Action, read_action, read_closed_case};
use super::basis::{Basis, BasisText, read_basis};
use super::check;
use super::deadline::{Ladder, read_deadline, read_ladder, read_per_agency};
use super::form::Form;
use super::model::{Definition, DomainEvent, Effect, Pin, StandIn, Step, Tally, outcome_key};
use super::vocabulary::{Finding, Outcome, Status};
use crate::digest::Digest;
use crate::document::{Fault, Faults, Position, Table, read};
use crate::name::Name;
use crate::role::{Party, Role};

/// The one format of definitions that there is so far.
const FORMAT: i64 = 1;
/// Reads one definition and checks it as a whole.
///
/// # Errors
/// Every fault with file, line and key: of the syntax, of single values, and of what does not fit
/// together (see `check`).
pub fn read_definition(
    file: &str,
    text: &str,
    forms: &BTreeMap<Name, Arc<Form>>,
    texts: &BTreeMap<Basis, BasisText>,
) -> Result<Definition, Faults> {
    let definition = read(file, text, |root| read_root(file, text, forms, root))?;
    let mut faults: Vec<Fault> = check::faults_of(&definition, texts)
        .into_iter()
        .map(|(Position { line, key, .. }, message)| Fault {
            file: file.to_owned(),
            line: line.max(1),
            key,
            message,
        })
        .collect();
    faults.sort();
    faults.dedup();
    if faults.is_empty() { Ok(definition) } else { Err(Faults(faults)) }
}

fn read_root(
    file: &str,
    text: &str,
    forms: &BTreeMap<Name, Arc<Form>>,
    root: &Table<'_>,
) -> Option<Definition> {
    let format = root.required_integer("format", FORMAT..=FORMAT);
    let own_name = root.parsed("name", Name::ours);
    let title = root.text("title");
    let version = root.required_integer("version", 1..=i64::from(u32::MAX));
    let engine_level = root.required_integer("engine_level", 1..=i64::from(u32::MAX));
    let classes = root.list("classes", Name::ours);
    if classes.is_empty() {
        root.fault("classes", "应写明适用于哪些类别的差评");
    }
    let mut known = BTreeSet::new();
    for class in classes.iter().filter(|class| !known.insert(*class)) {
        root.fault("classes", format!("类别 {class} 写了两次"));
    }
    let starts_in = root.parsed("starts_in", Name::ours);
    let ladders: Vec<_> = named(root, "ladders")
        .iter()
        .map(|(name, table)| read_ladder(name.clone(), table))
        .collect();
    let deadlines = named(root, "deadlines");
    let deadlines = deadlines
        .iter()
        .zip(0_u16..)
        .filter_map(|((name, table), order)| read_deadline(name.clone(), order, &ladders, table));
    let deadlines: Vec<_> = deadlines.collect();
    report_idle_ladders(root, &ladders);
    let actions: Vec<_> = named(root, "actions")
        .iter()
        .filter_map(|(name, table)| read_action(name.clone(), table))
        .collect();
    let used = used_forms(root, forms, &actions);
    let pin = Pin {
        name: own_name.clone().unwrap_or_else(|| "unnamed".into()),
        version: version.and_then(|version| u32::try_from(version).ok()).unwrap_or_default(),
        hash: hash_of(text, &used),
    };
    let definition = Definition {
        pin,
        title: title.unwrap_or_default(),
        engine_level: engine_level.and_then(|level| u32::try_from(level).ok()).unwrap_or_default(),
        effective_from: root.optional_parsed("effective_from", str::parse),
        classes,
        starts_in: starts_in.clone().unwrap_or_else(|| "unnamed".into()),
        basis: read_basis(root),
        position: root.position(),
        outcomes: read_outcomes(root),
        stand_ins: root.tables("stand_ins").iter().filter_map(read_stand_in).collect(),
        steps: named(root, "steps").iter().map(|(name, table)| read_step(name, table)).collect(),
        events: read_events(root),
        tallies: named(root, "tallies")
            .iter()
            .map(|(name, table)| read_tally(name, table))
            .collect(),
        deadlines,
        actions,
        effects: root.tables("effects").iter().filter_map(read_effect).collect(),
        forms: used,
        file: file.to_owned(),
        text: text.to_owned(),
    };
    format.and(own_name).and(version).and(engine_level).and(starts_in)?;
    Some(definition)
}

/// The named tables below a key, with their names checked.
fn named<'s>(root: &Table<'s>, key: &str) -> Vec<(Name, Table<'s>)> {
    let entries = root.entries(key).into_iter();
    entries
        .filter_map(|(text, table)| match Name::ours(&text) {
            Ok(name) => Some((name, table)),
            Err(message) => {
                table.fault("", message);
                None
            }
        })
        .collect()
}

fn report_idle_ladders(root: &Table<'_>, ladders: &[Ladder]) {
    let used: Vec<String> = root
        .entries("deadlines")
        .iter()
        .filter_map(|(_, table)| table.has("ladder").then(|| table.text("ladder")).flatten())
        .collect();
    for ladder in ladders.iter().filter(|ladder| !used.iter().any(|used| ladder.name == **used)) {
        if let Some(group) = root.optional_table("ladders") {
            group.fault(ladder.name.as_str(), "没有时限用到这个梯级");
        }
    }
}

fn used_forms(
    root: &Table<'_>,
    forms: &BTreeMap<Name, Arc<Form>>,
    actions: &[Action],
) -> Vec<Arc<Form>> {
    let mut used: BTreeMap<Name, Arc<Form>> = BTreeMap::new();
    for action in actions {
        if let Some(form) = forms.get(&action.form) {
            used.insert(action.form.clone(), Arc::clone(form));
        } else if let Some(table) = root.optional_table("actions")
            && let Some(table) = table.optional_table(action.name.as_str())
        {
            table.fault("form", format!("没有表单文件 forms/{}.json", action.form));
        }
    }
    used.into_values().collect()
}

/// SM3 over the text and over each form's name and text: a changed form changes the hash.
fn hash_of(text: &str, forms: &[Arc<Form>]) -> Digest {
    let mut parts: Vec<&[u8]> = vec![text.as_bytes()];
    for form in forms {
        parts.extend([form.name.as_str().as_bytes(), form.text.as_bytes()]);
    }
    Digest::of(&parts)
}

fn read_outcomes(root: &Table<'_>) -> Vec<(Option<Finding>, Outcome)> {
    let Some(table) = root.optional_table("outcomes") else { return Vec::new() };
    let findings = Finding::ALL.iter().copied().map(Some).chain([None]);
    let read = |finding: Option<Finding>| {
        let outcome = table.optional_parsed(outcome_key(finding), str::parse);
        outcome.map(|outcome| (finding, outcome))
    };
    let outcomes = findings.filter_map(read).collect();
    table.close();
    outcomes
}

fn read_step(name: &Name, table: &Table<'_>) -> Step {
    let step = Step {
        name: name.clone(),
        title: table.text("title").unwrap_or_default(),
        status: table.optional_parsed("status", str::parse).unwrap_or(Status::Open),
        party: table.optional_parsed("party", str::parse),
        party_while: table.tables("party_while").iter().filter_map(read_party_while).collect(),
        auto: table.tables("auto").iter().map(read_closed_case).collect(),
        position: table.position(),
    };
    table.close();
    step
}

fn read_party_while(table: &Table<'_>) -> Option<(Name, Party)> {
    let deadline = table.parsed("deadline", Name::ours);
    let party = table.parsed("party", str::parse);
    table.close();
    Some((deadline?, party?))
}

fn read_stand_in(table: &Table<'_>) -> Option<StandIn> {
    let flag = table.parsed("flag", Name::ours);
    let of = table.list("of", str::parse::<Role>);
    let by = table.parsed("by", str::parse::<Role>);
    let basis = read_basis(table);
    if of.is_empty() {
        table.fault("of", "应写明替谁办理（角色）");
    }
    if by.is_some_and(|by| by.is_bound_to_agency() || by.party().is_none()) {
        table.fault("by", "替代办理的只能是 hotline、supervisor、approver 或 system");
    }
    table.close();
    Some(StandIn { flag: flag?, of, by: by?, basis, position: table.position() })
}

fn read_events(root: &Table<'_>) -> Vec<DomainEvent> {
    let Some(table) = root.optional_table("events") else { return Vec::new() };
    let read = |key: String| {
        let title = table.text(&key);
        match Name::ours(&key) {
            Ok(name) => {
                let position = table.position_of(&key);
                title.map(|title| DomainEvent { name, title, position })
            }
            Err(message) => {
                table.fault(&key, message);
                None
            }
        }
    };
    table.keys().into_iter().filter_map(read).collect()
}

fn read_tally(name: &Name, table: &Table<'_>) -> Tally {
    let tally = Tally {
        name: name.clone(),
        title: table.text("title").unwrap_or_default(),
        per_agency: read_per_agency(table),
        reset_by: table.list("reset_by", Name::ours),
        position: table.position(),
    };
    table.close();
    tally
}

fn read_effect(table: &Table<'_>) -> Option<Effect> {
    let on = table.parsed("on", Name::ours);
    let kind = table.parsed("do", str::parse);
    let to = table.parsed("to", str::parse);
    table.close();
    Some(Effect { on: on?, kind: kind?, to: to?, position: table.position() })
}
