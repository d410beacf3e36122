//! Redis between nodes. Must never hold what is not in the database as well, nor keep anybody
//! waiting: what it does not do at once is left undone.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use duban_core::time::Instant;
use futures::StreamExt;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{AsyncCommands, Client, FromRedisValue, RedisResult, Script};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::time::timeout;
use uuid::Uuid;

use super::Local;
use super::presence::Presence;

/// How often a node says that it is there.
const BEAT: Duration = Duration::from_secs(2);

/// A node that was not heard of for so long is gone, in milliseconds.
const GONE_MS: i64 = 10_000;

/// A listener that hears nobody, not even itself, for so long has lost its connection.
const SILENCE: Duration = Duration::from_secs(7);

/// How long an answer of Redis is waited for; whoever waits for a request waits less.
const ANSWER: Duration = Duration::from_millis(500);
const ANSWER_TO_A_REQUEST: Duration = Duration::from_millis(50);

/// How soon a lost connection is tried again.
const AGAIN: Duration = Duration::from_millis(500);

/// Grants at most as many as are left of this second, by Redis's own clock, for all nodes.
const ALLOWANCE: &str = "\
local key = KEYS[1] .. ':' .. redis.call('TIME')[1]
local left = tonumber(ARGV[2]) - tonumber(redis.call('GET', key) or '0')
local granted = math.min(tonumber(ARGV[1]), left)
if granted <= 0 then return 0 end
redis.call('INCRBY', key, granted)
redis.call('EXPIRE', key, 2)
return granted";

/// An address that is none.
#[derive(Debug, thiserror::Error)]
#[error("Redis 的网址（redis_url）有误：应形如 redis://主机:6379/0 或 rediss://…")]
pub struct BusError;

/// What one node tells the others; what comes together is told together.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct News {
    /// Who tells it; empty while it is gathered.
    #[serde(default)]
    from: Uuid,
    /// Something is due then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) due: Option<i64>,
    /// There are messages.
    #[serde(default)]
    pub(super) messages: bool,
    /// Something was committed.
    #[serde(default)]
    pub(super) committed: bool,
}

/// The connection of one node; clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Bus(Arc<Inner>);

struct Inner {
    client: Client,
    manager: ConnectionManager,
    /// Other houses may use the same Redis.
    house: String,
    presence: Presence,
    local: Local,
    is_up: AtomicBool,
    /// Whether it has ever answered, or not.
    is_known: AtomicBool,
    is_leaving: AtomicBool,
    news: Mutex<News>,
    has_news: Notify,
    allowance: Script,
}

impl std::fmt::Debug for Inner {
    /// Without the address: it may hold a password.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Bus").field("is_up", &self.is_up).finish_non_exhaustive()
    }
}

impl Bus {
    pub(super) fn start(
        url: &str,
        house: &str,
        presence: Presence,
        local: Local,
    ) -> Result<Self, BusError> {
        let client = Client::open(url).map_err(|_| BusError)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(ANSWER))
            .set_response_timeout(Some(ANSWER))
            .set_number_of_retries(1)
            .set_max_delay(AGAIN);
        let manager = client.get_connection_manager_lazy(config).map_err(|_| BusError)?;
        let bus = Self(Arc::new(Inner {
            client,
            manager,
            house: format!("duban:{house}"),
            presence,
            local,
            is_up: AtomicBool::new(false),
            is_known: AtomicBool::new(false),
            is_leaving: AtomicBool::new(false),
            news: Mutex::default(),
            has_news: Notify::new(),
            allowance: Script::new(ALLOWANCE),
        }));
        metrics::gauge!("duban_redis_up").set(0.0);
        tokio::spawn(bus.clone().publish());
        tokio::spawn(bus.clone().listen());
        tokio::spawn(bus.clone().beat());
        Ok(bus)
    }

    pub(super) fn is_up(&self) -> bool {
        self.0.is_up.load(Ordering::Relaxed)
    }

    /// Adds to what the others are told next.
    pub(super) fn tell(&self, add: impl FnOnce(&mut News)) {
        add(&mut self.0.news.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.has_news.notify_one();
    }

    pub(super) async fn nodes(&self) -> Option<Vec<Presence>> {
        let key = self.key("nodes");
        let mut manager = self.0.manager.clone();
        let now = self.time().await?.ms();
        let all: Vec<(String, String)> = self.heard(ANSWER, manager.hgetall(&key)).await?;
        let read = |text: &str| serde_json::from_str::<Presence>(text).ok();
        let (there, gone): (Vec<_>, Vec<_>) = all
            .into_iter()
            .map(|(node, text)| (node, read(&text)))
            .partition(|(_, one)| one.as_ref().is_some_and(|one| now - one.seen_at.ms() < GONE_MS));
        if !gone.is_empty() {
            // One that comes back says so itself.
            let gone: Vec<String> = gone.into_iter().map(|(node, _)| node).collect();
            let _: Option<i64> = self.heard(ANSWER, manager.hdel(&key, gone)).await;
        }
        let mut nodes: Vec<Presence> = there.into_iter().filter_map(|(_, one)| one).collect();
        nodes.sort_by_key(|one| (one.started_at, one.node));
        Some(nodes)
    }

    pub(super) async fn allowance(&self, whose: &str, ask: u32, most: u32) -> Option<u32> {
        if !self.is_up() {
            return None;
        }
        let mut asked = self.0.allowance.prepare_invoke();
        asked.key(self.key(&format!("rate:{whose}"))).arg(ask).arg(most);
        let mut manager = self.0.manager.clone();
        // One answer that is late says little of Redis: its beat tells whether it is there.
        timeout(ANSWER_TO_A_REQUEST, asked.invoke_async(&mut manager)).await.ok()?.ok()
    }

    /// The instant by Redis's own clock, one for all nodes.
    async fn time(&self) -> Option<Instant> {
        let mut manager = self.0.manager.clone();
        let asked = redis::cmd("TIME");
        let (seconds, micros): (i64, i64) =
            self.heard(ANSWER, asked.query_async(&mut manager)).await?;
        Some(Instant::from_ms(seconds.saturating_mul(1_000).saturating_add(micros / 1_000)))
    }

    pub(super) async fn leave(&self) {
        self.0.is_leaving.store(true, Ordering::Relaxed);
        let mut manager = self.0.manager.clone();
        let gone = manager.hdel(self.key("nodes"), self.0.presence.node.to_string());
        let _: Option<i64> = self.heard(ANSWER, gone).await;
    }

    fn key(&self, name: &str) -> String {
        format!("{}:{name}", self.0.house)
    }

    /// An answer, if it comes in time; Redis is down until a beat is answered if it does not.
    async fn heard<T: FromRedisValue>(
        &self,
        within: Duration,
        asked: impl Future<Output = RedisResult<T>>,
    ) -> Option<T> {
        let why = match timeout(within, asked).await {
            Ok(Ok(answer)) => return Some(answer),
            Ok(Err(error)) => error.category().to_owned(),
            Err(_) => "no answer in time".to_owned(),
        };
        // At the start it is not known; later only a change is told.
        let was_up = self.0.is_up.swap(false, Ordering::Relaxed);
        if !self.0.is_known.swap(true, Ordering::Relaxed) || was_up {
            metrics::gauge!("duban_redis_up").set(0.0);
            tracing::warn!(why, "Redis does not answer: nodes find each other's work by looking");
        }
        None
    }

    fn is_there(&self) {
        self.0.is_known.store(true, Ordering::Relaxed);
        if !self.0.is_up.swap(true, Ordering::Relaxed) {
            metrics::gauge!("duban_redis_up").set(1.0);
            tracing::info!("Redis answers");
            // Who knows what was missed.
            self.0.local.look();
        }
    }

    /// Tells the others what there is to tell, all that has come together at once.
    async fn publish(self) {
        loop {
            self.0.has_news.notified().await;
            let mut news =
                std::mem::take(&mut *self.0.news.lock().unwrap_or_else(PoisonError::into_inner));
            if self.is_up() {
                news.from = self.0.presence.node;
                self.send(&news).await;
            }
        }
    }

    async fn send(&self, news: &News) {
        let Ok(text) = serde_json::to_string(news) else { return };
        let mut manager = self.0.manager.clone();
        let _: Option<i64> = self.heard(ANSWER, manager.publish(self.key("news"), text)).await;
    }

    /// Hears what the others tell, for ever.
    async fn listen(self) {
        loop {
            // However it ended: what was told meanwhile was missed.
            let _ = self.hear().await;
            self.0.local.look();
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn hear(&self) -> Option<()> {
        let connected = timeout(ANSWER, self.0.client.get_async_pubsub()).await;
        let mut heard = connected.ok()?.ok()?;
        timeout(ANSWER, heard.subscribe(self.key("news"))).await.ok()?.ok()?;
        let mut heard = heard.into_on_message();
        self.0.local.look();
        loop {
            let told = timeout(SILENCE, heard.next()).await.ok()??;
            let text: String = told.get_payload().ok()?;
            let Ok(news) = serde_json::from_str::<News>(&text) else { continue };
            if news.from == self.0.presence.node {
                continue;
            }
            if let Some(due) = news.due {
                self.0.local.due_at(Instant::from_ms(due));
            }
            if news.messages {
                self.0.local.messages_waiting();
            }
            if news.committed {
                self.0.local.committed();
            }
        }
    }

    /// Says that this node is there; none where Redis does not take it.
    async fn say_here(&self) -> Option<i64> {
        let presence = Presence { seen_at: self.time().await?, ..self.0.presence.clone() };
        let node = presence.node.to_string();
        let text = serde_json::to_string(&presence).unwrap_or_default();
        let mut manager = self.0.manager.clone();
        let said = manager.hset(self.key("nodes"), node, text);
        self.heard(ANSWER, said).await
    }

    /// Says so again and again, and finds out by that whether Redis is there.
    async fn beat(self) {
        while !self.0.is_leaving.load(Ordering::Relaxed) {
            if self.say_here().await.is_some() {
                self.is_there();
                // Even with nothing to tell: a listener that hears nothing at all is cut off.
                self.send(&News { from: self.0.presence.node, ..News::default() }).await;
            }
            tokio::time::sleep(BEAT).await;
        }
    }
}
