//! History as callers see it: what is stored, and whether the chain holds. Must never leave an
//! event out of the middle, nor call verified what it has not looked at.

use duban_core::decide::Context;
use duban_core::digest::Digest;
use duban_core::event::Event;
use duban_core::instance::Instance;
use duban_core::simulate::describe;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::store::{Recorded, StoreError};

/// Marks what is not shown.
const HIDDEN: &str = "hidden";

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
    /// The same as a sentence; in histories only.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl HistoryView {
    /// Of a history from its beginning on, the events after a number. The whole of it is verified.
    pub(crate) fn new(
        recorded: &[Recorded],
        after: u64,
        next: Option<u64>,
        context: Context<'_>,
        hides: impl Fn(&str) -> bool,
    ) -> Result<Self, Problem> {
        let mut told = Told::default();
        let mut head = Digest::ZERO;
        let mut verified = true;
        let mut events = Vec::new();
        for event in recorded {
            head = head.link(&event.bytes);
            verified &= head == event.hash;
            let text = told.of(event, context);
            if event.seq <= after {
                continue;
            }
            let mut view = EventView::new(event, &hides)?;
            if view.stored.get(HIDDEN).is_none() {
                view.text = text;
            }
            events.push(view);
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
            json!({"seq": event.seq, HIDDEN: true})
        } else {
            stored
        };
        Ok(Self { stored, hash: event.hash.to_string(), text: None })
    }
}

/// A history told from its beginning on, as far as it can be lived through: what does not follow from
/// what was before is shown as it stands.
#[derive(Default)]
enum Told {
    #[default]
    Unborn,
    Living(Box<Instance>),
    Lost,
}

impl Told {
    /// The next event as a sentence.
    fn of(&mut self, recorded: &Recorded, context: Context<'_>) -> Option<String> {
        let before = std::mem::replace(self, Self::Lost);
        let event = recorded.event().ok()?;
        let (ticket, text) = match before {
            Self::Lost => return None,
            Self::Unborn => {
                let ticket = Instance::open(&event).ok()?;
                let text = sentence(&ticket, &event, context)?;
                (Box::new(ticket), text)
            }
            Self::Living(mut ticket) => {
                let text = sentence(&ticket, &event, context)?;
                ticket.apply(&event).ok()?;
                (ticket, text)
            }
        };
        *self = Self::Living(ticket);
        Some(text)
    }
}

fn sentence(before: &Instance, event: &Event, context: Context<'_>) -> Option<String> {
    let definition = context.definition(before).ok()?;
    Some(describe(definition, &before.flags, event))
}
