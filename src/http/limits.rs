//! How much one token may ask for: requests a second, bytes of a body, what stands on a page, open
//! streams. Must never let one caller keep the others waiting.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use duban_core::role::Role;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use uuid::Uuid;

use super::problem::{Kind, Problem};
use crate::config::Settings;
use crate::wake::{Redis, Wake};

/// A node asks for its share of a token's requests at most so often.
const ASKS_PER_S: u32 = 20;

/// After so many requests tokens of which nothing more is heard are forgotten.
const FORGET_EVERY: u32 = 100_000;

const SECOND: Duration = Duration::from_secs(1);

/// What one token may ask for; clones count together.
#[derive(Clone)]
pub(crate) struct Limits {
    inner: Arc<Inner>,
    pub(crate) body_bytes: usize,
    pub(crate) page: u64,
}

struct Inner {
    requests: Rate,
    reviews: Rate,
    wake: Wake,
    clock: DefaultClock,
    streams: Arc<Slots>,
    transfers: Arc<Slots>,
}

/// How many requests a second: of this node alone, and of all nodes where they can tell each other.
struct Rate {
    name: &'static str,
    most: NonZeroU32,
    alone: DefaultKeyedRateLimiter<Uuid>,
    together: Mutex<BTreeMap<Uuid, Share>>,
    /// Requests so far.
    counted: AtomicU32,
}

/// What this node may still let through of what all may.
struct Share {
    left: u32,
    until: Instant,
    /// Whoever finds nothing left asks for all who wait.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// When Redis last gave nothing, and whether requests go through then: so they do without an
    /// answer. Whoever waited since before has his answer with it.
    told: Option<(Instant, bool)>,
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
    pub(crate) fn new(settings: &Settings, wake: Wake) -> Self {
        let inner = Inner {
            requests: Rate::of("requests", settings.token_requests_per_s),
            reviews: Rate::of("reviews", settings.token_reviews_per_s),
            wake,
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
    pub(crate) async fn request(&self, token: Uuid, role: Role) -> Result<(), Problem> {
        let rate = match role {
            Role::Intake => &self.inner.reviews,
            _ => &self.inner.requests,
        };
        let alone = rate.alone.check_key(&token);
        rate.forget_now_and_then();
        let wait = match alone {
            Err(early) => Some(early.wait_time_from(self.inner.clock.now())),
            Ok(()) if rate.is_within(token, &self.inner.wake).await => None,
            Ok(()) => Some(SECOND),
        };
        wait.map_or(Ok(()), |wait| {
            metrics::counter!("duban_rate_limited_total").increment(1);
            let say = "本令牌的请求过于频繁，请稍后重试";
            Err(Problem::too_many(Kind::RateLimited, say, whole(wait)))
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

    /// Begins to send or to receive a file, or a batch of reviews.
    ///
    /// # Errors
    /// The token does as much of that at once as it may.
    pub(crate) fn transfer(&self, token: Uuid) -> Result<Slot, Problem> {
        self.inner.transfers.take(token).map_err(|most| {
            let say = format!("本令牌同时进行的上传、下载和成批推送不得超过 {most} 个；请待其完成");
            Problem::too_many(Kind::TooManyTransfers, say, 5)
        })
    }
}

impl Rate {
    fn of(name: &'static str, most: NonZeroU32) -> Self {
        // A second's worth may come at once.
        let alone = RateLimiter::keyed(Quota::per_second(most));
        Self { name, most, alone, together: Mutex::default(), counted: AtomicU32::default() }
    }

    /// Forgets tokens that have asked for nothing in the last second.
    fn forget_now_and_then(&self) {
        if self.counted.fetch_add(1, Ordering::Relaxed).is_multiple_of(FORGET_EVERY) {
            self.alone.retain_recent();
        }
    }

    /// Whether all nodes together have let through less of a token than they may. Where they cannot
    /// tell each other, each counts alone.
    async fn is_within(&self, token: Uuid, wake: &Wake) -> bool {
        if wake.redis() != Redis::Ready || self.has_left(token) {
            return true;
        }
        let since = Instant::now();
        let turn = Arc::clone(&self.shares().entry(token).or_insert_with(Share::none).turn);
        let _turn = turn.lock().await;
        if self.has_left(token) {
            return true;
        }
        let told = self.shares().get(&token).and_then(|share| share.told);
        if let Some((_, goes)) = told.filter(|(at, _)| *at >= since) {
            return goes;
        }
        let ask = (self.most.get() / ASKS_PER_S).max(1);
        let whose = format!("{}:{token}", self.name);
        let granted = wake.allowance(&whose, ask, self.most.get()).await;
        let (now, mut shares) = (Instant::now(), self.shares());
        shares.retain(|_, share| share.until > now || Arc::strong_count(&share.turn) > 1);
        let share = shares.entry(token).or_insert_with(Share::none);
        share.until = now + SECOND;
        if let Some(left) = granted.and_then(|granted| granted.checked_sub(1)) {
            (share.left, share.told) = (left, None);
            return true;
        }
        let goes = granted.is_none();
        share.told = Some((now, goes));
        goes
    }

    fn shares(&self) -> MutexGuard<'_, BTreeMap<Uuid, Share>> {
        self.together.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one of what this node has been granted.
    fn has_left(&self, token: Uuid) -> bool {
        let mut shares = self.shares();
        let has = |share: &&mut Share| share.left > 0 && share.until > Instant::now();
        let share = shares.get_mut(&token).filter(has);
        share.map(|share| share.left -= 1).is_some()
    }
}

impl Share {
    fn none() -> Self {
        Self { left: 0, until: Instant::now(), turn: Arc::default(), told: None }
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
