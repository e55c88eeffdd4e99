//! Records of grants that are spent: many in a file, so that neither the number of files nor the
//! cost of a refresh grows with the number of refreshes.
//!
//! `spent/<first two digits of the grant>`, a record a line, the newest last: a new one is added at
//! the end, which takes one sync, until the file is cut back. By them a
//! copy of a login that comes back from a backup is known, and is not sent. Decision 25 says how
//! many are kept, and why by number and not by age.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::time::Duration;

use crate::model::grant::{GrantDigest, GrantRecord};
use crate::ports::files::FileError;
use crate::ports::store::StoreError;

use super::io::{FileStore, Io};
use super::record;

/// So many of a file are kept, whatever still refers to them.
const KEPT: usize = 64;

/// A file is cut back once it holds so many more: what refers to its records is asked for then, and
/// seldom.
const SLACK: usize = 16;

/// So long a file is waited for. Whoever has it adds a line, and seldom more: after this it is stopped,
/// and the record of a grant stays in a file of its own.
const TURN: Duration = Duration::from_secs(1);

/// The record of a grant, if it is among them.
pub(super) fn find(cx: &FileStore, grant: &GrantDigest) -> Result<Option<GrantRecord>, FileError> {
    let bytes = cx.io.files.read(&cx.paths.spent(grant))?;
    let bytes = bytes.unwrap_or_default();
    let name = grant.as_str().as_bytes();
    let mut lines = bytes.rsplit(|byte| *byte == b'\n');
    Ok(lines.find_map(|line| {
        // A line names its successor, too; and only one of them is worth understanding.
        let is_named = line.windows(name.len()).any(|window| window == name);
        let record = is_named.then(|| record::parse(line)).flatten();
        record.filter(|record| record.grant == *grant)
    }))
}

/// Adds records durably. `referenced` tells which grants must not be forgotten; `None` if that
/// cannot be found out, and then none is.
pub(super) fn add(
    cx: &FileStore,
    records: &[GrantRecord],
    referenced: &dyn Fn() -> Option<HashSet<GrantDigest>>,
) -> Result<(), StoreError> {
    let FileStore { io, paths, .. } = cx;
    let mut by_file: BTreeMap<_, Vec<&GrantRecord>> = BTreeMap::new();
    for record in records {
        let file = by_file.entry(paths.spent(&record.grant)).or_default();
        file.push(record);
    }
    io.files.create_dirs(&paths.all_spent())?;
    for (path, new) in by_file {
        // A signal must not keep a grant that is spent from being known as such.
        let lock = io.lock(&paths.spent_lock(&path), &cx.commit_wait(TURN))?;
        add_to(io, &path, &new, referenced)?;
        // Its file is only in the way.
        let _ = lock.remove();
    }
    Ok(())
}

/// Adds records to a file, and cuts it back if it has become too long.
fn add_to(
    io: &Io,
    path: &Path,
    new: &[&GrantRecord],
    referenced: &dyn Fn() -> Option<HashSet<GrantDigest>>,
) -> Result<(), FileError> {
    let bytes = io.files.read(path)?.unwrap_or_default();
    let lines = bytes.split(|byte| *byte == b'\n');
    let lines = lines.filter(|line| !line.is_empty()).count();
    if lines + new.len() <= KEPT + SLACK {
        return io.files.append(path, &added(&bytes, new));
    }
    let old = bytes.split(|byte| *byte == b'\n').filter_map(record::parse);
    let is_new = |old: &GrantRecord| new.iter().any(|new| new.grant == old.grant);
    let mut all: Vec<GrantRecord> = old.filter(|old| !is_new(old)).collect();
    all.extend(new.iter().copied().cloned());
    if all.len() > KEPT + SLACK {
        cut_back(&mut all, referenced);
    }
    let lines: Vec<_> = all.iter().map(record::line).collect();
    io.files.replace_relaxed(path, &lines.concat())
}

/// What is to stand behind `before`, which a crash may have ended in the middle of a line.
fn added(before: &[u8], new: &[&GrantRecord]) -> Vec<u8> {
    let is_torn = before.last().is_some_and(|last| *last != b'\n');
    let end = is_torn.then(|| b"\n".to_vec());
    let lines = new.iter().map(|record| record::line(record));
    end.into_iter().chain(lines).collect::<Vec<_>>().concat()
}

/// Drops the oldest that nothing refers to. Those that something does count as new from now on, so
/// that they are not asked about again at once.
fn cut_back(all: &mut Vec<GrantRecord>, referenced: &dyn Fn() -> Option<HashSet<GrantDigest>>) {
    let Some(referenced) = referenced() else {
        return;
    };
    let old = all.drain(..all.len() - KEPT);
    let still = old.filter(|record| referenced.contains(&record.grant));
    let still: Vec<GrantRecord> = still.collect();
    all.extend(still);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::grant::{Attempt, RefreshOutcome};
    use crate::model::id::{ProfileId, ProviderId};
    use crate::model::time::Timestamp;
    use crate::store::paths::StorePaths;
    use crate::testing::clock::FakeClock;
    use crate::testing::files::MemoryFiles;

    /// All of them in one file.
    fn record(n: usize) -> GrantRecord {
        let grant = |n: usize| GrantDigest::parse(&format!("ab{n:062x}")).unwrap();
        GrantRecord {
            grant: grant(n),
            provider: ProviderId::parse("openai-codex").unwrap(),
            profile: ProfileId::parse("openai-codex:me").unwrap(),
            binding: None,
            subject: None,
            revocation_endpoint: None,
            proven_at: None,
            attempt: Some(Attempt {
                begun_at: Timestamp(1),
                settled_at: Some(Timestamp(2)),
                outcome: Some(RefreshOutcome::Stored {
                    successor: grant(n + 1),
                }),
                failures: 0,
            }),
            moves: 0,
        }
    }

    fn context(files: &MemoryFiles) -> FileStore {
        let clock = Arc::new(FakeClock::new(Timestamp(3)));
        let store = FileStore::new(Arc::new(files.clone()), clock, StorePaths::below("/s"));
        store.keeping(Arc::new(|| 0))
    }

    #[test]
    fn the_newest_are_kept_and_those_that_something_refers_to() {
        let files = MemoryFiles::new();
        let cx = context(&files);
        let find = |n: usize| find(&cx, &record(n).grant).unwrap();
        let first = || Some(HashSet::from([record(0).grant]));
        for n in 0..1_000 {
            add(&cx, &[record(n)], &first).unwrap();
            let text = files.text(Path::new("/s/locks/oauth-refresh/spent/ab"));
            assert!(text.unwrap().lines().count() <= KEPT + SLACK + 1);
        }
        assert_eq!(find(0), Some(record(0)));
        assert_eq!(find(1), None);
        assert_eq!(find(999), Some(record(999)));
        assert_eq!(find(1_000), None, "it is named as a successor only");
        add(&cx, &[record(999)], &first).unwrap();
        assert_eq!(cx.io.files.list(&cx.paths.all_spent()).unwrap(), ["ab"]);
    }

    #[test]
    fn a_line_that_a_crash_tore_costs_only_itself() {
        let files = MemoryFiles::new();
        let cx = context(&files);
        add(&cx, &[record(1)], &|| None).unwrap();
        let path = Path::new("/s/locks/oauth-refresh/spent/ab");
        files.put(path, &(files.text(path).unwrap() + "{\"schema\":1,\"gr"));
        add(&cx, &[record(2)], &|| None).unwrap();
        for n in [1, 2] {
            assert_eq!(find(&cx, &record(n).grant).unwrap(), Some(record(n)));
        }
    }

    #[test]
    fn nothing_is_forgotten_while_nobody_knows_what_refers_to_it() {
        let files = MemoryFiles::new();
        let cx = context(&files);
        let all: Vec<GrantRecord> = (0..200).map(record).collect();
        add(&cx, &all, &|| None).unwrap();
        assert!(find(&cx, &record(0).grant).unwrap().is_some());
        add(&cx, &[record(200)], &|| Some(HashSet::new())).unwrap();
        assert!(find(&cx, &record(0).grant).unwrap().is_none());
    }
}
