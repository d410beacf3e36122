//! Requests that may be repeated: the same key has one effect, whoever repeats it and whenever. Must
//! never keep a body, nor let two of one key run at once.

use std::sync::{Arc, PoisonError};

use duban_core::digest::Digest;
use duban_core::ticket_id::TicketId;
use uuid::Uuid;

use super::{Declined, Done, Engine, Inner, Keyed, Receipt};
use crate::crypto;
use crate::store::{KnownRequest, Remembered, RequestKey};

/// A key whose request is being carried out; free again when this is dropped.
pub(super) struct Running {
    inner: Arc<Inner>,
    key: RequestKey,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Running").finish_non_exhaustive()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut running = self.inner.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.remove(&self.key);
    }
}

/// The turn of a request that is no command on one ticket. What it is about is set down before it
/// is carried out, so that a repetition after a crash goes on with the same.
#[derive(Debug)]
pub struct Turn {
    /// What it makes or changes, where that has an identity.
    pub about: Uuid,
    /// A number that its effect depends on, such as an instant.
    pub number: i64,
    /// Whether the same request came before.
    pub is_repeated: bool,
    /// Whether it was carried out then.
    pub is_done: bool,
    key: Option<(RequestKey, Running)>,
}

impl Engine {
    /// Takes the turn of a request; without a key there is nothing to repeat.
    ///
    /// # Errors
    /// The same key is being used, or came with another body; the database.
    pub async fn turn(&self, keyed: Option<&Keyed>, number: i64) -> Result<Turn, Declined> {
        let fresh = crypto::identity();
        let about = fresh;
        let Some(keyed) = keyed else {
            return Ok(Turn { about, number, is_repeated: false, is_done: false, key: None });
        };
        let running = self.claim(&keyed.key)?;
        let store = &self.inner.store;
        let mut known = store.known_request(&keyed.key).await.map_err(Declined::Store)?;
        if known.is_none() {
            let row = remembered(keyed, Some(about), number);
            let at = self.inner.clock.now();
            store.reserve_request(&row, at).await.map_err(Declined::Store)?;
            // Another node may have been first.
            known = store.known_request(&keyed.key).await.map_err(Declined::Store)?;
        }
        let known = known.ok_or(Declined::Busy)?;
        same_body(&known, keyed)?;
        let (about, number) = (known.about.unwrap_or(about), known.number.unwrap_or(number));
        let (is_repeated, is_done) = (known.about != Some(fresh), known.status != 0);
        let key = Some((keyed.key.clone(), running));
        Ok(Turn { about, number, is_repeated, is_done, key })
    }

    /// The request of a turn has been carried out, and is answered so again. Where that cannot be
    /// written a repetition carries it out once more, about the same: it has happened all the same.
    pub async fn end_turn(&self, turn: Turn, status: u16) {
        let Some((key, _running)) = turn.key.filter(|_| !turn.is_done) else { return };
        if let Err(error) = self.inner.store.finish_request(&key, status).await {
            tracing::warn!(store.error = %error, "a request that was carried out stays reserved");
        }
    }

    /// The request of a turn was refused, and nothing has happened: it may come again otherwise.
    pub async fn give_up_turn(&self, turn: Turn) {
        let Some((key, _running)) = turn.key.filter(|_| !turn.is_done) else { return };
        if let Err(error) = self.inner.store.drop_request(&key).await {
            tracing::warn!(store.error = %error, "a refused request stays reserved");
        }
    }

    /// What became of the same command before, if it came before.
    pub(super) async fn repeated(&self, keyed: &Keyed) -> Result<Option<Done>, Declined> {
        let known = self.inner.store.known_request(&keyed.key).await.map_err(Declined::Store)?;
        let Some(known) = known else { return Ok(None) };
        same_body(&known, keyed)?;
        let Some(ticket) = known.about.map(TicketId) else { return Err(Declined::KeyReused) };
        let numbers = self.inner.store.ticket_numbers(&[ticket]).await.map_err(Declined::Store)?;
        let seq = known.number.and_then(|seq| u64::try_from(seq).ok()).unwrap_or(1).max(1);
        let history =
            self.inner.store.history(ticket, seq - 1, 1).await.map_err(Declined::Store)?;
        let event = history.first().map(|one| one.event().map(|event| (one.hash, event)));
        let event = event.transpose().map_err(Declined::Store)?;
        let receipt = event.map(|(hash, event)| Receipt {
            seq,
            hash,
            at: event.at,
            arrived_at: event.arrived_at,
        });
        let ticket_no = numbers.get(&ticket).cloned().unwrap_or_default();
        let (repeated, replayed) = (true, true);
        Ok(Some(Done { repeated, ticket, ticket_no, instance: None, receipt, replayed }))
    }

    /// What became of the same request on another node, where this one came to nothing of its own:
    /// it was carried out there after its key was looked up here.
    pub(super) async fn done_elsewhere(
        &self,
        keyed: &Keyed,
        answer: &Result<Done, Declined>,
    ) -> Option<Result<Done, Declined>> {
        if answer.as_ref().is_ok_and(|done| !done.replayed) {
            return None;
        }
        match self.repeated(keyed).await {
            Ok(done) => done.map(Ok),
            Err(Declined::KeyReused) => Some(Err(Declined::KeyReused)),
            // Then what is known here is what can be said.
            Err(_) => None,
        }
    }

    /// A command that had nothing left to do is remembered too: its key is used.
    pub(super) async fn remember(&self, keyed: &Keyed, done: &Done) {
        let row = Remembered {
            status: keyed.status,
            ..remembered(keyed, Some(done.ticket.0), done.receipt.as_ref().map_or(1, number))
        };
        if let Err(error) = self.inner.store.reserve_request(&row, self.inner.clock.now()).await {
            tracing::warn!(store.error = %error, "a key is not remembered");
        }
    }

    /// Keeps everybody else in this process from doing the same, as long as what is given back lives.
    ///
    /// # Errors
    /// Somebody is doing it.
    pub(super) fn claim(&self, key: &RequestKey) -> Result<Running, Declined> {
        let mut running = self.inner.running.lock().unwrap_or_else(PoisonError::into_inner);
        if !running.insert(key.clone()) {
            return Err(Declined::KeyRunning);
        }
        Ok(Running { inner: Arc::clone(&self.inner), key: key.clone() })
    }
}

fn number(receipt: &Receipt) -> i64 {
    i64::try_from(receipt.seq).unwrap_or(i64::MAX)
}

/// The row of a request that has not been carried out yet.
pub(super) fn remembered(keyed: &Keyed, about: Option<Uuid>, number: i64) -> Remembered {
    let secret = crypto::key();
    let commitment = Digest::commitment(&secret, &keyed.body);
    Remembered { key: keyed.key.clone(), secret, commitment, status: 0, about, number }
}

/// A key stands for one request.
pub(super) fn same_body(known: &KnownRequest, keyed: &Keyed) -> Result<(), Declined> {
    let is_same = Digest::commitment(&known.secret, &keyed.body) == known.commitment;
    if is_same { Ok(()) } else { Err(Declined::KeyReused) }
}
