//! What root left in somebody else's directory, closed to the user.

use std::ffi::CStr;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, chownat, openat, statat};
use rustix::fs::{Gid, Uid};

/// Directories that hold nothing of ours, and may hold a lot.
const SKIPPED: [&str; 4] = ["workspace", "sessions", "node_modules", ".git"];
const ROOT: u32 = 0;
/// How far down is looked.
const DEPTH: usize = 6;

/// Lists the files and directories of root below `directory`, if that belongs to somebody else; what
/// may not be read is passed over.
pub(super) fn list(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    walk(directory, &mut |_, _, path, _| found.push(path.to_owned()))?;
    found.sort();
    Ok(found)
}

/// Gives them to the owner of `directory`, and returns how many they were. Names are taken relative
/// to open directories and links are not followed, so that nobody can have anything else given away.
pub(super) fn adopt(directory: &Path) -> io::Result<usize> {
    let (mut count, mut failure) = (0, None);
    walk(directory, &mut |within, name, _, owner| {
        let (uid, gid) = (Uid::from_raw(owner.st_uid), Gid::from_raw(owner.st_gid));
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        match chownat(within, name, Some(uid), Some(gid), flags) {
            Ok(()) => count += 1,
            Err(errno) => failure = Some(errno),
        }
    })?;
    failure.map_or(Ok(count), |errno| Err(errno.into()))
}

/// What is called for a stranger: its directory, its name there, its path, and the rightful owner.
type Visit<'a> = dyn FnMut(&OwnedFd, &CStr, &Path, &Stat) + 'a;

fn walk(directory: &Path, visit: &mut Visit<'_>) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let top = openat(CWD, directory, flags, Mode::empty())?;
    let owner = rustix::fs::fstat(&top)?;
    if owner.st_uid != ROOT {
        walk_below(&top, directory, &owner, DEPTH, visit);
    }
    Ok(())
}

fn walk_below(within: &OwnedFd, path: &Path, owner: &Stat, depth: usize, visit: &mut Visit<'_>) {
    let Ok(entries) = Dir::read_from(within) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let text = name.to_string_lossy();
        if text == "." || text == ".." {
            continue;
        }
        let Ok(found) = statat(within, name, AtFlags::SYMLINK_NOFOLLOW) else {
            continue;
        };
        let path = path.join(&*text);
        let is_directory = FileType::from_raw_mode(found.st_mode).is_dir();
        // A second name may be of a file that lies somewhere else.
        let is_alone = is_directory || found.st_nlink == 1;
        if found.st_uid == ROOT && is_alone {
            visit(within, name, &path, owner);
        }
        if is_directory && depth > 0 && !SKIPPED.contains(&&*text) {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            if let Ok(below) = openat(within, name, flags, Mode::empty()) {
                walk_below(&below, &path, owner, depth - 1, visit);
            }
        }
    }
}
