//! The backend that apalis takes its tasks from: a turn whenever the lane has something to do, one
//! at a time. Must never end a worker because the database does not answer.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use apalis_core::backend::finalize::Ephemeral;
use apalis_core::backend::{Backend, BackendConfig};
use apalis_core::layers::Identity;
use apalis_core::task::Task;
use apalis_core::task::task_id::RandomId;
use apalis_core::worker::context::WorkerContext;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::lane::Lane;
use crate::engine::Engine;

/// Permission for one batch of a lane's work; the next turn begins when it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) lane: Lane,
    _one_at_a_time: OwnedSemaphorePermit,
}

type Waiting = Pin<Box<dyn Future<Output = Option<Turn>> + Send>>;

/// A lane as apalis sees it.
pub(super) struct Turns {
    lane: Lane,
    engine: Engine,
    turn: Arc<Semaphore>,
    waiting: Option<Waiting>,
}

impl Turns {
    pub(super) fn new(lane: Lane, engine: Engine) -> Self {
        Self { lane, engine, turn: Arc::new(Semaphore::new(1)), waiting: None }
    }

    fn wait(&self) -> Waiting {
        let (lane, engine, turn) = (self.lane, self.engine.clone(), Arc::clone(&self.turn));
        Box::pin(async move {
            let permit = turn.acquire_owned().await.ok()?;
            lane.wait(&engine).await;
            Some(Turn { lane, _one_at_a_time: permit })
        })
    }
}

impl Backend for Turns {
    type Task = Task<Turn>;
    type Error = Infallible;

    fn poll_ready(
        &mut self,
        _cx: &mut Context<'_>,
        _worker: &WorkerContext,
    ) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        _worker: &WorkerContext,
    ) -> Poll<Option<Result<Task<Turn>, Infallible>>> {
        let mut waiting = self.waiting.take().unwrap_or_else(|| self.wait());
        let Poll::Ready(turn) = waiting.as_mut().poll(cx) else {
            self.waiting = Some(waiting);
            return Poll::Pending;
        };
        Poll::Ready(turn.map(|turn| Ok(Task::new(turn))))
    }

    fn poll_close(
        &mut self,
        _cx: &mut Context<'_>,
        _worker: &WorkerContext,
    ) -> Poll<Result<(), Infallible>> {
        // What it waited for is in the database; whoever looks next finds it.
        self.waiting = None;
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for Turns {
    type Args = Turn;
    type Id = RandomId;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = Identity;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _worker: &mut WorkerContext) -> Identity {
        Identity::new()
    }
}
