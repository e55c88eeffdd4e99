//! The keys that are accepted, as the file has them: it is read again while the gateway runs.

use std::time::Duration;

use parking_lot::Mutex;

use super::problem::Problem;
use super::work::Workers;
use crate::app::access::keys;
use crate::app::failure::Failure;
use crate::model::access_key::{AccessKey, AccessKeys, BearerDigest};
use crate::ports::host::Clock;

/// How long a key is accepted without another look at the file.
const LOOK: Duration = Duration::from_millis(250);

/// The keys, as they were read last.
#[derive(Default)]
pub(super) struct KnownKeys(Mutex<Known>);

#[derive(Default)]
struct Known {
    keys: AccessKeys,
    /// By the monotonic clock.
    read_at: Option<Duration>,
    /// Why the file could not be read.
    fault: Option<String>,
}

impl KnownKeys {
    /// The key of a bearer, if it is accepted. One that is known is confirmed by the file, lest it
    /// outlive its revocation. One that is not may be that of a key which was made just now: for it the
    /// file is read each time, or, without `reads_for_unknown`, never.
    ///
    /// # Errors
    /// 503 if too many are waiting.
    pub(super) async fn find(
        &self,
        bearer: &BearerDigest,
        clock: &dyn Clock,
        workers: &Workers,
        reads_for_unknown: bool,
    ) -> Result<Option<AccessKey>, Problem> {
        let (now, moment) = (clock.now(), clock.monotonic());
        {
            let mut known = self.0.lock();
            let is_stale = (known.read_at).is_none_or(|at| moment.saturating_sub(at) > LOOK);
            match known.keys.find(bearer, now).cloned() {
                Some(key) if !is_stale => return Ok(Some(key)),
                None if !reads_for_unknown => return Ok(None),
                // Whoever comes now need not look as well.
                _ => known.read_at = Some(moment),
            }
        }
        let read = workers.look(|cx, _| keys::load(cx.files, &cx.dirs.state));
        self.learn(read.await?);
        Ok(self.0.lock().keys.find(bearer, clock.now()).cloned())
    }

    /// Takes what was read. Where the file is damaged, or somebody else's, no key is accepted: which
    /// of those that were known is revoked in it cannot be told.
    pub(super) fn learn(&self, read: Result<AccessKeys, Failure>) {
        let mut known = self.0.lock();
        let fault = match read {
            Ok(keys) => {
                known.keys = keys;
                None
            }
            Err(failure) => {
                known.keys = AccessKeys::default();
                Some(failure.to_string())
            }
        };
        if let Some(fault) = fault
            .as_ref()
            .filter(|fault| known.fault.as_ref() != Some(fault))
        {
            tracing::warn!(
                target: "openclaw::gateway",
                "{fault}; no key is accepted, only the gateway's own token"
            );
        }
        known.fault = fault;
    }
}
