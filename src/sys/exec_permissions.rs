//! Permissions of a program that gets a login: only this user and root may be able to replace it.
//!
//! Everything on the way to it is judged ([`path_walk`](super::path_walk)), because a user who may
//! write to any directory there decides what is run.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::access::{ROOT, Subject};
use super::owner_support::{stands_for_root, us, warn_once};
use super::path_walk::{Step, WalkError, walk};
use crate::ports::program::Fault;

impl From<WalkError> for Fault {
    fn from(error: WalkError) -> Self {
        Self::NotThere {
            at: error.at,
            reason: error.source.to_string(),
        }
    }
}

/// Follows `path` to the file itself.
///
/// # Errors
/// The first thing on the way that is not as it must be.
pub(super) fn check(path: &Path) -> Result<PathBuf, Fault> {
    if !path.is_absolute() {
        return Err(Fault::NotAbsolute);
    }
    let (at, data) = walk(path, &mut check_step)?;
    if !data.is_file() {
        Err(Fault::NotAFile { at })
    } else if data.mode() & 0o111 == 0 {
        Err(Fault::NotExecutable { at })
    } else {
        Subject::named(&at, &data).check_writers(warn_once)?;
        Ok(at)
    }
}

/// Unlike a file that is read, a program of the user in whose directory root works is not accepted:
/// it would run with the rights of root.
fn check_step(
    Step {
        subject, within, ..
    }: &Step<'_>,
) -> Result<(), Fault> {
    let owner = subject.owner();
    subject.check_owner(owner == ROOT || owner == us() || stands_for_root(owner))?;
    // A directory of ours is safe in a sticky one, `/tmp`; for what is run that is too weak a
    // promise, for we do not know who is to clean up there.
    if !(subject.data.is_dir() && within.is_sticky()) {
        within.check_writers(warn_once)?;
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "these tests look at real files")]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;
    use crate::ports::files::Untrusted;

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
            Err(Fault::Untrusted(Untrusted::Writable { at, .. })) => {
                at.file_name().unwrap().to_owned()
            }
            other => panic!("{other:?}"),
        };
        mode(&tool, 0o757);
        assert_eq!(at(&tool), "tool");
        mode(&tool, 0o755);
        // Sticky or not: the file lies right in there.
        for bits in [0o757, 0o1777] {
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
    fn a_group_counts_as_far_as_others_are_in_it() {
        let (dir, tool) = place();
        // Only root may give a file to a group that it is not in.
        let give = |gid| std::os::unix::fs::chown(&tool, None, Some(gid)).is_ok();
        // No file names the first; the second has everybody in it who has no other.
        if !give(45_678) {
            return;
        }
        mode(&tool, 0o775);
        mode(dir.path(), 0o770);
        assert!(check(&tool).is_ok());
        assert!(give(65_534));
        assert!(matches!(check(&tool), Err(Fault::Untrusted(_))));
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
            let fault = fault.to_string();
            assert!(fault.starts_with(&format!("{} is writable", open.display())));
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
        assert!(words(&tool.join("x")).contains("Not a directory"));
        symlink("loop", dir.path().join("loop")).unwrap();
        assert!(words(&dir.path().join("loop")).contains("symbolic links"));
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
        let foreign = Untrusted::Foreign {
            at: std::fs::canonicalize(&tool).unwrap(),
            owner: 65_534,
        };
        assert_eq!(check(&tool), Err(Fault::Untrusted(foreign)));
        std::os::unix::fs::chown(&tool, Some(0), None).unwrap();
        std::os::unix::fs::chown(dir.path().join("bin"), Some(65_534), None).unwrap();
        assert!(matches!(check(&tool), Err(Fault::Untrusted(_))));
    }
}
