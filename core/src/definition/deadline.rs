//! Deadlines of a definition: who owes what within which time, and the ladder of what happens when
//! it is not done. Must never compute a date: that is the calendar's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::basis::{Basis, read_basis};
use super::vocabulary::{CardKind, Notice};
use crate::calendar::{Unit, Within};
use crate::document::{Position, Table};
use crate::echo::{echo, unknown};
use crate::name::Name;
use crate::role::{Audience, Party, Role};
use crate::words::words;

words! {
    /// The three kinds of deadline, which must stay apart.
    Kind, "时限种类" {
        /// Somebody must act: ladder, light and cards.
        Obligation = "obligation", "办理时限";
        /// Somebody may act: its end is an event.
        Window = "window", "期间";
        /// Shown, never carded.
        Indicator = "indicator", "观察指标";
    }
}

/// What starts a deadline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// A domain event.
    Event(Name),
    /// Entering a step.
    Step(Name),
    /// The ticket's opening, counted from the instant of the review.
    Review,
}

/// A deadline as the definition has it.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the text")]
pub struct DeadlineRule {
    /// Its name.
    pub name: Name,
    /// Its place in the definition: the order of work at one instant.
    pub order: u16,
    /// Chinese title.
    pub title: String,
    /// Obligation, window or indicator.
    pub kind: Kind,
    /// Who is charged.
    pub party: Party,
    /// Whether each agency has runs of its own.
    pub per_agency: bool,
    /// Whether it starts only once in a ticket's life.
    pub once: bool,
    /// Whether a window that ended while the ticket was away begins anew with the ticket's return:
    /// it belongs to somebody else than the agency.
    pub anew: bool,
    /// Whether it goes on when the ticket is closed.
    pub survives_close: bool,
    /// How long.
    pub within: Within,
    /// What starts it.
    pub from: Vec<Start>,
    /// Events that meet it.
    pub met_by: Vec<Name>,
    /// Events that take that back.
    pub unmet_by: Vec<Name>,
    /// Events that cancel it.
    pub cancelled_by: Vec<Name>,
    /// A flag with which it is cancelled as soon as it starts.
    pub not_for: Option<Name>,
    /// The event that the end of a window raises.
    pub raise: Option<Name>,
    /// Roles that do not see it.
    pub hidden_from: Vec<Role>,
    /// The rungs in order of time; empty but for obligations.
    pub rungs: Vec<Rung>,
    /// Articles and local rules.
    pub basis: Vec<Basis>,
    /// Where it stands in the text.
    pub position: Position,
}

/// Which rung: so many working days before or after the end. Written `-1wd`, `end`, `+3wd`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RungAt(pub i32);

impl fmt::Display for RungAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.pad("end"),
            days => f.pad(&format!("{days:+}wd")),
        }
    }
}

/// Text for people; the bare number in binary snapshots.
impl Serialize for RungAt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for RungAt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
        } else {
            i32::deserialize(deserializer).map(Self)
        }
    }
}

impl FromStr for RungAt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let say =
            || format!("不是梯级：“{}”；应写作 -1wd、end 或 +3wd（工作日，最多 30）", echo(text));
        if text == "end" {
            return Ok(Self(0));
        }
        let signed = text.strip_suffix("wd").filter(|text| text.starts_with(['+', '-']));
        let days: i32 = signed.and_then(|text| text.parse().ok()).ok_or_else(say)?;
        if days == 0 || days.abs() > 30 { Err(say()) } else { Ok(Self(days)) }
    }
}

/// One rung of a ladder.
#[derive(Clone, Debug)]
pub struct Rung {
    /// Which, by its working days from the end.
    pub at: RungAt,
    /// The card it issues.
    pub card: Option<CardKind>,
    /// What it says besides.
    pub notice: Option<Notice>,
    /// Who is told.
    pub tell: Vec<Audience>,
}

/// A ladder by name, for obligations to refer to.
pub(super) struct Ladder {
    pub(super) name: Name,
    pub(super) rungs: Vec<Rung>,
}

/// The most rungs a ladder may have: a run numbers them in one byte, people read them at a glance.
const RUNGS_MAX: usize = 16;

pub(super) fn read_ladder(name: Name, table: &Table<'_>) -> Ladder {
    let _ = table.text("title");
    let _ = read_basis(table);
    let mut rungs = Vec::new();
    for rung in table.tables("rungs") {
        let at = rung.parsed("at", str::parse::<RungAt>);
        let card = rung.optional_parsed("card", str::parse);
        let notice = rung.optional_parsed("notice", str::parse);
        let tell = rung.list("tell", str::parse);
        if card.is_none() && notice.is_none() {
            rung.fault("", "梯级须发牌（card）或督促（notice），否则没有意义");
        }
        if tell.is_empty() {
            rung.fault("tell", "梯级须写明告知谁");
        }
        rung.close();
        if let Some(at) = at {
            if rungs.last().is_some_and(|last: &Rung| last.at >= at) {
                rung.fault("at", "梯级须按时间先后排列，且不得重复");
            }
            rungs.push(Rung { at, card, notice, tell });
        }
    }
    if rungs.is_empty() || rungs.len() > RUNGS_MAX {
        table.fault("rungs", format!("梯级数应为 1 至 {RUNGS_MAX}"));
    }
    table.close();
    Ladder { name, rungs }
}

pub(super) fn read_deadline(
    name: Name,
    order: u16,
    ladders: &[Ladder],
    table: &Table<'_>,
) -> Option<DeadlineRule> {
    let events = |key| table.list(key, Name::ours);
    let title = table.text("title");
    let kind = table.parsed("kind", str::parse::<Kind>);
    let party = table.parsed("party", str::parse);
    let per_agency = read_per_agency(table);
    let within = table.parsed("within", str::parse::<Within>);
    let roll = table.flag("roll");
    let from = table.list("from", read_start);
    let ladder = table.optional_parsed("ladder", Name::ours);
    let rule = DeadlineRule {
        name,
        order,
        title: title.unwrap_or_default(),
        kind: kind.unwrap_or(Kind::Obligation),
        party: party.unwrap_or(Party::System),
        per_agency,
        once: table.flag("once"),
        anew: table.flag("anew"),
        survives_close: table.flag("survives_close"),
        within: read_within(table, within?, roll),
        from,
        met_by: events("met_by"),
        unmet_by: events("unmet_by"),
        cancelled_by: events("cancelled_by"),
        not_for: table.optional_parsed("not_for", Name::ours),
        raise: table.optional_parsed("raise", Name::ours),
        hidden_from: table.list("hidden_from", str::parse),
        rungs: ladder.map(|ladder| rungs_of(table, ladders, &ladder)).unwrap_or_default(),
        basis: read_basis(table),
        position: table.position(),
    };
    check_kind(table, &rule);
    table.close();
    kind.and(party)?;
    Some(rule)
}

/// Reads `per = "agency"`, for tallies and deadlines.
pub(super) fn read_per_agency(table: &Table<'_>) -> bool {
    let per = table.optional_parsed("per", |text| match text {
        "agency" => Ok(()),
        _ => Err("只能写 agency（每个承办单位各计各的）".to_owned()),
    });
    per.is_some()
}

fn read_within(table: &Table<'_>, within: Within, roll: bool) -> Within {
    if within.amount < 0 {
        table.fault("within", "时限只能向后计算，不得为负");
    }
    if !roll {
        return within;
    }
    within.rolled().unwrap_or_else(|message| {
        table.fault("roll", message);
        within
    })
}

fn read_start(text: &str) -> Result<Start, String> {
    match text.split_once(':') {
        Some(("step", step)) => Name::ours(step).map(Start::Step),
        None if text == "review" => Ok(Start::Review),
        None => Name::ours(text).map(Start::Event),
        Some(_) => Err(format!("不是起点：“{}”；应写事件名、step:环节名 或 review", echo(text))),
    }
}

fn rungs_of(table: &Table<'_>, ladders: &[Ladder], name: &Name) -> Vec<Rung> {
    if let Some(ladder) = ladders.iter().find(|ladder| ladder.name == *name) {
        return ladder.rungs.clone();
    }
    let known: Vec<&str> = ladders.iter().map(|ladder| ladder.name.as_str()).collect();
    table.fault("ladder", unknown("梯级", name.as_str(), &known.join("、")));
    Vec::new()
}

/// What belongs to one kind of deadline only, and rungs that cannot be.
fn check_kind(table: &Table<'_>, rule: &DeadlineRule) {
    match rule.kind {
        Kind::Obligation if rule.within.unit == Unit::Hours => {
            table.fault("within", "办理时限须以工作日或自然日计：其梯级以日计，不能以小时计");
            return;
        }
        Kind::Obligation if !table.has("ladder") => {
            table.fault("", "办理时限须有梯级（ladder）");
        }
        Kind::Window | Kind::Indicator if table.has("ladder") => {
            table.fault("ladder", "期间和观察指标不亮灯、不发牌，不得有梯级");
        }
        _ => {}
    }
    if rule.raise.is_some() && rule.kind != Kind::Window {
        table.fault("raise", "只有期间届满才引发事件");
    }
    if rule.anew && (rule.kind != Kind::Window || !rule.per_agency) {
        table.fault("anew", "只有每个承办单位各计各的期间才能重新起算");
    }
    if rule.from.is_empty() {
        table.fault("", "时限须写明从何时起算（from）");
    }
    if rule.rungs.is_empty() {
        return;
    }
    if rule.within.unit != Unit::WorkingDays {
        return;
    }
    let days = rule.within.amount;
    for rung in rule.rungs.iter().filter(|rung| days > 0 && -rung.at.0 > days) {
        let says = format!("梯级 {} 早于起算之日：时限只有 {days} 个工作日", rung.at);
        table.fault("ladder", says);
    }
}
