//! What can be wrong with the configuration.

use std::path::PathBuf;

use crate::model::id::{AgentId, printable};
use crate::ports::files::FileError;
use crate::ports::lock::LockError;

/// At most this many characters of what stands in the file are repeated.
const SHOWN: usize = 200;

/// The configuration cannot be read or changed. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file operation failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// Another process is changing it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// It is no JSON5.
    #[error("{}:{line}:{column}: {}", path.display(), printable(message, SHOWN))]
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
    #[error("{}: {} {}", path.display(), printable(member, SHOWN), printable(fault, SHOWN))]
    Shape {
        /// The file.
        path: PathBuf,
        /// The member, with dots.
        member: String,
        /// What is wrong with it.
        fault: String,
    },
    /// Two agents would keep their credentials in one directory.
    #[error("agents {first} and {second} share the agentDir {} and would share their logins", directory.display())]
    SharedDirectory {
        /// One of them.
        first: AgentId,
        /// The other.
        second: AgentId,
        /// The directory.
        directory: PathBuf,
    },
    /// The member to change lies in another file.
    #[error("{}: {} is defined in {}, which is not edited automatically", path.display(), printable(member, SHOWN), printable(included, SHOWN))]
    Included {
        /// The configuration.
        path: PathBuf,
        /// The member, with dots.
        member: String,
        /// The file or files that it includes, as written there.
        included: String,
    },
}
