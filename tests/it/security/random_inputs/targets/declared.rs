//! Any text in the place of `config.yaml`.

use std::path::PathBuf;
use std::sync::Arc;

use openclaw::app::failure::Failure;
use openclaw::config::declared::DeclaredFile;
use openclaw::model::declared::Severity;
use openclaw::ports::declarations::Declarations;
use openclaw::ports::files::Files as _;
use openclaw::providers::catalogue::{Catalogue, CatalogueError};
use openclaw::testing::files::MemoryFiles;

use super::fake_ports::assert_printable;
use super::manifest::safe;

/// What gets through is safe to act on, and what does not is told by its line in words that a
/// terminal can show.
pub(crate) fn check(bytes: &[u8]) {
    let files = MemoryFiles::new();
    let path = PathBuf::from("/s/config.yaml");
    files.put(&path, "");
    if files.replace(&path, bytes).is_err() {
        panic!("it could not be put");
    }
    let files = Arc::new(files);
    let file = Arc::new(DeclaredFile::new(files.clone(), path.clone()));
    let catalogue = Catalogue::new(files, "/s/providers".into()).declaring(file.clone());
    let lines = String::from_utf8_lossy(bytes).matches(['\n', '\r']).count() + 1;
    for finding in file.findings().unwrap_or_default() {
        assert_printable(&finding.to_string());
        assert_eq!(finding.place.file, path);
        let line = finding.place.line;
        assert!(
            (1..=lines + 1).contains(&line),
            "{finding} of {lines} lines"
        );
    }
    for id in file.ids().unwrap_or_default() {
        match catalogue.get(&id) {
            Ok(provider) => {
                assert_eq!(provider.id, id);
                safe(&provider);
            }
            Err(error @ CatalogueError::Declared(_)) => {
                assert_printable(&Failure::from(error).message);
            }
            Err(error) => panic!("{id}: {error}"),
        }
        if let Ok(Some(declared)) = file.get(&id) {
            let mut findings = declared.findings.iter();
            assert!(findings.all(|finding| finding.severity != Severity::Error));
        }
    }
}
