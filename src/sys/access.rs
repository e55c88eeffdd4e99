//! The one judgement of whose a file, a directory or a link is, and who may write to it: by owner,
//! mode, group and access control list, where the file system can tell.
//!
//! Who acts on it decides whom to accept: `file_trust` for what is read, `exec_permissions` for what
//! runs.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::access_list::AccessList;
use super::owner_support::us;
use super::{owner_support, private_group};
use crate::ports::files::Untrusted;

pub(super) const ROOT: u32 = 0;
const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
/// In a directory with it nobody can rename or remove what belongs to somebody else.
const STICKY: u32 = 0o1000;

/// What is judged: as it is open, or else by its name.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) at: &'a Path,
    pub(super) data: &'a Metadata,
    file: Option<&'a File>,
}

impl<'a> Subject<'a> {
    /// What bears a name, and what was found there.
    pub(super) fn named(at: &'a Path, data: &'a Metadata) -> Self {
        let file = None;
        Self { at, data, file }
    }

    /// What is open, whatever bears its name meanwhile.
    pub(super) fn open(at: &'a Path, data: &'a Metadata, file: &'a File) -> Self {
        let file = Some(file);
        Self { at, data, file }
    }

    pub(super) fn owner(&self) -> u32 {
        self.data.uid()
    }

    /// Whether nobody but its owner can rename or remove what lies in it.
    pub(super) fn is_sticky(&self) -> bool {
        self.data.mode() & STICKY != 0
    }

    /// Fails for an owner that is not accepted. Where nobody can tell whose it is, that is said.
    pub(super) fn check_owner(&self, is_accepted: bool) -> Result<(), Untrusted> {
        if is_accepted {
            return Ok(());
        }
        let directory = self.directory();
        if !owner_support::tells(directory) {
            owner_support::warn_once(directory);
            return Ok(());
        }
        let (at, owner) = (self.at.to_owned(), self.owner());
        Err(match self.data.is_symlink() {
            true => Untrusted::ForeignLink { at, owner },
            false => Untrusted::Foreign { at, owner },
        })
    }

    /// Fails if others than its owner, this user and root may write to it. Where the file system
    /// cannot tell, `untold` is given its directory.
    pub(super) fn check_writers(&self, untold: impl FnOnce(&Path)) -> Result<(), Untrusted> {
        if !self.is_open_to_others() {
            return Ok(());
        }
        let directory = self.directory();
        if !owner_support::tells(directory) {
            untold(directory);
            return Ok(());
        }
        Err(Untrusted::Writable {
            at: self.at.to_owned(),
            mode: self.data.mode() & 0o7777,
        })
    }

    /// Whether others may write to it, as far as owner, mode and lists mean something.
    pub(super) fn is_open_to_others(&self) -> bool {
        let mode = self.data.mode();
        mode & OTHERS_WRITE != 0 || (mode & GROUP_WRITES != 0 && self.is_open_to_a_group())
    }

    /// Where there is a list, the bits of the group are the most that it gives to anybody (acl(5)):
    /// so it need not be asked for where they do not let write.
    fn is_open_to_a_group(&self) -> bool {
        // Of a file of root the group must be no more than this user.
        let owner = match self.owner() {
            ROOT => us(),
            owner => owner,
        };
        let is_private = |gid| private_group::is_private(gid, owner);
        let list = match self.file {
            Some(file) => AccessList::of_file(file),
            None => AccessList::at(self.at),
        };
        match list {
            None => !is_private(self.data.gid()),
            Some(list) => {
                let is_accepted = |uid| [ROOT, owner, us()].contains(&uid);
                list.lets_write(self.data.gid(), &is_accepted, &is_private)
            }
        }
    }

    /// The directory that it is or lies in.
    pub(super) fn directory(&self) -> &Path {
        match self.data.is_dir() {
            true => self.at,
            false => parent(self.at),
        }
    }
}

pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
