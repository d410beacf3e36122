//! A look at the reviewer unmasked leaves its record. Must never change anything else.

use super::act::limit;
use super::draft::Draft;
use crate::command::Disclose;
use crate::event::{Disclosed, Fact};
use crate::limits::EVENTS_OF_NOTES_MAX;
use crate::rejection::Rejection;

impl Draft<'_> {
    pub(super) fn disclose(&mut self, disclose: &Disclose) -> Result<(), Rejection> {
        let Disclose { actor, purpose } = disclose;
        let foreign = actor.agency.is_none() || actor.agency != self.instance.agency;
        if actor.role.is_bound_to_agency() && foreign {
            return Err(Rejection::NotYours);
        }
        // Looks must not use up the room of those who decide.
        if self.instance.seq >= EVENTS_OF_NOTES_MAX {
            return Err(limit("查看记录", EVENTS_OF_NOTES_MAX));
        }
        let (role, agency, purpose) = (actor.role, actor.agency.clone(), *purpose);
        let fact = Fact::Disclosed(Disclosed { role, agency, purpose });
        self.record_arrived(fact, self.arrived_at)
    }
}
