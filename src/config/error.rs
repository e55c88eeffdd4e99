//! What can be wrong with the configuration.

use std::path::PathBuf;

use crate::ports::files::FileError;

/// The configuration cannot be read or changed. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file operation failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is no JSON5.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// A member is not what it should be.
    #[error("{}: {member} {fault}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The member, with dots.
        member: String,
        /// What is wrong with it.
        fault: String,
    },
    /// The member to change lies in another file.
    #[error("{}: {member} comes from {included}, which is not changed; edit it there", path.display())]
    Included {
        /// The configuration.
        path: PathBuf,
        /// The member, with dots.
        member: String,
        /// The file that it includes.
        included: String,
    },
}
