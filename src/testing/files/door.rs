//! The port itself: every operation in its steps.

use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::draft::Draft;
use super::fault::Step;
use super::pieces::MemoryPieces;
use super::{MemoryFiles, Node, State, check_parent, follow, make_dirs, write};
use crate::model::time::Timestamp;
use crate::ports::files::{
    FileError, FileLock, Files, Pieces, Prepared, Replaced, Reservation, Sharing, Stat, Untrusted,
};
use crate::testing::quirk::Quirk;

struct MemoryLock {
    files: MemoryFiles,
    path: PathBuf,
    process: u32,
}

impl FileLock for MemoryLock {
    fn note(&mut self, text: &str) {
        let mut state = self.files.state();
        if state.is_down(Step::Write) {
            state.has_failed = true;
            return;
        }
        let bytes = text.as_bytes().to_vec();
        write(&mut state, &self.path, Some(bytes), 0o600);
    }

    fn share(&mut self) -> Result<(), FileError> {
        let mut state = self.files.state();
        if !state.has(&Quirk::LocksCannotBeShared) {
            state.locks.insert(self.path.clone(), 1);
        }
        Ok(())
    }

    fn remove(self: Box<Self>) -> Result<(), FileError> {
        self.files.remove(&self.path)
    }
}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        let mut state = self.files.state();
        // The locks of a process that has died are gone already.
        if state.process == self.process {
            let count = state.locks.entry(self.path.clone()).or_default();
            *count = if *count < 0 { 0 } else { *count - 1 };
        }
        self.files.shared.1.notify_all();
    }
}

/// A file with room behind what it begins with.
struct Slot<'a> {
    files: &'a MemoryFiles,
    path: PathBuf,
}

impl Slot<'_> {
    fn put(&self, bytes: &[u8]) {
        let mut state = self.files.state();
        if let Some(node) = state.nodes.get_mut(&self.path) {
            node.bytes.get_or_insert_default().extend_from_slice(bytes);
        }
    }
}

impl Prepared for Slot<'_> {
    fn append(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        let (first, second) = bytes.split_at(bytes.len() / 2);
        let step = |what| {
            let step = self
                .files
                .change(Step::Overwrite, "write", &self.path, |_| Ok(()));
            step.map(|()| self.put(what))
        };
        step(first)?;
        step(second)?;
        self.files
            .change(Step::Overwrite, "write", &self.path, |_| Ok(()))
    }
}

fn take(state: &mut State, path: &Path, sharing: Sharing) -> bool {
    let sharing = match sharing {
        _ if state.has(&Quirk::LocksExcludeNobody) => Sharing::Shared,
        _ if state.has(&Quirk::LocksCannotBeShared) => Sharing::Exclusive,
        sharing => sharing,
    };
    let count = state.locks.entry(path.into()).or_default();
    match sharing {
        Sharing::Exclusive if *count == 0 => *count = -1,
        Sharing::Shared if *count >= 0 => *count += 1,
        _ => return false,
    }
    true
}

impl MemoryFiles {
    fn create(&self, path: &Path, bytes: Option<&[u8]>, mode: u32) -> Result<(), FileError> {
        let step = match bytes {
            Some(_) => Step::Create,
            None => Step::MakeDir,
        };
        self.change(step, "create", path, |state| {
            check_parent(state, path)?;
            if state.nodes.contains_key(path) {
                return Err(Errno::EXIST);
            }
            write(state, path, bytes.map(<[u8]>::to_vec), mode);
            Ok(())
        })
    }
}

impl MemoryFiles {
    fn content(&self, path: &Path) -> Result<Option<Vec<u8>>, FileError> {
        self.change(Step::Read, "read", path, |state| {
            let node = state.nodes.get(&follow(state, path));
            let bytes = node.and_then(|node| node.bytes.clone());
            Ok(match bytes {
                Some(_) if path.ends_with("renamed") && state.has(&Quirk::RenameLeavesAGap) => None,
                Some(bytes) if path.ends_with("renamed") && state.has(&Quirk::RenameTears) => {
                    Some(bytes[1..].to_vec())
                }
                bytes => bytes,
            })
        })
    }
}

impl Files for MemoryFiles {
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, FileError> {
        let bytes = self.content(path)?;
        self.note_read(bytes.as_ref().map_or(0, Vec::len));
        Ok(bytes)
    }

    fn check_settings(&self, path: &Path) -> Result<(), FileError> {
        if !self.has(&Quirk::OpenToOthers) {
            return Ok(());
        }
        let (at, mode) = (path.to_owned(), 0o777);
        Err(FileError {
            operation: "read",
            path: path.to_owned(),
            source: Untrusted::Writable { at, mode }.into(),
        })
    }

    fn open(&self, path: &Path) -> Result<Option<Box<dyn Pieces>>, FileError> {
        let bytes = self.content(path)?;
        Ok(bytes.map(|bytes| Box::new(MemoryPieces::new(self, bytes)) as Box<dyn Pieces>))
    }

    fn stat(&self, path: &Path) -> Result<Option<Stat>, FileError> {
        self.change(Step::Stat, "inspect", path, |state| {
            Ok(state.nodes.get(&follow(state, path)).map(|node| Stat {
                is_dir: node.bytes.is_none(),
                is_file: node.bytes.is_some(),
                mode: state.mode_of(node),
                modified: node.modified,
                identity: (1, node.inode),
                size: node.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64),
                links: 1,
            }))
        })
    }

    fn list(&self, directory: &Path) -> Result<Vec<String>, FileError> {
        self.change(Step::List, "list", directory, |state| {
            let inside = state.nodes.keys().filter(|p| p.parent() == Some(directory));
            Ok(inside
                .filter_map(|p| Some(p.file_name()?.to_string_lossy().into_owned()))
                .collect())
        })
    }

    fn resolve(&self, path: &Path) -> Result<PathBuf, FileError> {
        self.change(Step::Resolve, "resolve", path, |state| {
            Ok(follow(state, path))
        })
    }

    fn create_dirs(&self, path: &Path) -> Result<(), FileError> {
        // What exists is not made again, whatever the disk.
        if self.state().nodes.contains_key(path) {
            return Ok(());
        }
        self.change(Step::MakeDir, "create", path, |state| {
            make_dirs(state, path);
            Ok(())
        })
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), FileError> {
        Draft::create(self, path)?.put(bytes)
    }

    fn replace_over(
        &self,
        path: &Path,
        seen: Option<&[u8]>,
        bytes: &[u8],
    ) -> Result<Replaced, FileError> {
        Draft::create(self, path)?.put_over(seen, bytes)
    }

    fn reserve(&self, path: &Path, _size: u64) -> Result<Box<dyn Reservation + '_>, FileError> {
        let mut draft = Draft::create(self, path)?;
        self.change(Step::Write, "reserve", &draft.target, |_| Ok(()))?;
        draft.is_reserved = true;
        Ok(Box::new(draft))
    }

    fn prepare(
        &self,
        path: &Path,
        head: &[u8],
        _room: u64,
    ) -> Result<Box<dyn Prepared + '_>, FileError> {
        self.create(path, Some(&[]), 0o600)?;
        let slot = Slot {
            files: self,
            path: path.into(),
        };
        let filled = self
            .change(Step::Write, "reserve", path, |_| Ok(()))
            .map(|()| slot.put(head))
            .and_then(|()| self.change(Step::Sync, "reserve", path, |_| Ok(())));
        match filled {
            Ok(()) => Ok(Box::new(slot)),
            Err(error) => {
                drop(self.remove(path));
                Err(error)
            }
        }
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> Result<(), FileError> {
        let is_new = !self.state().nodes.contains_key(path);
        if is_new {
            self.create(path, Some(&[]), 0o600)?;
        }
        let mut end = Slot {
            files: self,
            path: path.into(),
        };
        end.append(bytes)?;
        match is_new {
            true => self.change(Step::SyncDirectory, "write", path, |_| Ok(())),
            false => Ok(()),
        }
    }

    fn create_new(&self, path: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError> {
        if self.has(&Quirk::CreatesTwice) {
            return self.replace(path, bytes);
        }
        self.create(path, Some(bytes), mode)
    }

    fn create_dir_new(&self, path: &Path) -> Result<(), FileError> {
        self.create(path, None, 0o755)
    }

    fn touch(&self, path: &Path, time: Timestamp) -> Result<(), FileError> {
        self.change(Step::Touch, "touch", path, |state| {
            if !state.has(&Quirk::NoTimes) {
                state.nodes.get_mut(path).ok_or(Errno::NOENT)?.modified = time;
            }
            Ok(())
        })
    }

    fn move_dir(&self, from: &Path, to: &Path) -> Result<(), FileError> {
        self.rename(from, to)
    }

    fn remove_tree(&self, path: &Path) -> Result<(), FileError> {
        self.change(Step::Remove, "remove", path, |state| {
            state.nodes.retain(|other, _| !other.starts_with(path));
            Ok(())
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), FileError> {
        self.change(Step::Rename, "rename", from, |state| {
            let node = state.nodes.remove(from).ok_or(Errno::NOENT)?;
            let is_dir = |node: &Node| node.bytes.is_none();
            if state.nodes.get(to).is_some_and(is_dir) && !is_dir(&node) {
                state.nodes.insert(from.into(), node);
                return Err(Errno::ISDIR);
            }
            state.nodes.insert(to.into(), node);
            Ok(())
        })
    }

    fn rename_new(&self, from: &Path, to: &Path) -> Result<(), FileError> {
        self.change(Step::Rename, "rename", from, |state| {
            if state.nodes.contains_key(to) {
                return Err(Errno::EXIST);
            }
            let node = state.nodes.remove(from).ok_or(Errno::NOENT)?;
            state.nodes.insert(to.into(), node);
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> Result<(), FileError> {
        self.change(Step::Remove, "remove", path, |state| {
            state.nodes.remove(path);
            Ok(())
        })
    }

    fn set_mode(&self, path: &Path, mode: u32) -> Result<(), FileError> {
        self.change(Step::Mode, "set permissions of", path, |state| {
            let path = follow(state, path);
            state.nodes.get_mut(&path).ok_or(Errno::NOENT)?.mode = mode;
            Ok(())
        })
    }

    fn try_lock(
        &self,
        path: &Path,
        sharing: Sharing,
    ) -> Result<Option<Box<dyn FileLock>>, FileError> {
        let taken = self.change(Step::Lock, "lock", path, |state| {
            if state.has(&Quirk::NoLocks) {
                return Err(Errno::OPNOTSUPP);
            }
            let process = state.process;
            Ok(take(state, path, sharing).then_some(process))
        })?;
        Ok(taken.map(|process| {
            Box::new(MemoryLock {
                files: self.clone(),
                path: path.into(),
                process,
            }) as Box<dyn FileLock>
        }))
    }

    fn await_lock(&self, path: &Path) -> Result<(), FileError> {
        self.change(Step::Lock, "lock", path, |_| Ok(()))?;
        let mut state = self.state();
        while state.locks.get(path).is_some_and(|count| *count < 0) {
            self.shared.1.wait(&mut state);
        }
        Ok(())
    }

    fn process_lives(&self, pid: u32) -> bool {
        !self.state().dead.contains(&pid)
    }
}
