//! What the checks of a disk are made with.

use std::path::Path;
use std::sync::Arc;

use crate::ports::disk::Disk;
use crate::ports::files::{FileError, Files};
use crate::ports::host::Clock;

use super::report::Verdict;

/// The advice where a disk cannot be mended.
pub(super) const ELSEWHERE: &str = "choose another state directory with OPENCLAW_STATE_DIR";

/// The ports under test. A check may outlive its time limit, so it owns them.
#[derive(Clone)]
pub struct Lab {
    /// The file system as the store uses it.
    pub files: Arc<dyn Files>,
    /// What only doctor asks of it.
    pub disk: Arc<dyn Disk>,
    /// The system's clock.
    pub clock: Arc<dyn Clock>,
    /// The id of this process.
    pub pid: u32,
}

/// A check of a directory, and its stable name.
pub(super) type DiskCheck = (&'static str, fn(&Lab, &Path) -> Result<Verdict, FileError>);

/// The verdict of a check that could not be made.
pub(super) fn told(outcome: Result<Verdict, FileError>) -> Verdict {
    outcome.unwrap_or_else(|error| Verdict::failed(error.to_string(), ELSEWHERE))
}
