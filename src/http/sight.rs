//! How much of a ticket a caller sees: all of it, or, for an agency that no longer has it, its own
//! part up to when it last gave the ticket back. Must never tell a foreign ticket from one that is
//! not there.

use duban_core::event::{Event, Fact};
use duban_core::instance::Instance;
use duban_core::limits::EVENTS_MAX;
use duban_core::ticket_id::TicketId;

use super::Api;
use super::policy::Reach;
use super::problem::Problem;
use crate::store::{Loaded, StoreError};

/// How much of a ticket a caller sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// All of it.
    Whole,
    /// What was the agency's own, up to the event by which it gave the ticket back.
    Former {
        /// That event.
        until: u64,
    },
}

/// A ticket that a caller may see.
pub(crate) struct Seen {
    pub(crate) id: TicketId,
    pub(crate) loaded: Loaded,
    pub(crate) sight: Sight,
}

impl Sight {
    /// The last event that is seen.
    pub(crate) const fn until(self, instance: &Instance) -> u64 {
        match self {
            Self::Whole => instance.seq,
            Self::Former { until } => until,
        }
    }
}

impl Api {
    /// The ticket of a number, as far as a caller may see it.
    ///
    /// # Errors
    /// There is none, or it is foreign: the same answer.
    pub(crate) async fn seen(&self, reach: &Reach, ticket_no: &str) -> Result<Seen, Problem> {
        let nothing = || Problem::no_ticket();
        let store = self.engine.store();
        let id = store.ticket_of(ticket_no).await?.ok_or_else(nothing)?;
        let (_, loaded) = store.load(&[id]).await?.pop().ok_or_else(nothing)?;
        let loaded = match loaded {
            Ok(loaded) => loaded,
            Err(error) => {
                self.engine.note_unreadable(id, &error).await;
                return Err(error.into());
            }
        };
        let sight = self.sight(reach, &loaded.instance).await?.ok_or_else(nothing)?;
        Ok(Seen { id, loaded, sight })
    }

    /// How much of a ticket lies within somebody's reach; none of it where it is foreign.
    pub(crate) async fn sight(
        &self,
        reach: &Reach,
        instance: &Instance,
    ) -> Result<Option<Sight>, Problem> {
        let own = match reach {
            Reach::All => return Ok(Some(Sight::Whole)),
            Reach::District(district) => {
                let is_there = instance.district.as_ref() == Some(district);
                return Ok(is_there.then_some(Sight::Whole));
            }
            Reach::Agency(own) => own,
        };
        if instance.agency.as_ref() == Some(own) {
            return Ok(Some(Sight::Whole));
        }
        let had = instance.runs.iter().any(|run| run.agency.as_ref() == Some(own));
        if !had {
            return Ok(None);
        }
        let events = match self.engine.store().events_until(instance.ticket, EVENTS_MAX).await {
            Ok(events) => events,
            // What it gave back, and when, cannot be told: it is hidden, and hides nothing else.
            Err(StoreError::Unreadable(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let gave_back = |event: &&Event| match &event.fact {
            Fact::Acted(acted) => acted.change.released.as_ref() == Some(own),
            _ => false,
        };
        let last = events.iter().rfind(gave_back);
        Ok(last.map(|event| Sight::Former { until: event.seq }))
    }
}
