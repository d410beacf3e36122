//! A definition as a Mermaid state diagram. Must never show a way that the definition lacks.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use duban_core::definition::{Action, Definition, Next, Stage, Status};

/// The diagram's text.
pub(super) fn mermaid(definition: &Definition) -> String {
    let mut out = format!("---\ntitle: {}\n---\nstateDiagram-v2\n", definition.title);
    for step in &definition.steps {
        let party = step.party.map(|party| format!("（{}）", party.title())).unwrap_or_default();
        let _ = writeln!(out, "    {} : {}{party}", step.name, step.title);
    }
    let _ = writeln!(out, "    [*] --> {}", definition.starts_in);
    for ((from, to), labels) in edges(definition) {
        let _ = writeln!(out, "    {from} --> {to} : {}", labels.join("、"));
    }
    for step in definition.steps.iter().filter(|step| step.status == Status::Archived) {
        let _ = writeln!(out, "    {} --> [*]", step.name);
    }
    out
}

/// From step to step, with the titles of what leads there. Ways that are open from every step
/// (such as 认定重复) would hide all others: they are drawn from the first step only.
fn edges(definition: &Definition) -> BTreeMap<(&str, &str), Vec<String>> {
    let mut edges: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    let mut add = |from, to, label: &str| {
        let labels = edges.entry((from, to)).or_default();
        if !labels.iter().any(|one| one == label) {
            labels.push(label.to_owned());
        }
    };
    for action in &definition.actions {
        for next in action.cases.iter().filter_map(|case| case.next.as_ref()) {
            for from in froms(definition, action) {
                match next {
                    Next::Step(to) => add(from, to.as_str(), &action.title),
                    Next::Back => {
                        for to in origins(definition, from) {
                            add(from, to, &action.title);
                        }
                    }
                }
            }
        }
    }
    for step in &definition.steps {
        for next in step.auto.iter().filter_map(|case| case.next.as_ref()) {
            if let Next::Step(to) = next {
                add(step.name.as_str(), to.as_str(), "自动");
            }
        }
    }
    edges
}

fn froms<'d>(definition: &'d Definition, action: &'d Action) -> Vec<&'d str> {
    let of_stage = |stage: &Stage| {
        let mut steps = definition.steps.iter();
        steps.find(|step| stage.holds(&step.name, step.status)).map(|step| step.name.as_str())
    };
    action.stages.iter().filter_map(of_stage).collect()
}

/// The steps from which an action leads to this one.
fn origins<'d>(definition: &'d Definition, to: &str) -> Vec<&'d str> {
    let leads = |action: &&'d Action| {
        let nexts = action.cases.iter().filter_map(|case| case.next.as_ref());
        nexts.into_iter().any(|next| matches!(next, Next::Step(step) if *step == *to))
    };
    let actions = definition.actions.iter().filter(leads);
    actions.flat_map(|action| froms(definition, action)).collect()
}
