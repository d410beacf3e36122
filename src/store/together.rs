//! Look-ups that come while others are under way share the next: one statement instead of one for
//! each of a burst. Must never answer with what was read before somebody asked.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, oneshot};

use super::StoreError;

/// Look-ups at once: where one gets no answer, others still do.
const AT_ONCE: usize = 2;

/// Keys of one look-up.
const KEYS_MAX: usize = 256;

/// Look-ups of values by key.
#[derive(Debug)]
pub(super) struct Together<K, V> {
    waiting: Mutex<Vec<Waiting<K, V>>>,
    turns: Semaphore,
}

type Looked<K, V> = Result<BTreeMap<K, V>, StoreError>;
type Found<V> = Result<Option<V>, StoreError>;
type Waiting<K, V> = (K, oneshot::Sender<Found<V>>);

impl<K, V> Default for Together<K, V> {
    fn default() -> Self {
        Self { waiting: Mutex::default(), turns: Semaphore::new(AT_ONCE) }
    }
}

impl<K: Copy + Ord, V: Clone> Together<K, V> {
    /// The value of a key, as it is after this was asked. `look` finds those of many keys.
    pub(super) async fn ask<Look: Future<Output = Looked<K, V>>>(
        &self,
        key: K,
        look: impl Fn(BTreeSet<K>) -> Look,
    ) -> Found<V> {
        loop {
            let (answer, mut answered) = oneshot::channel();
            self.waiting().push((key, answer));
            let heard = loop {
                let turn = tokio::select! {
                    biased;
                    heard = &mut answered => break heard,
                    turn = self.turns.acquire() => turn,
                };
                if !self.look_up(&look).await {
                    // Another look-up has it in hand.
                    drop(turn);
                    break answered.await;
                }
            };
            // Whoever looked may have gone away: then it is asked anew.
            if let Ok(found) = heard {
                return found;
            }
        }
    }

    /// Looks up what is next, for all who wait; false if nobody does.
    async fn look_up<Look: Future<Output = Looked<K, V>>>(
        &self,
        look: &impl Fn(BTreeSet<K>) -> Look,
    ) -> bool {
        let asked = self.next();
        if asked.is_empty() {
            return false;
        }
        let found = look(asked.iter().map(|(key, _)| *key).collect()).await;
        for (key, answer) in asked {
            let its = found.as_ref().map(|all| all.get(&key).cloned());
            // Who has gone away needs none.
            let _ = answer.send(its.map_err(Clone::clone));
        }
        true
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting<K, V>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those that are next.
    fn next(&self) -> Vec<Waiting<K, V>> {
        let mut waiting = self.waiting();
        waiting.retain(|(_, answer)| !answer.is_closed());
        let count = waiting.len().min(KEYS_MAX);
        waiting.drain(..count).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    fn squares(keys: BTreeSet<u64>) -> BTreeMap<u64, u64> {
        keys.into_iter().filter(|key| key % 7 > 0).map(|key| (key, key * key)).collect()
    }

    #[tokio::test]
    async fn a_burst_is_looked_up_at_once_and_everybody_hears_his_own() {
        let (together, looks) = (Together::default(), AtomicUsize::new(0));
        let look = async |keys| {
            looks.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(5)).await;
            Ok(squares(keys))
        };
        let asks = (0..1_000_u64).map(|key| together.ask(key % 100, look));
        let found = futures::future::join_all(asks).await;
        for (key, found) in (0..1_000_u64).map(|key| key % 100).zip(found) {
            assert_eq!(found, Ok((key % 7 > 0).then_some(key * key)));
        }
        assert!(looks.into_inner() <= 6);
    }

    /// A revoked token counts no more for whoever comes after that, however many are under way.
    #[tokio::test]
    async fn nobody_is_told_what_was_read_before_he_asked() {
        let (together, now) = (Together::default(), AtomicUsize::new(0));
        let look = async |keys: BTreeSet<u64>| {
            let read = now.load(Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(5)).await;
            Ok(keys.into_iter().map(|key| (key, read)).collect())
        };
        let asks = (0..200_u64).map(|nr| {
            let (together, now) = (&together, &now);
            async move {
                tokio::time::sleep(Duration::from_millis(nr)).await;
                let asked = now.fetch_add(1, Ordering::Relaxed) + 1;
                let found = together.ask(1, look).await.expect("an answer").expect("a value");
                assert!(found >= asked, "{found} was read before {asked}");
            }
        });
        futures::future::join_all(asks).await;
    }

    #[tokio::test]
    async fn whoever_looks_may_go_away_and_an_error_is_everybodys() {
        let together = Arc::new(Together::<u64, u64>::default());
        let never = async |_| std::future::pending().await;
        let ask = |key| {
            let together = Arc::clone(&together);
            tokio::spawn(async move { together.ask(key, never).await })
        };
        let gone: Vec<_> = (0..4).map(ask).collect();
        tokio::time::sleep(Duration::from_millis(1)).await;
        let mut others = Vec::new();
        for key in 1..20 {
            let together = Arc::clone(&together);
            let look = async |keys| Ok(squares(keys));
            others.push(tokio::spawn(async move { (key, together.ask(key, look).await) }));
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        gone.iter().for_each(tokio::task::JoinHandle::abort);
        for other in others {
            let (key, found) = other.await.expect("it ends");
            assert_eq!(found, Ok((key % 7 > 0).then_some(key * key)));
        }
        let fails = async |_| Err(StoreError::Busy);
        let asks = (0..9).map(|key| together.ask(key, fails));
        for found in futures::future::join_all(asks).await {
            assert_eq!(found, Err(StoreError::Busy));
        }
    }
}
