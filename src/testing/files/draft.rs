//! A replace in its steps.

use std::io::Error;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::fault::Step;
use super::{MemoryFiles, check_parent, write};
use crate::ports::files::{Displaced, FileError, Files, InPlace, Replaced, Reservation};
use crate::ports::swap;

/// A temp file that becomes `target`, or goes when dropped.
pub(super) struct Draft<'a> {
    files: &'a MemoryFiles,
    pub(super) target: PathBuf,
    temp: PathBuf,
    pub(super) is_reserved: bool,
    /// What lies under the name of the temp file is another program's.
    is_settled: bool,
}

impl<'a> Draft<'a> {
    pub(super) fn create(files: &'a MemoryFiles, path: &Path) -> Result<Self, FileError> {
        let target = files.resolve(path)?;
        let temp = files.change(Step::Create, "write", &target, |state| {
            check_parent(state, &target)?;
            let prefix = temp_prefix(&target).ok_or(Errno::ISDIR)?;
            let (process, inode) = (state.process, state.inodes);
            let temp = target.with_file_name(format!("{prefix}{process}.{inode:08x}.tmp"));
            write(state, &temp, Some(Vec::new()), 0o600);
            Ok(temp)
        })?;
        Ok(Self {
            files,
            target,
            temp,
            is_reserved: false,
            is_settled: false,
        })
    }

    fn fill_temp(&self, bytes: &[u8]) -> Result<(), FileError> {
        let step = match self.is_reserved {
            true => Step::Overwrite,
            false => Step::Write,
        };
        let (files, target) = (self.files, &self.target);
        // Who fails or dies in the middle of it has written half.
        let half = bytes.len() / 2;
        write(
            &mut files.state(),
            &self.temp,
            Some(bytes[..half].to_vec()),
            0o600,
        );
        files.change(step, "write", target, |state| {
            write(state, &self.temp, Some(bytes.to_vec()), 0o600);
            Ok(())
        })?;
        let sync = match self.is_reserved {
            true => Step::Overwrite,
            false => Step::Sync,
        };
        files.change(sync, "write", target, |_| Ok(()))
    }

    /// Makes `bytes` the content of the target.
    pub(super) fn put(&self, bytes: &[u8]) -> Result<(), FileError> {
        self.fill_temp(bytes)?;
        let (files, target) = (self.files, &self.target);
        files.change(Step::Rename, "write", target, |state| {
            let node = state.nodes.remove(&self.temp).ok_or(Errno::NOENT)?;
            state.nodes.insert(target.clone(), node);
            Ok(())
        })?;
        self.sync()?;
        self.sweep();
        Ok(())
    }

    /// Makes `bytes` the content of the target in the place of what was `seen` there.
    pub(super) fn put_over(
        mut self,
        seen: Option<&[u8]>,
        bytes: &[u8],
    ) -> Result<Replaced, FileError> {
        self.fill_temp(bytes)?;
        let (files, target) = (self.files, self.target.clone());
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let inode = files.state().inodes;
        let swap = swap::name(&name, seen, bytes, u32::try_from(inode).unwrap_or_default());
        let swap = target.with_file_name(swap);
        files.change(Step::Rename, "write", &target, |state| {
            let node = state.nodes.remove(&self.temp).ok_or(Errno::NOENT)?;
            state.nodes.insert(swap.clone(), node);
            Ok(())
        })?;
        self.temp = swap.clone();
        let is_exchanged = files.change(Step::Rename, "write", &target, |state| {
            let new = state.nodes.remove(&swap).ok_or(Errno::NOENT)?;
            let old = state.nodes.insert(target.clone(), new);
            let is_exchanged = old.is_some();
            state.nodes.extend(old.map(|old| (swap.clone(), old)));
            Ok(is_exchanged)
        })?;
        self.is_settled = true;
        self.sync()?;
        self.sweep();
        if !is_exchanged {
            return Ok(Replaced::Done);
        }
        match files.read(&swap) {
            Ok(Some(bytes)) if Some(bytes.as_slice()) != seen => {
                Ok(Replaced::Displaced(Displaced { path: swap, bytes }))
            }
            Ok(_) => {
                drop(files.remove(&swap));
                Ok(Replaced::Done)
            }
            Err(_) => Ok(Replaced::Done),
        }
    }

    fn sync(&self) -> Result<(), FileError> {
        let synced = self
            .files
            .change(Step::SyncDirectory, "write", &self.target, |_| Ok(()));
        synced.map_err(|error| FileError {
            source: Error::other(InPlace(error.source)),
            ..error
        })
    }

    /// Removes the temp files of processes that have died.
    fn sweep(&self) {
        let Some(prefix) = temp_prefix(&self.target) else {
            return;
        };
        let mut state = self.files.state();
        if state.is_down(Step::Remove) {
            return;
        }
        let own = format!("{prefix}{}.", state.process);
        state.nodes.retain(|path, _| {
            let name = path.file_name().and_then(|name| name.to_str());
            let is_left = name.is_some_and(|name| {
                name.starts_with(&prefix) && name.ends_with(".tmp") && !name.starts_with(&own)
            });
            !is_left || path.parent() != self.target.parent()
        });
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if !self.is_settled && self.files.state().nodes.contains_key(&self.temp) {
            drop(self.files.remove(&self.temp));
        }
    }
}

impl Reservation for Draft<'_> {
    fn fill(self: Box<Self>, bytes: &[u8]) -> Result<(), FileError> {
        self.put(bytes)
    }

    fn fill_over(
        self: Box<Self>,
        seen: Option<&[u8]>,
        bytes: &[u8],
    ) -> Result<Replaced, FileError> {
        self.put_over(seen, bytes)
    }
}

fn temp_prefix(target: &Path) -> Option<String> {
    Some(format!(".{}.", target.file_name()?.to_str()?))
}
