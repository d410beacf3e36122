//! The backend that apalis takes its tasks from: a turn whenever the lane has something to do, as
//! many at a time as it may have. Must never end a worker because the database does not answer.

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
    _place: OwnedSemaphorePermit,
}

type Waiting = Pin<Box<dyn Future<Output = Option<Turn>> + Send>>;

/// A lane as apalis sees it.
pub(super) struct Turns {
    lane: Lane,
    engine: Engine,
    turn: Arc<Semaphore>,
    waiting: Option<Waiting>,
    /// Whether it has looked once: what came about while nobody served is found at the start.
    has_looked: bool,
}

impl Turns {
    pub(super) fn new(lane: Lane, engine: Engine) -> Self {
        Self {
            lane,
            engine,
            turn: Arc::new(Semaphore::new(lane.at_once())),
            waiting: None,
            has_looked: false,
        }
    }

    fn wait(&mut self) -> Waiting {
        let (lane, engine, turn) = (self.lane, self.engine.clone(), Arc::clone(&self.turn));
        let is_first = !std::mem::replace(&mut self.has_looked, true);
        Box::pin(async move {
            let permit = turn.acquire_owned().await.ok()?;
            if !is_first {
                lane.wait(&engine).await;
            }
            Some(Turn { lane, _place: permit })
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
        let mut waiting = match self.waiting.take() {
            Some(waiting) => waiting,
            None => self.wait(),
        };
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
