//! What could not be decided or committed: set aside, so that the rest goes through. Must never
//! say what a form said.

use duban_core::time::Instant;

use super::request::Work;
use crate::crypto;
use crate::store::{Change, NewIncident, Store, StoreError};

/// Notes incidents. A failure to do so is logged: the ticket is found again at the next look.
pub(super) async fn note(store: &Store, incidents: Vec<NewIncident>, at: Instant) {
    if incidents.is_empty() {
        return;
    }
    let noted: Vec<_> = incidents.into_iter().map(|what| (crypto::identity(), what)).collect();
    if let Err(error) = store.note_incidents(&noted).await {
        tracing::error!(store.error = %error, at = %at, "incidents could not be noted");
    }
}

/// A ticket whose change the database refuses.
pub(super) fn refused_by_store(
    change: &Change,
    works: &[Work],
    error: &StoreError,
    at: Instant,
) -> NewIncident {
    let seq = change.loaded().map_or(0, |loaded| loaded.instance.seq);
    NewIncident {
        ticket: change.ticket(),
        command: works.first().map_or("advance", Work::command).to_owned(),
        code: "refused-by-store".to_owned(),
        message: error.to_string(),
        seq,
        at,
    }
}
