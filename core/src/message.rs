//! What a decision asks to be told or done outside the ticket, through the outbox. Must never hold
//! personal data: messages are rendered from references at delivery.

use serde::{Deserialize, Serialize};

use super::deadline::CardState;
use super::definition::{CardKind, EffectKind, Notice, RungAt};
use super::event::RunRef;
use super::name::Name;
use super::role::Audience;

/// What a message is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// A domain event.
    Event {
        /// The event.
        event: Name,
    },
    /// A rung of a deadline.
    Rung {
        /// Which run.
        run: RunRef,
        /// Its generation.
        generation: u16,
        /// The rung.
        rung: RungAt,
        /// The card it issued.
        card: Option<CardKind>,
        /// What it says besides.
        notice: Option<Notice>,
    },
    /// A card that changed.
    Card {
        /// The card.
        card: Name,
        /// What it is now.
        state: CardState,
    },
}

/// A message for the outbox. Its identity is ticket, `seq` and `nth`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The event that brings it about.
    pub seq: u64,
    /// Its number among that event's messages, from 0.
    pub nth: u16,
    /// What is done.
    pub kind: EffectKind,
    /// To whom.
    pub to: Audience,
    /// The agency that it concerns: whose deadline or card it is, else who has the ticket.
    pub agency: Option<Name>,
    /// About what.
    pub about: About,
}

/// Messages about rungs of one run that later ones of the same commit supersede collapse into the
/// last.
pub(super) fn collapse(messages: Vec<Message>) -> Vec<Message> {
    let superseded = |index: usize, message: &Message| {
        let About::Rung { run, .. } = &message.about else { return false };
        messages[index + 1..].iter().any(|later| {
            later.to == message.to
                && matches!(&later.about, About::Rung { run: other, .. } if other == run)
        })
    };
    let keep: Vec<bool> =
        messages.iter().enumerate().map(|(index, message)| !superseded(index, message)).collect();
    messages.into_iter().zip(keep).filter_map(|(message, keep)| keep.then_some(message)).collect()
}
