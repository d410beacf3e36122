//! What could not be decided or committed: set aside, so that the rest goes through. Must never
//! say what a form said.

use duban_core::time::Instant;
use uuid::Uuid;

use super::request::{Request, Task, Work};
use super::{Engine, order};
use crate::crypto;
use crate::store::{ADVANCE, Change, NewIncident, Store, StoreError};

/// What a publication's recomputation is called.
pub(super) const RECOMPUTE: &str = "recompute";

impl Engine {
    /// Tries again what an incident could not do. False if there is no such open incident; one that
    /// fails again is another incident.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn retry_incident(&self, id: Uuid) -> Result<bool, StoreError> {
        let inner = &self.inner;
        let Some(what) = inner.store.open_incident(id).await? else { return Ok(false) };
        let at = inner.clock.now();
        let loaded = inner.store.load(&[what.ticket]).await?;
        let wake_at = match loaded.first() {
            Some((_, Ok(loaded))) => loaded.instance.next_wake(),
            // The lane finds it as it is.
            _ => Some(at),
        };
        inner.store.release(what.ticket, wake_at, at).await?;
        if what.command == RECOMPUTE {
            let arrived_at = order::settled_until(at, inner.clock.settle_ms());
            let known_on = inner.knowledge.context().calendar.zone().day_of(arrived_at);
            let task = Task::Recompute { ticket: what.ticket, known_on };
            inner.carry_out(vec![Work::new(Request { arrived_at, task, key: None })], loaded).await;
        }
        if let Some(wake_at) = wake_at {
            inner.wake.due_at(wake_at);
        }
        Ok(true)
    }
}

/// Notes incidents. A failure to do so is logged: the ticket is found again at the next look.
pub(super) async fn note(store: &Store, incidents: Vec<NewIncident>, at: Instant) {
    if incidents.is_empty() {
        return;
    }
    metrics::counter!("duban_incidents_total").increment(incidents.len() as u64);
    let noted: Vec<_> = incidents.into_iter().map(|what| (crypto::identity(), what)).collect();
    if let Err(error) = store.note_incidents(&noted).await {
        tracing::error!(store.error = %error, at = %at, "incidents could not be noted");
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
