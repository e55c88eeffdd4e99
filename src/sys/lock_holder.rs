//! Who holds a kernel lock, by the kernel's own list: the note in a lock file is that of the last
//! holder who could write to it, and anybody who may read the file may hold its lock.
//!
//! Linux only; elsewhere, and for a holder in another container, nobody is found.

use std::fs;
use std::path::Path;

/// The process that holds the lock of a file, if there is one and it can be told.
pub(super) fn find(path: &Path) -> Option<u32> {
    let data = rustix::fs::stat(path).ok()?;
    let device = (
        rustix::fs::major(data.st_dev),
        rustix::fs::minor(data.st_dev),
    );
    let list = fs::read_to_string("/proc/locks").ok()?;
    list.lines()
        .find_map(|line| holder(line, device, data.st_ino))
}

/// Reads a line such as `1: FLOCK  ADVISORY  WRITE 4711 fd:01:1234 0 EOF`; one with `->` waits.
fn holder(line: &str, (major, minor): (u32, u32), inode: u64) -> Option<u32> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [_, "FLOCK", _, _, pid, file, ..] = fields.as_slice() else {
        return None;
    };
    let is_it = *file == format!("{major:02x}:{minor:02x}:{inode}");
    is_it.then(|| pid.parse().ok().filter(|pid| *pid > 0))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_named_and_not_who_waits() {
        let held = "12: FLOCK  ADVISORY  WRITE 4711 fd:01:1234 0 EOF";
        assert_eq!(holder(held, (0xfd, 1), 1234), Some(4711));
        for (line, device, inode) in [
            (
                "12: -> FLOCK  ADVISORY  WRITE 4712 fd:01:1234 0 EOF",
                (0xfd, 1),
                1234,
            ),
            (held, (0xfd, 2), 1234),
            (held, (0xfd, 1), 123),
            (
                "13: POSIX  ADVISORY  WRITE 4711 fd:01:1234 0 EOF",
                (0xfd, 1),
                1234,
            ),
            (
                "14: FLOCK  ADVISORY  WRITE 0 fd:01:1234 0 EOF",
                (0xfd, 1),
                1234,
            ),
            ("garbage", (0xfd, 1), 1234),
        ] {
            assert_eq!(holder(line, device, inode), None, "{line}");
        }
    }
}
