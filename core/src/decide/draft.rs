//! A decision in the making: each event is applied as it is recorded, so that the next step sees
//! the ticket as it has become. Must never change the ticket but by recording an event.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::Context;
use crate::command::Moment;
use crate::definition::{Definition, EffectKind};
use crate::event::{Event, Fact};
use crate::instance::Instance;
use crate::limits::{EVENTS_MAX, MESSAGES_MAX};
use crate::message::{About, Message};
use crate::name::Name;
use crate::rejection::Rejection;
use crate::role::{Actor, Audience};
use crate::time::Instant;

pub(super) struct Draft<'c> {
    pub(super) context: Context<'c>,
    pub(super) definition: &'c Definition,
    /// Copied with the first event: a decision that does nothing copies nothing.
    pub(super) instance: Cow<'c, Instance>,
    pub(super) events: Vec<Event>,
    pub(super) messages: Vec<Message>,
    pub(super) runs: BTreeSet<usize>,
    pub(super) cards: BTreeSet<usize>,
    /// The latest instant at which something was fired.
    pub(super) fired_until: Option<Instant>,
    /// The effective instant of what is being done now.
    pub(super) at: Instant,
    /// The instant from which what is started now counts: `at`, but for a window's end, whose last
    /// day is over at 24:00 and not a day later.
    pub(super) counts_from: Instant,
    /// The command's stamp, where it lies before its effective instant.
    pub(super) arrived_at: Option<Instant>,
    recorded_at: Instant,
    actor: Name,
}

impl<'c> Draft<'c> {
    pub(super) fn new(
        context: Context<'c>,
        definition: &'c Definition,
        instance: Cow<'c, Instance>,
        moment: Moment,
        actor: &Actor,
    ) -> Self {
        let at = moment.at.max(instance.at);
        Self {
            context,
            definition,
            // An event is not recorded before it takes effect, whatever the clocks say.
            recorded_at: moment.recorded_at.max(instance.recorded_at).max(at),
            instance,
            events: Vec::new(),
            messages: Vec::new(),
            runs: BTreeSet::new(),
            cards: BTreeSet::new(),
            fired_until: None,
            at,
            counts_from: at,
            arrived_at: Some(moment.at).filter(|stamp| *stamp < at),
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
        self.record_arrived(fact, None)
    }

    /// The same for what arrived before it takes effect.
    pub(super) fn record_arrived(
        &mut self,
        fact: Fact,
        arrived_at: Option<Instant>,
    ) -> Result<(), Rejection> {
        let seq = self.instance.seq + 1;
        if seq > EVENTS_MAX {
            let most = usize::try_from(EVENTS_MAX).unwrap_or(usize::MAX);
            return Err(Rejection::Limit { what: "历史记录", most });
        }
        let (at, recorded_at, actor) = (self.at, self.recorded_at, self.actor.clone());
        let event = Event { seq, at, recorded_at, arrived_at, actor, fact };
        let touched = self.instance.to_mut().apply(&event)?;
        self.runs.extend(touched.run);
        self.cards.extend(touched.card);
        self.events.push(event);
        Ok(())
    }

    /// Tells audiences, or those who stand in for them, of what an event brings about; `agency` is
    /// the one that it concerns.
    pub(super) fn tell(
        &mut self,
        seq: u64,
        kind: EffectKind,
        to: &[Audience],
        agency: Option<&Name>,
        about: &About,
    ) -> Result<(), Rejection> {
        let same = self.messages.iter().filter(|message| message.seq == seq).count();
        let numbers = u16::try_from(same).unwrap_or(u16::MAX)..;
        for (to, nth) in self.definition.told(to, &self.instance.flags).into_iter().zip(numbers) {
            if self.messages.len() >= MESSAGES_MAX {
                return Err(Rejection::Limit { what: "通知", most: MESSAGES_MAX });
            }
            let (agency, about) = (agency.cloned(), about.clone());
            self.messages.push(Message { seq, nth, kind, to, agency, about });
        }
        Ok(())
    }
}
