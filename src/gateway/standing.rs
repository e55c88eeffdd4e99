//! How the database stands, sampled on a thread of its own: a probe asks nobody, and a server that does
//! not answer holds nothing else up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;

use crate::ports::database::{Database, Standing, Tables};
use crate::ports::host::Clock;

/// How long it rests between two samples.
const REST: Duration = Duration::from_secs(2);
/// How often it looks whether the gateway ends.
const LOOK: Duration = Duration::from_millis(100);
/// A sample this old is none: the server does not answer.
const STALE: Duration = Duration::from_secs(10);

/// What is known of the database.
pub(super) struct Samples {
    database: Arc<dyn Database>,
    clock: Arc<dyn Clock>,
    /// The last one, and when it was taken by the monotonic clock; `None` if it could not be reached.
    last: Mutex<(Option<Standing>, Duration)>,
}

impl Samples {
    /// With what is known now.
    pub(super) fn new(database: Arc<dyn Database>, clock: Arc<dyn Clock>) -> Self {
        let samples = Self {
            database,
            clock,
            last: Mutex::default(),
        };
        samples.sample();
        samples
    }

    /// The last sample; `None` if the database cannot be reached.
    pub(super) fn current(&self) -> Option<Standing> {
        let (standing, at) = *self.last.lock();
        let age = self.clock.monotonic().saturating_sub(at);
        standing.filter(|_| age < STALE)
    }

    /// Keeps it true until `over`, on a thread that nobody waits for: it changes nothing.
    ///
    /// # Errors
    /// If there can be no thread.
    pub(super) fn keep(self: &Arc<Self>, over: Arc<AtomicBool>) -> std::io::Result<()> {
        let samples = Arc::clone(self);
        let builder = thread::Builder::new().name("database".to_owned());
        let kept = builder.spawn(move || {
            while !over.load(Ordering::SeqCst) {
                let end = samples.clock.monotonic() + REST;
                while samples.clock.monotonic() < end && !over.load(Ordering::SeqCst) {
                    samples.clock.sleep(LOOK);
                }
                samples.sample();
            }
        });
        kept.map(|_| ())
    }

    fn sample(&self) {
        let found = self.database.standing();
        let was_there = self.last.lock().0.is_some();
        match &found {
            Err(error) if was_there => {
                tracing::warn!(target: "openclaw::gateway", "{error}");
            }
            Ok(_) if !was_there => {
                let at = self.database.shown();
                tracing::info!(target: "openclaw::gateway", "{at} can be reached");
            }
            _ => {}
        }
        *self.last.lock() = (found.ok(), self.clock.monotonic());
    }
}

/// The state of the tables as one word; `ok` if they can be used.
pub(super) fn tables(standing: Option<Standing>) -> &'static str {
    match standing.map(|standing| standing.tables) {
        None => "unknown",
        Some(Tables::Ready) => "ok",
        Some(Tables::Missing) => "missing",
        Some(Tables::Behind(_)) => "behind",
        Some(Tables::Ahead) => "ahead",
    }
}

/// Whether the tenant can be seen, as one word.
pub(super) fn tenant(standing: Option<Standing>) -> &'static str {
    match standing.map(|standing| standing.has_tenant) {
        None => "unknown",
        Some(true) => "ok",
        Some(false) => "unseen",
    }
}

/// The state of the key as one word; `ok` if nothing speaks against it.
pub(super) fn key(standing: Option<Standing>) -> &'static str {
    match standing {
        None => "unknown",
        Some(Standing {
            is_key_right: Some(false),
            ..
        }) => "wrong",
        Some(_) => "ok",
    }
}
