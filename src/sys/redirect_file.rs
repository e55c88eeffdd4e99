//! A private file that leads to another page: what is handed to the program that opens pages where
//! no port can be had (see `one_time_page.rs`).

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::callback_page;
use super::files::SystemFiles;
use super::random::OsRandom;
use crate::ports::browser::OpenedPage;
use crate::ports::files::Files;
use crate::ports::host::Random;

/// Such a file. It goes when this is dropped.
pub(super) struct RedirectFile {
    path: PathBuf,
    address: String,
}

impl RedirectFile {
    /// Writes one that leads to `target` into a directory that may have to be made, both for this
    /// user alone.
    pub(super) fn write(directory: &Path, target: &str) -> Option<Self> {
        let mut name = [0; 32];
        OsRandom.fill(&mut name).ok()?;
        let path = directory.join(format!("{}.html", BASE64_URL_SAFE_NO_PAD.encode(name)));
        let address = url::Url::from_file_path(&path).ok()?.to_string();
        let html = callback_page::leading_to(target);
        SystemFiles.create_dirs(directory).ok()?;
        SystemFiles.replace_relaxed(&path, html.as_bytes()).ok()?;
        Some(Self { path, address })
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }
}

impl OpenedPage for RedirectFile {
    /// Nobody counts them, and nobody else can make one.
    fn visits(&self) -> usize {
        0
    }

    fn is_visited_by_others(&self) -> bool {
        false
    }
}

impl Drop for RedirectFile {
    fn drop(&mut self) {
        // What is left is of no use to anybody: a `state` that nobody waits for.
        let _ = SystemFiles.remove(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

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
}
