//! What must hold of every definition, each claim with the sentence that says where it does not.
//! Must never report a place without the way that leads there.

use std::collections::BTreeSet;

use super::explore::{Graph, Node, ends_anywhere};
use crate::definition::{Definition, Kind, Status};
use crate::name::Name;

/// Every fault of a graph, each place once: the one with the shortest way.
pub(super) fn faults(definition: &Definition, kind: &str, graph: &Graph) -> Vec<String> {
    let mut faults = Vec::new();
    let mut told: BTreeSet<(u8, Name)> = BTreeSet::new();
    let tickets = format!("{kind}工单");
    faults.extend(graph.faults.iter().map(|fault| format!("{tickets}不能受理：{fault}")));
    let ends = reaches_closed(definition, graph);
    for (index, node) in graph.nodes.iter().enumerate() {
        let title = definition.step(node.step.as_str()).map_or("", |step| step.title.as_str());
        let place = format!("{tickets}走到环节“{title}”（{}）时", node.step);
        let way = || way(definition, graph, index);
        let mut tell = |claim: u8, message: String| {
            if told.insert((claim, node.step.clone())) {
                faults.push(format!("{place}，{message}。经过：{}", way()));
            }
        };
        if !ends[index] {
            tell(0, "任何办理路径均不能办结".to_owned());
        }
        for fault in &node.faults {
            tell(1, fault.clone());
        }
        if node.status == Status::Open {
            if node.owed.is_empty() {
                tell(2, "没有任何办理时限在计，工单将无人负责".to_owned());
            } else if !somebody_can_act(definition, graph, index) {
                let owed = node.owed.iter().map(|(name, party)| {
                    let title = definition.deadline(name.as_str()).map(|rule| rule.title.as_str());
                    format!("“{}”（由{}负责）", title.unwrap_or(name.as_str()), party.title())
                });
                let owed = owed.collect::<Vec<_>>().join("、");
                let message = format!("时限{owed}在计，但责任方在此没有可办的动作");
                tell(3, message);
            }
        }
    }
    faults
}

/// Whether a party that owes something can do something that leads elsewhere, and not out of any step
/// alike (认定重复).
fn somebody_can_act(definition: &Definition, graph: &Graph, index: usize) -> bool {
    let node = &graph.nodes[index];
    let elsewhere = node.ways.iter().filter(|way| way.to != index);
    elsewhere.filter_map(|way| way.action.as_ref()).any(|(name, role)| {
        // Who did it here is one of those who may.
        let by = definition.action(name.as_str()).map(|action| action.by.as_slice());
        let mut roles = by.into_iter().flatten().chain([role]);
        !ends_anywhere(definition, name)
            && roles.any(|role| node.owed.iter().any(|(_, party)| role.acts_for(*party)))
    })
}

/// For each situation, whether some way leads to a closed ticket.
fn reaches_closed(definition: &Definition, graph: &Graph) -> Vec<bool> {
    let mut into: Vec<Vec<usize>> = vec![Vec::new(); graph.nodes.len()];
    for (from, node) in graph.nodes.iter().enumerate() {
        for way in &node.ways {
            let action = way.action.as_ref();
            if !action.is_some_and(|(action, _)| ends_anywhere(definition, action)) {
                into[way.to].push(from);
            }
        }
    }
    let closed = |node: &Node| node.status != Status::Open;
    let mut ends: Vec<bool> = graph.nodes.iter().map(closed).collect();
    let mut waiting: Vec<usize> = (0..ends.len()).filter(|index| ends[*index]).collect();
    while let Some(index) = waiting.pop() {
        for &from in &into[index] {
            if !ends[from] {
                ends[from] = true;
                waiting.push(from);
            }
        }
    }
    ends
}

/// How a situation was first reached, in the titles of actions.
fn way(definition: &Definition, graph: &Graph, mut index: usize) -> String {
    let mut titles = Vec::new();
    while let Some((from, action)) = &graph.nodes[index].from {
        let title = match action {
            Some(action) => definition.action(action.as_str()).map_or("", |one| one.title.as_str()),
            None => "等待",
        };
        if titles.last() != Some(&title) || title != "等待" {
            titles.push(title);
        }
        index = *from;
    }
    titles.push("收到差评");
    titles.reverse();
    titles.join("→")
}

/// What was seen anywhere, over all kinds of ticket.
#[derive(Debug, Default)]
pub(super) struct Seen {
    steps: BTreeSet<Name>,
    actions: BTreeSet<Name>,
    started: BTreeSet<Name>,
    met: BTreeSet<Name>,
}

impl Seen {
    pub(super) fn add(&mut self, graph: &Graph) {
        self.started.extend(graph.started.iter().cloned());
        self.met.extend(graph.met.iter().cloned());
        for node in &graph.nodes {
            self.steps.insert(node.step.clone());
            for way in &node.ways {
                self.actions.extend(way.action.iter().map(|(action, _)| action.clone()));
            }
        }
    }

    /// What should have been seen and never was.
    pub(super) fn never(&self, definition: &Definition) -> Vec<String> {
        let mut faults = Vec::new();
        for step in definition.steps.iter().filter(|step| !self.steps.contains(&step.name)) {
            faults.push(format!("环节“{}”（{}）始终不能到达", step.title, step.name));
        }
        for action in &definition.actions {
            let explored = action.card.is_none() && action.repin.is_none();
            if explored && !self.actions.contains(&action.name) {
                faults.push(format!("动作“{}”（{}）始终不能办理", action.title, action.name));
            }
        }
        for rule in &definition.deadlines {
            if !self.started.contains(&rule.name) {
                faults.push(format!("时限“{}”（{}）始终不会起算", rule.title, rule.name));
            } else if rule.kind == Kind::Obligation && !self.met.contains(&rule.name) {
                faults.push(format!("时限“{}”（{}）起算后始终不能按期完成", rule.title, rule.name));
            }
        }
        faults
    }
}
