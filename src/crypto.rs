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

/// A number that only a key's holder can read, in 32 hexadecimal digits. The same number looks
/// otherwise each time: of two of them nobody can tell which is greater, or whether they are equal.
#[must_use]
pub fn conceal(key: &[u8; 32], number: i64) -> String {
    let salt = key_half(&self::key());
    let mut halves = (number.cast_unsigned(), salt);
    for round in 0..ROUNDS {
        halves = (halves.1, halves.0 ^ mixed(key, round, halves.1));
    }
    format!("{:016x}{:016x}", halves.0, halves.1)
}

/// The number that was concealed; whatever else is given comes to a number that nobody can foresee,
/// or to none.
#[must_use]
pub fn reveal(key: &[u8; 32], text: &str) -> Option<i64> {
    if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let (left, right) = text.split_at(16);
    let half = |text: &str| u64::from_str_radix(text, 16).ok();
    let mut halves = (half(left)?, half(right)?);
    for round in (0..ROUNDS).rev() {
        halves = (halves.1 ^ mixed(key, round, halves.0), halves.0);
    }
    Some(halves.0.cast_signed()).filter(|number| *number >= 0)
}

/// Rounds of a Feistel network: four make a permutation that looks random from both sides (Luby and
/// Rackoff, 1988).
const ROUNDS: u8 = 4;

fn mixed(key: &[u8; 32], round: u8, half: u64) -> u64 {
    let mut block = [round; 9];
    block[1..].copy_from_slice(&half.to_be_bytes());
    key_half(&Digest::commitment(key, &block).0)
}

fn key_half(bytes: &[u8; 32]) -> u64 {
    bytes[..8].iter().fold(0, |half, byte| half << 8 | u64::from(*byte))
}

/// A fresh identity that sorts by the time at which it was drawn.
#[must_use]
pub fn identity() -> Uuid {
    Uuid::now_v7()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_concealed_number_is_read_by_its_key_alone() {
        let (own, other) = (key(), key());
        for number in [0, 1, 2, 10_000, i64::MAX] {
            let (one, two) = (conceal(&own, number), conceal(&own, number));
            assert_ne!(one, two);
            assert_eq!((reveal(&own, &one), reveal(&own, &two)), (Some(number), Some(number)));
            assert_ne!(reveal(&other, &one), Some(number));
        }
        for text in ["", "1", "x".repeat(32).as_str(), "é".repeat(16).as_str()] {
            assert_eq!(reveal(&own, text), None);
        }
    }
}
