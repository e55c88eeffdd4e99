//! The audit: which key did what, and never a secret. Lines of the log, and rows of a database if one is
//! used. Those are written behind the answers, which wait for none.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::Mutex;

use super::engine::Engine;
use crate::model::audit::AuditEntry;
use crate::model::id::printable;
use crate::ports::host::Clock;
use crate::ports::store::StoreError;

/// The target of the lines.
const AUDIT: &str = "openclaw::gateway::audit";

/// The most entries that wait to be written, and that are written at once.
const MOST: usize = 8_192;
const BATCH: usize = 512;
/// The longest text of an entry, in characters.
const LONGEST: usize = 200;
/// Between two looks for entries, and the pause after one that could not be written.
const REST: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_secs(5);

/// The audit of one gateway.
pub(super) struct Audit {
    clock: Arc<dyn Clock>,
    /// `None` if they are only lines of the log.
    waiting: Option<Mutex<Waiting>>,
}

#[derive(Default)]
struct Waiting {
    entries: VecDeque<AuditEntry>,
    /// So many found no place.
    lost: usize,
}

impl Audit {
    /// Nothing was done yet; `is_kept` if there is a database.
    pub(super) fn new(clock: Arc<dyn Clock>, is_kept: bool) -> Self {
        Self {
            clock,
            waiting: is_kept.then(Mutex::default),
        }
    }

    /// Notes that `key` did something; `describe` says of what.
    pub(super) fn note(
        &self,
        key: &str,
        action: &'static str,
        describe: impl FnOnce(&mut AuditEntry),
    ) {
        let mut entry = AuditEntry::new(self.clock.now(), key, action);
        describe(&mut entry);
        tracing::info!(
            target: AUDIT,
            by = entry.key, agent = entry.agent, provider = entry.provider, profile = entry.profile,
            about = entry.about, outcome = entry.outcome,
            "{action}"
        );
        let Some(waiting) = &self.waiting else { return };
        let mut waiting = waiting.lock();
        match waiting.entries.len() < MOST {
            true => waiting.entries.push_back(cleaned(entry)),
            false => waiting.lost += 1,
        }
    }

    /// Writes entries until `over`, and then the rest, on a thread of its own; none if they are only lines.
    ///
    /// # Errors
    /// If there can be no thread.
    pub(super) fn keep(
        self: &Arc<Self>,
        engine: Arc<dyn Engine>,
        over: Arc<AtomicBool>,
    ) -> std::io::Result<Option<JoinHandle<()>>> {
        if self.waiting.is_none() {
            return Ok(None);
        }
        let audit = Arc::clone(self);
        let builder = thread::Builder::new().name("audit".to_owned());
        let kept = builder.spawn(move || {
            let mut is_told = false;
            while !over.load(Ordering::SeqCst) {
                let written = audit.write(&*engine);
                let rest = written.as_ref().map_or(PAUSE, |()| REST);
                if let Some(error) = written.as_ref().err().filter(|_| !is_told) {
                    tracing::warn!(target: "openclaw::gateway", "the audit waits: {error}");
                }
                is_told = written.is_err();
                let end = audit.clock.monotonic() + rest;
                while audit.clock.monotonic() < end && !over.load(Ordering::SeqCst) {
                    audit.clock.sleep(REST / 5);
                }
            }
            if let Err(error) = audit.write(&*engine) {
                tracing::warn!(
                    target: "openclaw::gateway",
                    "the end of the audit is only in the log: {error}"
                );
            }
        });
        kept.map(Some)
    }

    /// Writes what waits. What could not be written waits on.
    fn write(&self, engine: &dyn Engine) -> Result<(), StoreError> {
        let (Some(waiting), Some(database)) = (&self.waiting, engine.database()) else {
            return Ok(());
        };
        loop {
            let batch: Vec<AuditEntry> =
                waiting.lock().entries.iter().take(BATCH).cloned().collect();
            if batch.is_empty() {
                break;
            }
            database.append_audit(&batch)?;
            waiting.lock().entries.drain(..batch.len());
        }
        let lost = std::mem::take(&mut waiting.lock().lost);
        if lost > 0 {
            tracing::warn!(
                target: "openclaw::gateway",
                "{lost} entries of the audit are only in the log: the database was gone for too long"
            );
        }
        Ok(())
    }
}

/// The names of a store may hold anything, and a database refuses some of it.
fn cleaned(entry: AuditEntry) -> AuditEntry {
    let clean = |text: Option<String>| text.map(|text| printable(&text, LONGEST));
    AuditEntry {
        agent: clean(entry.agent),
        provider: clean(entry.provider),
        profile: clean(entry.profile),
        about: clean(entry.about),
        ..entry
    }
}
