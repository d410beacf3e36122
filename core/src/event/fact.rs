//! The facts: what can happen to a ticket, one kind each. Must never be changed in place: another
//! shape is another version, with its upcast and the fixture of the old one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::calendar::Within;
use crate::deadline::{LedgerReason, Schedule};
use crate::definition::{CardKind, Finding, Kind, Notice, Outcome, Pin, RungAt, Status};
use crate::digest::Digest;
use crate::name::Name;
use crate::purpose::Purpose;
use crate::reason::{EndReason, RevokeReason};
use crate::role::{Party, Role};
use crate::ticket_id::TicketId;
use crate::time::{Day, Instant};

/// A reference to private data, and the commitment that proves it unchanged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// The row that holds the data and its key.
    pub reference: Name,
    /// HMAC-SM3 over the data under that key.
    pub commitment: Digest,
}

/// Declares the facts: variant, kind in history, newest version.
macro_rules! facts {
    ($($(#[$doc:meta])* $variant:ident($body:ty) = $kind:literal, $version:literal;)+) => {
        /// What happened, by kind.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Fact {
            $($(#[$doc])* $variant($body),)+
        }

        impl Fact {
            /// Every kind with its newest version.
            pub const KINDS: &[(&str, u16)] = &[$(($kind, $version)),+];

            /// Its kind and version, as history writes them.
            #[must_use]
            pub const fn kind(&self) -> (&'static str, u16) {
                match self { $(Self::$variant(_) => ($kind, $version),)+ }
            }

            pub(super) fn data<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self { $(Self::$variant(body) => body.serialize(serializer),)+ }
            }

            /// None for a kind that this program does not know.
            pub(super) fn read<'d, D>(kind: &str, data: D) -> Option<Result<Self, D::Error>>
            where
                D: serde::Deserializer<'d>,
            {
                match kind {
                    $($kind => Some(serde::Deserialize::deserialize(data).map(Self::$variant)),)+
                    _ => None,
                }
            }
        }
    };
}

facts! {
    /// A bad review became a ticket.
    Opened(Box<Opened>) = "opened", 1;
    /// Somebody did something.
    Acted(Box<Acted>) = "acted", 1;
    /// A transition that happened by itself.
    Moved(Box<Moved>) = "moved", 1;
    /// The ticket was re-pinned to another class's definition.
    Reclassified(Reclassified) = "reclassified", 1;
    /// A deadline started to run.
    DeadlineStarted(Box<DeadlineStarted>) = "deadline_started", 1;
    /// A deadline was met.
    DeadlineMet(DeadlineMet) = "deadline_met", 1;
    /// A met deadline is owed again.
    DeadlineReopened(DeadlineReopened) = "deadline_reopened", 1;
    /// A window ended unused.
    DeadlineLapsed(DeadlineLapsed) = "deadline_lapsed", 1;
    /// A deadline is no longer owed.
    DeadlineCancelled(DeadlineCancelled) = "deadline_cancelled", 1;
    /// A cancelled deadline goes on: the agency has its ticket again, or it was closed by mistake.
    DeadlineResumed(DeadlineReopened) = "deadline_resumed", 1;
    /// A due instant changed.
    DeadlineMoved(Box<DeadlineMoved>) = "deadline_moved", 1;
    /// A rung was reached.
    RungFired(RungFired) = "rung_fired", 1;
    /// A rung was reached on an estimated instant: urged, no card.
    RungWithheld(RungFired) = "rung_withheld", 1;
    /// A card no longer counts.
    CardRevoked(CardRevoked) = "card_revoked", 1;
    /// A card is objected to.
    CardContested(CardRef) = "card_contested", 1;
    /// A card that was objected to stands.
    CardUpheld(CardRef) = "card_upheld", 1;
    /// Somebody was shown the reviewer unmasked.
    Disclosed(Disclosed) = "disclosed", 1;
}

impl Fact {
    /// Whether time alone brings it about: whoever arrived before it and comes after it was
    /// overtaken.
    #[must_use]
    pub const fn is_firing(&self) -> bool {
        matches!(self, Self::RungFired(_) | Self::RungWithheld(_) | Self::DeadlineLapsed(_))
    }

    /// The deadline that it is about, and its run.
    #[must_use]
    pub const fn deadline(&self) -> Option<(&Name, u16)> {
        let run = match self {
            Self::DeadlineStarted(one) => return Some((&one.deadline, one.run)),
            Self::DeadlineMet(one) => &one.run,
            Self::DeadlineReopened(one) | Self::DeadlineResumed(one) => &one.run,
            Self::DeadlineLapsed(one) => &one.run,
            Self::DeadlineCancelled(one) => &one.run,
            Self::DeadlineMoved(one) => &one.run,
            Self::RungFired(one) | Self::RungWithheld(one) => &one.run,
            Self::Opened(_)
            | Self::Acted(_)
            | Self::Moved(_)
            | Self::Reclassified(_)
            | Self::CardRevoked(_)
            | Self::CardContested(_)
            | Self::CardUpheld(_)
            | Self::Disclosed(_) => return None,
        };
        Some((&run.deadline, run.run))
    }
}

/// A ticket's beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    /// The ticket.
    pub ticket: TicketId,
    /// The ticket that it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<TicketId>,
    /// The definition it is pinned to.
    pub definition: Pin,
    /// The review's class.
    pub class: Name,
    /// The step in which it starts.
    pub step: Name,
    /// When the citizen rated.
    pub reviewed_at: Instant,
    /// The district of the matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub district: Option<Name>,
    /// Who was rated, as a pseudonym: HMAC-SM3 of the staff number under a key of the house, so that
    /// findings about one person can be counted without naming him.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rated: Option<Digest>,
    /// Flags it starts with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Name>,
    /// The review's private part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Sealed>,
}

/// From one step to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepChange {
    /// Where it was.
    pub from: Name,
    /// Where it is.
    pub to: Name,
    /// The status there.
    pub status: Status,
    /// Whether it goes back to where it came from.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub back: bool,
}

/// One more on a tally.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// The tally.
    pub tally: Name,
    /// When it happened.
    pub at: Instant,
}

/// What became of an extension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExtensionChange {
    /// Asked for.
    Requested {
        /// The deadline.
        deadline: Name,
        /// Its new last day.
        until: Day,
    },
    /// Decided.
    Decided {
        /// The deadline.
        deadline: Name,
        /// Whether it was granted.
        granted: bool,
    },
}

/// What became of the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeChange {
    /// The ticket is called so.
    Named(Outcome),
    /// It is open again.
    Cleared,
}

/// Everything that an action or a transition changes on the ticket itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TicketChange {
    /// Domain events, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub raised: Vec<Name>,
    /// The step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<StepChange>,
    /// The agency that got the ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned: Option<Name>,
    /// The agency that gave it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub released: Option<Name>,
    /// The finding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<Finding>,
    /// The outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeChange>,
    /// Flags set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flagged: Vec<Name>,
    /// Flags taken off.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unflagged: Vec<Name>,
    /// Tallies set back to nothing, before the marks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tallies_reset: Vec<Name>,
    /// Tallies counted up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// An extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension: Option<ExtensionChange>,
}

/// An action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acted {
    /// The action.
    pub action: Name,
    /// In which role.
    pub role: Role,
    /// For which agency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<Name>,
    /// The form's codes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub form: BTreeMap<Name, Value>,
    /// The form's private part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Sealed>,
    /// What it changed.
    pub change: TicketChange,
}

/// A transition that happened by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moved {
    /// What it changed.
    pub change: TicketChange,
}

/// Another class, another definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reclassified {
    /// The new class.
    pub class: Name,
    /// The definition from now on.
    pub definition: Pin,
    /// The places in it of the deadlines that the ticket has had.
    pub orders: BTreeMap<Name, u16>,
}

/// Which run of which deadline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRef {
    /// The deadline.
    pub deadline: Name,
    /// Its run.
    pub run: u16,
}

/// A deadline's start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadlineStarted {
    /// The deadline.
    pub deadline: Name,
    /// Its run.
    pub run: u16,
    /// Its place in the definition.
    pub order: u16,
    /// Obligation, window or indicator.
    pub kind: Kind,
    /// Who is charged.
    pub party: Party,
    /// The agency, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<Name>,
    /// How long.
    pub within: Within,
    /// From when.
    pub starts_at: Instant,
    /// What the calendar made of it.
    #[serde(flatten)]
    pub schedule: Schedule,
}

/// A deadline was met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadlineMet {
    /// Which run.
    #[serde(flatten)]
    pub run: RunRef,
    /// Whether after the due instant.
    pub late: bool,
}

/// A deadline is owed again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadlineReopened {
    /// Which run.
    #[serde(flatten)]
    pub run: RunRef,
    /// Since when it had not been running.
    pub held_from: Instant,
    /// Rungs whose instants passed meanwhile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<RungAt>,
}

/// A window's end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadlineLapsed {
    /// Which run.
    #[serde(flatten)]
    pub run: RunRef,
    /// The domain event that it raises.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raised: Option<Name>,
}

/// A deadline is no longer owed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadlineCancelled {
    /// Which run.
    #[serde(flatten)]
    pub run: RunRef,
    /// Why.
    pub reason: EndReason,
}

/// A due instant changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadlineMoved {
    /// Which run.
    #[serde(flatten)]
    pub run: RunRef,
    /// Why.
    pub reason: LedgerReason,
    /// The generation from now on.
    pub generation: u16,
    /// The due instant before.
    pub from_due_at: Instant,
    /// The period from now on, where it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Within>,
    /// The schedule from now on; its rungs replace those that have not fired.
    #[serde(flatten)]
    pub schedule: Schedule,
}

/// A rung was reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RungFired {
    /// Which run.
    #[serde(flatten)]
    pub run: RunRef,
    /// Its generation.
    pub generation: u16,
    /// The rung.
    pub rung: RungAt,
    /// The card it issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<CardKind>,
    /// What it said besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<Notice>,
}

/// Which card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardRef {
    /// The card.
    pub card: Name,
}

/// A card no longer counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardRevoked {
    /// The card.
    pub card: Name,
    /// Why.
    pub reason: RevokeReason,
}

/// Somebody was shown the reviewer unmasked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosed {
    /// In which role.
    pub role: Role,
    /// For which agency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<Name>,
    /// Why.
    pub purpose: Purpose,
}
