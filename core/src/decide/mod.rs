//! The decision: a ticket, a command and an instant in; events, the ticket after them and messages
//! out. The server, the simulator, the prover and the tests all call these two functions.
//!
//! Must never do anything else than compute: the same arguments give the same bytes.

mod act;
mod card;
mod deadlines;
mod disclose;
mod draft;
mod fire;
mod follow;
mod guard;
mod recompute;

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::calendar::Calendar;
use super::command::{Command, Moment, Opening};
use super::definition::{
    Definition, ENGINE_LEVEL, FLAGS_FROM_OUTSIDE, FUTURE_MS_MAX, Shelf, Start,
};
use super::event::{Event, Fact, Opened};
use super::instance::Instance;
use super::limits::FIRINGS_MAX;
use super::message::{Message, collapse};
use super::name::Name;
use super::rejection::{Refusal, Rejection};
use super::role::Actor;
use super::time::Instant;
use draft::Draft;

/// Everything besides the ticket that a decision may look at.
#[derive(Clone, Copy, Debug)]
pub struct Context<'c> {
    /// All definitions: a ticket's pin says which one rules it, and it can change its class.
    pub shelf: &'c Shelf,
    /// All notices; each computation takes the edition that was known at its instant.
    pub calendar: &'c Calendar,
    /// The agencies that are the hotline itself: nobody judges himself (A41).
    pub hotline_agencies: &'c BTreeSet<Name>,
}

/// What happened, and what follows. A value: the caller commits it whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision<'i> {
    /// The new events, in order. Empty when there was nothing to do.
    pub events: Vec<Event>,
    /// The ticket after them; the very one that was given when there was nothing to do.
    pub instance: Cow<'i, Instance>,
    /// For the outbox, in order.
    pub messages: Vec<Message>,
    /// The places of the runs that started or changed.
    pub runs: BTreeSet<usize>,
    /// The places of the cards that were issued or changed.
    pub cards: BTreeSet<usize>,
    /// The latest instant at which something happened by time: nobody commits the decision before
    /// it has settled (`SETTLE_MS`). None when nothing was due.
    pub fired_until: Option<Instant>,
}

impl<'c> Context<'c> {
    /// The definition that rules a ticket: the one that it is pinned to and no other.
    ///
    /// # Errors
    /// It is not on the shelf, or needs a newer program.
    pub fn definition(&self, instance: &Instance) -> Result<&'c Definition, Rejection> {
        let pin = &instance.definition;
        let definition = self.shelf.pinned(pin).ok_or_else(|| Rejection::UnknownDefinition {
            name: pin.name.clone(),
            version: pin.version,
        })?;
        runnable(definition)
    }

    /// The definition that a review of a class, received at an instant, is worked on by.
    ///
    /// # Errors
    /// None takes the class, or it needs a newer program.
    pub fn definition_for(
        &self,
        class: &Name,
        received_at: Instant,
    ) -> Result<&'c Definition, Rejection> {
        let day = self.calendar.zone().day_of(received_at);
        let definition = self.shelf.for_class(class, day);
        runnable(definition.ok_or_else(|| Rejection::ClassNotEnabled { class: class.clone() })?)
    }
}

fn runnable(definition: &Definition) -> Result<&Definition, Rejection> {
    if definition.engine_level > ENGINE_LEVEL {
        let (name, level) = (definition.pin.name.clone(), definition.engine_level);
        return Err(Rejection::EngineLevel { name, level });
    }
    Ok(definition)
}

/// A bad review becomes a ticket. What lies before the receipt (the window of an old review) is
/// over at the opening.
///
/// # Errors
/// No definition takes the class, the review lies in the future, or a date lies beyond the calendar.
pub fn open<'c>(
    context: Context<'c>,
    opening: &Opening,
    moment: Moment,
) -> Result<Decision<'c>, Rejection> {
    if !opening.class.is_code() {
        return Err(Rejection::field("class", "应为类别代码"));
    }
    let definition = context.definition_for(&opening.class, moment.at)?;
    if opening.reviewed_at > moment.at.plus_ms(FUTURE_MS_MAX) {
        return Err(Rejection::field("reviewed_at", "评价时间晚于收到时间"));
    }
    if opening.flags.iter().any(|flag| !FLAGS_FROM_OUTSIDE.contains(&flag.as_str())) {
        let allowed = FLAGS_FROM_OUTSIDE.join("、");
        return Err(Rejection::field("flags", format!("只能是 {allowed}")));
    }
    if opening.district.as_ref().is_some_and(|district| !district.is_code()) {
        return Err(Rejection::field("district", "应为区划代码"));
    }
    let reviewed_at = opening.reviewed_at.min(moment.at);
    let event = Event {
        seq: 1,
        at: moment.at,
        recorded_at: moment.recorded_at.max(moment.at),
        arrived_at: None,
        actor: opening.actor.subject.clone(),
        fact: Fact::Opened(Box::new(Opened {
            ticket: opening.ticket,
            parent: opening.parent,
            definition: definition.pin.clone(),
            class: opening.class.clone(),
            step: definition.starts_in.clone(),
            reviewed_at,
            district: opening.district.clone(),
            rated: opening.rated,
            flags: opening.flags.clone(),
            sealed: opening.sealed.clone(),
        })),
    };
    let instance = Cow::Owned(Instance::open(&event)?);
    let mut draft = Draft::new(context, definition, instance, moment, &opening.actor);
    draft.events.push(event);
    for rule in definition.deadlines.iter().filter(|rule| rule.from.contains(&Start::Review)) {
        draft.start(rule, reviewed_at)?;
    }
    draft.entered(&definition.starts_in)?;
    draft.settle()?;
    draft.fire_due(moment.at)?;
    // A ticket that nobody knew of before can have overtaken nobody.
    draft.fired_until = None;
    Ok(draft.finish())
}

/// Carries out a command on a ticket, at the later of its stamp and the ticket's last instant:
/// first everything of this ticket that is due up to there, each at its own instant; then the
/// command.
///
/// # Errors
/// A [`Refusal`]; nothing has happened then, not even what was due (the caller may still
/// [`Command::Advance`]).
pub fn decide<'c>(
    context: Context<'c>,
    instance: &'c Instance,
    command: &Command,
    moment: Moment,
) -> Result<Decision<'c>, Refusal> {
    let definition = context.definition(instance)?;
    let system = Actor::system();
    let actor = match command {
        Command::Act(_) | Command::Disclose(_)
            if instance.fired_at.is_some_and(|fired| moment.at < fired) =>
        {
            return Err(Rejection::Overtaken { arrived_at: moment.at }.into());
        }
        Command::Act(act) => &act.actor,
        Command::Disclose(disclose) => &disclose.actor,
        Command::Advance | Command::Recompute { .. } => &system,
    };
    let mut draft = Draft::new(context, definition, Cow::Borrowed(instance), moment, actor);
    let fired = draft.fire_due(draft.at);
    let by_time = !matches!((&fired, command), (Ok(true), Command::Act(_) | Command::Disclose(_)));
    let done = fired.and_then(|all| match command {
        // The rest is worked off by the next one.
        Command::Advance => Ok(()),
        _ if !all => Err(Rejection::Limit { what: "一次到期事项", most: FIRINGS_MAX }),
        Command::Act(act) => draft.act(act, instance.revision),
        Command::Disclose(disclose) => draft.disclose(disclose),
        Command::Recompute { known_on } => draft.recompute(*known_on),
    });
    match done {
        Ok(()) => Ok(draft.finish()),
        Err(rejection) => Err(Refusal { rejection, fired_until: draft.fired_until, by_time }),
    }
}

impl Decision<'_> {
    /// The same, apart from the ticket that it was made on.
    #[must_use]
    pub fn into_owned(self) -> Decision<'static> {
        Decision { instance: Cow::Owned(self.instance.into_owned()), ..self }
    }
}

impl<'c> Draft<'c> {
    fn finish(self) -> Decision<'c> {
        Decision {
            events: self.events,
            instance: self.instance,
            messages: collapse(self.messages),
            runs: self.runs,
            cards: self.cards,
            fired_until: self.fired_until,
        }
    }
}
