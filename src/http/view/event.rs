//! History as callers see it: what is stored, and whether the chain holds. Must never leave an
//! event out of the middle, nor call verified what it has not looked at.

use duban_core::digest::Digest;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::store::{Recorded, StoreError};

/// A ticket's history.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HistoryView {
    pub(crate) events: Vec<EventView>,
    /// Whether each event's hash, from the first on, follows from the one before and its bytes.
    pub(crate) verified: bool,
    /// Where to go on: `?after=`; none at the end.
    pub(crate) next: Option<u64>,
}

/// An event; its shape stands in `document/shapes.json`.
#[derive(Debug, Serialize)]
pub(crate) struct EventView {
    /// The stored event: `seq, kind, v, at, recorded_at, arrived_at?, actor, data`; of what the
    /// definition hides from the caller only `seq` and `hidden`.
    #[serde(flatten)]
    stored: Value,
    /// SM3 over the hash before it and the stored bytes.
    hash: String,
}

impl HistoryView {
    /// Of a history from its beginning on, the events after a number. The whole of it is verified.
    pub(crate) fn new(
        recorded: &[Recorded],
        after: u64,
        next: Option<u64>,
        hides: impl Fn(&str) -> bool,
    ) -> Result<Self, Problem> {
        let mut head = Digest::ZERO;
        let mut verified = true;
        let mut events = Vec::new();
        for event in recorded {
            head = head.link(&event.bytes);
            verified &= head == event.hash;
            if event.seq <= after {
                continue;
            }
            events.push(EventView::new(event, &hides)?);
        }
        Ok(Self { events, verified, next })
    }
}

impl EventView {
    /// What is stored, but of what is hidden.
    pub(crate) fn new(event: &Recorded, hides: impl Fn(&str) -> bool) -> Result<Self, Problem> {
        let stored: Value = serde_json::from_slice(&event.bytes)
            .map_err(|_| StoreError::Unreadable(format!("第 {} 号记录", event.seq)))?;
        let deadline = stored["data"]["deadline"].as_str();
        let stored = if deadline.is_some_and(hides) {
            json!({"seq": event.seq, "hidden": true})
        } else {
            stored
        };
        Ok(Self { stored, hash: event.hash.to_string() })
    }
}
