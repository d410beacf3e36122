//! How much one token may ask for: requests a second, bytes of a body, what stands on a page, open
//! streams. Must never let one caller keep the others waiting.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use duban_core::role::Role;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use uuid::Uuid;

use super::problem::{Kind, Problem};
use crate::config::Settings;

/// What one token may ask for; clones count together.
#[derive(Clone)]
pub(crate) struct Limits {
    inner: Arc<Inner>,
    pub(crate) body_bytes: usize,
    pub(crate) page: u64,
}

struct Inner {
    requests: DefaultKeyedRateLimiter<Uuid>,
    reviews: DefaultKeyedRateLimiter<Uuid>,
    clock: DefaultClock,
    streams: Arc<Slots>,
    transfers: Arc<Slots>,
}

/// What each token has open of a kind, and how much it may.
struct Slots {
    most: u32,
    open: Mutex<BTreeMap<Uuid, u32>>,
}

/// A place among what a token has open; free again when this is dropped.
pub(crate) struct Slot {
    slots: Arc<Slots>,
    token: Uuid,
}

impl Limits {
    pub(crate) fn new(settings: &Settings) -> Self {
        // A second's worth may come at once.
        let limiter = |rate: NonZeroU32| RateLimiter::keyed(Quota::per_second(rate));
        let inner = Inner {
            requests: limiter(settings.token_requests_per_s),
            reviews: limiter(settings.token_reviews_per_s),
            clock: DefaultClock::default(),
            streams: Slots::of(settings.token_streams),
            transfers: Slots::of(settings.token_transfers),
        };
        let body_bytes = usize::try_from(settings.body_kib.get()).unwrap_or(usize::MAX / 1024);
        let (body_bytes, page) = (body_bytes * 1024, settings.page_max.get().into());
        Self { inner: Arc::new(inner), body_bytes, page }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// There were too many in the last second.
    pub(crate) fn request(&self, token: Uuid, role: Role) -> Result<(), Problem> {
        let limiter = match role {
            Role::Intake => &self.inner.reviews,
            _ => &self.inner.requests,
        };
        limiter.check_key(&token).map_err(|early| {
            metrics::counter!("duban_rate_limited_total").increment(1);
            let wait = early.wait_time_from(self.inner.clock.now());
            Problem::too_many(Kind::RateLimited, "本令牌的请求过于频繁，请稍后重试", whole(wait))
        })
    }

    /// Opens a stream.
    ///
    /// # Errors
    /// The token has as many as it may have.
    pub(crate) fn stream(&self, token: Uuid) -> Result<Slot, Problem> {
        self.inner.streams.take(token).map_err(|most| {
            let say = format!("本令牌同时打开的订阅不得超过 {most} 个；请先关闭其他的");
            Problem::too_many(Kind::TooManyStreams, say, 15)
        })
    }

    /// Begins to send or to receive a file.
    ///
    /// # Errors
    /// The token does as much of that at once as it may.
    pub(crate) fn transfer(&self, token: Uuid) -> Result<Slot, Problem> {
        self.inner.transfers.take(token).map_err(|most| {
            let say = format!("本令牌同时上传和下载的附件不得超过 {most} 个；请待其完成");
            Problem::too_many(Kind::TooManyTransfers, say, 5)
        })
    }
}

impl Slots {
    fn of(most: NonZeroU32) -> Arc<Self> {
        Arc::new(Self { most: most.get(), open: Mutex::new(BTreeMap::new()) })
    }

    /// A place, or how many a token may have.
    fn take(self: &Arc<Self>, token: Uuid) -> Result<Slot, u32> {
        let mut all = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let open = all.entry(token).or_default();
        if *open >= self.most {
            return Err(self.most);
        }
        *open += 1;
        Ok(Slot { slots: Arc::clone(self), token })
    }
}

/// Seconds, rounded up, and at least one.
fn whole(wait: Duration) -> u32 {
    u32::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX).max(1)
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut all = self.slots.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = all.get_mut(&self.token) {
            *open -= 1;
            if *open == 0 {
                all.remove(&self.token);
            }
        }
    }
}
