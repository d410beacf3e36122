//! The door of the console: in by a token, and from then on by a session that the server can end. Must
//! never tell why a token does not count, nor write a token, a session or an address.

use std::net::IpAddr;

use duban_core::digest::Digest;
use duban_core::time::Instant;
use uuid::Uuid;

use crate::store::{Lockout, Refusals, Session, Store, StoreError, Token};
use crate::{clock, crypto};

const MINUTE_MS: i64 = 60_000;

/// A session in which nothing is asked for so long is over (等保 2.0, level 3: 登录连接超时自动退出).
pub const IDLE_MS: i64 = 30 * MINUTE_MS;

/// A session lasts so long at most: a long working day.
pub const LONGEST_MS: i64 = 12 * 60 * MINUTE_MS;

/// How exactly it is known when something was last asked for.
const SEEN_EVERY_MS: i64 = MINUTE_MS;

/// Whoever is refused five times within a quarter of an hour waits for as long.
const LOCKOUT: Lockout = Lockout { failures: 5, within_ms: 15 * MINUTE_MS, for_ms: 15 * MINUTE_MS };

/// The door; clones are the same.
#[derive(Clone)]
pub struct Door {
    store: Store,
    /// Of commitments to addresses.
    key: [u8; 32],
}

/// Put into a request within the process, by pages alone: it comes from somebody inside, who has this
/// token. Nothing that comes over the network can hold it.
#[derive(Clone, Copy, Debug)]
pub struct Inside(pub Uuid);

/// Somebody who has just come in. Has no `Debug`: it must get into no log.
pub struct Entered {
    /// What the browser holds from now on.
    pub secret: String,
    /// The token by which he came.
    pub token: Token,
}

/// Why nobody came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The token does not count; so many more tries are left.
    Wrong(i32),
    /// There were too many tries from there.
    Locked(Instant),
    /// It cannot be found out.
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Door {
    /// The door of a house.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn of(store: &Store) -> Result<Self, StoreError> {
        let key = store.secret("addresses", crypto::key()).await?;
        Ok(Self { store: store.clone(), key })
    }

    /// Comes in by a token.
    ///
    /// # Errors
    /// [`Refused`]; what was refused is counted.
    pub async fn enter(&self, token: &str, from: IpAddr) -> Result<Entered, Refused> {
        let (now, source) = (clock::wall(), self.source(from));
        if let Some(until) = self.store.locked_until(source, now).await? {
            return Err(Refused::Locked(until));
        }
        let found = self.store.token(crypto::token_hash(token.trim())).await?;
        let Some(token) = found.filter(|token| token.counts_at(now)) else {
            return Err(match self.store.refused(source, now, LOCKOUT).await? {
                Refusals::Left(left) => Refused::Wrong(left),
                Refusals::Locked(until) => {
                    tracing::warn!("too many tries to come in from one address: it is locked");
                    Refused::Locked(until)
                }
            });
        };
        self.store.admitted(source).await?;
        let secret = Digest(crypto::key()).to_string();
        let session = Session {
            hash: crypto::token_hash(&secret),
            token: token.id,
            created_at: now,
            seen_at: now,
            ended_at: None,
        };
        self.store.add_session(&session).await?;
        tracing::info!(token.id = %token.id, by = %token.subject, "somebody came in");
        Ok(Entered { secret, token })
    }

    /// Whose session it is, as long as it and its token count; and whether that counts as use of it.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn inside(&self, secret: &str, is_use: bool) -> Result<Option<Token>, StoreError> {
        let (now, hash) = (clock::wall(), crypto::token_hash(secret));
        let Some(session) = self.store.session(hash).await? else { return Ok(None) };
        let is_over = session.ended_at.is_some()
            || now.ms() - session.seen_at.ms() >= IDLE_MS
            || now.ms() - session.created_at.ms() >= LONGEST_MS;
        if is_over {
            return Ok(None);
        }
        let token = self.store.token_by_id(session.token).await?;
        let token = token.filter(|token| token.counts_at(now));
        if is_use && token.is_some() && now.ms() - session.seen_at.ms() >= SEEN_EVERY_MS {
            self.store.see_session(hash, now).await?;
        }
        Ok(token)
    }

    /// Goes out: the session is over for whoever holds it.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn leave(&self, secret: &str) -> Result<(), StoreError> {
        self.store.end_session(crypto::token_hash(secret), clock::wall()).await
    }

    /// What a form of this session must bring along, which no other site can know.
    #[must_use]
    pub fn seal(secret: &str) -> String {
        Digest::of(&[b"form", secret.as_bytes()]).to_string()
    }

    /// Where somebody comes from: the address, or the network that one subscriber has of IPv6.
    fn source(&self, from: IpAddr) -> Digest {
        let bytes = match from.to_canonical() {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets()[..8].to_vec(),
        };
        Digest::commitment(&self.key, &bytes)
    }
}
