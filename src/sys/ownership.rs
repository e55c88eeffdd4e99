//! Owners of new files and directories when root works in somebody else's state directory.
//!
//! One command by `sudo` or in a container must not lock the user out. What is created belongs to
//! the owner of what it replaces, else to the owner of the directory that it is created in. Only
//! what this process has just created is given away, by its descriptor and never by its name, so
//! that nobody can put something else in its place.
#![expect(
    clippy::disallowed_methods,
    reason = "this file creates directories and gives away what was created"
)]

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;

use rustix::fs::OFlags;

use super::access::ROOT;
use super::file_trust::check_directory;
use super::owner_support::us;
use super::sync::sync_directory;

/// Gives a new file to the owner of the file at `target`, which it will replace; if there is none,
/// to the owner of its directory.
pub(super) fn like_replaced(created: &File, target: &Path) {
    if !is_root() {
        return;
    }
    match fs::symlink_metadata(target) {
        Ok(replaced) => give(created, &replaced),
        Err(_) => like_parent(created, target),
    }
}

/// Gives what was created at `path` to the owner of the directory that it lies in.
pub(super) fn like_parent(created: &File, path: &Path) {
    if !is_root() {
        return;
    }
    if let Ok(parent) = fs::metadata(parent(path)) {
        give(created, &parent);
    }
}

/// Creates a directory and its missing parents, 0700 each, and makes their names durable: what is
/// synced below a directory is lost in a power cut with the name of the directory.
///
/// Nothing is made in the directory of somebody else, and none of theirs is taken for ours.
pub(super) fn create_dirs(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return check_directory(path, &found),
        _ => {}
    }
    let is_missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
    let missing: Vec<&Path> = path.ancestors().take_while(is_missing).collect();
    let within = missing.last().map_or(path, |first| parent(first));
    check_directory(within, &fs::metadata(within)?)?;
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700).create(path)?;
    for directory in missing.into_iter().rev() {
        directory_like_parent(directory);
        sync_directory(&File::open(parent(directory))?)?;
    }
    Ok(())
}

/// Gives a new directory to the owner of the one that it lies in.
pub(super) fn directory_like_parent(path: &Path) {
    if !is_root() {
        return;
    }
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW;
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(flags.bits().cast_signed());
    if let Ok(directory) = options.open(path) {
        like_parent(&directory, path);
    }
}

pub(super) fn is_root() -> bool {
    us() == ROOT
}

/// Best effort: a file system without owners refuses, and a credential must be stored all the same.
fn give(created: &File, like: &Metadata) {
    let is_same = |data: Metadata| (data.uid(), data.gid()) == (like.uid(), like.gid());
    if !created.metadata().is_ok_and(is_same) {
        let _ = fchown(created, Some(like.uid()), Some(like.gid()));
    }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
