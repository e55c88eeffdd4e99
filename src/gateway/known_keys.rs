//! The keys that are accepted, as they are kept: read again while the gateway runs.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::engine::Engine;
use super::hear::Ears;
use super::problem::Problem;
use super::work::Workers;
use crate::model::access_key::{AccessKey, AccessKeys, BearerDigest};
use crate::ports::host::Clock;
use crate::ports::store::StoreError;

/// How long a key is accepted without another look at the file.
const LOOK: Duration = Duration::from_millis(250);
/// How long keys in a database are accepted without another look, whether or not it told of any.
const TRUST: Duration = Duration::from_secs(3);

/// The keys, as they were read last.
pub(super) struct KnownKeys {
    known: Mutex<Known>,
    /// Whether they are in a database. It tells of changes, so no request waits for it; and while it cannot
    /// be asked, those that are known stay good, as tokens do that were handed out before.
    is_shared: bool,
}

#[derive(Default)]
struct Known {
    keys: AccessKeys,
    /// By the monotonic clock.
    read_at: Option<Duration>,
    /// Why they could not be read.
    fault: Option<String>,
    /// What was said of them last, which is said once.
    told: Option<String>,
    /// Reads are counted as they begin: one that began earlier must not undo what a later one found.
    begun: u64,
    learnt: u64,
}

impl KnownKeys {
    /// None yet, of a file or of a database.
    pub(super) fn new(is_shared: bool) -> Self {
        Self {
            known: Mutex::default(),
            is_shared,
        }
    }

    /// The key of a bearer, if it is accepted. One that is known is confirmed by the file, lest it
    /// outlive its revocation. One that is not may be that of a key which was made just now: for it the
    /// keys are read each time, or, without `reads_for_unknown`, never.
    ///
    /// # Errors
    /// 503 if too many are waiting, or the database that has the keys cannot be asked.
    pub(super) async fn find(
        &self,
        bearer: &BearerDigest,
        clock: &dyn Clock,
        workers: &Workers,
        reads_for_unknown: bool,
    ) -> Result<Option<AccessKey>, Problem> {
        let (now, moment) = (clock.now(), clock.monotonic());
        let turn = {
            let mut known = self.known.lock();
            let age = known.read_at.map(|at| moment.saturating_sub(at));
            let is_stale = !self.is_shared && age.is_none_or(|age| age > LOOK);
            match known.keys.find(bearer, now).cloned() {
                Some(key) if !is_stale => return Ok(Some(key)),
                None if !reads_for_unknown => return Ok(None),
                // Whoever comes now need not look as well.
                _ => known.read_at = Some(moment),
            }
            known.begin()
        };
        let read = workers.look(|cx, _| cx.access_keys.access_keys()).await?;
        self.learn(turn, read);
        let known = self.known.lock();
        match (known.keys.find(bearer, clock.now()), &known.fault) {
            // Whoever has a good key must not be told that it is wrong.
            (None, Some(fault)) if self.is_shared => Err(Problem::unavailable(fault.clone())),
            (key, _) => Ok(key.cloned()),
        }
    }

    /// Reads them, and returns whether they could be read.
    pub(super) fn read(&self, engine: &dyn Engine) -> bool {
        let turn = self.known.lock().begin();
        let read = engine.run(|cx, _| cx.access_keys.access_keys());
        read.is_some_and(|read| self.learn(turn, read))
    }

    /// Keeps those of a database true.
    ///
    /// # Errors
    /// If there can be no thread.
    pub(super) fn keep(self: &Arc<Self>, ears: Ears) -> std::io::Result<()> {
        let keys = Arc::clone(self);
        ears.keep("keys", TRUST, move |engine| keys.read(engine))
    }

    /// Takes what was read; whether that are keys. Where a file is damaged, or somebody else's, no key is
    /// accepted: which of those that were known is revoked in it cannot be told.
    fn learn(&self, turn: u64, read: Result<AccessKeys, StoreError>) -> bool {
        let mut known = self.known.lock();
        let is_read = read.is_ok();
        if turn <= known.learnt {
            return is_read;
        }
        known.learnt = turn;
        known.fault = read.as_ref().err().map(ToString::to_string);
        let (keys, told) = match (read, self.is_shared) {
            (Ok(keys), _) => {
                let told = (!keys.faults.is_empty()).then(|| keys.faults.join("; "));
                (Some(keys), told)
            }
            (Err(error), true) => {
                let so = "keys that are known stay accepted until it can be asked";
                (None, Some(format!("{error}; {so}")))
            }
            (Err(error), false) => {
                let so = "no key is accepted, only the gateway's own token";
                (Some(AccessKeys::default()), Some(format!("{error}; {so}")))
            }
        };
        known.keys = keys.unwrap_or_else(|| std::mem::take(&mut known.keys));
        if let Some(told) = told
            .as_ref()
            .filter(|told| known.told.as_ref() != Some(told))
        {
            tracing::warn!(target: "openclaw::gateway", "{told}");
        }
        known.told = told;
        is_read
    }
}

impl Known {
    fn begin(&mut self) -> u64 {
        self.begun += 1;
        self.begun
    }
}
