//! What time will bring about on a ticket if nobody acts. Must never skip an instant: messages of
//! rungs that pass together would collapse, and those who will be told one after another be left out.

use crate::command::{Command, Moment};
use crate::decide::{Context, decide};
use crate::event::Event;
use crate::instance::Instance;
use crate::message::Message;
use crate::rejection::Refusal;
use crate::time::Instant;

/// The most instants that a forecast goes on for.
pub const INSTANTS_MAX: usize = 100;

/// What will happen at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coming {
    /// When.
    pub at: Instant,
    /// The events, numbered on from the ticket's.
    pub events: Vec<Event>,
    /// Who will be told of what.
    pub messages: Vec<Message>,
    /// The ticket afterwards.
    pub instance: Instance,
}

/// What time will bring about on a ticket up to an instant (included) if nobody acts, in order; at
/// most [`INSTANTS_MAX`] instants, and whether that is all.
///
/// # Errors
/// What the decisions say: a definition that is not there, a limit.
pub fn forecast(
    context: Context<'_>,
    instance: &Instance,
    until: Option<Instant>,
) -> Result<(Vec<Coming>, bool), Refusal> {
    let mut coming: Vec<Coming> = Vec::new();
    loop {
        let now = coming.last().map_or(instance, |last| &last.instance);
        let next = now.next_wake().filter(|at| until.is_none_or(|until| *at <= until));
        let Some(at) = next else { return Ok((coming, true)) };
        if coming.len() == INSTANTS_MAX {
            return Ok((coming, false));
        }
        let moment = Moment { at, recorded_at: at.max(now.recorded_at) };
        let decision = decide(context, now, &Command::Advance, moment)?;
        let (events, messages) = (decision.events, decision.messages);
        let instance = decision.instance.into_owned();
        coming.push(Coming { at, events, messages, instance });
    }
}
