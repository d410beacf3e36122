//! History as callers see it: what is stored, and whether the chain holds. Must never leave an
//! event out of the middle.

use duban_core::digest::Digest;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::store::{Recorded, StoreError};

/// A ticket's history.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HistoryView {
    pub(crate) events: Vec<EventView>,
    /// Whether each event's hash follows from the one before and its bytes.
    pub(crate) verified: bool,
    /// Where to go on: `?after=`; none at the end.
    pub(crate) next: Option<u64>,
}

/// An event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventView {
    /// The stored event: `seq, kind, v, at, recorded_at, arrived_at?, actor, data`.
    #[serde(flatten)]
    stored: Value,
    /// SM3 over the hash before it and the stored bytes.
    #[schema(example = "207cf410532f92a47dee245ce9b11ff71f578ebd763eb3bbea44ebd043d018fb")]
    hash: String,
}

impl HistoryView {
    /// Events in order; the hash that the first one stands on.
    pub(crate) fn new(
        before: Digest,
        recorded: &[Recorded],
        next: Option<u64>,
    ) -> Result<Self, Problem> {
        let mut head = before;
        let mut verified = true;
        let mut events = Vec::with_capacity(recorded.len());
        for event in recorded {
            head = head.link(&event.bytes);
            verified &= head == event.hash;
            let stored = serde_json::from_slice(&event.bytes)
                .map_err(|_| StoreError::Unreadable(format!("第 {} 号记录", event.seq)))?;
            events.push(EventView { stored, hash: event.hash.to_string() });
        }
        Ok(Self { events, verified, next })
    }
}
