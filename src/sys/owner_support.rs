//! Whether a file system can tell whose a file is: those of Windows disks and some others give every
//! file one owner and one mode.
//!
//! Found out with a file of our own, and only where an owner or a mode looks wrong.
#![expect(
    clippy::disallowed_methods,
    reason = "this file makes and removes a file to look at"
)]

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, Once, OnceLock};

use parking_lot::{Mutex, const_mutex};

use crate::ports::dialog::{Dialog, Notice};

/// Whose a file looks to be whose owner the namespace does not know.
const OVERFLOW_UID: u32 = 65_534;

/// What was found out, by device.
static KNOWN: Mutex<Option<HashMap<u64, bool>>> = const_mutex(None);

/// This user, as files name their owners. Asked of the system once.
pub(super) fn us() -> u32 {
    static US: OnceLock<u32> = OnceLock::new();
    *US.get_or_init(|| rustix::process::geteuid().as_raw())
}

/// Whether owners and modes of files in a directory mean something. Where no file can be made, they
/// are believed.
pub(super) fn tells(directory: &Path) -> bool {
    let Ok(device) = fs::metadata(directory).map(|data| data.dev()) else {
        return true;
    };
    let mut known = KNOWN.lock();
    let known = known.get_or_insert_default();
    *known.entry(device).or_insert_with(|| try_out(directory))
}

fn try_out(directory: &Path) -> bool {
    let path = directory.join(format!(".openclaw-owner.{}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let Ok(file) = options.open(&path) else {
        return true;
    };
    let found = file.metadata();
    // Best effort: it is empty, and its name says whose it is.
    let _ = fs::remove_file(&path);
    // A network disk may give root's files to nobody, and tells all other owners apart.
    let is_ours = |uid| uid == us() || us() == 0;
    found.is_ok_and(|data| is_ours(data.uid()) && data.mode() & 0o777 == 0o600)
}

/// Whether root's files look like nobody's, as in a user namespace without the root of the machine.
pub(super) fn stands_for_root(uid: u32) -> bool {
    static HIDDEN: OnceLock<bool> = OnceLock::new();
    let is_hidden = || {
        let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        !map.is_empty() && !maps_root(&map)
    };
    uid == OVERFLOW_UID && *HIDDEN.get_or_init(is_hidden)
}

/// Reads lines of the first user inside, the first outside, and their number.
fn maps_root(map: &str) -> bool {
    let mut lines = map.lines().map(|line| line.split_whitespace());
    lines.any(|mut fields| fields.nth(1) == Some("0"))
}

/// Whom to warn, once that is known.
static PERSON: OnceLock<Arc<dyn Dialog>> = OnceLock::new();

/// What was to be said before. Settings are read before there is anybody to tell.
static UNTOLD: Mutex<Option<String>> = const_mutex(None);

/// Warns this person from now on, and of what was found before.
pub(super) fn warn(dialog: &Arc<dyn Dialog>) {
    let dialog = PERSON.get_or_init(|| Arc::clone(dialog));
    if let Some(text) = UNTOLD.lock().take() {
        dialog.notice(&Notice::Warning(text.into()));
    }
}

/// Says that what lies in a directory is used although nobody can tell whose it is.
pub(super) fn warn_once(directory: &Path) {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        let text = format!(
            "the file system of {} cannot tell whose a file is: other users of this machine may be \
             able to change what is used from there",
            directory.display()
        );
        match PERSON.get() {
            Some(dialog) => dialog.notice(&Notice::Warning(text.into())),
            None => *UNTOLD.lock() = Some(text),
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_of_a_user_is_without_the_root_of_the_machine() {
        assert!(maps_root("         0          0 4294967295\n"));
        assert!(!maps_root("0 1000 1\n1 100000 65536\n"));
        assert!(!maps_root("      1000       1000          1\n"));
    }
}
