//! A definition as a Mermaid state diagram. Must never show a way that the definition lacks.

use std::fmt::Write as _;

use duban_core::definition::{Definition, Status};

/// The diagram's text.
pub(super) fn mermaid(definition: &Definition) -> String {
    let mut out = format!("---\ntitle: {}\n---\nstateDiagram-v2\n", definition.title);
    for step in &definition.steps {
        let party = step.party.map(|party| format!("（{}）", party.title())).unwrap_or_default();
        let _ = writeln!(out, "    {} : {}{party}", step.name, step.title);
    }
    let _ = writeln!(out, "    [*] --> {}", definition.starts_in);
    for ((from, to), labels) in definition.ways() {
        let _ = writeln!(out, "    {from} --> {to} : {}", labels.join("、"));
    }
    for step in definition.steps.iter().filter(|step| step.status == Status::Archived) {
        let _ = writeln!(out, "    {} --> [*]", step.name);
    }
    out
}
