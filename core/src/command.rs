//! What can be asked of a ticket. Must never carry personal data beyond the form that is checked
//! and then sealed by the caller.

use serde_json::Value;

use super::event::Sealed;
use super::name::Name;
use super::role::Actor;
use super::time::{Day, Instant};

/// A bad review that becomes a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The ticket's name.
    pub ticket: Name,
    /// The review's class.
    pub class: Name,
    /// When the citizen rated.
    pub reviewed_at: Instant,
    /// The district of the matter.
    pub district: Option<Name>,
    /// `anonymous`, `hotline_self`.
    pub flags: Vec<Name>,
    /// The review's private part.
    pub sealed: Option<Sealed>,
    /// Who delivered it.
    pub actor: Actor,
}

/// A command on a ticket that is there.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Somebody does something.
    Act(Act),
    /// Nobody does anything: work off what is due.
    Advance,
    /// A notice was published: compute the running deadlines anew with what is known on that day.
    Recompute {
        /// The day of the publication.
        known_on: Day,
    },
}

/// An action with its form.
#[derive(Clone, Debug, PartialEq)]
pub struct Act {
    /// The action.
    pub action: Name,
    /// Who does it.
    pub actor: Actor,
    /// The filled-in form.
    pub form: Value,
    /// The form's private part, sealed; see `Form::split`.
    pub sealed: Option<Sealed>,
    /// The revision that the actor saw, if he says.
    pub revision: Option<u32>,
}

/// When a command arrived, and when its outcome is being recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Its effective instant: the arrival of the request.
    pub at: Instant,
    /// The instant of the commit.
    pub recorded_at: Instant,
}

impl Moment {
    /// A command that is recorded as it arrives.
    #[must_use]
    pub const fn now(at: Instant) -> Self {
        Self { at, recorded_at: at }
    }
}
