//! Floor 1: where chance comes from: keys, tokens, identities. Must never write what it draws.

use std::fmt::Write;

use duban_core::digest::Digest;
use uuid::Uuid;

/// How a bearer token begins, so that scanners for leaked secrets know it.
const TOKEN_PREFIX: &str = "duban_";

/// 256 fresh bits.
///
/// # Panics
/// When the system has no randomness: nothing that stands on keys can go on then.
#[must_use]
pub fn key() -> [u8; 32] {
    let mut key = [0; 32];
    // Unwrap safety: a system without randomness cannot run this program at all.
    getrandom::fill(&mut key).expect("the system gives random bytes");
    key
}

/// A fresh bearer token.
#[must_use]
pub fn token() -> String {
    let mut token = TOKEN_PREFIX.to_owned();
    for byte in key() {
        // Writing to a string cannot fail.
        let _ = write!(token, "{byte:02x}");
    }
    token
}

/// What is stored of a token: it is random, so that a plain hash tells nothing.
#[must_use]
pub fn token_hash(token: &str) -> Digest {
    Digest::of(&[token.as_bytes()])
}

/// A fresh identity that sorts by the time at which it was drawn.
#[must_use]
pub fn identity() -> Uuid {
    Uuid::now_v7()
}
