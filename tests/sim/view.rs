//! What can be seen of a ticket, in words that both the program and the oracle can fill in.
//! Must never know either of them.

use std::fmt::Write as _;

/// What leaves a decision, a line each.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Commit {
    pub(crate) events: Vec<String>,
    pub(crate) messages: Vec<String>,
    pub(crate) fired_until: Option<i64>,
}

/// A ticket at an instant.
#[derive(Debug, PartialEq)]
pub(crate) struct View<'t> {
    pub(crate) class: &'t str,
    pub(crate) workflow: &'t str,
    pub(crate) step: &'t str,
    pub(crate) status: &'t str,
    /// Who must act.
    pub(crate) awaits: Option<&'t str>,
    pub(crate) agency: Option<&'t str>,
    pub(crate) flags: Vec<&'t str>,
    pub(crate) finding: Option<&'t str>,
    pub(crate) outcome: Option<&'t str>,
    pub(crate) revision: u32,
    /// Each count: what, by which agency, when; sorted.
    pub(crate) tallies: Vec<String>,
    pub(crate) next_wake: Option<i64>,
    /// At the instants asked for.
    pub(crate) lights: Vec<Option<&'static str>>,
    pub(crate) hotline_lights: Vec<Option<&'static str>>,
    pub(crate) cards: Vec<CardView<'t>>,
    pub(crate) runs: Vec<RunView<'t>>,
}

/// A card.
#[derive(Debug, PartialEq)]
pub(crate) struct CardView<'t> {
    pub(crate) id: &'t str,
    pub(crate) kind: &'t str,
    pub(crate) party: &'t str,
    pub(crate) agency: Option<&'t str>,
    pub(crate) state: &'t str,
    pub(crate) is_upheld: bool,
    pub(crate) revoked: Option<&'t str>,
    pub(crate) due_at: i64,
    pub(crate) fired_at: i64,
}

/// A run of a deadline.
#[derive(Debug, PartialEq)]
pub(crate) struct RunView<'t> {
    pub(crate) deadline: &'t str,
    pub(crate) run: usize,
    pub(crate) generation: usize,
    pub(crate) order: usize,
    pub(crate) party: &'t str,
    pub(crate) agency: Option<&'t str>,
    pub(crate) within: String,
    pub(crate) state: &'t str,
    pub(crate) cancelled: Option<&'t str>,
    pub(crate) starts_at: i64,
    pub(crate) due_at: i64,
    pub(crate) original_due_at: i64,
    pub(crate) yellow_at: i64,
    pub(crate) certainty: &'static str,
    pub(crate) missing_years: Vec<i64>,
    pub(crate) ended_at: Option<i64>,
    /// Working days left at the instants asked for.
    pub(crate) left: Vec<Option<usize>>,
    pub(crate) ledger: Vec<String>,
    /// In order of their names.
    pub(crate) rungs: Vec<RungView>,
}

/// A rung of a run.
#[derive(Debug, PartialEq)]
pub(crate) struct RungView {
    pub(crate) name: String,
    pub(crate) at: i64,
    pub(crate) state: &'static str,
}

/// The first line in which two views differ, with what it belongs to.
pub(crate) fn difference(program: &View<'_>, oracle: &View<'_>) -> String {
    let (program, oracle) = (format!("{program:#?}"), format!("{oracle:#?}"));
    let (program, oracle): (Vec<&str>, Vec<&str>) =
        (program.lines().collect(), oracle.lines().collect());
    let pairs = program.iter().zip(&oracle);
    let Some(at) = pairs.clone().position(|(one, other)| one != other) else {
        return "one of them has more runs, rungs or cards".to_owned();
    };
    let mut owners = Vec::new();
    let depth = |line: &str| line.len() - line.trim_start().len();
    let mut inner = depth(program[at]);
    for index in (0..at).rev() {
        if depth(program[index]) < inner {
            inner = depth(program[index]);
            let is_of_list = program[index].ends_with("View {");
            let first = program.get(index + 1..index + 3).filter(|_| is_of_list);
            owners.push(first.map_or_else(
                || program[index].trim().to_owned(),
                |first| first.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" "),
            ));
        }
    }
    owners.reverse();
    let mut text = owners.join(" ");
    for (one, other) in pairs.skip(at).filter(|(one, other)| one != other).take(4) {
        let _ = write!(text, "\n  program: {}\n  oracle:  {}", one.trim(), other.trim());
    }
    text
}
