//! The real disk, put to the test.
#![expect(
    clippy::disallowed_methods,
    reason = "this file answers what only doctor asks of a disk"
)]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Stdio};
use std::time::Duration;

use rustix::fs::FallocateFlags;
use rustix::io::Errno;

use super::access::ROOT;
use super::child;
use super::fs_error::failed;
use super::owner_support::{stands_for_root, us};
use super::process_group::{GRACE, ProcessGroup};
use super::strangers;
use crate::ports::disk::{BUSY, Disk, HELD, Kind, LockContender, Owner, Volume};
use crate::ports::files::FileError;
use crate::ports::program::Received;

/// How long another process may take to try a lock.
const LIMIT: Duration = Duration::from_secs(10);
/// More than the words it may say.
const MAX_WORD: usize = 64;

/// The disks of this machine.
#[derive(Clone, Debug)]
pub struct SystemDisk {
    program: PathBuf,
}

impl SystemDisk {
    /// Rivals are processes of `program`, which is this one.
    pub fn new(program: PathBuf) -> Self {
        Self { program }
    }
}

impl Disk for SystemDisk {
    fn volume(&self, path: &Path) -> Result<Volume, FileError> {
        let ask = || -> io::Result<Volume> {
            let space = rustix::fs::statvfs(path)?;
            Ok(Volume {
                kind: kind(path)?,
                free: space.f_bavail.saturating_mul(space.f_frsize),
                free_files: (space.f_files > 0).then_some(space.f_favail),
            })
        };
        ask().map_err(failed("inspect the file system of", path))
    }

    fn owner(&self, path: &Path) -> Result<Owner, FileError> {
        let data = std::fs::metadata(path).map_err(failed("inspect", path))?;
        Ok(match data.uid() {
            owner if owner == us() => Owner::User,
            owner if owner == ROOT || stands_for_root(owner) => Owner::Root,
            _ => Owner::Another,
        })
    }

    fn strangers(&self, directory: &Path) -> Result<Vec<PathBuf>, FileError> {
        strangers::list(directory).map_err(failed("list", directory))
    }

    fn adopt(&self, directory: &Path) -> Result<usize, FileError> {
        strangers::adopt(directory).map_err(failed("change owners in", directory))
    }

    fn sync(&self, path: &Path) -> Result<(), FileError> {
        let sync = || File::open(path)?.sync_all();
        sync().map_err(failed("sync", path))
    }

    fn allocate(&self, path: &Path, size: u64) -> Result<bool, FileError> {
        let open = OpenOptions::new().write(true).open(path);
        let file = open.map_err(failed("open", path))?;
        match rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, size) {
            Ok(()) => Ok(true),
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(false),
            Err(error) => Err(failed("allocate space for", path)(error.into())),
        }
    }

    fn rival(&self, path: &Path) -> Result<Box<dyn LockContender>, FileError> {
        let start = || -> io::Result<Box<dyn LockContender>> {
            let mut command = child::ourselves(&self.program);
            command.args(["doctor", "--rival"]).arg(path);
            command.stdin(Stdio::piped()).stdout(Stdio::piped());
            let mut group = ProcessGroup::spawn(command.stderr(Stdio::null()))?;
            let input = group.input();
            let word = match group.next_line(MAX_WORD, LIMIT) {
                Some(Received::Line(word)) => word.expose().clone(),
                Some(Received::Nothing) => return Err(io::ErrorKind::TimedOut.into()),
                _ => Vec::new(),
            };
            let has_lock = word == HELD.as_bytes();
            if !has_lock && word != BUSY.as_bytes() {
                return Err(io::Error::other("it ended without trying"));
            }
            Ok(Box::new(Process {
                group,
                input,
                has_lock,
            }))
        };
        start().map_err(failed("try the lock in another process at", path))
    }
}

struct Process {
    group: ProcessGroup,
    input: Option<ChildStdin>,
    has_lock: bool,
}

impl LockContender for Process {
    fn has_lock(&self) -> bool {
        self.has_lock
    }

    fn kill(mut self: Box<Self>) -> Result<(), FileError> {
        let end = self.group.kill();
        end.map_err(failed("kill", Path::new("rival")))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It ends by itself when its standard input does; if it hangs, it is killed.
        drop(self.input.take());
        if self.group.ends_within(GRACE) {
            let _ = self.group.wait();
        }
    }
}

/// The numbers are those of `linux/magic.h` and of the file systems' own headers.
#[cfg(target_os = "linux")]
fn kind(path: &Path) -> io::Result<Kind> {
    // The width and the sign of the field differ from one machine to another.
    let number = rustix::fs::statfs(path)?.f_type as u32;
    Ok(match number {
        0xEF53 => Kind::Local("ext4"),
        0x5846_5342 => Kind::Local("xfs"),
        0x9123_683E => Kind::Local("btrfs"),
        0x2FC1_2FC1 => Kind::Local("zfs"),
        0xF2F5_2010 => Kind::Local("f2fs"),
        0xCA45_1A4E => Kind::Local("bcachefs"),
        0xF15F => Kind::Local("ecryptfs"),
        0x0102_1994 => Kind::Memory("tmpfs"),
        0x8584_58F6 => Kind::Memory("ramfs"),
        0x794C_7630 => Kind::Overlay,
        0x6969 => Kind::Network("nfs"),
        0xFF53_4D42 => Kind::Network("cifs"),
        0xFE53_4D42 => Kind::Network("smb"),
        0x00C3_6400 => Kind::Network("ceph"),
        0x0BD0_0BD0 => Kind::Network("lustre"),
        0x0102_1997 => Kind::Served("9p"),
        0x6573_5546 => Kind::Served("fuse"),
        0x5346_4846 => Kind::Served("wslfs"),
        0x4D44 => Kind::Foreign("vfat"),
        0x2011_BAB0 => Kind::Foreign("exfat"),
        0x7366_746E => Kind::Foreign("ntfs"),
        other => Kind::Unknown(Some(other.into())),
    })
}

#[cfg(not(target_os = "linux"))]
fn kind(_path: &Path) -> io::Result<Kind> {
    Ok(Kind::Unknown(None))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(program: &str) -> SystemDisk {
        SystemDisk::new(program.into())
    }

    #[test]
    fn what_is_there_is_asked_of_the_system() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, "x").unwrap();
        let disk = disk("none");
        assert!(disk.volume(dir.path()).unwrap().free > 0);
        assert_eq!(disk.owner(&path).unwrap(), Owner::User);
        disk.sync(&path).unwrap();
        disk.allocate(&path, 4_096).unwrap();
        let none = dir.path().join("none");
        assert!(disk.volume(&none).is_err() && disk.owner(&none).is_err());
        assert!(disk.sync(&none).is_err() && disk.allocate(&none, 1).is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn file_systems_have_names() {
        let kind = |path| disk("none").volume(Path::new(path)).unwrap().kind;
        assert_eq!(kind("/dev/shm"), Kind::Memory("tmpfs"));
        assert!(matches!(kind("/proc"), Kind::Unknown(Some(0x9FA0))));
    }

    #[test]
    fn a_program_that_does_not_try_is_no_rival() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        for program in ["true", "/none/such"] {
            assert!(disk(program).rival(&path).is_err(), "{program}");
        }
    }
}
