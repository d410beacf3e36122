//! A ticket's life laid on the working calendar: days across; below them its steps, whose it was, and
//! each deadline with what was reached and what is to come. Must never show as happened what is only
//! expected.

mod draw;

use duban_core::time::{Day, Instant};

pub(super) use draw::draw;

use super::part::light::Light;
use super::part::when;
use super::shape::history::{Coming, Event};
use super::shape::rules::Rules;
use super::shape::ticket::{Deadline, Ticket};
use super::words::Lang;

/// Days that are drawn at most; what lies before or after is cut off.
const DAYS_MAX: i32 = 400;

/// What is drawn.
pub(super) struct Timeline {
    /// The first day.
    pub(super) from: Day,
    /// The last one.
    pub(super) to: Day,
    /// Where now lies, while the ticket goes on.
    now: Instant,
    is_open: bool,
    rows: Vec<Row>,
}

/// A line of it.
struct Row {
    title: String,
    bars: Vec<Bar>,
    marks: Vec<Mark>,
}

/// A stretch of time.
struct Bar {
    from: Instant,
    to: Instant,
    look: Look,
    says: String,
}

/// How a bar is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    /// What was, without a light.
    Plain,
    /// What was, in a light.
    Lit(Light),
    /// After its end.
    Late,
    /// What is still to come.
    Coming,
}

/// An instant at which something was, or will be, reached.
struct Mark {
    at: Instant,
    /// A card's, or a warning's.
    light: Light,
    is_card: bool,
    is_coming: bool,
    says: String,
}

/// All that a timeline is made of.
pub(super) struct Life<'l> {
    pub(super) lang: Lang,
    pub(super) ticket: &'l Ticket,
    pub(super) events: &'l [Event],
    pub(super) coming: &'l [Coming],
    pub(super) rules: &'l Rules,
    pub(super) now: Instant,
}

impl Timeline {
    /// Lays out a life.
    pub(super) fn of(life: &Life<'_>) -> Self {
        let is_open = life.ticket.status == "open";
        let last = life.events.iter().filter_map(|event| event.at).max();
        let end = if is_open { life.now } else { last.unwrap_or(life.now) };
        let shown = || life.ticket.deadlines.iter().filter(|one| is_shown(one));
        let ends = shown().filter(|one| one.is_running() && !one.is_window()).map(|one| one.due_at);
        let cards = life.coming.iter().filter(|one| one.card.is_some()).map(|one| one.at);
        let latest = ends.chain(cards).chain([end]).max().unwrap_or(end);
        let from = when::day_of(life.ticket.received_at).plus(-1);
        let to = when::day_of(latest).plus(2).min(from.plus(DAYS_MAX));
        let mut rows = vec![life.steps(end), life.holders(end)];
        let mut names: Vec<&str> = Vec::new();
        for deadline in shown() {
            if !names.contains(&deadline.name.as_str()) {
                names.push(&deadline.name);
            }
        }
        rows.extend(names.into_iter().map(|name| life.deadline(name, end)));
        Self { from, to, now: life.now, is_open, rows }
    }
}

/// The period in which a citizen may rate again is nobody's work.
fn is_shown(deadline: &Deadline) -> bool {
    !(deadline.is_window() && deadline.party == "system")
}

impl Life<'_> {
    /// The steps, one after another.
    fn steps(&self, end: Instant) -> Row {
        let titles = self.rules.steps();
        let title = |name: &str| {
            let found = titles.iter().find(|(own, _)| *own == name);
            found.map_or(name, |(_, title)| title).to_owned()
        };
        let changes = self.events.iter().filter_map(|event| Some((event.at?, event.step()?)));
        let changes = changes.map(|(at, step)| (at, Some(title(step))));
        let bars = stretches(changes, end);
        Row { title: self.lang.of("环节", "Step").to_owned(), bars, marks: Vec::new() }
    }

    /// Whose it was, and for how long.
    fn holders(&self, end: Instant) -> Row {
        let changes = self.events.iter().filter_map(|event| {
            let at = event.at?;
            if let Some(code) = event.word("/change/assigned") {
                return Some((at, Some(self.rules.agency(code).to_owned())));
            }
            event.word("/change/released").map(|_| (at, None))
        });
        let bars = stretches(changes, end);
        Row { title: self.lang.of("承办单位", "Agency").to_owned(), bars, marks: Vec::new() }
    }

    /// A deadline with all its runs.
    fn deadline(&self, name: &str, end: Instant) -> Row {
        let runs: Vec<&Deadline> =
            self.ticket.deadlines.iter().filter(|one| one.name == name).collect();
        let mut bars = Vec::new();
        for run in &runs {
            self.run(run, end, &mut bars);
        }
        let title = runs.first().map(|run| run.title.clone()).unwrap_or_default();
        let fired = self.events.iter().filter(|event| event.kind == "rung_fired");
        let fired = fired.filter(|event| event.word("/deadline") == Some(name));
        let fired = fired.filter_map(|event| Some((event.at?, event.card(), event.text.clone()?)));
        let fired = fired.map(|(at, card, says)| mark(at, card, false, says));
        let coming = self.coming.iter().filter(|one| one.deadline.as_deref() == Some(name));
        let coming = coming.filter(|one| one.rung.is_some());
        let coming = coming.map(|one| mark(one.at, one.card.as_deref(), true, one.text.clone()));
        Row { title, bars, marks: fired.chain(coming).collect() }
    }

    /// A run: what was of it in its light, what was after its end, what is to come.
    fn run(&self, run: &Deadline, end: Instant, bars: &mut Vec<Bar>) {
        let stopped = || {
            let ends = ["deadline_cancelled", "deadline_lapsed"];
            let own = |event: &&Event| event.run() == Some((run.name.as_str(), run.run));
            let mut last = self.events.iter().rev().filter(own);
            last.find(|event| ends.contains(&event.kind.as_str())).and_then(|event| event.at)
        };
        let until = if run.is_running() { end } else { run.met_at.or_else(stopped).unwrap_or(end) };
        let says = match run.working_days {
            Some(days) if run.is_owed() || run.kind == "indicator" => match self.lang {
                Lang::Chinese => format!("{days} 个工作日"),
                Lang::English => format!("{days} working days"),
            },
            _ => String::new(),
        };
        let look = match (run.state.as_str(), run.light()) {
            _ if !run.is_owed() => Look::Plain,
            ("running", light) => Look::Lit(light),
            ("met", _) => Look::Lit(Light::Green),
            ("met_late", _) => Look::Lit(Light::Red),
            _ => Look::Plain,
        };
        let is_late = run.is_owed() && until > run.due_at;
        let kept = if is_late { run.due_at } else { until };
        bars.push(Bar { from: run.starts_at, to: kept, look, says });
        if is_late {
            let says = self.lang.of("超期", "Overdue").to_owned();
            bars.push(Bar { from: run.due_at, to: until, look: Look::Late, says });
        }
        if run.is_running() && run.due_at > until {
            bars.push(Bar { from: until, to: run.due_at, look: Look::Coming, says: String::new() });
        }
    }
}

fn mark(at: Instant, card: Option<&str>, is_coming: bool, says: String) -> Mark {
    let light = card.map_or(Light::Yellow, Light::of_card);
    Mark { at, light, is_card: card.is_some(), is_coming, says }
}

/// Stretches between changes, up to an end; none where nobody has it.
fn stretches(changes: impl Iterator<Item = (Instant, Option<String>)>, end: Instant) -> Vec<Bar> {
    let changes: Vec<(Instant, Option<String>)> = changes.collect();
    let ends = changes.iter().skip(1).map(|(at, _)| *at).chain([end]);
    let stretches = changes.iter().zip(ends).filter_map(|((from, says), to)| {
        let (from, says) = (*from, says.clone()?);
        (from < to).then_some(Bar { from, to, look: Look::Plain, says })
    });
    stretches.collect()
}
