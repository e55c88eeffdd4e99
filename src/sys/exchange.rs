//! Replacing a file without losing what another program writes there meanwhile.
//!
//! The kernel exchanges the new file and the old one in one step, and what came out is compared with
//! what was read. Where the file system cannot exchange, the comparison comes right before the
//! rename.
#![expect(clippy::disallowed_methods, reason = "this file replaces files")]

use std::fs;
use std::io;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::atomic_write::{Draft, is_mount_point, random};
use super::fs_error::{failed, if_there};
use crate::ports::files::{Displaced, FileError, Replaced, Reservation};
use crate::ports::swap;

impl Reservation for Draft {
    fn fill(self: Box<Self>, bytes: &[u8]) -> Result<(), FileError> {
        self.commit(bytes)
    }

    fn fill_over(
        self: Box<Self>,
        seen: Option<&[u8]>,
        bytes: &[u8],
    ) -> Result<Replaced, FileError> {
        commit_over(*self, seen, bytes)
    }
}

/// Makes `bytes` the content of the target, in the place of what was `seen` there.
pub(super) fn commit_over(
    mut draft: Draft,
    seen: Option<&[u8]>,
    bytes: &[u8],
) -> Result<Replaced, FileError> {
    let target = draft.target.clone();
    put_over(&mut draft, seen, bytes).map_err(failed("write", &target))
}

fn put_over(draft: &mut Draft, seen: Option<&[u8]>, bytes: &[u8]) -> io::Result<Replaced> {
    draft.write(bytes)?;
    name_for_exchange(draft, seen, bytes)?;
    let is_exchanged = match exchange(draft, seen.is_some()) {
        Ok(is_exchanged) => is_exchanged,
        Err(errno) if cannot_exchange(errno) => {
            let now = if_there(fs::read(&draft.target))?;
            if now.as_deref() != seen {
                return Ok(Replaced::Changed(now));
            }
            return draft.place(bytes).map(|()| Replaced::Done);
        }
        Err(errno) => return Err(errno.into()),
    };
    draft.settled = true;
    draft.finish()?;
    Ok(match is_exchanged {
        true => displaced(draft, seen),
        false => Replaced::Done,
    })
}

/// Whether the file system has no exchange, or not of this file.
fn cannot_exchange(errno: Errno) -> bool {
    matches!(errno, Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) || is_mount_point(&errno.into())
}

/// Gives the temp file the name that tells what it is once it is exchanged.
fn name_for_exchange(draft: &mut Draft, seen: Option<&[u8]>, bytes: &[u8]) -> io::Result<()> {
    let target = draft.target.file_name().unwrap_or_default();
    let name = swap::name(&target.to_string_lossy(), seen, bytes, random()?);
    let named = draft.temp.with_file_name(name);
    fs::rename(&draft.temp, &named)?;
    draft.temp = named;
    Ok(())
}

/// Puts the file in place; true if another one came out.
fn exchange(draft: &Draft, is_there: bool) -> Result<bool, Errno> {
    let rename = |flags| renameat_with(CWD, &draft.temp, CWD, &draft.target, flags);
    let first = match is_there {
        true => RenameFlags::EXCHANGE,
        false => RenameFlags::NOREPLACE,
    };
    match rename(first) {
        Ok(()) => Ok(is_there),
        // Removed, or made, since it was looked at.
        Err(Errno::NOENT) if is_there => rename(RenameFlags::NOREPLACE).map(|()| false),
        Err(Errno::EXIST) => rename(RenameFlags::EXCHANGE).map(|()| true),
        Err(errno) => Err(errno),
    }
}

/// Looks at what came out. If that cannot be read it stays, and the next writer looks again.
fn displaced(draft: &Draft, seen: Option<&[u8]>) -> Replaced {
    match fs::read(&draft.temp) {
        Ok(bytes) if Some(bytes.as_slice()) != seen => Replaced::Displaced(Displaced {
            path: draft.temp.clone(),
            bytes,
        }),
        Ok(_) => {
            // What is left is known by its name, and removed by the next writer.
            let _ = fs::remove_file(&draft.temp);
            Replaced::Done
        }
        Err(_) => Replaced::Done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::files::Files as _;
    use crate::sys::files::SystemFiles;

    #[test]
    fn what_another_program_wrote_comes_out_whole_and_stays_until_it_is_merged() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        let over = |seen, bytes| SystemFiles.replace_over(&path, seen, bytes).unwrap();
        assert_eq!(over(None, b"1"), Replaced::Done);
        assert_eq!(over(Some(b"1"), b"2"), Replaced::Done);
        fs::write(&path, "other").unwrap();
        for seen in [Some(b"2".as_slice()), None] {
            let Replaced::Displaced(displaced) = over(seen, b"3") else {
                panic!("nothing came out");
            };
            assert_eq!(fs::read(&path).unwrap(), b"3");
            assert_eq!(displaced.bytes, b"other");
            let left = swap::left(&SystemFiles, &path).unwrap();
            assert_eq!(left.foreign, [displaced]);
            assert!(left.needless.is_empty());
            fs::rename(&left.foreign[0].path, &path).unwrap();
        }
        fs::remove_file(&path).unwrap();
        assert_eq!(over(Some(b"other"), b"4"), Replaced::Done);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
