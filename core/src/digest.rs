//! SM3 (GB/T 32905) over bytes: hashes, the chain of a history, commitments. Must never draw a
//! key: keys come from outside and live beside the data that they commit to.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sm3::{Digest as _, Sm3};

/// 256 bits, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// What the first event of a history stands on.
    pub const ZERO: Self = Self([0; 32]);

    /// SM3 over the parts, each preceded by its length, so that no two lists of parts collide.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hasher = Sm3::new();
        for part in parts {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// The next link of a history's chain: SM3 over the previous link and the stored bytes.
    #[must_use]
    pub fn link(self, stored: &[u8]) -> Self {
        let mut hasher = Sm3::new();
        hasher.update(self.0);
        hasher.update(stored);
        Self(hasher.finalize().into())
    }

    /// HMAC-SM3 over private bytes: what history holds in their place. (HMAC fills a key up to
    /// SM3's block of 64 bytes with zeros; so the zeros below change nothing.)
    #[must_use]
    pub fn commitment(key: &[u8; 32], private: &[u8]) -> Self {
        let mut block = [0; 64];
        block[..32].copy_from_slice(key);
        let mut mac = Hmac::<Sm3>::new(&block.into());
        mac.update(private);
        Self(mac.finalize().into_bytes().into())
    }
}

/// SM3 over bytes that come piece by piece, and nothing else: what every tool computes of a file.
#[derive(Clone, Default)]
pub struct Hasher(Sm3);

impl Hasher {
    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The digest of all pieces.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").finish_non_exhaustive()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let say = || "应为 64 位十六进制摘要".to_owned();
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 64 || !text.bytes().all(digit) {
            return Err(say());
        }
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            let digits = &text[2 * index..2 * index + 2];
            *byte = u8::from_str_radix(digits, 16).map_err(|_| say())?;
        }
        Ok(Self(bytes))
    }
}

/// Text for people; the bare bytes in binary snapshots.
impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return <[u8; 32]>::deserialize(deserializer).map(Self);
        }
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
