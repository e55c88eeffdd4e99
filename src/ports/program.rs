//! External programs: those that speak for a provider (`openclaw-auth-<id>` on `PATH`, or the one
//! that a manifest names), and those that are told of something.
//!
//! An implementation owes: only absolute entries of the process's own `PATH`, never the working
//! directory; nothing run that somebody else than this user or root could have put there; no secret
//! in arguments or environment, lines over pipes only; standard error left where ours goes, so that
//! the program can talk to the person; a process group of its own, all of which goes when the
//! program is stopped; at most [`MAX_LINE`] bytes of a line.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::secret::Secret;

use super::host::Signal;
use super::http::MAX_ANSWER;

/// The longest line that is read of a program: as long as the answer of a token endpoint.
pub const MAX_LINE: usize = MAX_ANSWER;

/// Finds and starts programs.
pub trait Programs: Send + Sync {
    /// The files of this name in the directories of `PATH`, in their order, whatever they are.
    fn on_path(&self, name: &str) -> Vec<PathBuf>;

    /// The files on `PATH` whose names begin so, the first of each name, by name.
    fn beginning_with(&self, prefix: &str) -> Vec<PathBuf>;

    /// Whether a program may be run; starts nothing.
    ///
    /// # Errors
    /// What is wrong with it, or with a directory it lies in.
    fn judge(&self, path: &Path) -> Result<(), ProgramError>;

    /// Judges a program and starts it, without arguments.
    ///
    /// # Errors
    /// If it is refused, or the system cannot start it.
    fn start(&self, path: &Path) -> Result<Box<dyn Running>, ProgramError>;

    /// Judges a program, runs it to its end, and kills what is left of its process group then. What
    /// it writes on standard output is seen by nobody.
    ///
    /// # Errors
    /// If it is refused, or the system cannot start it.
    fn run(&self, errand: &HookCommand<'_>) -> Result<Exit, ProgramError>;
}

/// A program that is told something and has nothing to answer.
pub struct HookCommand<'a> {
    /// The program.
    pub path: &'a Path,
    /// Its arguments.
    pub args: &'a [String],
    /// Variables that it gets besides ours.
    pub with: &'a [(&'static str, String)],
    /// Which of our variables it does not get, by name.
    pub withheld: &'a dyn Fn(&str) -> bool,
    /// What it reads on standard input, if it does.
    pub input: Vec<u8>,
    /// How long it may run.
    pub limit: Duration,
    /// Looked at every few milliseconds; true ends it.
    pub stop: &'a dyn Fn() -> bool,
}

/// How an [`HookCommand`] ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With status 0.
    Well,
    /// Otherwise; a clause.
    Badly(String),
    /// It was killed when its time was over.
    TooLate,
    /// It was killed because somebody asked to stop.
    Stopped,
}

/// A program that runs. Dropping it closes its input, and stops it if that does not end it.
pub trait Running: Send {
    /// Writes a line to its input, without waiting until it is read. That nobody reads it shows in
    /// the answer.
    fn send(&mut self, line: Secret<Vec<u8>>);

    /// The next line of its output, or why there is none.
    fn receive(&mut self, wait: Duration) -> Received;

    /// Passes a signal on, and shortly after that kills whatever is left of its process group. What
    /// it had written before can still be received.
    fn stop(&mut self, signal: Signal);
}

/// What was heard of a program.
#[derive(Clone, Debug)]
pub enum Received {
    /// A line, without its end. The last one may have had none.
    Line(Secret<Vec<u8>>),
    /// Nothing yet.
    Nothing,
    /// A line longer than [`MAX_LINE`]; nothing more is read.
    TooLong,
    /// Nothing will come any more; what became of the program, a clause.
    Ended(String),
}

/// Why a program is not run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// It is not fit to be trusted with a login.
    #[error("{} is not run: {fault}", path.display())]
    Refused {
        /// The program.
        path: PathBuf,
        /// What is wrong.
        fault: Fault,
    },
    /// The system could not start it.
    #[error("{} could not be started: {reason}", path.display())]
    NotStarted {
        /// The program.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
}

/// What is wrong with a program, or with a directory it lies in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The path depends on the working directory.
    #[error("its path is not absolute")]
    NotAbsolute,
    /// Nothing is there, or it cannot be looked at.
    #[error("{}: {reason}", at.display())]
    NotThere {
        /// What cannot be looked at.
        at: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A directory, a socket, a device.
    #[error("{} is not a regular file", at.display())]
    NotAFile {
        /// What it is instead.
        at: PathBuf,
    },
    /// Nobody may run it.
    #[error("{} is not executable", at.display())]
    NotExecutable {
        /// The file.
        at: PathBuf,
    },
    /// Its group or everybody may write there.
    #[error("{} is writable by others (mode {mode:04o})", at.display())]
    Writable {
        /// The file or directory.
        at: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Somebody else than this user or root owns it.
    #[error("{} belongs to another user (uid {owner})", at.display())]
    Foreign {
        /// The file, link or directory.
        at: PathBuf,
        /// Who owns it.
        owner: u32,
    },
}
