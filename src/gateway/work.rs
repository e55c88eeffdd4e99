//! Use cases for requests: they block, so they have threads of their own, and no more of them wait
//! than can be served while their clients do.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::engine::Engine;
use super::problem::Problem;
use crate::app::context::Context;
use crate::model::id::AgentId;

/// Threads that run use cases.
pub(super) const THREADS: usize = 16;
/// How many more may wait for one.
const QUEUE: usize = 256;
/// When to come again if there is no place.
const RETRY: Duration = Duration::from_secs(1);

/// The threads, and the ports that use cases run with.
#[derive(Clone)]
pub(super) struct Workers {
    engine: Arc<dyn Engine>,
    places: Arc<Semaphore>,
}

impl Workers {
    pub(super) fn new(engine: Arc<dyn Engine>) -> Self {
        Self {
            engine,
            places: Arc::new(Semaphore::new(THREADS + QUEUE)),
        }
    }

    pub(super) fn engine(&self) -> &Arc<dyn Engine> {
        &self.engine
    }

    /// Runs a use case. It goes on to its end if its client goes away: a refresh may be on the wire.
    ///
    /// # Errors
    /// 503 if too many are waiting.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(Context<'_>, &AgentId) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return Err(Problem::busy(RETRY));
        };
        let engine = Arc::clone(&self.engine);
        let done = tokio::task::spawn_blocking(move || {
            let _place = place;
            engine.run(work)
        });
        // The only way to no result is a panic, and a process that panics ends.
        done.await
            .ok()
            .flatten()
            .ok_or_else(|| Problem::busy(RETRY))
    }
}
