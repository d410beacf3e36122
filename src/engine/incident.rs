//! What could not be decided or committed: set aside, so that the rest goes through. Must never
//! say what a form said.

use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use uuid::Uuid;

use super::request::{Outcome, Request, Task, Work};
use super::{Declined, Engine, order};
use crate::crypto;
use crate::store::{ADVANCE, Change, NewIncident, RECOMPUTE, Store, StoreError};

impl Engine {
    /// Tries again what an incident could not do: time that stopped, a publication. What somebody
    /// asked for is his to ask for again: its incident is over. False if there is no such open
    /// incident; one that fails again is another incident.
    ///
    /// # Errors
    /// The database does not answer, or there is too much to do: the incident stays open.
    pub async fn retry_incident(&self, id: Uuid) -> Result<bool, StoreError> {
        let Some(what) = self.inner.store.open_incident(id).await? else { return Ok(false) };
        match what.command.as_str() {
            RECOMPUTE => self.recompute_again(what.ticket).await?,
            ADVANCE => self.release(what.ticket).await?,
            _ => {}
        }
        self.inner.store.resolve_incident(id, self.inner.clock.now()).await?;
        Ok(true)
    }

    /// Somebody came upon a ticket that cannot be read: an incident, unless it is one already. The
    /// lane may never come upon it, where the row does not even say when.
    pub async fn note_unreadable(&self, ticket: TicketId, error: &StoreError) {
        let inner = &self.inner;
        if !matches!(error, StoreError::Unreadable(_)) {
            return;
        }
        let at = inner.clock.now();
        let what = NewIncident {
            ticket,
            command: ADVANCE.to_owned(),
            code: "unreadable".to_owned(),
            message: error.to_string(),
            seq: 0,
            at,
            arrived_at: at,
            known_on: None,
        };
        let noted = match inner.store.is_held(ticket).await {
            Ok(true) => return,
            Ok(false) => note(&inner.store, vec![what]).await,
            Err(error) => Err(error),
        };
        if let Err(error) = noted {
            tracing::warn!(ticket.id = %ticket, store.error = %error, "it is not noted either");
        }
    }

    /// Works everything that has been published into a ticket; what fails is another incident.
    async fn recompute_again(&self, ticket: TicketId) -> Result<(), StoreError> {
        let inner = &self.inner;
        loop {
            let arrived_at = order::settled_until(inner.clock.now(), inner.clock.settle_ms());
            let known_on = inner.knowledge.context().calendar.zone().day_of(arrived_at);
            let task = Task::Recompute { ticket, known_on };
            let work = Work::new(Request { arrived_at, task, key: None });
            let outcome = inner.carry_out(vec![work], Vec::new()).await.pop();
            match outcome {
                Some(
                    Outcome::Done(_)
                    | Outcome::Declined(Declined::Incident | Declined::NoSuchTicket),
                ) => return Ok(()),
                Some(Outcome::Wait(until, _)) => inner.clock.sleep_until(until).await,
                Some(Outcome::Declined(Declined::Store(error))) => return Err(error),
                Some(Outcome::Declined(_)) | None => return Err(StoreError::Busy),
            }
        }
    }

    /// Lets the lane have a ticket again, as it is when that is written.
    async fn release(&self, ticket: TicketId) -> Result<(), StoreError> {
        let inner = &self.inner;
        loop {
            let at = inner.clock.now();
            let loaded = inner.store.load(&[ticket]).await?;
            let (version, wake_at) = match loaded.first() {
                Some((_, Ok(loaded))) => (Some(loaded.version), loaded.instance.next_wake()),
                // The lane finds it as it is.
                _ => (None, Some(at)),
            };
            if inner.store.release(ticket, version, wake_at, at).await? || loaded.is_empty() {
                if let Some(wake_at) = wake_at {
                    inner.wake.due_at(wake_at);
                }
                return Ok(());
            }
            if let (None, Some((_, Err(error)))) = (version, loaded.into_iter().next()) {
                // Nothing is there that could be released.
                return Err(error);
            }
        }
    }
}

/// Notes incidents. Where that fails nobody may go on as if they were noted: see [`unless_noted`].
pub(super) async fn note(store: &Store, incidents: Vec<NewIncident>) -> Result<(), StoreError> {
    if incidents.is_empty() {
        return Ok(());
    }
    let count = incidents.len() as u64;
    let noted: Vec<_> = incidents.into_iter().map(|what| (crypto::identity(), what)).collect();
    store.note_incidents(&noted).await.inspect_err(|error| {
        tracing::error!(store.error = %error, "incidents could not be noted");
    })?;
    metrics::counter!("duban_incidents_total").increment(count);
    Ok(())
}

/// An incident that could not be noted is the database's failure: the work is still to be done.
pub(super) fn unless_noted(noted: &Result<(), StoreError>, outcome: Outcome) -> Outcome {
    match (noted, outcome) {
        (Err(error), Outcome::Declined(Declined::Incident)) => {
            Outcome::Declined(Declined::Store(error.clone()))
        }
        (_, outcome) => outcome,
    }
}

/// A ticket whose change the database refuses.
pub(super) fn refused_by_store(
    change: &Change,
    works: &[&Work],
    error: &StoreError,
    at: Instant,
) -> NewIncident {
    let seq = change.loaded().map_or(0, |loaded| loaded.instance.seq);
    NewIncident {
        ticket: change.ticket(),
        command: works.first().map_or(ADVANCE, |work| work.command()).to_owned(),
        code: "refused-by-store".to_owned(),
        message: error.to_string(),
        seq,
        at,
        arrived_at: works.first().map_or(at, |work| work.request.arrived_at),
        known_on: works.first().and_then(|work| work.known_on()),
    }
}
