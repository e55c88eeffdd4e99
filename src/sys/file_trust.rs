//! Who may have written what this program acts on: the door for every file that it reads, and for
//! the directories that it keeps secrets in.
//!
//! The open descriptor is judged, and never the name a second time: what lies there may change in
//! between. Root is trusted; where root itself works in the directory of a user, that user is, too,
//! for everything stays theirs.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::access::{ROOT, Subject, parent};
use super::env::{SystemEnv, names};
use super::owner_support::{stands_for_root, us};
use super::path_walk::{Step, walk};
use crate::ports::files::Untrusted;
use crate::ports::host::Env as _;

/// Judges a file by what its open descriptor says: this user or root must own it.
pub(super) fn check_file(path: &Path, data: &Metadata) -> io::Result<()> {
    check_owner(&Subject::named(path, data))?;
    check_place(path)?;
    check_way(path)
}

/// Judges a file that could not be opened, if it can be seen.
pub(super) fn check_owner_of(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(data) => check_owner(&Subject::named(path, &data)),
        Err(_) => Ok(()),
    }
}

/// Judges a file that is written in place: a second name may be of a file anywhere.
pub(super) fn check_lock(path: &Path, data: &Metadata) -> io::Result<()> {
    check_file(path, data)?;
    match data.nlink() {
        0 | 1 => Ok(()),
        _ => {
            let at = path.to_owned();
            Err(Untrusted::SeveralNames { at }.into())
        }
    }
}

/// Judges a file that holds a secret of this user: nobody else may read it, by this name or another.
pub(super) fn check_private(path: &Path, data: &Metadata) -> io::Result<()> {
    let at = path.to_owned();
    let (owner, mode) = (data.uid(), data.mode() & 0o777);
    Err(match data.nlink() {
        _ if owner != us() => Untrusted::Foreign { at, owner },
        2.. => Untrusted::SeveralNames { at },
        _ if mode & 0o077 != 0 => Untrusted::Open { at, mode },
        _ => return Ok(()),
    }
    .into())
}

/// Judges a file with a key: what this user keeps for themselves, nobody else may read. So does `ssh`.
pub(super) fn check_key(path: &Path, data: &Metadata) -> io::Result<()> {
    let (at, mode) = (path.to_owned(), data.mode() & 0o777);
    match data.uid() == us() && mode & 0o077 != 0 {
        true => Err(Untrusted::Open { at, mode }.into()),
        false => Ok(()),
    }
}

/// Judges a link that leads to a file: who made it chooses the file.
pub(super) fn check_link(path: &Path) -> io::Result<()> {
    check_owner(&Subject::named(path, &fs::symlink_metadata(path)?))
}

/// Judges a file that decides what this program does: nobody else may write to it, nor to a
/// directory of this user on the way to it. `file` is what will be read of it; without, its name is
/// judged.
pub(super) fn check_settings(path: &Path, data: &Metadata, file: Option<&File>) -> io::Result<()> {
    check_place(path)?;
    if data.is_file() {
        let subject = match file {
            Some(file) => Subject::open(path, data, file),
            None => Subject::named(path, data),
        };
        check_owner(&subject)?;
        subject.check_writers(|_| ())?;
    }
    // Whose home it is, is settled above it.
    let home = SystemEnv.plain(names::HOME).map(PathBuf::from);
    let home = home.filter(|home| path.starts_with(home));
    let settled = home.map_or(0, |home| home.iter().skip(1).count());
    let check_step = &mut |step: &Step<'_>| {
        let subject = &step.subject;
        if subject.data.is_symlink() {
            return check_owner(subject);
        }
        match subject.data.is_dir() && step.resolved >= settled {
            true => check_named_by(subject),
            false => Ok(()),
        }
    };
    walk(path, check_step).map(drop)
}

/// Judges a directory that names what decides. How open the directories of root are is the
/// administrator's choice; what somebody puts there is theirs, and so refused.
fn check_named_by(directory: &Subject<'_>) -> io::Result<()> {
    check_owner(directory)?;
    if directory.owner() != ROOT && !directory.is_sticky() {
        directory.check_writers(|_| ())?;
    }
    Ok(())
}

/// Judges a directory that secrets lie in. Root leaves everything in it to its owner.
pub(super) fn check_directory(path: &Path, data: &Metadata) -> io::Result<()> {
    let directory = Subject::named(path, data);
    check_owner(&directory)?;
    if directory.is_open_to_others() {
        IS_LOOSE.store(true, Ordering::Relaxed);
    }
    if let Some(guest) = GUEST.get().filter(|guest| guest.host != ROOT) {
        check_inside(guest, path, path)?;
    }
    check_way(path)
}

fn check_owner(subject: &Subject<'_>) -> io::Result<()> {
    Ok(subject.check_owner(is_accepted(subject))?)
}

fn is_accepted(subject: &Subject<'_>) -> bool {
    let (owner, us) = (subject.owner(), us());
    let is_theirs = || match GUEST.get() {
        Some(guest) => guest.host == owner,
        None => fs::metadata(subject.directory()).is_ok_and(|data| data.uid() == owner),
    };
    owner == us
        || owner == ROOT
        || (us == ROOT && is_theirs())
        || (subject.data.is_dir() && stands_for_root(owner))
}

/// Root that works in the state directory of a user.
struct Guest {
    /// Whose it is; root's own is root's.
    host: u32,
    /// Where it lies, as it was named, and links resolved.
    named: PathBuf,
    state: PathBuf,
}

static GUEST: OnceLock<Guest> = OnceLock::new();

/// Tells once which state directory this process works in, for whose files root accepts.
pub(super) fn work_in(state: &Path) {
    if us() != ROOT {
        return;
    }
    let named = state.to_owned();
    let mut there = state.ancestors();
    let found = there.find_map(|path| Some((path, fs::metadata(path).ok()?)));
    if let Some((path, data)) = found {
        let state = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let host = data.uid();
        GUEST.get_or_init(|| Guest { host, named, state });
    }
}

/// Keeps root in the directory of the user that it works for: a link or a name of theirs must not
/// lead to what is root's. Best effort, for they may change it at any moment.
pub(super) fn check_place(path: &Path) -> io::Result<()> {
    let Some(guest) = GUEST.get().filter(|guest| guest.host != ROOT) else {
        return Ok(());
    };
    let whole = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    check_inside(guest, parent(&whole), path)
}

/// `named` leads to what lies in `directory`, or in what will be made there.
fn check_inside(guest: &Guest, directory: &Path, named: &Path) -> io::Result<()> {
    let mut there = directory.ancestors();
    let Some(real) = there.find_map(|path| fs::canonicalize(path).ok()) else {
        return Ok(());
    };
    if real.starts_with(&guest.state) || fs::metadata(&real)?.uid() == guest.host {
        return Ok(());
    }
    let at = named.to_owned();
    Err(Untrusted::Outside { at }.into())
}

/// The same for what is written in the state directory; elsewhere a person has named the file.
pub(super) fn check_target(path: &Path) -> io::Result<()> {
    let is_inside = |guest: &Guest| path.starts_with(&guest.named);
    match GUEST.get().is_some_and(is_inside) {
        true => check_place(path),
        false => Ok(()),
    }
}

/// Whether others may put links into the state directory.
static IS_LOOSE: AtomicBool = AtomicBool::new(false);

/// Judges every link on the way to a path, if others could have put one there.
pub(super) fn check_way(path: &Path) -> io::Result<()> {
    if !IS_LOOSE.load(Ordering::Relaxed) {
        return Ok(());
    }
    let check_step = &mut |step: &Step<'_>| match step.subject.data.is_symlink() {
        true => check_owner(&step.subject),
        false => Ok(()),
    };
    walk(path, check_step).map(drop)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "these tests look at real files")]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn place() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let inside = directory.path().join("state");
        fs::create_dir(&inside).unwrap();
        let path = inside.join("config.yaml");
        fs::write(&path, "").unwrap();
        mode(&path, 0o600);
        mode(&inside, 0o700);
        (directory, path)
    }

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }

    fn settings(path: &Path) -> Option<Untrusted> {
        let data = fs::metadata(path).unwrap();
        let error = check_settings(path, &data, None).err()?;
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        Some(inner.cloned().unwrap())
    }

    #[test]
    fn settings_that_only_this_user_can_write_are_trusted() {
        let (_directory, path) = place();
        for bits in [0o600, 0o644, 0o400] {
            mode(&path, bits);
            assert_eq!(settings(&path), None, "{bits:o}");
        }
        mode(parent(&path), 0o755);
        assert_eq!(settings(&path), None);
    }

    #[test]
    fn settings_that_others_can_write_are_refused() {
        let (_directory, path) = place();
        mode(&path, 0o666);
        let at = path.clone();
        let expected = Untrusted::Writable { at, mode: 0o666 };
        assert_eq!(settings(&path), Some(expected));
        mode(&path, 0o600);
        mode(parent(&path), 0o777);
        let at = parent(&path).to_owned();
        // Root's own directories are root's choice.
        let expected = (us() != ROOT).then_some(Untrusted::Writable { at, mode: 0o777 });
        assert_eq!(settings(&path), expected);
    }

    #[test]
    fn a_file_or_a_link_of_somebody_else_is_refused() {
        let (_directory, path) = place();
        let link = path.with_file_name("link");
        symlink(&path, &link).unwrap();
        check_link(&link).unwrap();
        // Only root may give a file away.
        if std::os::unix::fs::chown(&path, Some(65_534), None).is_err() {
            return;
        }
        std::os::unix::fs::lchown(&link, Some(65_534), None).unwrap();
        assert!(matches!(
            settings(&path),
            Some(Untrusted::Foreign { owner: 65_534, .. })
        ));
        assert!(check_link(&link).is_err());
        // In that user's own directory everything stays theirs.
        std::os::unix::fs::chown(parent(&path), Some(65_534), None).unwrap();
        assert_eq!(settings(&path), None);
        check_link(&link).unwrap();
    }
}
