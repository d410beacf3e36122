//! A ticket as stored bytes: compact, with the number of its shape before it. A cache of its
//! history: bytes of another shape are rebuilt, never guessed at.

use super::instance::Instance;

/// The shape of a stored ticket. Raise it with every change of [`Instance`] or what it holds.
pub const SCHEMA: u16 = 1;

/// Why stored bytes are not a ticket. Its history has to be replayed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Another program wrote it, in another shape.
    #[error("snapshot schema {found}, this program writes {SCHEMA}")]
    Schema {
        /// Its number.
        found: u16,
    },
    /// Not the bytes of a ticket.
    #[error("snapshot bytes cannot be read: {0}")]
    Unreadable(#[from] postcard::Error),
    /// More bytes than a ticket.
    #[error("{0} bytes after the end of a snapshot")]
    Trailing(usize),
}

impl Instance {
    /// The bytes to store.
    ///
    /// # Panics
    /// Never: a ticket holds nothing that the format cannot write.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // Most tickets fit: writing then never grows the buffer.
        let bytes = Vec::with_capacity(2048);
        // Unwrap safety: plain values into memory; every length is known.
        postcard::to_extend(&(SCHEMA, self), bytes).expect("a ticket is always writable")
    }

    /// Reads stored bytes.
    ///
    /// # Errors
    /// Bytes of another shape, or no ticket's: replay the history then.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let (found, rest): (u16, &[u8]) = postcard::take_from_bytes(bytes)?;
        if found != SCHEMA {
            return Err(SnapshotError::Schema { found });
        }
        let (instance, rest) = postcard::take_from_bytes(rest)?;
        if rest.is_empty() { Ok(instance) } else { Err(SnapshotError::Trailing(rest.len())) }
    }
}
