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

use super::problem::Problem;
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
    streams_max: u32,
    streams: Mutex<BTreeMap<Uuid, u32>>,
}

/// A place among a token's open streams; free again when this is dropped.
pub(crate) struct StreamSlot {
    inner: Arc<Inner>,
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
            streams_max: settings.token_streams.get(),
            streams: Mutex::new(BTreeMap::new()),
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
            Problem::too_many("rate-limited", "本令牌的请求过于频繁，请稍后重试", whole(wait))
        })
    }

    /// Opens a stream.
    ///
    /// # Errors
    /// The token has as many as it may have.
    pub(crate) fn stream(&self, token: Uuid) -> Result<StreamSlot, Problem> {
        let mut streams = self.inner.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let open = streams.entry(token).or_default();
        if *open >= self.inner.streams_max {
            let most = self.inner.streams_max;
            let say = format!("本令牌同时打开的订阅不得超过 {most} 个；请先关闭其他的");
            return Err(Problem::too_many("too-many-streams", say, 15));
        }
        *open += 1;
        Ok(StreamSlot { inner: Arc::clone(&self.inner), token })
    }
}

/// Seconds, rounded up.
fn whole(wait: Duration) -> u32 {
    u32::try_from(wait.as_secs()).unwrap_or(u32::MAX - 1) + 1
}

impl Drop for StreamSlot {
    fn drop(&mut self) {
        let mut streams = self.inner.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = streams.get_mut(&self.token) {
            *open -= 1;
            if *open == 0 {
                streams.remove(&self.token);
            }
        }
    }
}
