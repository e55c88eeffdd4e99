//! The file of one profile's history.

use std::path::Path;

use crate::model::history::History;
use crate::model::secret::Secret;
use crate::ports::files::{FileError, Files};
use crate::ports::store::StoreError;

use super::history_text;
use super::io::FileStore;
use super::sealed::Sealing;

/// The history in a file, if there is one; why it cannot be understood, if it cannot.
pub(super) fn read_file(
    cx: &FileStore,
    path: &Path,
) -> Result<Option<Result<History, String>>, FileError> {
    let bytes = cx.io.files.read(path)?.map(Secret::new);
    Ok(bytes.map(|bytes| {
        let text = std::str::from_utf8(bytes.expose()).map_err(|_| "it is not UTF-8 text")?;
        history_text::parse_keeping(text, &mut cx.keep())
    }))
}

/// Replaces the file of a history.
///
/// # Errors
/// If its secrets are to be sealed, and cannot be; what the disk says.
pub(super) fn write(
    files: &dyn Files,
    path: &Path,
    history: &History,
    sealing: &Sealing,
) -> Result<(), StoreError> {
    let text = history_text::render_sealed(history, sealing)?;
    // It can be undone from now on; an error would say that the change itself was made.
    Ok(files.replace_relaxed(path, text.expose())?)
}
