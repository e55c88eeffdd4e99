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
use crate::model::text::hexadecimal;
use crate::ports::host::{Clock, Random};
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
    kept: Option<Kept>,
}

/// Entries on their way to a database.
struct Kept {
    waiting: Mutex<Waiting>,
    random: Arc<dyn Random>,
    /// Those that are being written, and the name under which that is done once.
    batch: Mutex<Option<(String, Vec<AuditEntry>)>>,
}

#[derive(Default)]
struct Waiting {
    entries: VecDeque<AuditEntry>,
    /// So many found no place.
    lost: usize,
}

impl Audit {
    /// Nothing was done yet; `random` names what goes to a database, if there is one.
    pub(super) fn new(clock: Arc<dyn Clock>, random: Option<Arc<dyn Random>>) -> Self {
        let kept = random.map(|random| Kept {
            waiting: Mutex::default(),
            random,
            batch: Mutex::default(),
        });
        Self { clock, kept }
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
        let Some(kept) = &self.kept else { return };
        let mut waiting = kept.waiting.lock();
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
        if self.kept.is_none() {
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
        let (Some(kept), Some(database)) = (&self.kept, engine.database()) else {
            return Ok(());
        };
        let mut batch = kept.batch.lock();
        while batch.is_some() || kept.take(&mut batch) {
            if let Some((name, entries)) = &*batch {
                database.append_audit(name, entries)?;
            }
            *batch = None;
        }
        let lost = std::mem::take(&mut kept.waiting.lock().lost);
        if lost > 0 {
            tracing::warn!(
                target: "openclaw::gateway",
                "{lost} entries of the audit are only in the log: the database was gone for too long"
            );
        }
        Ok(())
    }
}

impl Kept {
    /// Takes entries that wait, if there are any and they can be named.
    fn take(&self, batch: &mut Option<(String, Vec<AuditEntry>)>) -> bool {
        let mut name = [0; 16];
        if self.random.fill(&mut name).is_err() {
            return false;
        }
        let mut waiting = self.waiting.lock();
        let most = waiting.entries.len().min(BATCH);
        let entries: Vec<_> = waiting.entries.drain(..most).collect();
        *batch = (!entries.is_empty()).then(|| (hexadecimal(&name), entries));
        batch.is_some()
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
