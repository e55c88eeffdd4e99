//! Permissions of a program that gets a login: only this user and root may be able to replace it.
//!
//! The path is walked as the kernel walks it, link by link, because a user who may write to any
//! directory on the way decides what is run.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use super::owner_support::stands_for_root;
use crate::ports::program::Fault;

/// As many links as Linux follows.
const MAX_LINKS: usize = 40;
/// Write permission of group and others.
const OTHERS_WRITE: u32 = 0o022;
/// In a directory with it nobody can rename or remove what belongs to somebody else.
const STICKY: u32 = 0o1000;

/// Follows `path` to the file itself.
///
/// # Errors
/// The first thing on the way that is not as it must be.
pub(super) fn check(path: &Path) -> Result<PathBuf, Fault> {
    if !path.is_absolute() {
        return Err(Fault::NotAbsolute);
    }
    let us = rustix::process::geteuid().as_raw();
    let mut ahead = names(path);
    let mut at = PathBuf::from("/");
    let mut directory = look(&at, us)?;
    let mut links = 0;
    while let Some(name) = ahead.pop_front() {
        if name == ".." {
            at.pop();
            directory = look(&at, us)?;
            continue;
        }
        let next = at.join(name);
        let data = look(&next, us)?;
        // A directory of ours is safe in a sticky one, `/tmp`; for what is run that is too weak a
        // promise, for we do not know who is to clean up there.
        let strict = !data.is_dir();
        if directory.mode() & OTHERS_WRITE != 0 && (strict || directory.mode() & STICKY == 0) {
            return Err(writable(&at, &directory));
        }
        if data.is_dir() {
            (at, directory) = (next, data);
        } else if data.is_symlink() {
            links += 1;
            let target = std::fs::read_link(&next).map_err(|error| not_there(&next, &error))?;
            if links > MAX_LINKS {
                return Err(not_there(&next, &"too many links"));
            }
            if target.is_absolute() {
                at = PathBuf::from("/");
                directory = look(&at, us)?;
            }
            let mut target = names(&target);
            target.append(&mut ahead);
            ahead = target;
        } else if ahead.is_empty() {
            return file(next, &data);
        } else {
            return Err(not_there(&next, &"it is not a directory"));
        }
    }
    Err(Fault::NotAFile { at })
}

fn names(path: &Path) -> VecDeque<OsString> {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
    });
    parts.collect()
}

fn look(path: &Path, us: u32) -> Result<Metadata, Fault> {
    let data = std::fs::symlink_metadata(path).map_err(|error| not_there(path, &error))?;
    match data.uid() {
        0 => Ok(data),
        owner if owner == us || stands_for_root(owner) => Ok(data),
        owner => Err(Fault::Foreign {
            at: path.to_owned(),
            owner,
        }),
    }
}

fn file(at: PathBuf, data: &Metadata) -> Result<PathBuf, Fault> {
    if !data.is_file() {
        Err(Fault::NotAFile { at })
    } else if data.mode() & 0o111 == 0 {
        Err(Fault::NotExecutable { at })
    } else if data.mode() & OTHERS_WRITE != 0 {
        Err(writable(&at, data))
    } else {
        Ok(at)
    }
}

fn writable(at: &Path, data: &Metadata) -> Fault {
    Fault::Writable {
        at: at.to_owned(),
        mode: data.mode() & 0o7777,
    }
}

fn not_there(at: &Path, reason: &dyn std::fmt::Display) -> Fault {
    Fault::NotThere {
        at: at.to_owned(),
        reason: reason.to_string(),
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "these tests look at real files")]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// A directory with `bin/tool`, of this user alone.
    fn place() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("bin")).unwrap();
        let tool = dir.path().join("bin/tool");
        std::fs::write(&tool, "#!/bin/sh\n").unwrap();
        mode(&tool, 0o755);
        mode(&dir.path().join("bin"), 0o755);
        (dir, tool)
    }

    fn mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_program_of_ours_is_run_and_links_are_followed() {
        let (dir, tool) = place();
        let whole = std::fs::canonicalize(&tool).unwrap();
        assert_eq!(check(&tool), Ok(whole.clone()));
        symlink("../bin/tool", dir.path().join("bin/link")).unwrap();
        symlink(dir.path().join("bin"), dir.path().join("other")).unwrap();
        assert_eq!(check(&dir.path().join("other/link")), Ok(whole));
    }

    #[test]
    fn what_others_may_write_is_refused() {
        let (dir, tool) = place();
        let bin = dir.path().join("bin");
        let at = |path: &Path| match check(path) {
            Err(Fault::Writable { at, .. }) => at.file_name().unwrap().to_owned(),
            other => panic!("{other:?}"),
        };
        for bits in [0o775, 0o757] {
            mode(&tool, bits);
            assert_eq!(at(&tool), "tool");
        }
        mode(&tool, 0o755);
        // Sticky or not: the file lies right in there.
        for bits in [0o775, 0o757, 0o1777] {
            mode(&bin, bits);
            assert_eq!(at(&tool), "bin");
        }
        mode(&bin, 0o755);
        // Further up a sticky directory keeps its entries, and any other does not.
        mode(dir.path(), 0o1777);
        assert!(check(&tool).is_ok());
        mode(dir.path(), 0o777);
        assert!(check(&tool).is_err());
    }

    #[test]
    fn a_link_in_a_directory_of_others_is_refused() {
        let (dir, tool) = place();
        let open = dir.path().join("open");
        std::fs::create_dir(&open).unwrap();
        symlink(&tool, open.join("tool")).unwrap();
        symlink(dir.path().join("bin"), open.join("bin")).unwrap();
        mode(&open, 0o1777);
        for path in ["tool", "bin/tool"] {
            let fault = check(&open.join(path)).unwrap_err();
            assert!(matches!(fault, Fault::Writable { at, .. } if at == open));
        }
        // And from a place of ours by way of that one.
        symlink(open.join("tool"), dir.path().join("bin/link")).unwrap();
        assert!(check(&dir.path().join("bin/link")).is_err());
    }

    #[test]
    fn what_is_no_program_is_refused() {
        let (dir, tool) = place();
        let words = |path: &Path| check(path).unwrap_err().to_string();
        assert_eq!(words(Path::new("bin/tool")), "its path is not absolute");
        assert!(words(dir.path()).ends_with("is not a regular file"));
        assert!(words(&dir.path().join("bin/none")).contains("No such file"));
        assert!(words(&tool.join("x")).contains("not a directory"));
        symlink("loop", dir.path().join("loop")).unwrap();
        assert!(words(&dir.path().join("loop")).contains("too many links"));
        mode(&tool, 0o644);
        assert!(words(&tool).ends_with("is not executable"));
    }

    #[test]
    fn what_belongs_to_somebody_else_is_refused() {
        let (dir, tool) = place();
        // Only root may give a file away.
        if std::os::unix::fs::chown(&tool, Some(65_534), None).is_err() {
            return;
        }
        assert!(matches!(
            check(&tool),
            Err(Fault::Foreign { owner: 65_534, .. })
        ));
        std::os::unix::fs::chown(&tool, Some(0), None).unwrap();
        std::os::unix::fs::chown(dir.path().join("bin"), Some(65_534), None).unwrap();
        assert!(matches!(check(&tool), Err(Fault::Foreign { .. })));
    }
}
