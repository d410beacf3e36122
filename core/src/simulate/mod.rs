//! Floor 1: the whole life of a ticket in simulated time, by the same decisions as the server's.
//! Must never decide anything itself: it only says when the lane works and who comes when.

mod describe;
mod scenario;
mod timeline;

pub use describe::describe;
pub use scenario::{Outage, Scenario, Step};
pub use timeline::{json, timeline};

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::calendar::Calendar;
use crate::command::{Act, Command, Moment, Opening};
use crate::decide::{Context, Decision, decide, open};
use crate::definition::{Definition, Shelf};
use crate::digest::Digest;
use crate::event::{Event, Sealed};
use crate::instance::Instance;
use crate::message::Message;
use crate::name::Name;
use crate::rejection::Rejection;
use crate::role::Actor;
use crate::time::Instant;

/// The key of commitments in a simulation: nothing simulated is personal data.
const SEALING_KEY: [u8; 32] = [0; 32];

/// What happened at one moment.
#[derive(Debug)]
pub struct Turn {
    /// Arrival and record.
    pub moment: Moment,
    /// The scenario's step, by its place; none for what time or a publication brought about.
    pub step: Option<usize>,
    /// The new events, or why there are none.
    pub result: Result<Vec<Event>, Rejection>,
    /// Messages for the outbox.
    pub messages: Vec<Message>,
    /// The ticket afterwards.
    pub instance: Instance,
}

/// A life that was played to its end.
#[derive(Debug)]
pub struct Life {
    /// Every moment at which something happened or was refused.
    pub turns: Vec<Turn>,
    /// The ticket at the end.
    pub instance: Instance,
    /// The definition it ended with.
    pub definition: Arc<Definition>,
}

/// Why a scenario cannot be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SimulateError {
    /// The shelf has no such workflow.
    #[error("没有叫 {name} 的工作流；可用：{known}")]
    UnknownWorkflow {
        /// The name.
        name: Name,
        /// What there is.
        known: String,
    },
    /// The ticket could not be opened, or time alone met a fault of the definition.
    #[error("{at}: {rejection}")]
    Refused {
        /// When.
        at: Instant,
        /// Why.
        rejection: Rejection,
    },
}

impl Life {
    /// The whole history.
    pub fn history(&self) -> impl Iterator<Item = &Event> {
        self.turns.iter().filter_map(|turn| turn.result.as_ref().ok()).flatten()
    }
}

/// Plays a scenario to its end.
///
/// # Errors
/// An unknown workflow, or a ticket that cannot be opened. A refused step is no error: it stands
/// in its turn.
pub fn simulate(
    shelf: &Shelf,
    calendar: &Calendar,
    scenario: &Scenario,
) -> Result<Life, SimulateError> {
    let known = || shelf.newest().map(|one| one.pin.name.as_str()).collect::<Vec<_>>().join("、");
    let definition = shelf.by_name(scenario.workflow.as_str()).ok_or_else(|| {
        SimulateError::UnknownWorkflow { name: scenario.workflow.clone(), known: known() }
    })?;
    let hotline_agencies = scenario.hotline_agencies.iter().cloned().collect::<BTreeSet<_>>();
    let context = Context { shelf, calendar, hotline_agencies: &hotline_agencies };
    let class = scenario.class.clone().or_else(|| definition.classes.first().cloned());
    let opening = Opening {
        ticket: "SIMULATED".into(),
        class: class.unwrap_or_else(|| scenario.workflow.clone()),
        reviewed_at: scenario.reviewed,
        district: None,
        flags: scenario.flags.clone(),
        sealed: None,
        actor: Actor { subject: "intake".into(), role: crate::role::Role::Intake, agency: None },
    };
    let moment = Moment::now(scenario.received);
    let opened = open(context, &opening, moment)
        .map_err(|rejection| SimulateError::Refused { at: moment.at, rejection })?;
    let zone = calendar.zone();
    let publications = calendar.publications().map(|day| zone.start_of(day));
    let mut play = Play {
        context,
        scenario,
        publications: publications.filter(|at| *at > scenario.received).collect(),
        instance: opened.instance.clone(),
        turns: Vec::new(),
        sealed: 0,
    };
    play.publications.reverse();
    play.turn(moment, None, Ok(opened));
    for (place, step) in scenario.steps.iter().enumerate() {
        play.advance(step.recorded_at)?;
        play.step(place, step);
    }
    play.advance(scenario.until.unwrap_or(Instant::from_ms(i64::MAX)))?;
    let instance = play.instance;
    let definition = shelf.pinned(&instance.definition).unwrap_or(definition);
    Ok(Life { turns: play.turns, definition: Arc::clone(definition), instance })
}

struct Play<'p> {
    context: Context<'p>,
    scenario: &'p Scenario,
    /// Publications to come, the next one last.
    publications: Vec<Instant>,
    instance: Instance,
    turns: Vec<Turn>,
    sealed: u32,
}

impl Play<'_> {
    /// The lane works and notices are published, until an instant.
    fn advance(&mut self, until: Instant) -> Result<(), SimulateError> {
        loop {
            let wake = self.instance.next_wake();
            let works = wake.map(|wake| self.lane_at(wake));
            let published = self.publications.last().copied();
            // Without an end, publications matter only while something is still to come.
            let matters = wake.is_some() || until < Instant::from_ms(i64::MAX);
            match (works, published) {
                (works, Some(at))
                    if at <= until && matters && works.is_none_or(|works| at <= works) =>
                {
                    self.publications.pop();
                    let known_on = self.context.calendar.zone().day_of(at);
                    self.by_time(Moment::now(at), &Command::Recompute { known_on })?;
                }
                (Some(works), _) if works <= until => {
                    self.by_time(Moment::now(works), &Command::Advance)?;
                }
                _ => return Ok(()),
            }
        }
    }

    /// When the lane works off what is due at an instant: then, or at the end of the outage.
    fn lane_at(&self, due: Instant) -> Instant {
        let out = self.scenario.outages.iter().find(|one| one.from <= due && due < one.to);
        // What was missed in an outage is due already when the lane comes back.
        let now = self.turns.last().map_or(due, |turn| turn.moment.recorded_at);
        let missed = self.scenario.outages.iter().find(|one| one.from <= now && now < one.to);
        out.or(missed.filter(|_| due <= now)).map_or(due, |outage| outage.to).max(due)
    }

    fn by_time(&mut self, moment: Moment, command: &Command) -> Result<(), SimulateError> {
        let decision = self
            .decide(command, moment)
            .map_err(|rejection| SimulateError::Refused { at: moment.at, rejection })?;
        if !decision.events.is_empty() {
            self.turn(moment, None, Ok(decision));
        }
        Ok(())
    }

    fn step(&mut self, place: usize, step: &Step) {
        let definition = self.context.shelf.pinned(&self.instance.definition);
        let form = definition.and_then(|definition| {
            definition.form(definition.action(step.action.as_str())?.form.as_str())
        });
        let private = form.map(|form| form.split(&step.form).1).filter(|value| !value.is_null());
        let sealed = private.map(|private| {
            self.sealed += 1;
            Sealed {
                reference: format!("simulated-{}", self.sealed).into(),
                commitment: Digest::commitment(&SEALING_KEY, private.to_string().as_bytes()),
            }
        });
        let bound = step.by.is_bound_to_agency();
        let own = if bound { self.instance.agency.clone() } else { None };
        let actor = Actor {
            subject: step.subject.clone(),
            role: step.by,
            agency: step.agency.clone().or(own),
        };
        let act = Act {
            action: step.action.clone(),
            actor,
            form: step.form.clone(),
            sealed,
            revision: step.revision,
        };
        let moment = Moment { at: step.at, recorded_at: step.recorded_at };
        let decided = self.decide(&Command::Act(act), moment);
        self.turn(moment, Some(place), decided);
    }

    fn decide(&self, command: &Command, moment: Moment) -> Result<Decision, Rejection> {
        let definition = self.context.shelf.pinned(&self.instance.definition).ok_or_else(|| {
            Rejection::Definition(format!("没有工作流 {}", self.instance.definition.name))
        })?;
        decide(self.context, definition, &self.instance, command, moment)
    }

    fn turn(&mut self, moment: Moment, step: Option<usize>, decided: Result<Decision, Rejection>) {
        let (result, messages) = match decided {
            Ok(decision) => {
                self.instance = decision.instance;
                (Ok(decision.events), decision.messages)
            }
            Err(rejection) => (Err(rejection), Vec::new()),
        };
        let instance = self.instance.clone();
        self.turns.push(Turn { moment, step, result, messages, instance });
    }
}
