//! Where things lie.

use std::path::PathBuf;

/// Directories, resolved once.
#[derive(Clone, Debug)]
pub struct Dirs {
    /// The user's home.
    pub home: PathBuf,
    /// The state directory.
    pub state: PathBuf,
    /// The working directory.
    pub cwd: PathBuf,
}
