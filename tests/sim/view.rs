//! What can be seen of a ticket, in words that both the program and the oracle can fill in.
//! Must never know either of them.

use std::fmt::Write as _;

/// A ticket at an instant.
#[derive(Debug, PartialEq)]
pub(crate) struct View<'t> {
    pub(crate) class: &'t str,
    pub(crate) step: &'t str,
    pub(crate) status: &'t str,
    pub(crate) agency: Option<&'t str>,
    pub(crate) flags: Vec<&'t str>,
    pub(crate) finding: Option<&'t str>,
    pub(crate) outcome: Option<&'t str>,
    pub(crate) next_wake: Option<i64>,
    /// At the instants asked for.
    pub(crate) lights: Vec<Option<&'static str>>,
    pub(crate) cards: Vec<CardView<'t>>,
    pub(crate) runs: Vec<RunView<'t>>,
}

/// A card.
#[derive(Debug, PartialEq)]
pub(crate) struct CardView<'t> {
    pub(crate) id: &'t str,
    pub(crate) kind: &'t str,
    pub(crate) agency: Option<&'t str>,
    pub(crate) state: &'t str,
    pub(crate) revoked: Option<&'t str>,
    pub(crate) due_at: i64,
    pub(crate) fired_at: i64,
}

/// A run of a deadline.
#[derive(Debug, PartialEq)]
pub(crate) struct RunView<'t> {
    pub(crate) deadline: &'t str,
    pub(crate) run: u16,
    pub(crate) generation: u16,
    pub(crate) agency: Option<&'t str>,
    pub(crate) state: &'t str,
    pub(crate) cancelled: Option<&'t str>,
    pub(crate) starts_at: i64,
    pub(crate) due_at: i64,
    pub(crate) original_due_at: i64,
    pub(crate) yellow_at: i64,
    pub(crate) certainty: &'static str,
    pub(crate) missing_years: Vec<i64>,
    pub(crate) ended_at: Option<i64>,
    /// In order of their names.
    pub(crate) rungs: Vec<RungView<'t>>,
}

/// A rung of a run.
#[derive(Debug, PartialEq)]
pub(crate) struct RungView<'t> {
    pub(crate) name: &'t str,
    pub(crate) at: i64,
    pub(crate) state: &'t str,
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
