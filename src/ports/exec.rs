//! Replacing this process by another program (`execve`): process id, terminal and parent stay, so
//! signals and the exit code are the program's own.
//!
//! An implementation owes: every descriptor of ours closed in the program but the one that was
//! handed down; signals as a program expects them; a secret in no argument; nothing that was open
//! before replaced.

use std::ffi::OsString;
use std::io;

use crate::model::secret::Secret;

/// Replaces this process by a program.
pub trait Exec: Send + Sync {
    /// Reserves a file descriptor for a secret: this number, or the first free one above standard
    /// error.
    ///
    /// # Errors
    /// If the number is taken, or the system gives none.
    fn reserve_fd(&self, number: Option<u16>) -> Result<Box<dyn InheritedFd>, DescriptorError>;

    /// Executes the program; returns only on failure.
    fn exec(&self, image: &ExecSpec) -> io::Error;
}

/// A descriptor that the program will read.
pub trait InheritedFd {
    /// Returns the descriptor's number.
    fn number(&self) -> i32;

    /// Writes the secret and a newline, then closes the writing end.
    ///
    /// # Errors
    /// If it does not fit into the pipe; there is no wait for a reader.
    fn fill(&mut self, secret: &Secret<String>) -> io::Result<()>;
}

/// A program, and what of its environment differs from ours.
#[derive(Clone, Debug)]
pub struct ExecSpec {
    /// Its path, or a name to be looked for in `PATH`.
    pub program: OsString,
    /// Its arguments, without the name.
    pub args: Vec<OsString>,
    /// The variables that it does not get.
    pub without: Vec<String>,
    /// The variables that it gets besides.
    pub with: Vec<(String, Secret<String>)>,
}

/// No descriptor could be set aside.
#[derive(Debug, thiserror::Error)]
pub enum DescriptorError {
    /// It was open when this process started.
    #[error("file descriptor {0} is already open")]
    Taken(u16),
    /// The system has no free descriptor.
    #[error("could not create a file descriptor for the token: {0}")]
    System(#[from] io::Error),
}
