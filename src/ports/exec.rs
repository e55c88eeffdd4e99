//! Another program in the place of this process: its number, its terminal and its parent stay, so
//! that signals and the exit code are the program's own.
//!
//! An implementation owes: every descriptor of ours closed in the program but the one that was
//! handed down; signals as a program expects them; a secret in no argument; nothing that was open
//! before replaced.

use std::ffi::OsString;
use std::io;

use crate::model::secret::Secret;

/// Makes way for a program.
pub trait Exec: Send + Sync {
    /// Sets a descriptor aside for a secret: this very number, or the first that is free above
    /// standard error.
    ///
    /// # Errors
    /// If the number is taken, or the system gives none.
    fn reserve_fd(&self, number: Option<u16>) -> Result<Box<dyn InheritedFd>, DescriptorError>;

    /// Runs the program in the place of this process. Returns only if that could not be done.
    fn exec(&self, image: &ExecSpec) -> io::Error;
}

/// A descriptor that the program will read.
pub trait InheritedFd {
    /// Its number.
    fn number(&self) -> i32;

    /// Puts the secret and a newline there and nothing after them; whoever has read it finds it
    /// empty.
    ///
    /// # Errors
    /// If it does not fit; nobody waits for a reader.
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
    /// Whoever started us has given it a meaning.
    #[error("descriptor {0} is open already")]
    Taken(u16),
    /// The system gives none.
    #[error("no descriptor for the token: {0}")]
    System(#[from] io::Error),
}
