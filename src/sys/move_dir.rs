//! Moving a directory, to another file system if need be.
//!
//! There it is copied under a hidden name, made durable, and given its own name; then the original
//! goes. Whoever is killed in between leaves the original or a whole copy, and does it again: the
//! hidden name is that of the original, so what is left there is found and replaced.
#![expect(
    clippy::disallowed_methods,
    reason = "this file implements a part of the file system's port"
)]

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::fs_error::{failed, if_there, refuse_kind};
use super::ownership;
use super::sync::sync_directory;
use crate::ports::files::FileError;

/// See [`crate::ports::files::Files::move_dir`].
pub(super) fn move_dir(from: &Path, to: &Path) -> Result<(), FileError> {
    match fs::rename(from, to) {
        // A mount point, or the lower layer of an overlay, cannot be renamed either.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::CrossesDevices | io::ErrorKind::ResourceBusy
            ) =>
        {
            move_across(from, to)
        }
        renamed => renamed.map_err(failed("move", from)),
    }
}

fn move_across(from: &Path, to: &Path) -> Result<(), FileError> {
    let draft = draft(from, to);
    remove_tree(&draft).map_err(failed("remove", &draft))?;
    let copied = copy_tree(from, &draft)
        .and_then(|()| fs::rename(&draft, to))
        .and_then(|()| sync_directory(&File::open(parent(to))?));
    if let Err(error) = copied {
        let _ = remove_tree(&draft);
        return Err(failed("copy", from)(error));
    }
    match remove_tree(from) {
        // A mount point stays, and is empty.
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => Ok(()),
        removed => removed.map_err(failed("remove", from)),
    }
}

/// The name of the copy while it is not whole.
fn draft(from: &Path, to: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(from.file_name().unwrap_or_default());
    name.push(".partial");
    parent(to).join(name)
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    ownership::create_dirs(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else if kind.is_symlink() {
            symlink(fs::read_link(entry.path())?, target)?;
        } else if refuse_kind(kind).is_ok() {
            copy_file(&entry.path(), &target)?;
        }
    }
    fs::set_permissions(to, permissions(from)?)?;
    sync_directory(&File::open(to)?)
}

/// For its owner only until all of it is there.
fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut copy = options.write(true).create_new(true).mode(0o600).open(to)?;
    ownership::like_parent(&copy, to);
    io::copy(&mut File::open(from)?, &mut copy)?;
    copy.set_permissions(permissions(from)?)?;
    copy.sync_all()
}

fn permissions(path: &Path) -> io::Result<Permissions> {
    let mode = fs::metadata(path)?.permissions().mode() & 0o777;
    Ok(Permissions::from_mode(mode))
}

/// Removes a directory with all that is in it; nothing there is no error.
fn remove_tree(path: &Path) -> io::Result<()> {
    if_there(fs::remove_dir_all(path)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(root: &Path) -> PathBuf {
        let from = root.join("agent");
        fs::create_dir_all(from.join("agent/auth-history")).unwrap();
        fs::write(from.join("agent/auth-profiles.json"), "secret").unwrap();
        fs::set_permissions(
            from.join("agent/auth-profiles.json"),
            Permissions::from_mode(0o600),
        )
        .unwrap();
        symlink("auth-profiles.json", from.join("agent/link")).unwrap();
        from
    }

    fn is_whole(at: &Path) {
        let document = at.join("agent/auth-profiles.json");
        assert_eq!(fs::read_to_string(&document).unwrap(), "secret");
        let mode = fs::metadata(&document).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let link = fs::read_link(at.join("agent/link")).unwrap();
        assert_eq!(link, Path::new("auth-profiles.json"));
        assert!(at.join("agent/auth-history").is_dir());
    }

    #[test]
    fn a_copy_is_whole_before_the_original_goes() {
        let root = tempfile::tempdir().unwrap();
        let (from, to) = (tree(root.path()), root.path().join("trash"));
        move_across(&from, &to).unwrap();
        is_whole(&to);
        assert!(!from.exists());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_killed_process_left_is_done_again() {
        let root = tempfile::tempdir().unwrap();
        let (from, to) = (tree(root.path()), root.path().join("trash"));
        // Killed while it copied.
        let half = draft(&from, &to);
        fs::create_dir_all(half.join("agent")).unwrap();
        fs::write(half.join("agent/auth-profiles.json"), "sec").unwrap();
        move_across(&from, &to).unwrap();
        is_whole(&to);
        assert!(!half.exists());
        // Killed while it removed the original.
        fs::create_dir_all(from.join("agent")).unwrap();
        move_across(&from, &root.path().join("trash-2")).unwrap();
        is_whole(&to);
        assert!(!from.exists());
    }

    #[test]
    fn a_copy_that_fails_leaves_the_original_alone() {
        let root = tempfile::tempdir().unwrap();
        let from = tree(root.path());
        let to = root.path().join("none/trash");
        fs::write(root.path().join("none"), "a file").unwrap();
        assert!(move_across(&from, &to).is_err());
        is_whole(&from);
    }
}
