//! The file that a bundle is written to: never one that is there, and never half of it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::model::bundle::{BundleId, ForDatabase};
use crate::ports::files::FileError;

/// Where a bundle is to lie, and where it lies until it is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The file.
    pub(super) path: PathBuf,
    /// The file beside it.
    pub(super) draft: PathBuf,
    /// The database that it is for.
    pub(super) database: Option<ForDatabase>,
}

impl Target {
    /// The target of that bundle.
    ///
    /// # Errors
    /// [`Kind::Usage`] if something is there already, or no file can be there.
    pub(super) fn new(cx: Context<'_>, file: &Path, id: &BundleId) -> Result<Self, Failure> {
        let path = cx.dirs.cwd.join(file);
        let refused =
            |why: String| Failure::new(Kind::Usage, format!("{why}; nothing was written"));
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(refused(format!(
                "{} is not the name of a file",
                path.display()
            )));
        };
        if cx
            .files
            .stat(&path)
            .map_err(|error| unwritten(&path, error))?
            .is_some()
        {
            return Err(exists(&path));
        }
        match cx
            .files
            .stat(parent)
            .map_err(|error| unwritten(&path, error))?
        {
            Some(there) if there.is_dir => {}
            _ => {
                let parent = parent.display();
                return Err(refused(format!("there is no directory {parent}")));
            }
        }
        refuse_in_state(cx, parent)?;
        let draft = format!(".{}.{id}.tmp", name.to_string_lossy());
        let draft = parent.join(draft);
        Ok(Self {
            path,
            draft,
            database: None,
        })
    }

    /// The same for a copy. Its draft has another name, for one that is left of a killed command can
    /// be removed by anybody: nothing is only there.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(super) fn of_copy(cx: Context<'_>, file: &Path, id: &BundleId) -> Result<Self, Failure> {
        let mut target = Self::new(cx, file, id)?;
        target.draft.set_extension("copy.tmp");
        Ok(target)
    }

    /// Removes what killed commands left of copies to that file.
    pub(super) fn remove_leftovers(&self, cx: Context<'_>) {
        let (Some(parent), Some(name)) = (self.path.parent(), self.path.file_name()) else {
            return;
        };
        let prefix = format!(".{}.", name.to_string_lossy());
        for other in cx.files.list(parent).unwrap_or_default() {
            let id = other.strip_prefix(&prefix);
            let id = id.and_then(|rest| rest.strip_suffix(".copy.tmp"));
            if id.is_some_and(|id| BundleId::try_from(id.to_owned()).is_ok()) {
                let _ = cx.files.remove(&parent.join(other));
            }
        }
    }

    /// Writes the bundle durably to the file beside; nothing is left there on error.
    ///
    /// # Errors
    /// If the directory or the disk refuses it.
    pub(super) fn write(&self, cx: Context<'_>, bytes: &[u8]) -> Result<(), Failure> {
        let write = || -> Result<(), FileError> {
            let mut draft = cx.files.prepare(&self.draft, b"", bytes.len() as u64)?;
            let written = draft.append(bytes);
            if written.is_err() {
                let _ = cx.files.remove(&self.draft);
            }
            written
        };
        write().map_err(|error| unwritten(&self.path, error))
    }

    /// Gives the bundle its name.
    ///
    /// # Errors
    /// If it has not got it; it lies beside then.
    pub(super) fn publish(&self, cx: Context<'_>) -> Result<(), Failure> {
        match cx.files.publish(&self.draft, &self.path) {
            // It has its name.
            Err(error) if error.is_in_place() => cx.warn(error.to_string()),
            Err(error) if error.source.kind() == ErrorKind::AlreadyExists => {
                return Err(exists(&self.path));
            }
            other => other.map_err(|error| unwritten(&self.path, error))?,
        }
        Ok(())
    }
}

/// What other programs and a backup take for the store is no place for a bundle of it, nor is where
/// this program looks for what it left there itself.
fn refuse_in_state(cx: Context<'_>, parent: &Path) -> Result<(), Failure> {
    let (Ok(parent), Ok(state)) = (cx.files.resolve(parent), cx.files.resolve(&cx.dirs.state))
    else {
        return Ok(());
    };
    if !parent.starts_with(&state) {
        return Ok(());
    }
    let state = state.display();
    let message = format!("a bundle of {state} cannot lie in it; nothing was written");
    Err(Failure::new(Kind::Usage, message).hint("choose another directory for the bundle"))
}

fn exists(path: &Path) -> Failure {
    let message = format!("{} exists already, and is not overwritten", path.display());
    Failure::new(Kind::Usage, message).hint("choose another name for the bundle")
}

/// The advice of a file error is about the state directory.
fn unwritten(path: &Path, error: FileError) -> Failure {
    let message = format!("{} was not written: {error}", path.display());
    let hint = "choose a directory that you may write to and that has space";
    Failure::new(Kind::Storage, message)
        .hint(hint)
        .caused_by(error)
}
