//! The real file system.
#![expect(
    clippy::disallowed_methods,
    reason = "this file implements the file system's port"
)]

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, OFlags, RenameFlags, Timespec, Timestamps};
use rustix::io::Errno;
use rustix::process::{Pid, Resource};

use super::atomic_write::Draft;
use super::exchange;
use super::fs_error::{failed, if_there, resolve};
use super::pieces::{Opened, open, open_any};
use super::preallocated::Slot;
use super::{append, file_trust, lock, lock_holder, move_dir, owner_support, ownership};
use crate::model::time::Timestamp;
use crate::ports::dialog::Dialog;
use crate::ports::files::{
    FileError, FileLock, Files, Judged, LockQueue, Pieces, Prepared, Replaced, Reservation,
    Sharing, Stat, TooLarge, Untrusted,
};

/// The longest file that is read whole, in bytes; a store, which has its own limit, may be as long.
const LONGEST: u64 = 65 * 1024 * 1024;

/// The most that is read from a pipe, in bytes.
const PIPE_LIMIT: u64 = 1024 * 1024;

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
        rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE).map_err(|errno| {
            let error = match errno {
                Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP => io::ErrorKind::Unsupported.into(),
                errno => io::Error::from(errno),
            };
            failed("rename", from)(error)
        })
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

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let (file, data) = open(path)?;
    content(file, &data)
}

fn read_any(path: &Path) -> io::Result<Vec<u8>> {
    let (file, data) = open_any(path, OFlags::empty())?;
    content(file, &data)
}

fn content(mut file: File, data: &Metadata) -> io::Result<Vec<u8>> {
    if data.len() > LONGEST {
        return Err(io::Error::other(TooLarge(data.len(), LONGEST)));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(data.len()).unwrap_or_default());
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a pipe to its end, which a person has named and may have yet to write to.
fn read_pipe(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut pipe = File::open(path)?.take(PIPE_LIMIT + 1);
    match pipe.read_to_end(&mut bytes)? as u64 {
        ..=PIPE_LIMIT => Ok(bytes),
        _ => Err(io::Error::other("it is longer than 1 MiB")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: SystemFiles = SystemFiles;

    fn names(dir: &Path) -> Vec<String> {
        FILES.list(dir).unwrap()
    }

    #[test]
    fn a_replace_is_private_and_keeps_the_symlink() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real"), dir.path().join("link"));
        std::os::unix::fs::symlink("real", &link).unwrap();
        // The first time what the link points to does not exist, the second time it does.
        for content in ["one", "two"] {
            FILES.replace(&link, content.as_bytes()).unwrap();
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
            assert_eq!(FILES.read(&real).unwrap().unwrap(), content.as_bytes());
            assert_eq!(FILES.stat(&link).unwrap().unwrap().mode, 0o600);
            FILES.set_mode(&real, 0o644).unwrap();
        }
        assert_eq!(names(dir.path()), ["link", "real"]);
    }

    #[test]
    fn a_replace_that_fails_leaves_everything_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        assert!(FILES.replace(&dir.path().join("none/a"), b"x").is_err());
        // Renaming a file over a directory fails at the last step, for root, too.
        let path = dir.path().join("a");
        FILES.create_dirs(&path.join("inside")).unwrap();
        assert!(FILES.replace(&path, b"x").is_err());
        assert_eq!(names(dir.path()), ["a"]);
        assert_eq!(names(&path), ["inside"]);
    }

    #[test]
    fn where_nothing_can_be_created_nothing_is_reserved() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        FILES.replace(&file, b"old").unwrap();
        // A file in the place of the directory stops root, too, whom no mode stops.
        for error in [
            FILES.replace(&file.join("a"), b"new").unwrap_err(),
            FILES.reserve(&file.join("a"), 1).err().unwrap(),
            FILES
                .create_new(&file.join("a"), b"new", 0o600)
                .unwrap_err(),
            FILES.create_dirs(&file.join("a")).unwrap_err(),
        ] {
            assert_eq!(error.source.kind(), io::ErrorKind::NotADirectory, "{error}");
        }
        assert_eq!(FILES.read(&file).unwrap().unwrap(), b"old");
        assert_eq!(names(dir.path()), ["file"]);
    }

    #[test]
    fn a_reservation_takes_space_then_fills_or_vanishes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        FILES.replace(&path, b"old").unwrap();
        let reservation = FILES.reserve(&path, 4_096).unwrap();
        let temp = names(dir.path()).remove(0);
        assert_eq!(fs::metadata(dir.path().join(temp)).unwrap().len(), 4_096);
        drop(reservation);
        assert_eq!(names(dir.path()), ["a"]);
        assert_eq!(FILES.read(&path).unwrap().unwrap(), b"old");

        for (size, content) in [(4_096, "new"), (0, "more than was reserved")] {
            let reservation = FILES.reserve(&path, size).unwrap();
            reservation.fill(content.as_bytes()).unwrap();
            assert_eq!(FILES.read(&path).unwrap().unwrap(), content.as_bytes());
            assert_eq!(names(dir.path()), ["a"]);
        }
    }

    #[test]
    fn what_is_not_there_is_no_error_and_loops_are() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("none");
        assert_eq!(FILES.read(&path).unwrap(), None);
        assert_eq!(FILES.stat(&path).unwrap(), None);
        assert!(names(&path).is_empty());
        FILES.remove(&path).unwrap();
        std::os::unix::fs::symlink("none", &path).unwrap();
        assert!(FILES.resolve(&path).is_err());
    }

    #[test]
    fn creating_touching_and_removing() {
        let dir = tempfile::tempdir().unwrap();
        let (sub, file) = (dir.path().join("x/y"), dir.path().join("x/y/f"));
        FILES.create_dirs(&sub).unwrap();
        assert_eq!(FILES.stat(&sub).unwrap().unwrap().mode, 0o700);
        FILES.create_new(&file, b"1", 0o600).unwrap();
        let again = FILES.create_new(&file, b"2", 0o600).unwrap_err();
        assert_eq!(again.source.kind(), io::ErrorKind::AlreadyExists);
        let again = FILES.create_dir_new(&sub).unwrap_err();
        assert_eq!(again.source.kind(), io::ErrorKind::AlreadyExists);
        for path in [&file, &sub] {
            let time = Timestamp(1_700_000_000_123);
            FILES.touch(path, time).unwrap();
            assert_eq!(FILES.stat(path).unwrap().unwrap().modified, time);
        }
        FILES.remove(&file).unwrap();
        FILES.remove(&sub).unwrap();
        assert_eq!(FILES.stat(&sub).unwrap(), None);
    }

    #[test]
    fn a_process_lives_until_it_is_reaped() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        assert!(FILES.process_lives(child.id()));
        child.wait().unwrap();
        assert!(!FILES.process_lives(child.id()));
        assert!(FILES.process_lives(1), "not ours, but alive");
        assert!(!FILES.process_lives(0));
        assert!(!FILES.process_lives(u32::MAX));
    }
}
