//! The decision: a ticket, a command and an instant in; events, the ticket after them and messages
//! out. The server, the simulator, the prover and the tests all call these two functions.
//!
//! Must never do anything else than compute: the same arguments give the same bytes.

mod act;
mod deadlines;
mod draft;
mod fire;
mod guard;
mod recompute;

use std::collections::BTreeSet;

use super::calendar::Calendar;
use super::command::{Command, Moment, Opening};
use super::definition::{Definition, Shelf, Start};
use super::event::{Event, Fact, Opened};
use super::instance::Instance;
use super::message::{Message, collapse};
use super::name::Name;
use super::rejection::Rejection;
use super::role::Actor;
use draft::Draft;

/// Everything besides the ticket that a decision may look at.
#[derive(Clone, Copy, Debug)]
pub struct Context<'c> {
    /// All definitions: a ticket can change its class.
    pub shelf: &'c Shelf,
    /// All notices; each computation takes the edition that was known at its instant.
    pub calendar: &'c Calendar,
    /// The agencies that are the hotline itself: nobody judges himself (A41).
    pub hotline_agencies: &'c BTreeSet<Name>,
}

/// What happened, and what follows. A value: the caller commits it whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The new events, in order. Empty when there was nothing to do.
    pub events: Vec<Event>,
    /// The ticket after them.
    pub instance: Instance,
    /// For the outbox, in order.
    pub messages: Vec<Message>,
}

/// A bad review becomes a ticket.
///
/// # Errors
/// No definition takes the class, or a date lies beyond the calendar.
pub fn open(
    context: Context<'_>,
    opening: &Opening,
    moment: Moment,
) -> Result<Decision, Rejection> {
    let definition = context
        .shelf
        .for_class(opening.class.as_str())
        .ok_or_else(|| Rejection::ClassNotEnabled { class: opening.class.clone() })?;
    let event = Event {
        seq: 1,
        at: moment.at,
        recorded_at: moment.recorded_at,
        actor: opening.actor.subject.clone(),
        fact: Fact::Opened(Box::new(Opened {
            ticket: opening.ticket.clone(),
            definition: definition.pin.clone(),
            class: opening.class.clone(),
            step: definition.starts_in.clone(),
            reviewed_at: opening.reviewed_at,
            district: opening.district.clone(),
            flags: opening.flags.clone(),
            sealed: opening.sealed.clone(),
        })),
    };
    let instance =
        Instance::open(&event).map_err(|error| Rejection::Definition(error.to_string()))?;
    let mut draft = Draft::new(context, definition, instance, moment, &opening.actor);
    draft.events.push(event);
    for rule in definition.deadlines.iter().filter(|rule| rule.from.contains(&Start::Review)) {
        draft.start(rule, opening.reviewed_at)?;
    }
    draft.entered(&definition.starts_in)?;
    draft.settle(false)?;
    Ok(draft.finish())
}

/// Carries out a command on a ticket: first everything of this ticket that is due at or before
/// the command's instant, each at its own; then the command.
///
/// # Errors
/// A [`Rejection`]; nothing has happened then, not even what was due (the caller may still
/// [`Command::Advance`]).
pub fn decide(
    context: Context<'_>,
    definition: &Definition,
    instance: &Instance,
    command: &Command,
    moment: Moment,
) -> Result<Decision, Rejection> {
    if moment.at < instance.received_at {
        return Err(Rejection::TooEarly);
    }
    let actor = match command {
        Command::Act(act) => act.actor.clone(),
        Command::Advance | Command::Recompute { .. } => Actor::system(),
    };
    let mut draft = Draft::new(context, definition, instance.clone(), moment, &actor);
    draft.fire_due(moment.at)?;
    match command {
        Command::Act(act) => draft.act(act)?,
        Command::Advance => {}
        Command::Recompute { known_on } => draft.recompute(*known_on)?,
    }
    Ok(draft.finish())
}

impl Draft<'_> {
    fn finish(self) -> Decision {
        let messages = collapse(self.messages);
        Decision { events: self.events, instance: self.instance, messages }
    }
}
