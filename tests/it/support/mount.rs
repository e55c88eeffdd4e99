//! File systems that a test mounts, which needs root.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A mount that goes with the test.
pub(crate) struct Mount(PathBuf);

impl Mount {
    pub(crate) fn new(at: &Path, args: &[&str]) -> Self {
        mount(at, args);
        Self(at.to_owned())
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let gone = Command::new("umount").arg("-l").arg(&self.0).status();
        assert!(gone.unwrap().success());
    }
}

pub(crate) fn mount(at: &Path, args: &[&str]) {
    let mounted = Command::new("mount").args(args).arg(at).status();
    assert!(mounted.unwrap().success(), "mount {args:?}");
}

/// Takes every block that is left on the disk of this file.
pub(crate) fn fill(ballast: &Path) {
    let mut file = std::fs::File::create(ballast).unwrap();
    while file.write_all(&[0; 512]).is_ok() {}
}
