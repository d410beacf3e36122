//! The whole life of a ticket in simulated time, by the same decisions as the server's.
//! Must never decide anything itself: it only says when the lane works and who comes when.

mod describe;
mod forecast;
mod scenario;
mod timeline;

pub use describe::describe;
pub use forecast::{Coming, INSTANTS_MAX, forecast};
pub use scenario::{Outage, Scenario, Step};
pub use timeline::{json, timeline};

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::calendar::Calendar;
use crate::command::{Act, Command, Moment, Opening, SETTLE_MS};
use crate::decide::{Context, Decision, decide, open};
use crate::definition::{Definition, Shelf, class_title};
use crate::digest::Digest;
use crate::echo::{echo, unknown};
use crate::event::{Event, Sealed};
use crate::instance::Instance;
use crate::message::Message;
use crate::name::Name;
use crate::rejection::{Refusal, Rejection};
use crate::role::Actor;
use crate::ticket_id::TicketId;
use crate::time::{Day, Instant};

/// The key of commitments in a simulation: nothing simulated is personal data.
const SEALING_KEY: [u8; 32] = [0; 32];

/// What happened at one moment.
#[derive(Debug)]
pub struct Turn {
    /// Arrival and record: what was due in between has settled.
    pub moment: Moment,
    /// The scenario's step, by its place; none for what time or a publication brought about.
    pub step: Option<usize>,
    /// The new events, or why there are none.
    pub result: Result<Vec<Event>, Rejection>,
    /// Messages for the outbox.
    pub messages: Vec<Message>,
    /// The ticket afterwards.
    pub instance: Instance,
    /// The definition that rules it afterwards.
    pub definition: Arc<Definition>,
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
    #[error("{}", unknown("工作流", .name.as_str(), known))]
    UnknownWorkflow {
        /// The name.
        name: Name,
        /// What there is.
        known: String,
    },
    /// A class that another workflow takes.
    #[error("类别“{}”不由工作流 {workflow} 受理；可用：{known}", echo(class_title(.class.as_str())))]
    ForeignClass {
        /// The class.
        class: Name,
        /// The workflow.
        workflow: Name,
        /// The classes that it takes.
        known: String,
    },
    /// The ticket could not be opened, or time alone met a fault of the definition.
    #[error("{}，{rejection}", .at.said())]
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
    let class = class.unwrap_or_else(|| scenario.workflow.clone());
    if !definition.takes(&class) {
        let known = definition.classes.iter();
        let known: Vec<String> =
            known.map(|class| format!("{class}（{}）", class_title(class.as_str()))).collect();
        let (workflow, known) = (scenario.workflow.clone(), known.join("、"));
        return Err(SimulateError::ForeignClass { class, workflow, known });
    }
    let opening = Opening {
        ticket: TicketId::from_number(0),
        parent: None,
        class,
        reviewed_at: scenario.reviewed,
        district: None,
        rated: None,
        flags: scenario.flags.clone(),
        sealed: None,
        actor: Actor { subject: "intake".into(), role: crate::role::Role::Intake, agency: None },
    };
    let moment = Moment::now(scenario.received);
    let opened = open(context, &opening, moment)
        .map_err(|rejection| SimulateError::Refused { at: moment.at, rejection })?;
    let mut play = Play {
        context,
        scenario,
        publications: publications_after(calendar, scenario.received),
        instance: opened.instance.clone().into_owned(),
        definition: Arc::clone(definition),
        turns: Vec::new(),
        sealed: 0,
    };
    play.turn(moment, None, Ok(opened));
    // Who is told that something was due must wait until it has settled; others may come meanwhile.
    let steps = scenario.steps.iter().enumerate();
    let mut waiting: BTreeSet<(Instant, usize)> =
        steps.map(|(place, step)| (step.recorded_at, place)).collect();
    while let Some((ready_at, place)) = waiting.pop_first() {
        play.advance(ready_at)?;
        if let Some(settled) = play.step(place, ready_at) {
            waiting.insert((settled, place));
        }
    }
    play.advance(scenario.until.unwrap_or(Instant::from_ms(i64::MAX)))?;
    Ok(Life { turns: play.turns, definition: play.definition, instance: play.instance })
}

/// The publications to come, each with the instant at which it is taken notice of.
fn publications_after(calendar: &Calendar, received: Instant) -> BTreeSet<(Instant, Day)> {
    let all = calendar.publications().map(|day| (calendar.zone().start_of(day), day));
    all.filter(|(at, _)| *at > received).collect()
}

/// When something that fired things up to `fired_until` may be recorded, if that is after `ready_at`.
fn settles(fired_until: Option<Instant>, ready_at: Instant) -> Option<Instant> {
    fired_until.map(|fired| fired.plus_ms(SETTLE_MS)).filter(|settled| *settled > ready_at)
}

struct Play<'p> {
    context: Context<'p>,
    scenario: &'p Scenario,
    /// Publications to come: when they are taken notice of, and their days.
    publications: BTreeSet<(Instant, Day)>,
    instance: Instance,
    definition: Arc<Definition>,
    turns: Vec<Turn>,
    sealed: u32,
}

impl Play<'_> {
    /// The lane works and notices are published, until an instant.
    fn advance(&mut self, until: Instant) -> Result<(), SimulateError> {
        loop {
            let wake = self.instance.next_wake();
            let works = wake.map(|wake| self.lane_at(wake));
            let published = self.publications.first().copied();
            // Without an end, publications matter only while something is still to come.
            let matters = wake.is_some() || until < Instant::from_ms(i64::MAX);
            match (works, published) {
                (works, Some((at, day)))
                    if at <= until && matters && works.is_none_or(|works| at <= works) =>
                {
                    self.publications.pop_first();
                    let moment =
                        Moment { at: self.context.calendar.zone().start_of(day), recorded_at: at };
                    let known_on = Command::Recompute { known_on: day };
                    if let Some(settled) = self.by_time(moment, &known_on)? {
                        self.publications.insert((settled, day));
                    }
                }
                (Some(works), _) if works <= until => {
                    let moment = Moment { at: works.plus_ms(-SETTLE_MS), recorded_at: works };
                    self.by_time(moment, &Command::Advance)?;
                }
                _ => return Ok(()),
            }
        }
    }

    /// When the lane works off what is due at an instant: when it has settled, or at the end of the
    /// outage.
    fn lane_at(&self, due: Instant) -> Instant {
        let now = self.turns.last().map_or(due, |turn| turn.moment.recorded_at);
        let at = due.plus_ms(SETTLE_MS).max(now);
        // They are in order, and none touches another.
        let outages = &self.scenario.outages;
        let before = outages.partition_point(|one| one.from <= at);
        outages[..before].last().map_or(at, |outage| at.max(outage.to))
    }

    /// Records what time or a publication brings about; gives the instant at which it may be
    /// recorded if that is still to come.
    fn by_time(
        &mut self,
        moment: Moment,
        command: &Command,
    ) -> Result<Option<Instant>, SimulateError> {
        let instance = self.instance.clone();
        let decision = decide(self.context, &instance, command, moment).map_err(
            |Refusal { rejection, .. }| SimulateError::Refused { at: moment.at, rejection },
        )?;
        let settled = settles(decision.fired_until, moment.recorded_at);
        if settled.is_none() && !decision.events.is_empty() {
            // What the lane does is due at the instant of the last thing that it fires.
            let at = match command {
                Command::Advance => decision.fired_until.unwrap_or(moment.at),
                _ => moment.at,
            };
            self.turn(Moment { at, ..moment }, None, Ok(decision));
        }
        Ok(settled)
    }

    /// Somebody acts; gives the instant at which he can be answered if that is still to come.
    fn step(&mut self, place: usize, ready_at: Instant) -> Option<Instant> {
        let step = &self.scenario.steps[place];
        let instance = self.instance.clone();
        let private = self.definition.split_form(step.action.as_str(), &step.form).1;
        let sealed = private.map(|private| Sealed {
            reference: format!("simulated-{}", self.sealed + 1).into(),
            commitment: Digest::commitment(&SEALING_KEY, private.to_string().as_bytes()),
        });
        let bound = step.by.is_bound_to_agency();
        let own = if bound { instance.agency.clone() } else { None };
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
        let moment = Moment { at: step.at, recorded_at: ready_at };
        let decided = decide(self.context, &instance, &Command::Act(act), moment);
        let fired_until = match &decided {
            Ok(decision) => decision.fired_until,
            Err(refusal) => refusal.fired_until,
        };
        let settled = settles(fired_until, ready_at);
        if settled.is_none() {
            self.sealed += 1;
            self.turn(moment, Some(place), decided.map_err(|refusal| refusal.rejection));
        }
        settled
    }

    fn turn(
        &mut self,
        moment: Moment,
        step: Option<usize>,
        decided: Result<Decision<'_>, Rejection>,
    ) {
        let (result, messages) = match decided {
            Ok(decision) => {
                self.instance = decision.instance.into_owned();
                (Ok(decision.events), decision.messages)
            }
            Err(rejection) => (Err(rejection), Vec::new()),
        };
        if let Some(ruling) = self.context.shelf.pinned(&self.instance.definition) {
            self.definition = Arc::clone(ruling);
        }
        let (instance, definition) = (self.instance.clone(), Arc::clone(&self.definition));
        self.turns.push(Turn { moment, step, result, messages, instance, definition });
    }
}
