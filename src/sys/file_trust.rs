//! Who may have written what this program acts on: the door for every file that it reads, and for
//! the directories that it keeps secrets in.
//!
//! The open descriptor is judged, and never the name a second time: what lies there may change in
//! between. Root is trusted; where root itself works in the directory of a user, that user is, too,
//! for everything stays theirs.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::Errno;

use super::env::{SystemEnv, names};
use super::owner_support::us;
use super::{owner_support, private_group};
use crate::ports::files::Untrusted;
use crate::ports::host::Env as _;

const ROOT: u32 = 0;
const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
/// In a directory with it nobody can rename or remove what belongs to somebody else.
const STICKY: u32 = 0o1000;
/// As many links as Linux follows.
const MAX_LINKS: usize = 40;

/// Judges a file by what its open descriptor says: this user or root must own it.
pub(super) fn check_file(path: &Path, data: &Metadata) -> io::Result<()> {
    check_owner(path, data, parent(path))?;
    check_place(path)?;
    check_way(path)
}

/// Judges a file that could not be opened, if it can be seen.
pub(super) fn check_owner_of(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(data) => check_owner(path, &data, parent(path)),
        Err(_) => Ok(()),
    }
}

/// Judges a file that is written in place: a second name may be of a file anywhere.
pub(super) fn check_lock(path: &Path, data: &Metadata) -> io::Result<()> {
    check_file(path, data)?;
    match data.nlink() {
        0 | 1 => Ok(()),
        _ => refuse(Untrusted::SeveralNames {
            at: path.to_owned(),
        }),
    }
}

/// Judges a link that leads to a file: who made it chooses the file.
pub(super) fn check_link(path: &Path) -> io::Result<()> {
    let link = fs::symlink_metadata(path)?;
    let owner = link.uid();
    if is_accepted(owner, parent(path)) || !owner_support::tells(parent(path)) {
        return Ok(());
    }
    let at = path.to_owned();
    refuse(Untrusted::ForeignLink { at, owner })
}

/// Judges a file that decides what this program does: nobody else may write to it, nor to a
/// directory of this user that names it. How open the directories of root are is the
/// administrator's choice; what somebody puts there is theirs, and so refused.
pub(super) fn check_settings(path: &Path, data: &Metadata) -> io::Result<()> {
    check_file(path, data)?;
    if is_open_to_others(data) && owner_support::tells(parent(path)) {
        return refuse(writable(path, data));
    }
    check_links(path, MAX_LINKS)?;
    let home = SystemEnv.plain(names::HOME).map(PathBuf::from);
    for directory in path.ancestors().skip(1) {
        if directory.as_os_str().is_empty() {
            break;
        }
        let found = fs::metadata(directory)?;
        check_owner(directory, &found, directory)?;
        let is_loose = is_open_to_others(&found) && found.mode() & STICKY == 0;
        if is_loose && found.uid() != ROOT && owner_support::tells(directory) {
            return refuse(writable(directory, &found));
        }
        // Whose home it is, is settled above it.
        if home.as_deref() == Some(directory) {
            break;
        }
    }
    Ok(())
}

/// Judges a directory that secrets lie in. Root leaves everything in it to its owner.
pub(super) fn check_directory(path: &Path, data: &Metadata) -> io::Result<()> {
    check_owner(path, data, path)?;
    if is_open_to_others(data) {
        IS_LOOSE.store(true, Ordering::Relaxed);
    }
    if let Some(guest) = GUEST.get().filter(|guest| guest.host != ROOT) {
        check_inside(guest, path, path)?;
    }
    check_way(path)
}

/// `within` says whose directory root works in.
fn check_owner(path: &Path, data: &Metadata, within: &Path) -> io::Result<()> {
    let owner = data.uid();
    let is_hidden_root = data.is_dir() && owner_support::stands_for_root(owner);
    if is_accepted(owner, within) || is_hidden_root {
        return Ok(());
    }
    let directory = if data.is_dir() { path } else { parent(path) };
    if !owner_support::tells(directory) {
        owner_support::warn_once(directory);
        return Ok(());
    }
    let at = path.to_owned();
    refuse(Untrusted::Foreign { at, owner })
}

fn is_accepted(owner: u32, within: &Path) -> bool {
    let us = us();
    let is_theirs = || match GUEST.get() {
        Some(guest) => guest.host == owner,
        None => fs::metadata(within).is_ok_and(|data| data.uid() == owner),
    };
    owner == us || owner == ROOT || (us == ROOT && is_theirs())
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
    refuse(Untrusted::Outside { at })
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
    match IS_LOOSE.load(Ordering::Relaxed) {
        true => check_links(path, MAX_LINKS),
        false => Ok(()),
    }
}

/// Judges the links on the way to a path, and on the ways that they lead.
fn check_links(path: &Path, left: usize) -> io::Result<()> {
    let mut at = PathBuf::new();
    let mut parts = path.components();
    while let Some(part) = parts.next() {
        at.push(part);
        let Ok(target) = fs::read_link(&at) else {
            continue;
        };
        check_link(&at)?;
        let Some(left) = left.checked_sub(1) else {
            return Err(Errno::LOOP.into());
        };
        let way = parent(&at).join(target).join(parts.as_path());
        return check_links(&way, left);
    }
    Ok(())
}

fn is_open_to_others(data: &Metadata) -> bool {
    // Of a file of root the group must be no more than this user.
    let owner = if data.uid() == ROOT { us() } else { data.uid() };
    let by_group = data.mode() & GROUP_WRITES != 0 && !private_group::is_private(data.gid(), owner);
    data.mode() & OTHERS_WRITE != 0 || by_group
}

fn writable(path: &Path, data: &Metadata) -> Untrusted {
    Untrusted::Writable {
        at: path.to_owned(),
        mode: data.mode() & 0o7777,
    }
}

fn refuse(why: Untrusted) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
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
        let error = check_settings(path, &data).err()?;
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
