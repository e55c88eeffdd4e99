//! The real file system.
#![expect(
    clippy::disallowed_methods,
    reason = "this file implements the file system's port"
)]

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps};
use rustix::io::Errno;
use rustix::process::{Pid, Resource};

use super::atomic_write::Draft;
use super::exchange;
use super::fs_error::{failed, if_there, resolve};
use super::pieces::{Opened, open};
use super::preallocated::Slot;
use super::whole_file::{content, read, read_any, read_pipe, read_private};
use super::{append, file_trust, lock, lock_holder, move_dir, owner_support, ownership, publish};
use crate::model::time::Timestamp;
use crate::ports::dialog::Dialog;
use crate::ports::files::{
    FileError, FileLock, Files, Judged, LockQueue, Pieces, Prepared, Replaced, Reservation,
    Sharing, Stat, Untrusted,
};

/// Tells once which state directory this process works in: where root works for a user, it accepts
/// that user's files and stays among them.
pub fn work_in(state: &Path) {
    file_trust::work_in(state);
}

/// Tells once whom to warn where a file system cannot tell whose a file is.
pub fn warn(dialog: &Arc<dyn Dialog>) {
    owner_support::warn(dialog);
}

/// The file system of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemFiles;

impl Files for SystemFiles {
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, FileError> {
        if_there(read(path)).map_err(failed("read", path))
    }

    fn read_judged(&self, path: &Path) -> Result<Option<Judged>, FileError> {
        let read = || {
            let (file, data) = open(path)?;
            file_trust::check_settings(path, &data, Some(&file))?;
            Ok(Judged {
                bytes: content(file, &data)?,
                is_anothers: ownership::is_root() && data.uid() != 0,
            })
        };
        if_there(read()).map_err(failed("read", path))
    }

    fn check_settings(&self, path: &Path) -> Result<(), FileError> {
        let check = || match if_there(fs::metadata(path))? {
            Some(data) => file_trust::check_settings(path, &data, None),
            None => Ok(()),
        };
        check().map_err(failed("read", path))
    }

    fn check_directory(&self, path: &Path) -> Result<(), FileError> {
        let check = || match if_there(fs::metadata(path))? {
            Some(data) => file_trust::check_directory(path, &data),
            None => Ok(()),
        };
        check().map_err(failed("read", path))
    }

    fn open(&self, path: &Path) -> Result<Option<Box<dyn Pieces>>, FileError> {
        let opened = if_there(Opened::open(path)).map_err(failed("read", path))?;
        Ok(opened.map(|opened| Box::new(opened) as Box<dyn Pieces>))
    }

    fn read_input(&self, path: &Path) -> Result<Option<Vec<u8>>, FileError> {
        let kind = fs::metadata(path).map(|data| data.file_type());
        let is_pipe = kind.is_ok_and(|kind| kind.is_fifo());
        let read = if is_pipe { read_pipe } else { read_any };
        if_there(read(path)).map_err(failed("read", path))
    }

    fn read_private(&self, path: &Path, longest: u64) -> Result<Option<Vec<u8>>, FileError> {
        if_there(read_private(path, longest)).map_err(failed("read", path))
    }

    fn read_key(&self, path: &Path) -> Result<Option<Vec<u8>>, FileError> {
        let read = || {
            let (file, data) = open(path)?;
            file_trust::check_settings(path, &data, Some(&file))?;
            file_trust::check_key(path, &data)?;
            content(file, &data)
        };
        if_there(read()).map_err(failed("read", path))
    }

    fn stat(&self, path: &Path) -> Result<Option<Stat>, FileError> {
        let found = if_there(fs::metadata(path)).map_err(failed("inspect", path))?;
        Ok(found.map(|data| Stat {
            is_dir: data.is_dir(),
            is_file: data.is_file(),
            mode: data.mode() & 0o777,
            modified: Timestamp(
                data.mtime()
                    .saturating_mul(1_000)
                    .saturating_add(data.mtime_nsec() / 1_000_000),
            ),
            identity: (data.dev(), data.ino()),
            size: data.len(),
            links: data.nlink(),
        }))
    }

    /// Leaves out names that are not Unicode: this program makes none.
    fn list(&self, directory: &Path) -> Result<Vec<String>, FileError> {
        let names = || -> io::Result<Vec<String>> {
            let Some(entries) = if_there(fs::read_dir(directory))? else {
                return Ok(Vec::new());
            };
            let mut names = Vec::new();
            for entry in entries {
                names.extend(entry?.file_name().into_string().ok());
            }
            names.sort();
            Ok(names)
        };
        names().map_err(failed("list", directory))
    }

    fn resolve(&self, path: &Path) -> Result<PathBuf, FileError> {
        resolve(path)
    }

    fn create_dirs(&self, path: &Path) -> Result<(), FileError> {
        ownership::create_dirs(path).map_err(|error| {
            let is_there = error
                .get_ref()
                .is_some_and(<dyn std::error::Error + Send + Sync>::is::<Untrusted>);
            let operation = if is_there {
                "write to"
            } else {
                "create directory"
            };
            failed(operation, path)(error)
        })
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), FileError> {
        Draft::create(path)?.commit(bytes)
    }

    fn replace_over(
        &self,
        path: &Path,
        seen: Option<&[u8]>,
        bytes: &[u8],
    ) -> Result<Replaced, FileError> {
        exchange::commit_over(Draft::create(path)?, seen, bytes)
    }

    fn reserve(&self, path: &Path, size: u64) -> Result<Box<dyn Reservation + '_>, FileError> {
        let mut draft = Draft::create(path)?;
        draft.allocate(size)?;
        Ok(Box::new(draft))
    }

    fn prepare(
        &self,
        path: &Path,
        head: &[u8],
        room: u64,
    ) -> Result<Box<dyn Prepared + '_>, FileError> {
        Ok(Box::new(Slot::create(path, head, room)?))
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> Result<(), FileError> {
        append::append(path, bytes).map_err(failed("write", path))
    }

    fn create_new(&self, path: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(path)
            .map_err(failed("create", path))?;
        ownership::like_parent(&file, path);
        file.write_all(bytes).map_err(|error| {
            // Half a file would look like somebody else's whole one.
            let _ = fs::remove_file(path);
            failed("create", path)(error)
        })
    }

    fn create_dir_new(&self, path: &Path) -> Result<(), FileError> {
        fs::create_dir(path).map_err(failed("create directory", path))?;
        ownership::directory_like_parent(path);
        Ok(())
    }

    fn touch(&self, path: &Path, time: Timestamp) -> Result<(), FileError> {
        let time = Timespec {
            tv_sec: time.0.div_euclid(1_000),
            tv_nsec: time.0.rem_euclid(1_000) * 1_000_000,
        };
        let times = Timestamps {
            last_access: time,
            last_modification: time,
        };
        rustix::fs::utimensat(CWD, path, &times, AtFlags::empty())
            .map_err(|errno| failed("touch", path)(errno.into()))
    }

    fn move_dir(&self, from: &Path, to: &Path) -> Result<(), FileError> {
        move_dir::move_dir(from, to)
    }

    fn remove_tree(&self, path: &Path) -> Result<(), FileError> {
        if_there(fs::remove_dir_all(path))
            .map(drop)
            .map_err(failed("remove", path))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), FileError> {
        fs::rename(from, to).map_err(failed("rename", from))
    }

    fn rename_new(&self, from: &Path, to: &Path) -> Result<(), FileError> {
        publish::rename_new(from, to).map_err(failed("rename", from))
    }

    fn publish(&self, from: &Path, to: &Path) -> Result<(), FileError> {
        publish::publish(from, to).map_err(failed("name", to))
    }

    fn remove(&self, path: &Path) -> Result<(), FileError> {
        let remove = || match if_there(fs::symlink_metadata(path))? {
            None => Ok(()),
            Some(data) if data.is_dir() => if_there(fs::remove_dir(path)).map(|_| ()),
            Some(_) => if_there(fs::remove_file(path)).map(|_| ()),
        };
        remove().map_err(failed("remove", path))
    }

    fn set_mode(&self, path: &Path, mode: u32) -> Result<(), FileError> {
        let set = || {
            file_trust::check_target(path)?;
            fs::set_permissions(path, Permissions::from_mode(mode))
        };
        set().map_err(failed("set permissions of", path))
    }

    fn try_lock(
        &self,
        path: &Path,
        sharing: Sharing,
    ) -> Result<Option<Box<dyn FileLock>>, FileError> {
        lock::try_lock(path, sharing)
    }

    fn queue_for_lock(&self, path: &Path, sharing: Sharing) -> Option<LockQueue> {
        lock::queue(path, sharing)
    }

    fn await_lock(&self, path: &Path) -> Result<(), FileError> {
        lock::wait(path)
    }

    /// With the host: a container shares the directory and not the process ids.
    fn process_name(&self) -> String {
        let system = rustix::system::uname();
        let host = system.nodename().to_string_lossy();
        format!("pid {} on {host}", std::process::id())
    }

    fn open_limit(&self) -> Option<u64> {
        rustix::process::getrlimit(Resource::Nofile).current
    }

    fn lock_holder(&self, path: &Path) -> Option<u32> {
        lock_holder::find(path)
    }

    fn process_lives(&self, pid: u32) -> bool {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        // A process of somebody else may not be signalled, but it is there.
        pid.is_some_and(|pid| {
            matches!(
                rustix::process::test_kill_process(pid),
                Ok(()) | Err(Errno::PERM)
            )
        })
    }
}

#[cfg(test)]
mod tests;
