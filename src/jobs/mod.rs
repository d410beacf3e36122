//! Floor 4: the lanes, run by apalis over our own tables: what falls due, messages, housekeeping.
//! Must never hold work of its own: a turn says only that there is some, and the database knows
//! what; a lane that misses a wake-up finds it at its next look.

mod lane;
mod turns;

use std::future::Future;
use std::time::Duration;

use apalis::layers::WorkerBuilderExt;
use apalis::prelude::{Data, Monitor, WorkerBuilder};
use apalis_core::worker::ext::parallelize::ParallelizeExt;

use crate::engine::Engine;
use crate::store::StoreError;
use lane::Lane;
use turns::{Turn, Turns};

/// How long a stopping node waits for what its lanes have in hand.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(20);

/// Runs all lanes until the signal; what they have in hand is finished.
///
/// # Errors
/// A lane ended for good; the service must not go on without it.
pub async fn run(engine: Engine, stop: impl Future<Output = ()> + Send) -> Result<(), String> {
    let mut monitor = Monitor::new().shutdown_timeout(SHUTDOWN_TIMEOUT);
    for lane in Lane::ALL {
        let engine = engine.clone();
        monitor = monitor.register(move |_restarts| {
            WorkerBuilder::new(lane.name())
                .backend(Turns::new(lane, engine.clone()))
                .data(engine.clone())
                .catch_panic()
                .parallelize(tokio::spawn)
                .build(work)
        });
    }
    let monitor = monitor.should_restart(|worker, error| {
        tracing::error!(worker = worker.name(), %error, "a lane failed and starts again");
        true
    });
    let signal = async {
        stop.await;
        Ok(())
    };
    monitor.run_with_signal(signal).await.map_err(|error| error.to_string())
}

/// One turn: a batch of the lane's work. Its end lets the next one begin.
async fn work(turn: Turn, engine: Data<Engine>) -> Result<(), StoreError> {
    let done = turn.lane.work(&engine).await;
    if let Err(error) = &done {
        tracing::warn!(lane = turn.lane.name(), store.error = %error, "a turn failed; it comes again");
    }
    done
}
