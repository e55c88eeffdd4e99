//! A file system in memory that can fail any step of any operation, and in which a process can
//! die.
//!
//! A replace has the steps of the real one: a temp file in the same directory, its content, a
//! rename, a sync of the directory. So what is there after a death is what a real one would leave.

mod door;
mod draft;
mod fault;
mod pieces;

use std::collections::BTreeMap;
use std::io::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Condvar, Mutex, MutexGuard};
use rustix::io::Errno;

use crate::model::time::Timestamp;
use crate::ports::files::FileError;

pub use fault::Fault;
use fault::Step;

use super::quirk::Quirk;

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
    /// Which process this is: temp files of those before it are nobody's.
    process: u32,
    steps: usize,
    fault: Option<(usize, Fault)>,
    has_failed: bool,
    dead: Vec<u32>,
    quirks: Vec<Quirk>,
    now: i64,
    largest_read: usize,
    bytes_read: usize,
    /// When another program writes, and what.
    intruder: Option<(usize, Intruder)>,
}

/// What another program makes of the files, which takes no lock.
type Intruder = Box<dyn FnOnce(&mut Tree<'_>) + Send>;

/// The files as another program finds them.
pub struct Tree<'a>(&'a mut State);

impl Tree<'_> {
    /// The text of a file.
    pub fn text(&self, path: &Path) -> Option<String> {
        let bytes = self.0.nodes.get(&follow(self.0, path))?.bytes.clone()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Replaces a file by rename.
    pub fn put(&mut self, path: &Path, text: &str) {
        write(self.0, path, Some(text.as_bytes().to_vec()), 0o600);
    }
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
        self.shared.0.lock()
    }

    /// The `n`-th step from now (counted from 1) fails once: no space is left.
    pub fn fail_nth(&self, n: usize) {
        self.fail(n, Fault::Once(Errno::NOSPC));
    }

    /// With the `n`-th step from now (counted from 1) this fault begins.
    pub fn fail(&self, n: usize, fault: Fault) {
        let mut state = self.state();
        state.steps = 0;
        state.has_failed = false;
        state.fault = Some((n, fault));
    }

    /// Right before the `n`-th step from now (counted from 1) another program writes.
    pub fn intrude(&self, n: usize, write: impl FnOnce(&mut Tree<'_>) + Send + 'static) {
        let mut state = self.state();
        state.steps = 0;
        state.intruder = Some((n, Box::new(write)));
    }

    /// Whether that program has yet to come.
    pub fn is_intruder_waiting(&self) -> bool {
        self.state().intruder.is_some()
    }

    /// How many steps there were since the last order of a fault, or at all.
    pub fn steps(&self) -> usize {
        self.state().steps
    }

    /// Whether a fault that was ordered has struck; takes the order back.
    pub fn has_failed(&self) -> bool {
        let mut state = self.state();
        state.fault = None;
        std::mem::take(&mut state.has_failed)
    }

    /// What was ordered ends, and so does the process: the locks of the kernel go with it, its
    /// temp files and the locks of OpenClaw that it made stay.
    pub fn next_process(&self) {
        let mut state = self.state();
        state.fault = None;
        state.process += 1;
        state.locks.clear();
        self.shared.1.notify_all();
    }

    /// What is wrong with this disk from now on.
    pub fn set_quirks(&self, quirks: &[Quirk]) {
        self.state().quirks = quirks.to_vec();
    }

    pub(super) fn quirks(&self) -> Vec<Quirk> {
        self.state().quirks.clone()
    }

    pub(super) fn has(&self, quirk: &Quirk) -> bool {
        self.state().has(quirk)
    }

    /// The most bytes of a file that were handed out at once.
    pub fn largest_read(&self) -> usize {
        self.state().largest_read
    }

    /// The bytes of files that were handed out so far.
    pub fn bytes_read(&self) -> usize {
        self.state().bytes_read
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

    /// Every file, by path.
    pub fn all(&self) -> Vec<(PathBuf, String)> {
        let state = self.state();
        let files = state.nodes.iter();
        let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
        files
            .filter_map(|(path, node)| Some((path.clone(), node.bytes.as_ref().map(text)?)))
            .collect()
    }

    fn change<T>(
        &self,
        step: Step,
        operation: &'static str,
        path: &Path,
        act: impl FnOnce(&mut State) -> Result<T, Errno>,
    ) -> Result<T, FileError> {
        let mut state = self.state();
        let struck = state.strike(step);
        state.let_in();
        let result = match struck {
            Some(errno) => Err(errno),
            None => act(&mut state),
        };
        result.map_err(|errno| FileError {
            operation,
            path: path.into(),
            source: Error::from(errno),
        })
    }
}

impl State {
    fn has(&self, quirk: &Quirk) -> bool {
        self.quirks.contains(quirk)
    }

    fn mode_of(&self, node: &Node) -> u32 {
        let is_dir = node.bytes.is_none();
        let quirk = self.quirks.iter().find_map(|quirk| match quirk {
            Quirk::WideModes if !is_dir => Some(0o777),
            Quirk::Mode(mode) if is_dir => Some(*mode),
            _ => None,
        });
        quirk.unwrap_or(node.mode)
    }

    /// Counts a step; the error that it ends with, if it is to fail.
    fn strike(&mut self, step: Step) -> Option<Errno> {
        self.steps += 1;
        let (first, fault) = self.fault?;
        let struck = fault.strikes(step, self.steps, first);
        self.has_failed |= struck.is_some();
        struck
    }

    fn let_in(&mut self) {
        let is_due = |(n, _): &(usize, Intruder)| *n <= self.steps;
        if self.intruder.as_ref().is_some_and(is_due)
            && let Some((_, write)) = self.intruder.take()
        {
            write(&mut Tree(self));
        }
    }

    /// Whether a step whose failure nobody is told of (a note, a sweep) has no effect. It counts
    /// only where a process may die before it.
    fn is_down(&mut self, step: Step) -> bool {
        match self.fault {
            None | Some((_, Fault::Once(_))) => false,
            Some((_, Fault::Death)) => self.strike(step).is_some(),
            Some((first, fault)) => {
                let has_begun = self.steps >= first;
                has_begun && fault.strikes(step, self.steps, first).is_some()
            }
        }
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

fn check_parent(state: &State, path: &Path) -> Result<(), Errno> {
    let path = follow(state, path);
    let is_there = path.parent().is_some_and(|p| state.nodes.contains_key(p));
    if is_there { Ok(()) } else { Err(Errno::NOENT) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::files::Files;

    fn names(files: &MemoryFiles) -> Vec<String> {
        files.list(Path::new("/d")).unwrap()
    }

    #[test]
    fn a_replace_that_fails_is_none_and_one_that_dies_leaves_its_temp_file() {
        let path = Path::new("/d/a");
        for n in 1..20 {
            let files = MemoryFiles::new();
            files.put(path, "old");
            files.fail(n, Fault::Once(Errno::IO));
            let replaced = files.replace(path, b"new");
            if !files.has_failed() {
                assert_eq!(n, 7);
                return;
            }
            let is_new = files.text(path).unwrap() == "new";
            let is_in_place = replaced.map_or_else(|error| error.is_in_place(), |()| true);
            assert_eq!(is_new, is_in_place, "step {n}");
            assert_eq!(names(&files), ["a"]);

            files.put(path, "old");
            files.fail(n, Fault::Death);
            assert!(files.replace(path, b"new").is_err());
            files.next_process();
            assert!(["old", "new"].contains(&&*files.text(path).unwrap()));
            assert_eq!(names(&files).len() == 2, (3..=5).contains(&n), "step {n}");
            files.replace(path, b"next").unwrap();
            assert_eq!(names(&files), ["a"], "what the dead left is swept");
        }
        panic!("it never ran through");
    }

    #[test]
    fn a_full_disk_still_fills_what_was_reserved() {
        let path = Path::new("/d/a");
        let files = MemoryFiles::new();
        files.put(path, "old");
        let reservation = files.reserve(path, 10).unwrap();
        files.fail(1, Fault::From(Errno::NOSPC));
        reservation.fill(b"new").unwrap();
        assert_eq!(files.text(path).unwrap(), "new");
        assert!(files.replace(path, b"more").is_err());
        assert_eq!(names(&files), ["a"]);
    }
}
