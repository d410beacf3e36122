//! What can be shown of a definition by going everywhere it can lead. Must never judge by
//! a second reading of the rules: every step is taken by the same decision as the server's.

mod ahead;
mod claims;
mod course;
mod explore;
mod forms;
mod moves;
mod rounds;
mod situation;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::calendar::Calendar;
use crate::decide::Context;
use crate::definition::{Definition, Shelf};
use crate::name::Name;
use crate::time::{Instant, SHANGHAI};

pub use course::{Course, Route};
pub use explore::TooLarge;
pub use rounds::Rounds;

/// What was shown of a definition, or what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The workflow.
    pub workflow: Name,
    /// How many different situations were reached.
    pub states: usize,
    /// How many ways lead from one to another.
    pub ways: usize,
    /// What is wrong, as sentences for a clerk; empty when everything holds.
    pub faults: Vec<String>,
    /// The shortest and longest lawful course, for each kind of ticket.
    pub courses: Vec<(String, Course)>,
}

/// The kinds of ticket that a definition must cope with: by the flags they start with.
const KINDS: &[(&str, &[&str])] =
    &[("实名", &[]), ("匿名", &["anonymous"]), ("涉热线", &["hotline_self"])];

/// When every explored ticket is received: a forenoon, so that a day has a rest.
const START: &str = "2026-01-05T10:00:00+08:00";

/// The same without a word on the way.
///
/// # Errors
/// More states than can be explored.
pub fn prove(shelf: &Shelf, definition: &Arc<Definition>) -> Result<Proof, TooLarge> {
    prove_telling(shelf, definition, Rounds::LeftOut, &|_| ())
}

/// Explores every reachable state of a definition, time abstracted to the order of deadlines, in a
/// calendar in which every day works. `rounds` changes how long that takes, not what is found; `tell` hears of the situations that each part has come to so far.
///
/// # Errors
/// More states than can be explored.
pub fn prove_telling(
    shelf: &Shelf,
    definition: &Arc<Definition>,
    rounds: Rounds,
    tell: &(dyn Fn(usize) + Sync),
) -> Result<Proof, TooLarge> {
    let calendar = Calendar::every_day_works(SHANGHAI);
    let no_agencies = BTreeSet::new();
    let context = Context { shelf, calendar: &calendar, hotline_agencies: &no_agencies };
    let start: Instant = START.parse().unwrap_or(Instant::from_ms(0));
    let mut proof = Proof {
        workflow: definition.pin.name.clone(),
        states: 0,
        ways: 0,
        faults: Vec::new(),
        courses: Vec::new(),
    };
    let mut seen = claims::Seen::default();
    // The kinds are explored side by side: they share nothing but what is only read.
    let explored: Vec<Result<Explored, TooLarge>> = std::thread::scope(|scope| {
        let threads: Vec<_> = KINDS
            .iter()
            .map(|(kind, flags)| {
                scope.spawn(move || {
                    explore_kind((context, definition), (kind, flags), start, rounds, tell)
                })
            })
            .collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|fault| std::panic::resume_unwind(fault))
        };
        threads.into_iter().map(join).collect()
    });
    for explored in explored {
        let Explored { graph, faults, course } = explored?;
        proof.states += graph.nodes.len();
        proof.ways += graph.nodes.iter().map(|node| node.ways.len()).sum::<usize>();
        proof.faults.extend(faults);
        proof.courses.extend(course);
        seen.add(&graph);
    }
    proof.faults.extend(seen.never(definition));
    let mut told = BTreeSet::new();
    proof.faults.retain(|fault| told.insert(fault.clone()));
    Ok(proof)
}

/// What was found for one kind of ticket.
struct Explored {
    graph: explore::Graph,
    faults: Vec<String>,
    course: Option<(String, Course)>,
}

fn explore_kind(
    (context, definition): (Context<'_>, &Definition),
    (kind, flags): (&str, &[&str]),
    start: Instant,
    rounds: Rounds,
    tell: &(dyn Fn(usize) + Sync),
) -> Result<Explored, TooLarge> {
    let flags: Vec<Name> = flags.iter().map(|flag| Name::from(*flag)).collect();
    let mut explorer = explore::Explorer { context, definition, flags: &flags, start, rounds };
    let graph = explorer.explore(situation::Abstraction::Order, tell)?;
    let faults = claims::faults(definition, kind, &graph);
    let course = if graph.nodes.is_empty() {
        None
    } else {
        let lawful = explorer.explore(situation::Abstraction::LawfulDays, tell)?;
        let mut course = course::course(&lawful);
        if let Some(longest) = &course.longest
            && !rounds::change_nothing(&lawful, longest.working_days)
        {
            explorer.rounds = Rounds::Walked;
            let whole = explorer.explore(situation::Abstraction::LawfulDays, tell)?;
            course = course::course(&whole);
        }
        Some((kind.to_owned(), course))
    };
    Ok(Explored { graph, faults, course })
}
