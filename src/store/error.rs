//! How what fails on files is told to those who know nothing of files.

use std::path::Path;

use crate::ports::files::FileError;
use crate::ports::lock::LockError;
use crate::ports::store::{Location, MediumError, StoreError};

/// Where a file lies.
pub(super) fn at(path: &Path) -> Location {
    Location::new(path.display().to_string())
}

impl From<FileError> for MediumError {
    fn from(error: FileError) -> Self {
        Self {
            remedy: error.remedy(),
            is_refused: error.is_refused(),
            is_done: error.is_in_place(),
            cause: Box::new(error),
        }
    }
}

impl From<FileError> for StoreError {
    fn from(error: FileError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<LockError> for StoreError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::File(error) => error.into(),
            LockError::Busy { path, owner } => Self::Busy {
                at: at(&path),
                owner,
            },
            LockError::Interrupted(signal) => Self::Interrupted(signal),
        }
    }
}
