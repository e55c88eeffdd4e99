//! Replacing a file so that a crash at any point leaves the old or the new content whole.
//!
//! Everything is written to a temp file in the same directory and made durable there; only then
//! does one rename put it in place. The temp file is locked for as long as its owner lives, so that
//! what the dead left is known, and swept, at once.
#![expect(clippy::disallowed_methods, reason = "this file replaces files")]

use std::ffi::OsStr;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{FallocateFlags, OFlags};
use rustix::io::Errno;

use super::file_trust::check_target;
use super::fs_error::{failed, refuse_special, resolve};
use super::sync::sync_directory;
use super::{lock, ownership};
use crate::ports::files::{FileError, InPlace};

const FLAGS: i32 = OFlags::NOFOLLOW.bits().cast_signed();

/// A temp file is swept when it is older than this, where locks do not tell whether its owner lives.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// A temp file that becomes `target`, or goes when dropped.
pub(super) struct Draft {
    pub(super) target: PathBuf,
    pub(super) temp: PathBuf,
    file: File,
    directory: File,
    /// Nothing to remove: the temp file has become the target, or is the only whole copy.
    pub(super) settled: bool,
}

impl Draft {
    /// Creates the temp file for a replace of `path`, or of what it links to.
    pub(super) fn create(path: &Path) -> Result<Draft, FileError> {
        let target = resolve(path)?;
        check_target(path).map_err(failed("replace", path))?;
        refuse_special(&target).map_err(failed("replace", &target))?;
        Self::beside(&target).map_err(failed("write", &target))
    }

    fn beside(target: &Path) -> io::Result<Draft> {
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(io::ErrorKind::IsADirectory.into());
        };
        // Opened before anything is changed: a directory that cannot be synced is found out early.
        let directory = File::open(parent)?;
        loop {
            let temp = parent.join(temp_name(name)?);
            match create_new(&temp) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                // Swept before it was locked.
                Ok(file) if !is_kept(&file)? => {}
                Ok(file) => {
                    ownership::like_replaced(&file, target);
                    return Ok(Draft {
                        target: target.to_owned(),
                        temp,
                        file,
                        directory,
                        settled: false,
                    });
                }
            }
        }
    }

    /// Allocates `size` bytes.
    pub(super) fn allocate(&mut self, size: u64) -> Result<(), FileError> {
        allocate(&mut self.file, 0, size).map_err(failed("reserve", &self.target))
    }

    /// Makes `bytes` the content of the target.
    pub(super) fn commit(mut self, bytes: &[u8]) -> Result<(), FileError> {
        let target = self.target.clone();
        self.put(bytes).map_err(failed("write", &target))
    }

    /// Makes `bytes` the durable content of the temp file.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        overwrite(&mut self.file, bytes)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write(bytes)?;
        self.place(bytes)
    }

    /// Puts the temp file, whose content is `bytes`, in the place of the target.
    pub(super) fn place(&mut self, bytes: &[u8]) -> io::Result<()> {
        match std::fs::rename(&self.temp, &self.target) {
            Ok(()) => self.settled = true,
            Err(error) if is_mount_point(&error) => {
                sync_directory(&self.directory)?;
                self.put_in_place(bytes, error)?;
            }
            Err(error) => return Err(error),
        }
        self.finish()
    }

    /// Makes the name of the target durable, and sweeps.
    pub(super) fn finish(&self) -> io::Result<()> {
        sync_directory(&self.directory).map_err(|error| io::Error::other(InPlace(error)))?;
        self.sweep();
        Ok(())
    }

    /// A single file mounted into a container cannot be renamed over. The temp file stays as the
    /// durable copy until the content is in place.
    fn put_in_place(&mut self, bytes: &[u8], refusal: io::Error) -> io::Result<()> {
        let Ok(mut file) = open(&self.target) else {
            return Err(refusal);
        };
        let mut old = zeroize::Zeroizing::new(Vec::new());
        file.read_to_end(&mut old)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        overwrite(&mut file, bytes).inspect_err(|_| {
            // The old content goes back. If even that fails, the temp file is the only whole copy.
            self.settled = overwrite(&mut file, &old).is_err();
        })
    }

    /// Removes what processes that died in the middle of a replace of this file left. Best effort,
    /// and only once the new content is durable: such a leftover may be the only whole copy of it.
    fn sweep(&self) {
        let (Some(parent), Some(name)) = (self.target.parent(), self.target.file_name()) else {
            return;
        };
        // The time our own file bears, for that is of the same clock as the others', even where
        // the file system is another machine's.
        let Ok(now) = self.file.metadata().and_then(|data| data.modified()) else {
            return;
        };
        let Ok(entries) = std::fs::read_dir(parent) else {
            return;
        };
        for entry in entries.flatten() {
            if !is_temp(name, &entry.file_name()) {
                continue;
            }
            let Ok(file) = open(&entry.path()) else {
                continue;
            };
            let modified = file.metadata().and_then(|data| data.modified());
            // Not by its process id, which says nothing in another container.
            let is_left = lock::claim(&file)
                .unwrap_or_else(|_| modified.is_ok_and(|time| is_abandoned(time, now)));
            // Removed while we have its lock: whoever has just made it sees that.
            if is_left {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.settled {
            let _ = std::fs::remove_file(&self.temp);
        }
    }
}

/// Allocates `size` bytes from `start`. Some file systems cannot do that ahead; there zeros are
/// written behind the file's position, which take the space once they are synced.
pub(super) fn allocate(file: &mut File, start: u64, size: u64) -> io::Result<()> {
    if size == 0 {
        return Ok(());
    }
    match rustix::fs::fallocate(&*file, FallocateFlags::empty(), start, size) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => {
            io::copy(&mut io::repeat(0).take(size), file)?;
            file.sync_all()
        }
        other => other.map_err(io::Error::from),
    }
}

/// Creates a file that was not there, mode 0600.
pub(super) fn create_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.custom_flags(FLAGS).open(path)
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    options.custom_flags(FLAGS).open(path)
}

/// Not truncated first: blocks that are allocated stay so until the new content is in them.
fn overwrite(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.rewind()?;
    file.write_all(bytes)?;
    file.set_len(bytes.len() as u64)?;
    file.sync_all()
}

pub(super) fn is_mount_point(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::BUSY | Errno::XDEV | Errno::PERM)
    )
}

/// Locks a temp file that we made; false if it is being swept. Where there are no locks it counts as
/// ours.
fn is_kept(file: &File) -> io::Result<bool> {
    Ok(lock::claim(file).unwrap_or(true) && file.metadata()?.nlink() > 0)
}

fn is_abandoned(modified: SystemTime, now: SystemTime) -> bool {
    now.duration_since(modified)
        .is_ok_and(|age| age > ABANDONED)
}

/// `.<name>.<pid>.<random>.tmp`
fn temp_name(name: &OsStr) -> io::Result<std::ffi::OsString> {
    let mut temp = std::ffi::OsString::from(".");
    temp.push(name);
    let (pid, random) = (std::process::id(), random()?);
    temp.push(format!(".{pid}.{random:08x}.tmp"));
    Ok(temp)
}

/// What makes a name that nobody else has.
pub(super) fn random() -> io::Result<u32> {
    let mut random = [0; 4];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(u32::from_ne_bytes(random))
}

/// Whether a file is a temp file for `name`.
fn is_temp(name: &OsStr, temp: &OsStr) -> bool {
    let rest = || {
        let rest = temp.to_str()?.strip_prefix('.')?;
        let rest = rest.strip_prefix(name.to_str()?)?.strip_prefix('.')?;
        rest.strip_suffix(".tmp")?.split_once('.')
    };
    rest().is_some_and(|(pid, random)| {
        let is_hex = random.bytes().all(|byte| byte.is_ascii_hexdigit());
        pid.parse::<u32>().is_ok() && random.len() == 8 && is_hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn in_place_keeps_the_file_and_makes_it_private() {
        use std::os::unix::fs::MetadataExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        std::fs::write(&path, "an old and longer content").unwrap();
        let before = std::fs::metadata(&path).unwrap().ino();
        let mut draft = Draft::create(&path).unwrap();
        draft
            .put_in_place(b"new", io::Error::from(Errno::BUSY))
            .unwrap();
        drop(draft);
        let after = std::fs::metadata(&path).unwrap();
        assert_eq!((after.ino(), after.mode() & 0o777), (before, 0o600));
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(names(dir.path()), ["a.json"]);
    }

    #[test]
    fn sweeps_what_the_dead_left_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        // Its owner lives, although nobody here has this id, and it is older than any process.
        let unseen = dir
            .path()
            .join(format!(".a.json.{}.0123abcd.tmp", u32::MAX));
        let unseen = Draft {
            target: path.clone(),
            file: File::create(&unseen).unwrap(),
            directory: File::open(dir.path()).unwrap(),
            temp: unseen,
            settled: true,
        };
        unseen.file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert!(is_kept(&unseen.file).unwrap());
        let live = std::process::id();
        let left = [
            format!(".a.json.{live}.0123abcd.tmp"),
            ".a.json.1.00000001.tmp".to_owned(),
        ];
        let mut keep = vec![
            unseen.temp.file_name().unwrap().to_str().unwrap().into(),
            ".b.json.1.0123abcd.tmp".to_owned(),
            ".a.json.1.tmp".to_owned(),
            ".a.json.x.0123abcd.tmp".to_owned(),
            "a.json".to_owned(),
        ];
        for name in keep.iter().chain(&left) {
            let path = dir.path().join(name);
            if path != unseen.temp {
                std::fs::write(path, "x").unwrap();
            }
        }
        Draft::create(&path).unwrap().commit(b"new").unwrap();
        keep.sort();
        assert_eq!(names(dir.path()), keep);
        let its_name = unseen.temp.file_name().unwrap().to_os_string();
        drop(unseen);
        Draft::create(&path).unwrap().commit(b"next").unwrap();
        keep.retain(|name| its_name != name.as_str());
        assert_eq!(names(dir.path()), keep);
    }

    #[test]
    fn what_was_swept_before_it_was_locked_is_not_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let file = File::create(&path).unwrap();
        let sweeper = File::open(&path).unwrap();
        assert!(lock::claim(&sweeper).unwrap());
        assert!(!is_kept(&file).unwrap(), "it is being swept");
        std::fs::remove_file(&path).unwrap();
        drop(sweeper);
        assert!(!is_kept(&file).unwrap(), "it was swept");
    }
}
