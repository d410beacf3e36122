//! The closed set of conditions that guards and cases are made of. Must never become a language:
//! what a definition may ask is listed here, typed, and checked on load.

use super::vocabulary::{Finding, Outcome};
use crate::document::Table;
use crate::name::Name;

/// A condition, evaluated on the ticket (and the form) as they are just before the action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Predicate {
    /// A field of the form has one of these values; a list, if one of its items has.
    Field {
        /// The form's property.
        field: Name,
        /// The values.
        is: Vec<Name>,
    },
    /// The ticket is in this step.
    Step(Name),
    /// The ticket carries this flag.
    Flag(Name),
    /// The ticket does not carry this flag.
    NoFlag(Name),
    /// The ticket has (or has not) an agency.
    Assigned(bool),
    /// The finding is one of these.
    FindingIs(Vec<Finding>),
    /// The ticket was closed in one of these ways.
    OutcomeIs(Vec<Outcome>),
    /// The newest run of the deadline is running (for a window: open).
    DeadlineRunning(Name),
    /// The deadline has a run, and the newest one is no longer running.
    DeadlineOver(Name),
    /// The deadline is not running, whether it ever was or not.
    DeadlineIdle(Name),
    /// The deadline has never been started.
    DeadlineUnstarted(Name),
    /// The deadline is running and its due instant has not come.
    BeforeDue(Name),
    /// Something happened at least (or fewer than) so many times.
    Count {
        /// The tally.
        tally: Name,
        /// At least (`true`) or fewer than (`false`).
        at_least: bool,
        /// The number.
        count: u32,
        /// Counted on at least so many different working days.
        working_days: u32,
        /// Counted in at least so many halves of the day: 1, or 2 for forenoon and afternoon.
        half_days: u32,
        /// A date-time field of the form that counts as one more.
        with: Option<Name>,
    },
    /// The actor is not the one who last did this action.
    ActorDiffersFrom(Name),
}

/// A predicate with the sentence that a person reads when it refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// The condition.
    pub predicate: Predicate,
    /// The steps in which it is asked; empty: wherever the action may be done.
    pub steps: Vec<Name>,
    /// A flag with which it is not asked any more.
    pub unless: Option<Name>,
    /// What to say when it does not hold.
    pub say: String,
}

/// The keys that name a kind of predicate; each table of a `when` or `guard` has exactly one.
const KINDS: &[&str] = &[
    "field",
    "step",
    "flag",
    "no_flag",
    "assigned",
    "finding",
    "outcome",
    "deadline_running",
    "deadline_over",
    "deadline_idle",
    "deadline_unstarted",
    "before_due",
    "tally",
    "actor_differs_from",
];

/// The most that a definition may count to: far above any rule, low enough to explore.
const COUNT_MAX: i64 = 20;

/// Reads one condition. Leaves the table open, because guards carry a sentence besides.
pub(super) fn read_predicate(table: &Table<'_>) -> Option<Predicate> {
    let kinds: Vec<&&str> = KINDS.iter().filter(|kind| table.has(kind)).collect();
    let [kind] = kinds[..] else {
        table.fault("", format!("每个条件须有且仅有一种：{}", KINDS.join("、")));
        return None;
    };
    let name = || table.parsed(kind, Name::ours);
    Some(match *kind {
        "field" => {
            let is = table.list("is", Name::ours);
            if is.is_empty() {
                table.fault("is", "应列出至少一个取值");
            }
            Predicate::Field { field: name()?, is }
        }
        "step" => Predicate::Step(name()?),
        "flag" => Predicate::Flag(name()?),
        "no_flag" => Predicate::NoFlag(name()?),
        "assigned" => Predicate::Assigned(table.flag(kind)),
        "finding" => Predicate::FindingIs(table.list(kind, str::parse)),
        "outcome" => Predicate::OutcomeIs(table.list(kind, str::parse)),
        "deadline_running" => Predicate::DeadlineRunning(name()?),
        "deadline_over" => Predicate::DeadlineOver(name()?),
        "deadline_idle" => Predicate::DeadlineIdle(name()?),
        "deadline_unstarted" => Predicate::DeadlineUnstarted(name()?),
        "before_due" => Predicate::BeforeDue(name()?),
        "tally" => read_count(table, name()?)?,
        _ => Predicate::ActorDiffersFrom(name()?),
    })
}

fn read_count(table: &Table<'_>, tally: Name) -> Option<Predicate> {
    let least = table.integer("count_at_least", 1..=COUNT_MAX);
    let below = table.integer("count_below", 1..=COUNT_MAX);
    let (at_least, count) = match (least, below) {
        (Some(count), None) => (true, count),
        (None, Some(count)) => (false, count),
        _ => {
            table.fault("", "计数条件须写 count_at_least 或 count_below 之一");
            return None;
        }
    };
    let small = |key, range| {
        let number = table.integer(key, range).unwrap_or(0);
        u32::try_from(number).unwrap_or_default()
    };
    Some(Predicate::Count {
        tally,
        at_least,
        count: u32::try_from(count).unwrap_or_default(),
        working_days: small("working_days", 1..=COUNT_MAX),
        half_days: small("half_days", 1..=2),
        with: table.optional_parsed("with", Name::ours),
    })
}

/// Reads a list of conditions.
pub(super) fn read_predicates(table: &Table<'_>, key: &str) -> Vec<Predicate> {
    let tables = table.tables(key);
    let read = |table: Table<'_>| {
        let predicate = read_predicate(&table);
        table.close();
        predicate
    };
    tables.into_iter().filter_map(read).collect()
}

/// Reads the guards of an action.
pub(super) fn read_guards(table: &Table<'_>) -> Vec<Guard> {
    let tables = table.tables("guard");
    let read = |table: Table<'_>| {
        let predicate = read_predicate(&table);
        let steps = table.list("in", Name::ours);
        let unless = table.optional_parsed("unless", Name::ours);
        let say = table.text("say");
        table.close();
        Some(Guard { predicate: predicate?, steps, unless, say: say? })
    };
    tables.into_iter().filter_map(read).collect()
}
