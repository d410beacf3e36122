//! A decision in the making: each event is applied as it is recorded, so that the next step sees
//! the ticket as it has become. Must never change the ticket but by recording an event.

use super::Context;
use crate::command::Moment;
use crate::definition::{Case, Definition, EffectKind, Finish, Next, Start, Status};
use crate::event::{Event, Fact, Mark, Moved, OutcomeChange, StepChange, TicketChange};
use crate::instance::Instance;
use crate::message::{About, Message};
use crate::name::Name;
use crate::rejection::Rejection;
use crate::role::{Actor, Audience};
use crate::time::Instant;

/// The most transitions that may follow one another by themselves. Real definitions need two;
/// more than this is a circle.
const SETTLING_MAX: usize = 16;

pub(super) struct Draft<'c> {
    pub(super) context: Context<'c>,
    pub(super) definition: &'c Definition,
    pub(super) instance: Instance,
    pub(super) events: Vec<Event>,
    pub(super) messages: Vec<Message>,
    /// The effective instant of what is being done now.
    pub(super) at: Instant,
    /// The instant from which what is started now counts: `at`, but for a window's end, whose last
    /// day is over at 24:00 and not a day later.
    pub(super) counts_from: Instant,
    recorded_at: Instant,
    actor: Name,
}

impl<'c> Draft<'c> {
    pub(super) fn new(
        context: Context<'c>,
        definition: &'c Definition,
        instance: Instance,
        moment: Moment,
        actor: &Actor,
    ) -> Self {
        Self {
            context,
            definition,
            recorded_at: moment.recorded_at.max(instance.recorded_at),
            instance,
            events: Vec::new(),
            messages: Vec::new(),
            at: moment.at,
            counts_from: moment.at,
            actor: actor.subject.clone(),
        }
    }

    /// Does something in the name of duban itself: what time brings about, and what follows from
    /// the definition alone, is nobody's act, whoever's command came along.
    pub(super) fn as_system<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> T {
        let actor = std::mem::replace(&mut self.actor, Actor::system().subject);
        let done = act(self);
        self.actor = actor;
        done
    }

    /// Records an event and applies it.
    pub(super) fn record(&mut self, fact: Fact) -> Result<(), Rejection> {
        let event = Event {
            seq: self.instance.seq + 1,
            at: self.at,
            recorded_at: self.recorded_at,
            actor: self.actor.clone(),
            fact,
        };
        self.instance.apply(&event).map_err(|error| Rejection::Definition(error.to_string()))?;
        self.events.push(event);
        Ok(())
    }

    /// Adds a message that the last recorded event brings about.
    pub(super) fn tell(&mut self, kind: EffectKind, to: Audience, about: About) {
        let seq = self.instance.seq;
        let same = self.messages.iter().rev().take_while(|message| message.seq == seq);
        let nth = u16::try_from(same.count()).unwrap_or(u16::MAX);
        let agency = self.instance.agency.clone();
        self.messages.push(Message { seq, nth, kind, to, agency, about });
    }

    /// What a case changes on the ticket, leaving out what only an action can.
    pub(super) fn change_of(
        &self,
        case: &Case,
        claimed: impl Fn(&Name) -> Option<Instant>,
    ) -> Result<TicketChange, Rejection> {
        let step = case.next.as_ref().map(|next| self.step_change(next)).transpose()?;
        let marks = case.tally.iter().map(|tallying| {
            let at = tallying.at.as_ref().and_then(&claimed).unwrap_or(self.at);
            Mark { tally: tallying.tally.clone(), at }
        });
        let resets = |event: &Name| {
            let tallies = self.definition.tallies.iter();
            let event = event.clone();
            tallies.filter(move |tally| tally.reset_by.contains(&event)).map(|one| one.name.clone())
        };
        let mut tallies_reset: Vec<Name> = case.raise.iter().flat_map(resets).collect();
        tallies_reset.retain(|tally| self.instance.tallies.contains_key(tally));
        Ok(TicketChange {
            raised: case.raise.clone(),
            step,
            outcome: case.outcome.and_then(|finish| match finish {
                Finish::Named(outcome) => Some(OutcomeChange::Named(outcome)),
                Finish::Cleared => Some(OutcomeChange::Cleared),
                Finish::ByFinding => {
                    self.definition.outcome_of(self.instance.finding).map(OutcomeChange::Named)
                }
            }),
            flagged: case.flag.iter().cloned().collect(),
            tallies_reset,
            marks: marks.collect(),
            ..TicketChange::default()
        })
    }

    fn step_change(&self, next: &Next) -> Result<StepChange, Rejection> {
        let to = match next {
            Next::Step(step) => step.clone(),
            Next::Back => self.instance.came_from.clone().ok_or_else(|| {
                Rejection::Definition(format!("环节 {} 没有来处可退", self.instance.step))
            })?,
        };
        let status = self
            .definition
            .step(to.as_str())
            .map(|step| step.status)
            .ok_or_else(|| Rejection::Definition(format!("没有叫 {to} 的环节")))?;
        Ok(StepChange { from: self.instance.step.clone(), to, status })
    }

    /// What follows from a change that has just been recorded: deadlines react to its events and
    /// to its step, people are told.
    pub(super) fn follow(&mut self, change: &TicketChange) -> Result<(), Rejection> {
        if let Some(agency) = &change.released {
            self.release(agency)?;
        }
        if let Some(agency) = &change.assigned {
            self.resume(agency)?;
        }
        for event in &change.raised {
            self.raised(event)?;
        }
        if let Some(step) = &change.step {
            self.entered(&step.to)?;
            if step.status != Status::Open {
                self.close()?;
            }
        }
        Ok(())
    }

    /// A domain event: its effects, then each deadline in the order of the definition.
    pub(super) fn raised(&mut self, event: &Name) -> Result<(), Rejection> {
        let definition = self.definition;
        for effect in definition.effects.iter().filter(|effect| effect.on == *event) {
            self.tell(effect.kind, effect.to, About::Event { event: event.clone() });
        }
        for rule in &definition.deadlines {
            if rule.met_by.contains(event) {
                self.meet(rule)?;
            }
            if rule.unmet_by.contains(event) {
                self.unmeet(rule)?;
            }
            if rule.cancelled_by.contains(event) {
                self.cancel(rule, event)?;
            }
            if rule.from.iter().any(|start| matches!(start, Start::Event(name) if name == event)) {
                self.start(rule, self.counts_from)?;
            }
        }
        Ok(())
    }

    /// A step was entered: the deadlines that start there.
    pub(super) fn entered(&mut self, step: &Name) -> Result<(), Rejection> {
        for rule in &self.definition.deadlines {
            if rule.from.iter().any(|start| matches!(start, Start::Step(name) if name == step)) {
                self.start(rule, self.counts_from)?;
            }
        }
        Ok(())
    }

    /// Takes the transitions that happen by themselves until none holds any more.
    pub(super) fn settle(&mut self, by_time: bool) -> Result<(), Rejection> {
        for _ in 0..SETTLING_MAX {
            let Some(step) = self.definition.step(self.instance.step.as_str()) else {
                return Err(Rejection::Definition(format!("没有叫 {} 的环节", self.instance.step)));
            };
            let holds = |case: &&Case| case.when.iter().all(|one| self.holds(one, None));
            let Some(case) = step.auto.iter().find(holds) else { return Ok(()) };
            let change = self.change_of(case, |_| None)?;
            let followed = change.clone();
            self.as_system(|draft| {
                draft.record(Fact::Moved(Moved { by_time, change }))?;
                draft.follow(&followed)
            })?;
        }
        let message = format!("环节 {} 的自动流转绕成了圈", self.instance.step);
        Err(Rejection::Definition(message))
    }
}
