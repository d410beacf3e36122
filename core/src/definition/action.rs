//! Actions of a definition: who may do what in which step, with which form, and what follows.
//! Must never know a workflow's rule: whatever differs between workflows is read here as data.

use super::basis::{Basis, read_basis};
use super::predicate::{Guard, Predicate, read_guards, read_predicates};
use super::vocabulary::{Outcome, Status};
use crate::calendar::{Unit, Within};
use crate::document::{Position, Table};
use crate::name::Name;
use crate::role::Role;

/// Something that a person (or duban, as `system`) may do with a ticket.
#[derive(Debug)]
pub struct Action {
    /// Its name.
    pub name: Name,
    /// Chinese title.
    pub title: String,
    /// Who may do it.
    pub by: Vec<Role>,
    /// Where it may be done.
    pub stages: Vec<Stage>,
    /// The form's name.
    pub form: Name,
    /// What must hold.
    pub guards: Vec<Guard>,
    /// Dates of the form that must lie within a range.
    pub checks: Vec<DateCheck>,
    /// A form field that names the agency that gets the ticket.
    pub assign: Option<Name>,
    /// Whether the agency gives the ticket back.
    pub release: bool,
    /// A form field that holds the finding.
    pub finding: Option<Name>,
    /// A form field that holds the class to which the ticket is re-pinned.
    pub repin: Option<Name>,
    /// What it does with an extension.
    pub extension: Option<Extension>,
    /// What it does with a card, named by a form field.
    pub card: Option<CardStep>,
    /// What follows: the first case that holds.
    pub cases: Vec<Case>,
    /// Articles and local rules.
    pub basis: Vec<Basis>,
    /// Where it stands in the text.
    pub position: Position,
}

/// A step, or all steps of a status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// One step.
    Step(Name),
    /// All steps of a status (`open`, `closed`, `archived`).
    Status(Status),
}

/// What follows from an action, or a transition that happens by itself.
#[derive(Debug, Default)]
pub struct Case {
    /// All must hold; empty holds always.
    pub when: Vec<Predicate>,
    /// Counted once more.
    pub tally: Vec<Tallying>,
    /// Set on the ticket.
    pub flags: Vec<Name>,
    /// Taken off the ticket.
    pub unflags: Vec<Name>,
    /// Whether the deadlines that the ticket's closing cancelled go on.
    pub resume: bool,
    /// How the ticket is called from now on.
    pub outcome: Option<Finish>,
    /// Domain events, in order.
    pub raise: Vec<Name>,
    /// Where the ticket goes.
    pub next: Option<Next>,
}

/// One more on a tally.
#[derive(Debug)]
pub struct Tallying {
    /// The tally.
    pub tally: Name,
    /// The form's date-time field that says when it happened; else the instant of the action.
    pub at: Option<Name>,
}

/// How a ticket is called when it closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// By its finding.
    ByFinding,
    /// By name.
    Named(Outcome),
    /// No longer called anything: it is open again.
    Cleared,
}

/// Where a ticket goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// To a step.
    Step(Name),
    /// To the step that it came from.
    Back,
}

/// What an action does with an extension of a deadline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extension {
    /// Asks for it, until the day in a form field.
    Request {
        /// The deadline.
        deadline: Name,
        /// The date field.
        until: Name,
    },
    /// Grants what was asked.
    Grant(Name),
    /// Refuses what was asked.
    Refuse(Name),
}

/// What an action does with a card; the form field names the card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardStep {
    /// Contests it.
    Contest(Name),
    /// Upholds it although it was contested.
    Uphold(Name),
    /// Revokes it.
    Revoke(Name),
}

impl CardStep {
    /// The form field that names the card.
    #[must_use]
    pub const fn field(&self) -> &Name {
        match self {
            Self::Contest(field) | Self::Uphold(field) | Self::Revoke(field) => field,
        }
    }
}

/// A date of the form that must be a working day so far after a deadline's last day, extensions
/// aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateCheck {
    /// The date field.
    pub field: Name,
    /// The least, in working days.
    pub least: i32,
    /// The most, in working days.
    pub most: i32,
    /// The deadline.
    pub after: Name,
}

pub(super) fn read_action(name: Name, table: &Table<'_>) -> Option<Action> {
    let title = table.text("title");
    let by = table.list("by", str::parse::<Role>);
    if by.is_empty() {
        table.fault("by", "应写明谁可以办（角色）");
    }
    let stages = table.list("in", read_stage);
    if stages.is_empty() {
        table.fault("in", "应写明在哪些环节可以办（环节名，或 open、closed）");
    }
    let form = table.parsed("form", Name::ours);
    let mut cases = table.tables("case").iter().map(read_closed_case).collect::<Vec<_>>();
    if cases.is_empty() {
        cases.push(read_case(table));
    }
    let action = Action {
        name,
        title: title.unwrap_or_default(),
        by,
        stages,
        form: form?,
        guards: read_guards(table),
        checks: read_checks(table),
        assign: table.optional_parsed("assign", Name::ours),
        release: table.flag("release"),
        finding: table.optional_parsed("finding", Name::ours),
        repin: table.optional_parsed("repin", Name::ours),
        extension: read_extension(table),
        card: read_card(table),
        cases,
        basis: read_basis(table),
        position: table.position(),
    };
    table.close();
    Some(action)
}

fn read_stage(text: &str) -> Result<Stage, String> {
    match text.parse() {
        Ok(status) => Ok(Stage::Status(status)),
        Err(_) => Name::ours(text).map(Stage::Step),
    }
}

/// Reads a case of a list (an action's or a step's own).
pub(super) fn read_closed_case(table: &Table<'_>) -> Case {
    let case = read_case(table);
    table.close();
    case
}

fn read_case(table: &Table<'_>) -> Case {
    let at = table.optional_parsed("tally_at", Name::ours);
    let tallies = table.list("tally", Name::ours);
    if at.is_some() && tallies.is_empty() {
        table.fault("tally_at", "写了 tally_at 而没有 tally，请补写 tally");
    }
    Case {
        when: read_predicates(table, "when"),
        tally: tallies.into_iter().map(|tally| Tallying { tally, at: at.clone() }).collect(),
        flags: table.list("flag", Name::ours),
        unflags: table.list("unflag", Name::ours),
        resume: table.flag("resume"),
        outcome: table.optional_parsed("outcome", |text| match text {
            "by_finding" => Ok(Finish::ByFinding),
            "none" => Ok(Finish::Cleared),
            _ => text
                .parse()
                .map(Finish::Named)
                .map_err(|message| format!("{message}，或 by_finding、none")),
        }),
        raise: table.list("raise", Name::ours),
        next: table.optional_parsed("next", |text| match text {
            "back" => Ok(Next::Back),
            _ => Name::ours(text).map(Next::Step),
        }),
    }
}

fn read_checks(table: &Table<'_>) -> Vec<DateCheck> {
    let read = |entry: Table<'_>| {
        let field = entry.parsed("field", Name::ours);
        let after = entry.parsed("after", Name::ours);
        let range = entry.list("within", str::parse::<Within>);
        let days = |within: &Within| (within.unit == Unit::WorkingDays).then_some(within.amount);
        let bounds: Vec<i32> = range.iter().filter_map(days).collect();
        let sound = matches!(bounds[..], [least, most] if 0 < least && least <= most);
        if !sound {
            entry.fault("within", "应写最少和最多的工作日数，例如 [\"1wd\", \"10wd\"]");
        }
        entry.close();
        let check = sound.then(|| (bounds[0], bounds[1]));
        let (least, most) = check?;
        Some(DateCheck { field: field?, least, most, after: after? })
    };
    table.tables("check").into_iter().filter_map(read).collect()
}

fn read_extension(table: &Table<'_>) -> Option<Extension> {
    let entry = table.optional_table("extension")?;
    let name = |key| entry.optional_parsed(key, Name::ours);
    let read = match (name("request"), name("grant"), name("refuse"), name("until")) {
        (Some(deadline), None, None, Some(until)) => Some(Extension::Request { deadline, until }),
        (None, Some(deadline), None, None) => Some(Extension::Grant(deadline)),
        (None, None, Some(deadline), None) => Some(Extension::Refuse(deadline)),
        _ => {
            entry.fault("", "延期须写 request 和 until，或 grant，或 refuse");
            None
        }
    };
    entry.close();
    read
}

fn read_card(table: &Table<'_>) -> Option<CardStep> {
    let entry = table.optional_table("card")?;
    let name = |key| entry.optional_parsed(key, Name::ours);
    let read = match (name("contest"), name("uphold"), name("revoke")) {
        (Some(field), None, None) => Some(CardStep::Contest(field)),
        (None, Some(field), None) => Some(CardStep::Uphold(field)),
        (None, None, Some(field)) => Some(CardStep::Revoke(field)),
        _ => {
            entry.fault("", "牌的处理须写 contest、uphold 或 revoke 之一");
            None
        }
    };
    entry.close();
    read
}
