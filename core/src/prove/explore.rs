//! Goes everywhere: from the start by every move, each situation once. Must never mistake two
//! situations for one in which different things can happen.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::forms::Tried;
use super::moves::{Move, Mover};
use super::rounds::{Back, Round, Rounds, Stem};
use super::situation::{Abstraction, Situations, is_owed};
use crate::command::{Moment, Opening};
use crate::deadline::{Run, State};
use crate::decide::{Context, open};
use crate::definition::{Definition, Kind, Stage, Status};
use crate::event::Fact;
use crate::instance::Instance;
use crate::name::Name;
use crate::role::{Actor, Party, Role};
use crate::ticket_id::TicketId;
use crate::time::Instant;

/// The most situations explored for one kind of ticket: several times what the shipped
/// workflows have.
const STATES_MAX: usize = 400_000;

/// A definition with more situations than can be explored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("工作流 {workflow} 的不同情形超过 {STATES_MAX} 种，无法穷尽；请减少计数上限或拆分工作流")]
pub struct TooLarge {
    /// The workflow.
    pub workflow: Name,
}

/// One way from a situation to another.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) action: Option<(Name, Role)>,
    pub(super) to: usize,
    pub(super) days: i32,
    /// Deadlines that this way of a lawful course starts, or whose end it puts off.
    pub(super) put_off: Box<[Name]>,
}

/// One situation.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) step: Name,
    pub(super) status: Status,
    /// Running obligations with who is charged.
    pub(super) owed: Vec<(Name, Party)>,
    pub(super) ways: Vec<Way>,
    /// How it was first reached.
    pub(super) from: Option<(usize, Option<Name>)>,
    /// What the definition could not carry out here.
    pub(super) faults: Vec<String>,
    /// On a lawful course, what it is apart from the time at which it is reached.
    stem: Option<Stem>,
}

#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    /// Deadlines that were started anywhere.
    pub(super) started: BTreeSet<Name>,
    /// Obligations that were met in time on any way.
    pub(super) met: BTreeSet<Name>,
    /// Ways of lawful courses that were left out.
    pub(super) rounds: Vec<Round>,
    /// Why the ticket could not even be opened.
    pub(super) faults: Vec<String>,
}

impl Graph {
    /// Remembers what a move has started and met.
    fn note(&mut self, one: &Move<'_>) {
        for event in &one.decision.events {
            match &event.fact {
                Fact::DeadlineStarted(started) if !self.started.contains(&started.deadline) => {
                    self.started.insert(started.deadline.clone());
                }
                Fact::DeadlineMet(met) if !met.late && !self.met.contains(&met.run.deadline) => {
                    self.met.insert(met.run.deadline.clone());
                }
                _ => {}
            }
        }
    }

    /// The situation that was come from and is the same but for the time, and how it is.
    fn come_back_to(&self, mut index: usize, stem: &Stem) -> Option<(usize, Back)> {
        loop {
            let before = self.nodes[index].stem.as_ref();
            if let Some(back) = before.and_then(|before| stem.back_at(before)) {
                return Some((index, back));
            }
            index = self.nodes[index].from.as_ref()?.0;
        }
    }
}

pub(super) struct Explorer<'e> {
    pub(super) context: Context<'e>,
    pub(super) definition: &'e Definition,
    pub(super) flags: &'e [Name],
    pub(super) start: Instant,
    pub(super) rounds: Rounds,
}

/// What was found so far, and from where to go on.
#[derive(Default)]
struct Found {
    graph: Graph,
    known: BTreeMap<String, usize>,
    /// Many wait, and a snapshot is small.
    waiting: VecDeque<(usize, Vec<u8>, Instant)>,
}

impl Found {
    /// The place of a situation, which is new or known.
    fn place(
        &mut self,
        situations: &Situations<'_>,
        instance: &Instance,
        at: Instant,
        from: Option<(usize, Option<Name>)>,
        tell: &(dyn Fn(usize) + Sync),
    ) -> usize {
        match self.known.entry(situations.key(instance, at)) {
            Entry::Occupied(there) => *there.get(),
            Entry::Vacant(vacant) => {
                let place = self.graph.nodes.len();
                let stem = situations.stem(instance, at);
                self.graph.nodes.push(Node { stem, ..node(instance, from) });
                tell(place + 1);
                self.waiting.push_back((place, instance.to_bytes(), at));
                *vacant.insert(place)
            }
        }
    }
}

impl Explorer<'_> {
    /// Goes everywhere, telling how many situations there are so far.
    pub(super) fn explore(
        &self,
        abstraction: Abstraction,
        tell: &(dyn Fn(usize) + Sync),
    ) -> Result<Graph, TooLarge> {
        let tried = Tried::default();
        let situations = Situations::new(self.definition, self.context.calendar, abstraction);
        let mut found = Found::default();
        match open(self.context, &self.opening(), Moment::now(self.start)) {
            Ok(decision) => {
                let runs = decision.instance.runs.iter();
                found.graph.started.extend(runs.map(|run| run.deadline.clone()));
                found.place(&situations, &decision.instance, self.start, None, tell);
            }
            Err(rejection) => found.graph.faults.push(rejection.to_string()),
        }
        while let Some((index, snapshot, now)) = found.waiting.pop_front() {
            let graph = &mut found.graph;
            let instance = match Instance::from_bytes(&snapshot) {
                Ok(instance) => instance,
                Err(error) => {
                    graph.nodes[index].faults.push(error.to_string());
                    continue;
                }
            };
            let (moves, faults) = self.moves(abstraction, &situations, &tried, &instance, now);
            graph.nodes[index].faults.extend(faults);
            for one in moves {
                let after: &Instance = &one.decision.instance;
                if abstraction == Abstraction::LawfulDays && breached(after, one.at) {
                    continue;
                }
                found.graph.note(&one);
                let put_off: Box<[Name]> = match abstraction {
                    Abstraction::Order => Box::default(),
                    Abstraction::LawfulDays => put_off(&instance, after),
                };
                // Whoever comes back to where he was, and only later, could as well have waited: that
                // leads nowhere else, however often the length of a period lets him do it.
                let stem = situations.stem(after, one.at);
                if one.action.is_some()
                    && let Some(stem) = &stem
                    && self.leaves_out(&mut found.graph, index, stem, &put_off)
                {
                    continue;
                }
                let label = one.action.as_ref().map(|(action, _)| action.clone());
                let to = found.place(&situations, after, one.at, Some((index, label)), tell);
                if to == STATES_MAX {
                    return Err(TooLarge { workflow: self.definition.pin.name.clone() });
                }
                if to != index || abstraction == Abstraction::Order {
                    let days = self.days(now, one.at);
                    let way = Way { action: one.action, to, days, put_off };
                    found.graph.nodes[index].ways.push(way);
                }
            }
        }
        Ok(found.graph)
    }

    fn opening(&self) -> Opening {
        Opening {
            ticket: TicketId::from_number(0),
            parent: None,
            rated: None,
            class: self.definition.classes.first().cloned().unwrap_or_else(|| "none".into()),
            reviewed_at: self.start,
            district: None,
            flags: self.flags.to_vec(),
            sealed: None,
            actor: Actor { subject: "intake".into(), role: Role::Intake, agency: None },
        }
    }

    /// Whether a way is left out because it comes back to where it came from, only later.
    fn leaves_out(&self, graph: &mut Graph, from: usize, stem: &Stem, put_off: &[Name]) -> bool {
        match graph.come_back_to(from, stem) {
            Some((_, Back::Waited)) => true,
            Some((to, Back::Round { within, left })) if self.rounds == Rounds::LeftOut => {
                let put_off = put_off.into();
                graph.rounds.push(Round { from, to, within, left, put_off });
                true
            }
            Some((_, Back::Round { .. })) | None => false,
        }
    }

    fn moves<'m>(
        &'m self,
        abstraction: Abstraction,
        situations: &Situations<'_>,
        tried: &'m Tried,
        instance: &'m Instance,
        now: Instant,
    ) -> (Vec<Move<'m>>, Vec<String>) {
        // Another agency's time is its own: a course is longest with agencies that are new to it.
        let former = abstraction == Abstraction::Order;
        let mover = Mover { context: self.context, definition: self.definition, former, tried };
        // A lawful course ends when the ticket is closed for the first time.
        if abstraction == Abstraction::LawfulDays && instance.status != Status::Open {
            return (Vec::new(), Vec::new());
        }
        let (mut moves, mut faults) = mover.actions(instance, now);
        let lawful = abstraction == Abstraction::LawfulDays;
        if lawful {
            // What ends a ticket from anywhere (认定重复) is no course of its own.
            moves.retain(|one| {
                !one.action.as_ref().is_some_and(|(name, _)| ends_anywhere(self.definition, name))
            });
        }
        let mut waits = situations.next_marks(instance, now);
        waits.extend(next_end(situations, lawful, instance, now));
        for next in waits {
            match mover.wait(instance, next) {
                Ok(one) => moves.push(one),
                Err(rejection) => faults.push(rejection.to_string()),
            }
        }
        (moves, faults)
    }

    fn days(&self, from: Instant, to: Instant) -> i32 {
        let zone = self.context.calendar.zone();
        zone.day_of(to).number() - zone.day_of(from).number()
    }
}

/// Deadlines that have started between two situations, or end later.
fn put_off(before: &Instance, after: &Instance) -> Box<[Name]> {
    let is_later = |run: &&Run| {
        let same = |was: &&Run| was.deadline == run.deadline && was.run == run.run;
        before.runs.iter().find(same).is_none_or(|was| was.due_at < run.due_at)
    };
    after.runs.iter().filter(is_later).map(|run| run.deadline.clone()).collect()
}

/// The next end that decides what can happen. On a lawful course the last moment before it comes
/// first, and so does that of every obligation.
fn next_end(
    situations: &Situations<'_>,
    lawful: bool,
    instance: &Instance,
    now: Instant,
) -> Option<Instant> {
    let running = instance.runs.iter().filter(|run| run.state == State::Running);
    let of_run = running.flat_map(|run| {
        let matters = situations.ends_matter(instance, run);
        let last = lawful && (matters || run.kind == Kind::Obligation);
        [last.then(|| run.due_at.plus_ms(-1)), matters.then_some(run.due_at)]
    });
    of_run.flatten().filter(|at| *at > now).min()
}

/// Whether an action ends a ticket from any step: such a way out (认定重复) is open everywhere and
/// shows nothing of a step.
pub(super) fn ends_anywhere(definition: &Definition, action: &Name) -> bool {
    definition.action(action.as_str()).is_some_and(|action| {
        action.stages.contains(&Stage::Status(Status::Open))
            && action.cases.iter().any(|case| case.next.is_some())
    })
}

fn node(instance: &Instance, from: Option<(usize, Option<Name>)>) -> Node {
    let owed = instance.runs.iter().filter(|run| is_owed(run));
    Node {
        step: instance.step.clone(),
        status: instance.status,
        owed: owed.map(|run| (run.deadline.clone(), run.party)).collect(),
        ways: Vec::new(),
        from,
        faults: Vec::new(),
        stem: None,
    }
}

fn breached(instance: &Instance, at: Instant) -> bool {
    let obligations = instance.runs.iter().filter(|run| run.kind == Kind::Obligation);
    obligations.into_iter().any(|run| run.is_overdue_at(at) || run.state == State::MetLate)
}
