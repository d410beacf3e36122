//! Rounds of a lawful course: ways that come back to where the ticket was, only later. They are
//! left out, so that the time a proof takes does not grow with the length of periods, and counted
//! on afterwards. Must never leave out what could make a course longer.

use std::collections::{BTreeMap, BTreeSet};

use super::course::components;
use super::explore::Graph;
use crate::definition::Status;
use crate::name::Name;
use crate::time::Day;

/// What becomes of rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounds {
    /// They are left out, and walked only where a course could be longer by them.
    LeftOut,
    /// They are walked, which takes longer the longer periods are.
    Walked,
}

/// What a situation of a lawful course is apart from the time at which it is reached.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stem {
    /// Everything but ends and time.
    pub(super) rest: String,
    /// The end of each run that can still be told.
    pub(super) ends: Vec<End>,
    /// Whether an end may be put off: an extension has been asked for.
    pub(super) may_move: bool,
    pub(super) today: Day,
    /// The time of the day, in milliseconds.
    pub(super) time: i64,
}

/// When a run of a stem ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) deadline: Name,
    pub(super) day: Day,
    /// Whether it is an obligation that is owed.
    pub(super) is_owed: bool,
    /// Whether it is a window whose end decides what can happen.
    pub(super) decides: bool,
}

/// How a way comes back to a stem.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Back {
    /// All ends are what they were: he could as well have waited.
    Waited,
    /// Some periods have begun anew within others, of the longest of which so many days are left.
    Round { within: BTreeSet<Name>, left: i32 },
}

impl Stem {
    /// How this is `before` again, if it is.
    pub(super) fn back_at(&self, before: &Self) -> Option<Back> {
        if self.rest != before.rest || self.ends.len() != before.ends.len() {
            return None;
        }
        let passed = self.today.number() - before.today.number();
        let pairs = || self.ends.iter().zip(&before.ends);
        let stays = |(now, then): (&End, &End)| now.day == then.day;
        if pairs().all(stays) {
            return Some(Back::Waited);
        }
        let anew = |(now, then): (&End, &End)| now.day.number() == then.day.number() + passed;
        let is_round = self.time == before.time
            && !self.may_move
            && pairs().all(|pair| anew(pair) || stays(pair) && !pair.0.decides);
        let within = || pairs().filter(|pair| stays(*pair) && pair.0.is_owed).map(|(now, _)| now);
        let left = within().map(|end| end.day.number() - self.today.number()).max()?;
        let within = within().map(|end| end.deadline.clone()).collect();
        is_round.then_some(Back::Round { within, left })
    }
}

/// A way that was left out.
#[derive(Debug)]
pub(super) struct Round {
    /// From where.
    pub(super) from: usize,
    /// The situation that it comes back to, earlier.
    pub(super) to: usize,
    /// The obligations that it is within: their ends are the same before and after.
    pub(super) within: BTreeSet<Name>,
    /// Days that are left of these.
    pub(super) left: i32,
    /// Deadlines that it starts, or whose end it puts off.
    pub(super) put_off: Box<[Name]>,
}

/// Whether no course with the rounds that were left out takes more days than the longest without.
///
/// Whatever comes after a round is possible from where it came back to, and earlier: the same steps,
/// with more time left of what the round is within. So a course with rounds comes, by the end of
/// that at the latest, to a situation in which it is owed no more, and which is known without rounds
/// too; from there on it takes no longer than the longest way on which it is not owed again. Where
/// other rounds were left out on that way, they are bounded likewise; what the outer ones are within
/// is owed no more there, so this comes to an end. (The shortest course has no rounds: each can be
/// left out of it. Nor does one begin anew what it is within, or the bound is not known. Marks of a
/// tally are told apart by whether there is one of today, so what another one brings is the same
/// before a round and after it.)
pub(super) fn change_nothing(graph: &Graph, longest: i32) -> bool {
    let bound = Bound { graph, never: BTreeSet::new() };
    graph.rounds.is_empty()
        || bound.most_days(&BTreeSet::from([0])).is_some_and(|most| most <= longest)
}

/// What courses with rounds can take at most, when some obligations are never owed again.
struct Bound<'g> {
    graph: &'g Graph,
    never: BTreeSet<&'g Name>,
}

impl<'g> Bound<'g> {
    fn owes(&self, index: usize, what: &BTreeSet<&Name>) -> bool {
        let node = &self.graph.nodes[index];
        node.status == Status::Open && node.owed.iter().any(|(name, _)| what.contains(name))
    }

    /// The most days from some situations to a close; none if that is not known.
    fn most_days(&self, from: &BTreeSet<usize>) -> Option<i32> {
        let nodes = &self.graph.nodes;
        let reached = self.reached(from);
        let rounds = self.rounds(&reached)?;
        let component = components(self.graph, &reached);
        let mut order: Vec<usize> = (0..nodes.len()).filter(|index| reached[*index]).collect();
        order.sort_by_key(|index| component[*index]);
        let mut most: BTreeMap<usize, i32> = BTreeMap::new();
        for &index in &order {
            let closed = (nodes[index].status != Status::Open).then_some(0);
            let mut here = closed.max(rounds.get(&index).copied());
            for way in nodes[index].ways.iter().filter(|way| reached[way.to]) {
                if component[way.to] != component[index] {
                    here = here.max(most.get(&component[way.to]).map(|days| days + way.days));
                } else if way.days > 0 {
                    return None;
                }
            }
            if let Some(days) = here {
                let there = most.entry(component[index]).or_default();
                *there = days.max(*there);
            }
        }
        from.iter().filter_map(|index| most.get(&component[*index])).copied().max().or(Some(0))
    }

    fn reached(&self, from: &BTreeSet<usize>) -> Vec<bool> {
        let mut reached = vec![false; self.graph.nodes.len()];
        let mut waiting: Vec<usize> = from.iter().copied().collect();
        while let Some(index) = waiting.pop() {
            if !std::mem::replace(&mut reached[index], true) {
                let ways = self.graph.nodes[index].ways.iter().map(|way| way.to);
                waiting.extend(ways.filter(|to| !self.owes(*to, &self.never)));
            }
        }
        reached
    }

    /// The most days that a course with rounds takes from where the first of them was left out; none
    /// if that is not known.
    fn rounds(&self, reached: &[bool]) -> Option<BTreeMap<usize, i32>> {
        let mut groups: BTreeMap<&BTreeSet<Name>, Vec<&Round>> = BTreeMap::new();
        let rounds = self.graph.rounds.iter().filter(|round| reached[round.from]);
        for round in rounds.filter(|round| !self.owes(round.to, &self.never)) {
            groups.entry(&round.within).or_default().push(round);
        }
        let mut most: BTreeMap<usize, i32> = BTreeMap::new();
        for (within, rounds) in groups {
            let after = self.after(&within.iter().collect(), &rounds)?;
            for round in rounds {
                let there = most.entry(round.from).or_default();
                *there = (round.left + after).max(*there);
            }
        }
        Some(most)
    }

    /// The most days to a close from where what rounds are within is owed no more; none if that is not
    /// known, or if its end can be put off.
    fn after(&self, within: &BTreeSet<&'g Name>, rounds: &[&Round]) -> Option<i32> {
        let mut seen: BTreeSet<usize> = rounds.iter().map(|round| round.to).collect();
        let mut waiting: Vec<usize> = seen.iter().copied().collect();
        while let Some(index) = waiting.pop() {
            let ways = &self.graph.nodes[index].ways;
            let others = || self.graph.rounds.iter().filter(move |round| round.from == index);
            let put_off = ways.iter().map(|way| &way.put_off);
            let mut put_off = put_off.chain(others().map(|round| &round.put_off)).flatten();
            if put_off.any(|name| within.contains(name)) {
                return None;
            }
            let on = ways.iter().map(|way| way.to).chain(others().map(|round| round.to));
            let on = on.filter(|to| !self.owes(*to, &self.never));
            waiting.extend(on.filter(|to| seen.insert(*to)));
        }
        let ends = seen.into_iter().filter(|index| !self.owes(*index, within)).collect();
        let never = self.never.union(within).copied().collect();
        Bound { graph: self.graph, never }.most_days(&ends)
    }
}
