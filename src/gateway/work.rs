//! Use cases for requests: they block, so they have threads of their own, and no more of them wait
//! than can be served while their clients do.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::engine::Engine;
use super::problem::Problem;
use crate::app::context::Context;
use crate::model::id::{AgentId, ProviderId};

/// Use cases at once that may wait for a provider.
const REMOTE: usize = 16;
/// And of one provider: one that hangs must not hold up the others.
const OF_ONE: usize = 6;
/// Use cases at once that look at this machine alone, such as who a key belongs to.
const LOCAL: usize = 8;
/// Threads that run use cases.
pub(super) const THREADS: usize = REMOTE + LOCAL;
/// How many more may wait for one.
const QUEUE: usize = 256;
/// The most providers that are told apart.
const MOST: usize = 256;
/// When to come again if there is no place.
const RETRY: Duration = Duration::from_secs(1);

/// The threads, and the ports that use cases run with.
pub(super) struct Workers {
    engine: Arc<dyn Engine>,
    /// All that run or wait.
    places: Arc<Semaphore>,
    remote: Arc<Semaphore>,
    local: Arc<Semaphore>,
    by_provider: Mutex<HashMap<ProviderId, Arc<Semaphore>>>,
}

impl Workers {
    pub(super) fn new(engine: Arc<dyn Engine>) -> Self {
        Self {
            engine,
            places: Arc::new(Semaphore::new(THREADS + QUEUE)),
            remote: Arc::new(Semaphore::new(REMOTE)),
            local: Arc::new(Semaphore::new(LOCAL)),
            by_provider: Mutex::default(),
        }
    }

    pub(super) fn engine(&self) -> &Arc<dyn Engine> {
        &self.engine
    }

    /// Runs a use case that may ask a provider. It goes on to its end if its client goes away: a refresh
    /// may be on the wire.
    ///
    /// # Errors
    /// 503 if too many are waiting.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        provider: &ProviderId,
        work: impl FnOnce(Context<'_>, &AgentId) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let of_one = {
            let mut by_provider = self.by_provider.lock();
            if by_provider.len() > MOST {
                by_provider.retain(|_, places| places.available_permits() < OF_ONE);
            }
            let new = || Arc::new(Semaphore::new(OF_ONE));
            Arc::clone(by_provider.entry(provider.clone()).or_insert_with(new))
        };
        self.run(&[&of_one, &self.remote], work).await
    }

    /// Runs a use case that looks at this machine alone.
    ///
    /// # Errors
    /// 503 if too many are waiting.
    pub(super) async fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce(Context<'_>, &AgentId) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        self.run(&[&self.local], work).await
    }

    async fn run<T: Send + 'static>(
        &self,
        turns: &[&Arc<Semaphore>],
        work: impl FnOnce(Context<'_>, &AgentId) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return Err(Problem::busy(RETRY));
        };
        let mut held = vec![Ok(place)];
        for turn in turns {
            held.push(Arc::clone(turn).acquire_owned().await);
        }
        let engine = Arc::clone(&self.engine);
        let done = tokio::task::spawn_blocking(move || {
            // By the work itself, which outlives a client that goes away.
            let _held = held;
            engine.run(work)
        });
        // The only way to no result is a panic, and a process that panics ends.
        done.await
            .ok()
            .flatten()
            .ok_or_else(|| Problem::busy(RETRY))
    }
}
