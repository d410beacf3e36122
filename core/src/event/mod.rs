//! What happened to a ticket: append-only, past tense, each with its kind and version.
//!
//! Must never hold personal data or free text (references and commitments stand in their place),
//! and must never need more than itself to be applied.

mod fact;

pub use fact::*;

use std::borrow::Cow;
use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::name::Name;
use super::time::Instant;

/// One event of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number within the ticket, from 1, without gaps.
    pub seq: u64,
    /// When it took effect.
    pub at: Instant,
    /// When it was recorded.
    pub recorded_at: Instant,
    /// When the request arrived, where that was before it took effect.
    pub arrived_at: Option<Instant>,
    /// Who did it: a token's subject, or `system`.
    pub actor: Name,
    /// What happened.
    pub fact: Fact,
}

/// Why stored bytes could not be made into an event.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Not the shape of any event.
    #[error("event bytes cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// A kind that this program does not know: a newer duban wrote it.
    #[error("event kind {kind} is not known to this program")]
    UnknownKind {
        /// The kind.
        kind: String,
    },
    /// A version that this program does not know: a newer duban wrote it.
    #[error("event kind {kind} version {version} is newer than this program knows")]
    TooNew {
        /// The kind.
        kind: String,
        /// The version.
        version: u16,
    },
    /// An old version that nothing lifts: a line is missing in [`UPCASTS`].
    #[error("event kind {kind} version {version} has no upcast")]
    NoUpcast {
        /// The kind.
        kind: String,
        /// The version.
        version: u16,
    },
}

/// A pure step from one version of a kind to the next: (kind, from version, what to do).
pub type Upcast = (&'static str, u16, fn(Value) -> Value);

/// Every upcast there is. A changed fact raises its version above and adds its line here; the
/// fixture of the old version stays.
pub const UPCASTS: &[Upcast] = &[];

#[derive(Serialize)]
struct Written<'e> {
    seq: u64,
    kind: &'e str,
    v: u16,
    at: Instant,
    recorded_at: Instant,
    #[serde(skip_serializing_if = "Option::is_none")]
    arrived_at: Option<Instant>,
    actor: &'e Name,
    data: Data<'e>,
}

struct Data<'e>(&'e Fact);

impl Serialize for Data<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.data(serializer)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read<'b> {
    seq: u64,
    #[serde(borrow)]
    kind: Cow<'b, str>,
    v: u16,
    at: Instant,
    recorded_at: Instant,
    #[serde(default)]
    arrived_at: Option<Instant>,
    actor: Name,
    #[serde(borrow)]
    data: &'b RawValue,
}

impl Event {
    /// The canonical bytes: what is stored, and what the chain of hashes runs over.
    ///
    /// # Panics
    /// Never: names as keys and plain values are always JSON.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let (kind, v) = self.fact.kind();
        let written = Written {
            seq: self.seq,
            kind,
            v,
            at: self.at,
            recorded_at: self.recorded_at,
            arrived_at: self.arrived_at,
            actor: &self.actor,
            data: Data(&self.fact),
        };
        // Unwrap safety: names as keys and plain values only; writing to memory cannot fail.
        serde_json::to_vec(&written).expect("an event is always representable as JSON")
    }

    /// Reads stored bytes, lifting old versions.
    ///
    /// # Errors
    /// Bytes that are no event, a kind or version that this program does not know.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EventError> {
        Self::from_bytes_with(bytes, UPCASTS)
    }

    /// The same with other upcasts.
    ///
    /// # Errors
    /// As [`Event::from_bytes`].
    pub fn from_bytes_with(bytes: &[u8], upcasts: &[Upcast]) -> Result<Self, EventError> {
        let read: Read<'_> = serde_json::from_slice(bytes)?;
        let (mut lifted, mut version) = (None, read.v);
        while let Some((_, _, lift)) =
            upcasts.iter().find(|(kind, from, _)| *kind == read.kind && *from == version)
        {
            let data = match lifted {
                Some(data) => data,
                None => serde_json::from_str(read.data.get())?,
            };
            lifted = Some(lift(data));
            version += 1;
        }
        let kind = || read.kind.clone().into_owned();
        let known = Fact::KINDS.iter().find(|(kind, _)| *kind == read.kind);
        match known.map(|(_, newest)| version.cmp(newest)) {
            Some(Ordering::Greater) => return Err(EventError::TooNew { kind: kind(), version }),
            Some(Ordering::Less) => return Err(EventError::NoUpcast { kind: kind(), version }),
            Some(Ordering::Equal) | None => {}
        }
        let fact = match lifted {
            Some(data) => Fact::read(&read.kind, data),
            // As it is stored: no value in between.
            None => {
                Fact::read(&read.kind, &mut serde_json::Deserializer::from_str(read.data.get()))
            }
        };
        let Some(fact) = fact else {
            return Err(EventError::UnknownKind { kind: kind() });
        };
        Ok(Self {
            seq: read.seq,
            at: read.at,
            recorded_at: read.recorded_at,
            arrived_at: read.arrived_at,
            actor: read.actor,
            fact: fact?,
        })
    }
}
