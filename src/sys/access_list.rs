//! POSIX access control lists, as Linux keeps them in an extended attribute (acl(5),
//! `linux/posix_acl_xattr.h`). Elsewhere there is no such attribute.

use std::fs::File;
use std::path::Path;

use rustix::io::Errno;

const NAME: &str = "system.posix_acl_access";
/// The version of the format, in front of the entries.
const VERSION: u32 = 2;
/// More than 500 entries: nobody has so many.
const LONGEST: usize = 4096;

/// The tags of entries.
const USER: u16 = 0x02;
const GROUP_OBJ: u16 = 0x04;
const GROUP: u16 = 0x08;
const MASK: u16 = 0x10;
/// Permission to write, in an entry.
const WRITE: u16 = 0o2;

/// A list, undecoded.
pub(super) struct AccessList(Vec<u8>);

impl AccessList {
    /// The list of an open file; `None` if only its mode counts.
    pub(super) fn of_file(file: &File) -> Option<Self> {
        Self::read(|buffer| rustix::fs::fgetxattr(file, NAME, buffer))
    }

    /// The list of what bears a name. Links have none.
    pub(super) fn at(path: &Path) -> Option<Self> {
        Self::read(|buffer| rustix::fs::lgetxattr(path, NAME, buffer))
    }

    fn read(get: impl FnOnce(&mut [u8]) -> Result<usize, Errno>) -> Option<Self> {
        let mut bytes = vec![0; LONGEST];
        match get(&mut bytes) {
            Ok(size) => {
                bytes.truncate(size);
                Some(Self(bytes))
            }
            // One that is too long lets somebody write, as one that is not understood.
            Err(Errno::RANGE) => Some(Self(Vec::new())),
            Err(_) => None,
        }
    }

    /// Whether it lets anybody write but users and groups that are accepted; `group` is that of the
    /// file. What everybody may, is in the mode.
    pub(super) fn lets_write(
        &self,
        group: u32,
        is_accepted_user: &dyn Fn(u32) -> bool,
        is_accepted_group: &dyn Fn(u32) -> bool,
    ) -> bool {
        let Some(entries) = self.entries() else {
            return true;
        };
        let mask = entries.iter().find(|entry| entry.tag == MASK);
        let mask = mask.map_or(WRITE, |mask| mask.permissions);
        let mut writers = (entries.iter()).filter(|entry| entry.permissions & mask & WRITE != 0);
        writers.any(|entry| match entry.tag {
            USER => !is_accepted_user(entry.id),
            GROUP_OBJ => !is_accepted_group(group),
            GROUP => !is_accepted_group(entry.id),
            _ => false,
        })
    }

    /// `None` if it is not understood.
    fn entries(&self) -> Option<Vec<Entry>> {
        let (version, entries) = self.0.split_first_chunk()?;
        let (entries, rest) = entries.as_chunks::<8>();
        let is_known = u32::from_le_bytes(*version) == VERSION && rest.is_empty();
        is_known.then(|| entries.iter().map(Entry::parse).collect())
    }
}

struct Entry {
    tag: u16,
    permissions: u16,
    id: u32,
}

impl Entry {
    fn parse(&[tag, tag_high, bits, bits_high, id @ ..]: &[u8; 8]) -> Self {
        Self {
            tag: u16::from_le_bytes([tag, tag_high]),
            permissions: u16::from_le_bytes([bits, bits_high]),
            id: u32::from_le_bytes(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER_OBJ: u16 = 0x01;
    const OTHER: u16 = 0x20;
    const UNDEFINED: u32 = u32::MAX;

    fn list(entries: &[(u16, u16, u32)]) -> AccessList {
        let mut bytes = VERSION.to_le_bytes().to_vec();
        for (tag, permissions, id) in entries {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(permissions.to_le_bytes());
            bytes.extend(id.to_le_bytes());
        }
        AccessList(bytes)
    }

    fn lets_write(list: &AccessList) -> bool {
        list.lets_write(50, &|uid| uid == 1000, &|gid| gid == 50)
    }

    #[test]
    fn an_entry_counts_as_far_as_the_mask_lets_it() {
        let of = |who: (u16, u16, u32), mask: u16| {
            let usual = [(USER_OBJ, 6, UNDEFINED), (GROUP_OBJ, 6, UNDEFINED)];
            let rest = [(MASK, mask, UNDEFINED), (OTHER, 4, UNDEFINED)];
            lets_write(&list(&[&usual[..], &[who], &rest].concat()))
        };
        for (who, is_other) in [
            ((USER, 6, 1000), false),
            ((USER, 6, 1001), true),
            ((USER, 4, 1001), false),
            ((GROUP, 2, 50), false),
            ((GROUP, 2, 51), true),
        ] {
            assert_eq!(of(who, 7), is_other, "{who:?}");
            assert!(!of(who, 5), "{who:?}");
        }
        // The group of the file itself is another one.
        let shared = list(&[(GROUP_OBJ, 6, UNDEFINED), (MASK, 6, UNDEFINED)]);
        assert!(shared.lets_write(51, &|_| true, &|gid| gid == 50));
    }

    #[test]
    fn what_is_not_understood_lets_write() {
        let mut other = list(&[]);
        assert!(!lets_write(&other));
        other.0[0] = 3;
        assert!(lets_write(&other));
        let mut cut = list(&[(USER, 4, 1001)]);
        cut.0.pop();
        assert!(lets_write(&cut));
        assert!(lets_write(&AccessList(Vec::new())));
    }
}
