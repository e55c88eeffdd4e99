//! A file system in memory that can fail any operation.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::model::time::Timestamp;
use crate::ports::files::{FileError, FileLock, Files, Prepared, Reservation, Sharing, Stat};

#[derive(Clone)]
struct Node {
    bytes: Option<Vec<u8>>,
    mode: u32,
    modified: Timestamp,
    inode: u64,
}

#[derive(Default)]
struct State {
    nodes: BTreeMap<PathBuf, Node>,
    links: BTreeMap<PathBuf, PathBuf>,
    /// Holders: -1 for exclusive, else the number of shared ones.
    locks: BTreeMap<PathBuf, i32>,
    inodes: u64,
    operations: usize,
    fail_at: Option<usize>,
    dead: Vec<u32>,
    now: i64,
}

/// Files in memory. Clones share their content.
#[derive(Clone, Default)]
pub struct MemoryFiles {
    shared: Arc<(Mutex<State>, Condvar)>,
}

impl MemoryFiles {
    /// Nothing but what is put in.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The `n`-th changing operation from now (counted from 1) fails once.
    pub fn fail_nth(&self, n: usize) {
        let mut state = self.state();
        state.operations = 0;
        state.fail_at = Some(n);
    }

    /// Whether the failure that was ordered has happened; takes the order back.
    pub fn has_failed(&self) -> bool {
        let mut state = self.state();
        let at = state.fail_at.take();
        at.is_some_and(|at| state.operations >= at)
    }

    /// Puts a file, its parents included.
    pub fn put(&self, path: &Path, text: &str) {
        let mut state = self.state();
        if let Some(parent) = path.parent() {
            make_dirs(&mut state, parent);
        }
        write(&mut state, path, Some(text.as_bytes().to_vec()), 0o600);
    }

    /// Makes `link` a symlink to `target`.
    pub fn link(&self, link: &Path, target: &Path) {
        self.state().links.insert(link.into(), target.into());
    }

    /// Sets the time that new content is stamped with.
    pub fn set_now(&self, now: Timestamp) {
        self.state().now = now.0;
    }

    /// Lets a process be dead.
    pub fn kill(&self, pid: u32) {
        self.state().dead.push(pid);
    }

    /// The text of a file, a symlink followed.
    pub fn text(&self, path: &Path) -> Option<String> {
        let state = self.state();
        let bytes = state.nodes.get(&follow(&state, path))?.bytes.clone()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn change<T>(
        &self,
        operation: &'static str,
        path: &Path,
        act: impl FnOnce(&mut State) -> Result<T, ErrorKind>,
    ) -> Result<T, FileError> {
        let mut state = self.state();
        state.operations += 1;
        let result = if state.fail_at == Some(state.operations) {
            Err(ErrorKind::StorageFull)
        } else {
            act(&mut state)
        };
        result.map_err(|kind| FileError {
            operation,
            path: path.into(),
            source: Error::from(kind),
        })
    }
}

fn follow(state: &State, path: &Path) -> PathBuf {
    state
        .links
        .get(path)
        .cloned()
        .unwrap_or_else(|| path.into())
}

fn write(state: &mut State, path: &Path, bytes: Option<Vec<u8>>, mode: u32) {
    state.inodes += 1;
    let node = Node {
        bytes,
        mode,
        modified: Timestamp(state.now),
        inode: state.inodes,
    };
    let path = follow(state, path);
    state.nodes.insert(path, node);
}

fn make_dirs(state: &mut State, path: &Path) {
    for directory in path.ancestors() {
        if !state.nodes.contains_key(directory) {
            write(state, directory, None, 0o700);
        }
    }
}

fn check_parent(state: &State, path: &Path) -> Result<(), ErrorKind> {
    let path = follow(state, path);
    let is_there = path.parent().is_some_and(|p| state.nodes.contains_key(p));
    if is_there {
        Ok(())
    } else {
        Err(ErrorKind::NotFound)
    }
}

struct MemoryLock {
    files: MemoryFiles,
    path: PathBuf,
}

impl FileLock for MemoryLock {
    fn note(&mut self, text: &str) {
        let mut state = self.files.state();
        write(
            &mut state,
            &self.path,
            Some(text.as_bytes().to_vec()),
            0o600,
        );
    }
}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        let mut state = self.files.state();
        let count = state.locks.entry(self.path.clone()).or_default();
        *count = if *count < 0 { 0 } else { *count - 1 };
        self.files.shared.1.notify_all();
    }
}

struct MemoryReservation<'a> {
    files: &'a MemoryFiles,
    path: PathBuf,
}

impl Reservation for MemoryReservation<'_> {
    fn fill(self: Box<Self>, bytes: &[u8]) -> Result<(), FileError> {
        self.files.replace(&self.path, bytes)
    }
}

struct MemoryPrepared<'a> {
    files: &'a MemoryFiles,
    path: PathBuf,
}

impl Prepared for MemoryPrepared<'_> {
    fn append(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.files.change("write", &self.path, |state| {
            let node = state.nodes.get_mut(&self.path).ok_or(ErrorKind::NotFound)?;
            node.bytes.get_or_insert_default().extend_from_slice(bytes);
            Ok(())
        })
    }
}

fn take(state: &mut State, path: &Path, sharing: Sharing) -> bool {
    let count = state.locks.entry(path.into()).or_default();
    match sharing {
        Sharing::Exclusive if *count == 0 => *count = -1,
        Sharing::Shared if *count >= 0 => *count += 1,
        _ => return false,
    }
    true
}

impl Files for MemoryFiles {
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, FileError> {
        let state = self.state();
        Ok(state
            .nodes
            .get(&follow(&state, path))
            .and_then(|n| n.bytes.clone()))
    }

    fn stat(&self, path: &Path) -> Result<Option<Stat>, FileError> {
        let state = self.state();
        Ok(state.nodes.get(&follow(&state, path)).map(|node| Stat {
            is_dir: node.bytes.is_none(),
            mode: node.mode,
            modified: node.modified,
            identity: (1, node.inode),
            size: node.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64),
        }))
    }

    fn list(&self, directory: &Path) -> Result<Vec<String>, FileError> {
        let state = self.state();
        let inside = state.nodes.keys().filter(|p| p.parent() == Some(directory));
        Ok(inside
            .filter_map(|p| Some(p.file_name()?.to_string_lossy().into_owned()))
            .collect())
    }

    fn resolve(&self, path: &Path) -> Result<PathBuf, FileError> {
        Ok(follow(&self.state(), path))
    }

    fn create_dirs(&self, path: &Path) -> Result<(), FileError> {
        self.change("create", path, |state| {
            make_dirs(state, path);
            Ok(())
        })
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), FileError> {
        self.change("write", path, |state| {
            check_parent(state, path)?;
            write(state, path, Some(bytes.to_vec()), 0o600);
            Ok(())
        })
    }

    fn reserve(&self, path: &Path, _size: u64) -> Result<Box<dyn Reservation + '_>, FileError> {
        self.change("reserve", path, |state| check_parent(state, path))?;
        Ok(Box::new(MemoryReservation {
            files: self,
            path: path.into(),
        }))
    }

    fn prepare(
        &self,
        path: &Path,
        head: &[u8],
        _room: u64,
    ) -> Result<Box<dyn Prepared + '_>, FileError> {
        self.create_new(path, head, 0o600)?;
        Ok(Box::new(MemoryPrepared {
            files: self,
            path: path.into(),
        }))
    }

    fn create_new(&self, path: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError> {
        self.change("create", path, |state| {
            check_parent(state, path)?;
            if state.nodes.contains_key(path) {
                return Err(ErrorKind::AlreadyExists);
            }
            write(state, path, Some(bytes.to_vec()), mode);
            Ok(())
        })
    }

    fn create_dir_new(&self, path: &Path) -> Result<(), FileError> {
        self.change("create", path, |state| {
            check_parent(state, path)?;
            if state.nodes.contains_key(path) {
                return Err(ErrorKind::AlreadyExists);
            }
            write(state, path, None, 0o755);
            Ok(())
        })
    }

    fn touch(&self, path: &Path, time: Timestamp) -> Result<(), FileError> {
        self.change("touch", path, |state| {
            let node = state.nodes.get_mut(path).ok_or(ErrorKind::NotFound)?;
            node.modified = time;
            Ok(())
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), FileError> {
        self.change("rename", from, |state| {
            let node = state.nodes.remove(from).ok_or(ErrorKind::NotFound)?;
            state.nodes.insert(to.into(), node);
            Ok(())
        })
    }

    fn rename_new(&self, from: &Path, to: &Path) -> Result<(), FileError> {
        self.change("rename", from, |state| {
            if state.nodes.contains_key(to) {
                return Err(ErrorKind::AlreadyExists);
            }
            let node = state.nodes.remove(from).ok_or(ErrorKind::NotFound)?;
            state.nodes.insert(to.into(), node);
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> Result<(), FileError> {
        self.change("remove", path, |state| {
            state.nodes.remove(path);
            Ok(())
        })
    }

    fn set_mode(&self, path: &Path, mode: u32) -> Result<(), FileError> {
        self.change("chmod", path, |state| {
            let path = follow(state, path);
            state.nodes.get_mut(&path).ok_or(ErrorKind::NotFound)?.mode = mode;
            Ok(())
        })
    }

    fn try_lock(
        &self,
        path: &Path,
        sharing: Sharing,
    ) -> Result<Option<Box<dyn FileLock>>, FileError> {
        let is_taken = self.change("lock", path, |state| Ok(take(state, path, sharing)))?;
        Ok(is_taken.then(|| {
            Box::new(MemoryLock {
                files: self.clone(),
                path: path.into(),
            }) as Box<dyn FileLock>
        }))
    }

    fn lock(&self, path: &Path, sharing: Sharing) -> Result<Box<dyn FileLock>, FileError> {
        let mut state = self.state();
        while !take(&mut state, path, sharing) {
            let waited = self.shared.1.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
        Ok(Box::new(MemoryLock {
            files: self.clone(),
            path: path.into(),
        }))
    }

    fn process_lives(&self, pid: u32) -> bool {
        !self.state().dead.contains(&pid)
    }
}
