//! Keeps what gateways share in a database true in the memory of this one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::engine::Engine;
use crate::ports::host::Clock;

/// How often it is asked whether the database told of a change.
const HEAR: Duration = Duration::from_millis(100);

/// What a thread that hears is given.
#[derive(Clone)]
pub(super) struct Ears {
    pub(super) engine: Arc<dyn Engine>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) over: Arc<AtomicBool>,
}

impl Ears {
    /// Has `look` called when the database told of a change, and, whether or not it did, after `trust`;
    /// at once again unless the look counts, which it returns. That ends with `over`, on a thread of this
    /// name that nobody waits for.
    ///
    /// # Errors
    /// If there can be no thread.
    pub(super) fn keep(
        self,
        name: &str,
        trust: Duration,
        mut look: impl FnMut(&dyn Engine) -> bool + Send + 'static,
    ) -> std::io::Result<()> {
        let builder = thread::Builder::new().name(name.to_owned());
        let kept = builder.spawn(move || {
            let mut last = None;
            while !self.over.load(Ordering::SeqCst) {
                // Asked first: what changes meanwhile is looked for once more.
                let heard = self.engine.database().and_then(|it| it.revision().ok());
                let moment = self.clock.monotonic();
                let is_known = last.is_some_and(|(revision, at)| {
                    revision == heard && moment.saturating_sub(at) < trust
                });
                if !is_known {
                    last = look(&*self.engine).then_some((heard, moment));
                }
                self.clock.sleep(HEAR);
            }
        });
        kept.map(|_| ())
    }
}
