//! The shortest and the longest lawful course of a ticket, in working days from receipt to close.
//! Must never call a course lawful on which an obligation was overdue.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::explore::Graph;
use crate::definition::Status;
use crate::name::Name;

/// How long a ticket may lawfully take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// The course with the fewest working days; none when no lawful course closes the ticket.
    pub shortest: Option<Route>,
    /// The course with the most; none as above, or when there is no limit.
    pub longest: Option<Route>,
    /// Actions that can be repeated lawfully without end while time passes.
    pub endless: Vec<Name>,
}

/// One course: how many working days it takes, and each action with the day it is done on (0 is the
/// day of receipt).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Working days from receipt to close.
    pub working_days: i32,
    /// The actions in order.
    pub actions: Vec<(i32, Name)>,
}

/// The shortest and longest way through a lawful graph.
pub(super) fn course(graph: &Graph) -> Course {
    let useful = useful(graph);
    let component = components(graph, &useful);
    let mut endless = BTreeSet::new();
    for (from, node) in graph.nodes.iter().enumerate().filter(|(from, _)| useful[*from]) {
        for way in node.ways.iter().filter(|way| useful[way.to]) {
            if component[from] == component[way.to] && way.days > 0 {
                endless.extend(actions_within(graph, &component, component[from]));
            }
        }
    }
    let longest = if endless.is_empty() { longest(graph, &useful, &component) } else { None };
    Course { shortest: shortest(graph), longest, endless: endless.into_iter().collect() }
}

fn closed(graph: &Graph, index: usize) -> bool {
    graph.nodes[index].status != Status::Open
}

/// Situations from which a lawful course closes the ticket.
fn useful(graph: &Graph) -> Vec<bool> {
    let mut useful: Vec<bool> = (0..graph.nodes.len()).map(|index| closed(graph, index)).collect();
    loop {
        let mut grew = false;
        for index in (0..graph.nodes.len()).rev() {
            if !useful[index] && graph.nodes[index].ways.iter().any(|way| useful[way.to]) {
                useful[index] = true;
                grew = true;
            }
        }
        if !grew {
            return useful;
        }
    }
}

/// Strongly connected components, numbered so that a way never leads to a higher number (Tarjan's
/// order), without recursion.
pub(super) fn components(graph: &Graph, useful: &[bool]) -> Vec<usize> {
    let count = graph.nodes.len();
    let (mut number, mut low) = (vec![usize::MAX; count], vec![0; count]);
    let mut component = vec![usize::MAX; count];
    let (mut next, mut found) = (0, 0);
    let mut open = Vec::new();
    for root in (0..count).filter(|index| useful[*index]) {
        if number[root] != usize::MAX {
            continue;
        }
        let mut path = vec![(root, 0)];
        while let Some((index, way)) = path.pop() {
            if way == 0 {
                number[index] = next;
                low[index] = next;
                next += 1;
                open.push(index);
            } else {
                let child = graph.nodes[index].ways[way - 1].to;
                if useful[child] && component[child] == usize::MAX {
                    low[index] = low[index].min(low[child]);
                }
            }
            if let Some(on) = graph.nodes[index].ways.get(way) {
                path.push((index, way + 1));
                if useful[on.to] && number[on.to] == usize::MAX {
                    path.push((on.to, 0));
                }
            } else if low[index] == number[index] {
                while let Some(member) = open.pop() {
                    component[member] = found;
                    if member == index {
                        break;
                    }
                }
                found += 1;
            }
        }
    }
    component
}

fn actions_within(graph: &Graph, component: &[usize], which: usize) -> Vec<Name> {
    let members = (0..graph.nodes.len()).filter(|index| component[*index] == which);
    let ways = members.flat_map(|index| &graph.nodes[index].ways);
    let inside = ways.filter(|way| component[way.to] == which);
    inside.filter_map(|way| way.action.as_ref().map(|(action, _)| action.clone())).collect()
}

/// Components in Tarjan's order: every component is finished before those that lead to it.
fn longest(graph: &Graph, useful: &[bool], component: &[usize]) -> Option<Route> {
    let mut order: Vec<usize> = (0..graph.nodes.len()).filter(|index| useful[*index]).collect();
    order.sort_by_key(|index| component[*index]);
    let components = order.iter().map(|index| component[*index]).max()? + 1;
    // For each component: the most days to the end, and the way that leaves it there.
    let mut best: Vec<Option<(i32, usize, usize)>> = vec![None; components];
    for &index in &order {
        let own = component[index];
        if closed(graph, index) {
            best[own] = best[own].max(Some((0, usize::MAX, usize::MAX)));
        }
        for (place, way) in graph.nodes[index].ways.iter().enumerate() {
            if !useful[way.to] || component[way.to] == own {
                continue;
            }
            if let Some((days, ..)) = best[component[way.to]]
                && best[own].is_none_or(|(most, ..)| way.days + days > most)
            {
                best[own] = Some((way.days + days, index, place));
            }
        }
    }
    let start = *component.first().filter(|one| **one != usize::MAX)?;
    let (working_days, ..) = best[start]?;
    let mut actions = Vec::new();
    let (mut at, mut inside, mut today) = (start, 0, 0);
    while let Some((_, index, place)) = best[at]
        && index != usize::MAX
    {
        // Within a component no time passes; how it is crossed is part of the story all the same.
        let across = cross(graph, component, inside, index);
        actions.extend(across.into_iter().map(|(_, action)| (today, action)));
        let way = &graph.nodes[index].ways[place];
        today += way.days;
        actions.extend(way.action.iter().map(|(action, _)| (today, action.clone())));
        inside = way.to;
        at = component[way.to];
    }
    Some(Route { working_days, actions })
}

/// The actions from one situation to another within a component.
fn cross(graph: &Graph, component: &[usize], from: usize, to: usize) -> Vec<(i32, Name)> {
    let within = |way: &super::explore::Way| component[way.to] == component[from];
    path(graph, from, |index| index == to, within).map(|route| route.actions).unwrap_or_default()
}

fn shortest(graph: &Graph) -> Option<Route> {
    if graph.nodes.is_empty() {
        return None;
    }
    path(graph, 0, |index| closed(graph, index), |_| true)
}

/// A situation, and the way by which it was reached: from where, and which of its ways.
type Reached = (usize, Option<(usize, usize)>);

/// The way with the fewest days (then the fewest moves) to a goal: days are small whole numbers.
fn path(
    graph: &Graph,
    from: usize,
    goal: impl Fn(usize) -> bool,
    allowed: impl Fn(&super::explore::Way) -> bool,
) -> Option<Route> {
    let mut before: Vec<Option<(usize, usize)>> = vec![None; graph.nodes.len()];
    let mut settled = vec![false; graph.nodes.len()];
    let mut rounds: BTreeMap<i32, VecDeque<Reached>> =
        BTreeMap::from([(0, VecDeque::from([(from, None)]))]);
    while let Some(mut round) = rounds.first_entry() {
        let days = *round.key();
        let Some((index, came)) = round.get_mut().pop_front() else {
            round.remove();
            continue;
        };
        if std::mem::replace(&mut settled[index], true) {
            continue;
        }
        before[index] = came;
        if goal(index) {
            let actions = back_from(graph, &before, index, days);
            return Some(Route { working_days: days, actions });
        }
        for (place, way) in
            graph.nodes[index].ways.iter().enumerate().filter(|(_, way)| allowed(way))
        {
            let next = rounds.entry(days + way.days).or_default();
            next.push_back((way.to, Some((index, place))));
        }
    }
    None
}

/// The actions of a way found, told from its end: `before` says how each situation was reached.
fn back_from(
    graph: &Graph,
    before: &[Option<(usize, usize)>],
    mut at: usize,
    mut day: i32,
) -> Vec<(i32, Name)> {
    let mut actions = Vec::new();
    while let Some((from, place)) = before[at] {
        let way = &graph.nodes[from].ways[place];
        actions.extend(way.action.iter().map(|(action, _)| (day, action.clone())));
        day -= way.days;
        at = from;
    }
    actions.reverse();
    actions
}
