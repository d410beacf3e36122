//! What a node says of itself. Must never name a person, or an address with a secret.

use duban_core::time::Instant;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// Its identity, since its start.
    pub node: Uuid,
    /// Its machine's name.
    pub host: String,
    /// What it does: `api`, `jobs`.
    pub roles: Vec<String>,
    /// Its program's version.
    pub version: String,
    /// Since when it runs.
    pub started_at: Instant,
    /// When it last said so, by the clock of Redis.
    pub seen_at: Instant,
}
