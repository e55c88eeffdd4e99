//! A private file that leads to another page: what is handed to the program that opens pages where
//! no port can be had (see `one_time_page.rs`).

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::callback_page;
use super::clock::SystemClock;
use super::files::SystemFiles;
use super::random::OsRandom;
use crate::ports::browser::OpenedPage;
use crate::ports::files::Files;
use crate::ports::host::{Clock as _, Random};

/// After this long a file was read by the browser, or is not read any more: a login waits for ten
/// minutes, unless it is told otherwise, and its page is opened at once.
const LIFETIME: Duration = Duration::from_secs(60 * 60);
const SUFFIX: &str = ".html";
/// Random bytes in a name.
const NAME: usize = 32;

/// Such a file. It goes when this is dropped.
pub(super) struct RedirectFile {
    path: PathBuf,
    address: String,
}

impl RedirectFile {
    /// Writes one that leads to `target` into a directory that may have to be made, both for this
    /// user alone.
    pub(super) fn write(directory: &Path, target: &str) -> Option<Self> {
        let mut name = [0; NAME];
        OsRandom.fill(&mut name).ok()?;
        let path = directory.join(BASE64_URL_SAFE_NO_PAD.encode(name) + SUFFIX);
        let address = url::Url::from_file_path(&path).ok()?.to_string();
        let html = callback_page::leading_to(target);
        SystemFiles.create_dirs(directory).ok()?;
        sweep(directory);
        SystemFiles.replace_relaxed(&path, html.as_bytes()).ok()?;
        Some(Self { path, address })
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }
}

/// Removes what killed processes left, with the `state` of a login in it.
fn sweep(directory: &Path) {
    let now = SystemClock::new().now();
    for name in SystemFiles.list(directory).unwrap_or_default() {
        let path = directory.join(&name);
        let stat = SystemFiles.stat(&path).ok().flatten();
        let is_old = stat.is_some_and(|stat| stat.is_file && stat.modified.after(LIFETIME) < now);
        if is_old && is_one(&name) {
            let _ = SystemFiles.remove(&path);
        }
    }
}

/// Whether a file is called as ours are.
fn is_one(name: &str) -> bool {
    let name = name.strip_suffix(SUFFIX);
    let bytes = name.and_then(|name| BASE64_URL_SAFE_NO_PAD.decode(name).ok());
    bytes.is_some_and(|bytes| bytes.len() == NAME)
}

impl OpenedPage for RedirectFile {
    /// Nobody counts them, and nobody else can make one.
    fn visits(&self) -> usize {
        0
    }

    fn is_visited_by_others(&self) -> bool {
        false
    }

    fn was_refused_to_others(&self) -> bool {
        false
    }
}

impl Drop for RedirectFile {
    fn drop(&mut self) {
        // What a killed process leaves goes when the next one is written.
        let _ = SystemFiles.remove(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::model::time::Timestamp;

    #[test]
    fn it_is_private_and_goes() {
        let dir = tempfile::tempdir().unwrap();
        let below = dir.path().join("pages");
        let file = RedirectFile::write(&below, "https://login.example/?a=1&b=\"").unwrap();
        assert!(file.address().starts_with("file:///"));
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&below), mode(&file.path)), (0o700, 0o600));
        let text = std::fs::read_to_string(&file.path).unwrap();
        assert!(
            text.contains("0;url=https://login.example/?a=1&amp;b=&quot;"),
            "{text}"
        );
        let path = file.path.clone();
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn what_a_killed_process_left_goes_with_the_next_one() {
        let dir = tempfile::tempdir().unwrap();
        let ours = |byte: u8| BASE64_URL_SAFE_NO_PAD.encode([byte; NAME]) + SUFFIX;
        let old = SystemClock::new().now().0 - 61 * 60 * 1000;
        let left = |name: &str, modified: Option<i64>| {
            let path = dir.path().join(name);
            SystemFiles.replace_relaxed(&path, b"").unwrap();
            if let Some(modified) = modified {
                SystemFiles.touch(&path, Timestamp(modified)).unwrap();
            }
            path
        };
        let (dead, living) = (left(&ours(1), Some(old)), left(&ours(2), None));
        let other = left("notes.html", Some(old));
        let _file = RedirectFile::write(dir.path(), "https://login.example/").unwrap();
        assert!(!dead.exists());
        assert!(living.exists() && other.exists());
    }
}
