//! What can be asked of a ticket. Must never carry personal data beyond the form that is checked
//! and then sealed by the caller.

use std::fmt;

use serde_json::Value;

use super::digest::Digest;
use super::event::Sealed;
use super::name::Name;
use super::purpose::Purpose;
use super::role::Actor;
use super::ticket_id::TicketId;
use super::time::{Day, Instant};

/// A bad review that becomes a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The ticket: a UUIDv7 drawn at arrival.
    pub ticket: TicketId,
    /// The ticket that it is a part of.
    pub parent: Option<TicketId>,
    /// The review's class.
    pub class: Name,
    /// When the citizen rated.
    pub reviewed_at: Instant,
    /// The district of the matter.
    pub district: Option<Name>,
    /// Who was rated, as a pseudonym.
    pub rated: Option<Digest>,
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
    /// Somebody is shown the reviewer unmasked.
    Disclose(Disclose),
    /// Nobody does anything: work off what is due.
    Advance,
    /// A notice was published: compute the running deadlines anew with what is known since. One
    /// that is older than what the ticket knows does nothing.
    Recompute {
        /// The day of the publication.
        known_on: Day,
    },
}

/// A look at the reviewer unmasked. Whether the role may is not the ticket's to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclose {
    /// Who looks.
    pub actor: Actor,
    /// Why.
    pub purpose: Purpose,
}

/// An action with its form.
#[derive(Clone, PartialEq)]
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

impl fmt::Debug for Act {
    /// Without the form: it may hold personal data, and this may end up in a log.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = out.debug_struct("Act");
        shown.field("action", &self.action).field("actor", &self.actor);
        shown.field("sealed", &self.sealed).field("revision", &self.revision);
        shown.finish_non_exhaustive()
    }
}

/// How long after an instant that what is due then is committed, and anything that depends on it is
/// answered: 5 s that a command may need, 1 s that clocks may differ. Until then whoever was in time
/// can still come.
pub const SETTLE_MS: i64 = 6_000;

/// When a command arrived, and when its outcome is being recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Its stamp: the arrival of the request. It takes effect then, or at the ticket's last instant
    /// if that is later.
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
