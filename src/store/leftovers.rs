//! What earlier versions left of grants that are spent: a record and a lock in a file of its own
//! for each. `doctor` tells of them, and removes them when asked to.

use std::path::PathBuf;

use crate::model::grant::{GrantDigest, GrantRecord};
use crate::ports::files::Sharing;
use crate::ports::store::StoreError;

use super::io::FileStore;
use super::record;
use super::references;
use super::saved_answer;
use super::spent;

/// What was found.
pub(super) struct Leftovers {
    /// Records of spent grants, the oldest first.
    records: Vec<GrantRecord>,
    /// Locks of grants that are spent or of which nothing is known.
    locks: Vec<PathBuf>,
}

impl Leftovers {
    pub(super) fn count(&self) -> usize {
        self.records.len() + self.locks.len()
    }
}

/// Looks for them. Takes no lock.
pub(super) fn find(cx: &FileStore) -> Result<Leftovers, StoreError> {
    let FileStore { io, paths, .. } = cx;
    let pending = saved_answer::grants(cx)?;
    let grant_of = |name: &str, suffix: &str| GrantDigest::parse(name.strip_suffix(suffix)?);
    let mut records = Vec::new();
    let mut living = pending.clone();
    for name in io.files.list(&paths.journal())? {
        let Some(grant) = grant_of(&name, ".json") else {
            continue;
        };
        let bytes = io.files.read(&paths.record(&grant))?.unwrap_or_default();
        match record::parse(&bytes) {
            Some(record) if record.successor().is_some() => records.push(record),
            _ => living.push(grant),
        }
    }
    records.retain(|record| !pending.contains(&record.grant));
    records.sort_by_key(|record| record.attempt.as_ref().and_then(|it| it.settled_at));
    living.sort();
    let locks = io.files.list(&paths.grant_locks())?.into_iter();
    let is_needed = |name: &String| match grant_of(name, ".lock") {
        Some(grant) => living.binary_search(&grant).is_ok(),
        None => true,
    };
    let locks = locks.filter(|name| !is_needed(name));
    Ok(Leftovers {
        records,
        locks: locks.map(|name| paths.grant_locks().join(name)).collect(),
    })
}

/// Removes them; what the newest records say is kept with those of this version. Returns how many
/// files went.
pub(super) fn remove(cx: &FileStore) -> Result<usize, StoreError> {
    let FileStore { io, paths, .. } = cx;
    let Leftovers { records, locks } = find(cx)?;
    spent::add(cx, &records, &|| references::all(cx))?;
    let mut removed = records.len();
    for record in records {
        io.files.remove(&paths.record(&record.grant))?;
    }
    for path in locks {
        // Whoever holds one needs it.
        if let Some(lock) = io.files.try_lock(&path, Sharing::Exclusive)? {
            lock.remove()?;
            removed += 1;
        }
    }
    Ok(removed)
}
