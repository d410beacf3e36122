//! Commands that arrive while a commit runs share the next one; nobody waits for a batch to fill.
//! Must never keep more waiting than it says, nor lose one without an answer.

use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};
use tracing::Instrument;

use super::request::{Outcome, Submitted, Work};
use super::{Declined, Inner};

/// Commands in one commit: more would make those in front wait for those behind.
const BATCH_MAX: usize = 512;

/// Commands that wait until something has settled. Each is a request that somebody waits for; at a
/// midnight there may be many.
const SETTLING_MAX: usize = 4_096;

/// Works off the queue until nobody can submit any more.
pub(super) async fn run(
    inner: Arc<Inner>,
    again: mpsc::WeakSender<Submitted>,
    mut queue: mpsc::Receiver<Submitted>,
) {
    let settling = Arc::new(Semaphore::new(SETTLING_MAX));
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while queue.recv_many(&mut batch, BATCH_MAX).await > 0 {
        let span = tracing::info_span!("batch", requests = batch.len());
        let (works, waiting): (Vec<_>, Vec<_>) = batch
            .drain(..)
            .map(|one| {
                span.follows_from(one.span.id());
                (Work::new(one.request), (one.running, one.answer, one.span))
            })
            .unzip();
        #[expect(clippy::cast_precision_loss, reason = "a few hundred requests")]
        metrics::histogram!("duban_commands_coalesced").record(works.len() as f64);
        let outcomes = inner.carry_out(works, Vec::new()).instrument(span).await;
        for (outcome, (running, answer, span)) in outcomes.into_iter().zip(waiting) {
            metrics::counter!("duban_commands_total", "outcome" => outcome.word()).increment(1);
            let answered = match outcome {
                // The key is free before anybody hears of the outcome.
                Outcome::Done(done) => {
                    drop(running);
                    answer.send(Ok(*done))
                }
                Outcome::Declined(declined) => {
                    drop(running);
                    answer.send(Err(declined))
                }
                Outcome::Wait(until, request) => {
                    let Ok(place) = Arc::clone(&settling).try_acquire_owned() else {
                        drop(running);
                        let _ = answer.send(Err(Declined::Busy));
                        continue;
                    };
                    let (clock, again) = (inner.clock.clone(), again.clone());
                    let submitted = Submitted { request: *request, running, answer, span };
                    tokio::spawn(async move {
                        clock.sleep_until(until).await;
                        drop(place);
                        let refused = match again.upgrade() {
                            Some(queue) => queue.send(submitted).await.err().map(|error| error.0),
                            None => Some(submitted),
                        };
                        // Nobody submits any more: nothing has come of it.
                        if let Some(submitted) = refused {
                            let _ = submitted.answer.send(Err(Declined::Stopping));
                        }
                    });
                    continue;
                }
            };
            // Whoever asked may have gone away; what is done is done.
            let _ = answered;
        }
    }
}
