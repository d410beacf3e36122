//! Goes everywhere: from the start by every move, each situation once. Must never mistake two
//! situations for one in which different things can happen.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::forms::Tried;
use super::moves::{Move, Mover};
use super::rounds::{Back, Round, Stem};
use super::situation::{Abstraction, Situations, is_owed};
use crate::command::{Moment, Opening};
use crate::deadline::{Run, State};
use crate::decide::{Context, open};
use crate::definition::{Definition, Kind, Stage, Status};
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
    /// Obligations that were met in time on this way.
    pub(super) met: Vec<Name>,
    /// Deadlines that this way starts, or whose end it puts off.
    pub(super) put_off: Vec<Name>,
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
    /// Deadlines that have been started.
    pub(super) started: BTreeSet<Name>,
    /// What the definition could not carry out here.
    pub(super) faults: Vec<String>,
    /// On a lawful course, what it is apart from the time at which it is reached.
    stem: Option<Stem>,
}

#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    /// Ways of lawful courses that were left out.
    pub(super) rounds: Vec<Round>,
    /// Why the ticket could not even be opened.
    pub(super) faults: Vec<String>,
}

impl Graph {
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
    /// Whether rounds of lawful courses are walked: otherwise they are left out and noted.
    pub(super) rounds: bool,
}

impl Explorer<'_> {
    /// Goes everywhere, telling how many situations there are so far.
    pub(super) fn explore(
        &self,
        abstraction: Abstraction,
        tell: &(dyn Fn(usize) + Sync),
    ) -> Result<Graph, TooLarge> {
        let mut graph = Graph::default();
        let tried = Tried::default();
        let situations = Situations::new(self.definition, self.context.calendar, abstraction);
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        let mut waiting = VecDeque::new();
        match open(self.context, &self.opening(), Moment::now(self.start)) {
            Ok(decision) => {
                known.insert(situations.key(&decision.instance, self.start), 0);
                let stem = situations.stem(&decision.instance, self.start);
                graph.nodes.push(Node { stem, ..node(&decision.instance, None) });
                waiting.push_back((0, decision.instance.into_owned(), self.start));
            }
            Err(rejection) => graph.faults.push(rejection.to_string()),
        }
        while let Some((index, instance, now)) = waiting.pop_front() {
            let (moves, faults) = self.moves(abstraction, &situations, &tried, &instance, now);
            graph.nodes[index].faults.extend(faults);
            for one in moves {
                let after: &Instance = &one.decision.instance;
                if abstraction == Abstraction::LawfulDays && breached(after, one.at) {
                    continue;
                }
                // Whoever comes back to where he was, and only later, could as well have waited: that
                // leads nowhere else, however often the length of a period lets him do it.
                let stem = situations.stem(after, one.at);
                let is_act = one.action.is_some();
                if is_act
                    && stem.as_ref().is_some_and(|stem| self.leaves_out(&mut graph, index, stem))
                {
                    continue;
                }
                let to = match known.entry(situations.key(after, one.at)) {
                    Entry::Occupied(there) => *there.get(),
                    Entry::Vacant(vacant) => {
                        let to = graph.nodes.len();
                        if to == STATES_MAX {
                            let workflow = self.definition.pin.name.clone();
                            return Err(TooLarge { workflow });
                        }
                        let label = one.action.as_ref().map(|(action, _)| action.clone());
                        graph.nodes.push(Node { stem, ..node(after, Some((index, label))) });
                        tell(graph.nodes.len());
                        waiting.push_back((to, after.clone(), one.at));
                        *vacant.insert(to)
                    }
                };
                if to != index || abstraction == Abstraction::Order {
                    let way = self.way(one, to, (&instance, now));
                    graph.nodes[index].ways.push(way);
                }
            }
        }
        Ok(graph)
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
    fn leaves_out(&self, graph: &mut Graph, from: usize, stem: &Stem) -> bool {
        match graph.come_back_to(from, stem) {
            Some((_, Back::Waited)) => true,
            Some((to, Back::Round { within, left })) if !self.rounds => {
                graph.rounds.push(Round { from, to, within, left });
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
        if let Some(next) = next_instant(situations, lawful, instance, now) {
            match mover.wait(instance, next) {
                Ok(one) => moves.push(one),
                Err(rejection) => faults.push(rejection.to_string()),
            }
        }
        (moves, faults)
    }

    fn way(&self, one: Move<'_>, to: usize, (before, now): (&Instance, Instant)) -> Way {
        let zone = self.context.calendar.zone();
        let days = zone.day_of(one.at).number() - zone.day_of(now).number();
        let met = one.decision.events.iter().filter_map(|event| match &event.fact {
            crate::event::Fact::DeadlineMet(met) if !met.late => Some(met.run.deadline.clone()),
            _ => None,
        });
        let is_later = |run: &&Run| {
            let was =
                before.runs.iter().find(|was| was.deadline == run.deadline && was.run == run.run);
            was.is_none_or(|was| was.due_at < run.due_at)
        };
        let put_off = one.decision.instance.runs.iter().filter(is_later);
        let put_off = put_off.map(|run| run.deadline.clone()).collect();
        Way { met: met.collect(), put_off, action: one.action, to, days }
    }
}

/// The next instant at which waiting makes a difference: an end that decides what can happen, or
/// the last moment before one. On a lawful course every obligation's last moment is one.
fn next_instant(
    situations: &Situations<'_>,
    lawful: bool,
    instance: &Instance,
    now: Instant,
) -> Option<Instant> {
    let running = instance.runs.iter().filter(|run| run.state == State::Running);
    let of_run = running.flat_map(|run| {
        let matters = situations.ends_matter(instance, run);
        let last = matters || (lawful && run.kind == Kind::Obligation);
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
        started: instance.runs.iter().map(|run| run.deadline.clone()).collect(),
        faults: Vec::new(),
        stem: None,
    }
}

fn breached(instance: &Instance, at: Instant) -> bool {
    let obligations = instance.runs.iter().filter(|run| run.kind == Kind::Obligation);
    obligations.into_iter().any(|run| run.is_overdue_at(at) || run.state == State::MetLate)
}
