//! External programs: plugins, which speak our protocol for a provider (`openclaw-auth-<id>` on
//! `PATH`, or the one that a manifest names), hooks, which are told of an event, and programs that are
//! asked for a secret.
//!
//! An implementation owes: only absolute entries of the process's own `PATH`, never the working
//! directory; no program that another user than this one or root could have put there; no secret in
//! arguments or environment, lines over pipes only; standard error shared with ours, so that the
//! program can talk to the person; a process group of its own, which is killed as a whole when the
//! program is stopped; at most [`MAX_LINE`] bytes of a line.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::secret::Secret;

use super::file_error::Untrusted;
use super::host::Signal;
use super::http::MAX_ANSWER;

/// The longest line that is read of a program: as long as the answer of a token endpoint.
pub const MAX_LINE: usize = MAX_ANSWER;

/// Finds and starts programs.
pub trait Programs: Send + Sync {
    /// Lists the files of this name in the directories of `PATH`, in their order.
    fn on_path(&self, name: &str) -> Vec<PathBuf>;

    /// Lists the files on `PATH` whose names begin with `prefix`, the first of each name, by name.
    fn with_prefix(&self, prefix: &str) -> Vec<PathBuf>;

    /// Checks that no other user could have put the program there. Starts nothing.
    ///
    /// # Errors
    /// The first fault of it, or of a directory on the way to it.
    fn check_permissions(&self, path: &Path) -> Result<(), ProgramError>;

    /// Checks a plugin and starts it, without arguments. Of our variables it gets what every program
    /// of the user's session needs, and those of the given names.
    ///
    /// # Errors
    /// If it is refused, or the system cannot start it.
    fn start(&self, path: &Path, variables: &[String]) -> Result<Box<dyn Running>, ProgramError>;

    /// Checks a hook and runs it to its end, then kills what is left of its process group. Its
    /// standard output is discarded.
    ///
    /// # Errors
    /// If it is refused, or the system cannot start it.
    fn run(&self, hook: &HookCommand<'_>) -> Result<Exit, ProgramError>;

    /// Checks a program that is asked for a secret, and runs it to its end, then kills what is left of
    /// its process group. Its standard error is discarded: it may hold the secret.
    ///
    /// # Errors
    /// If it is refused, or the system cannot start it.
    fn ask(&self, asked: &AskedProgram<'_>) -> Result<ProgramAnswer, ProgramError>;
}

/// A program that is asked for a secret.
pub struct AskedProgram<'a> {
    /// Path of the program.
    pub path: &'a Path,
    /// Arguments, without the name.
    pub args: &'a [String],
    /// All the variables that it gets.
    pub variables: &'a [(String, Secret<String>)],
    /// Standard input; it need not be read.
    pub input: Vec<u8>,
    /// How long it may run before it is killed.
    pub limit: Duration,
    /// The most bytes of its answer.
    pub longest: usize,
    /// Asked every few milliseconds; true kills it.
    pub stop: &'a dyn Fn() -> bool,
}

/// What came of asking it.
#[derive(Clone, Debug)]
pub enum ProgramAnswer {
    /// It ended with status 0, after it had written this.
    Output(Secret<Vec<u8>>),
    /// It ended with another status, or by a signal; a clause.
    Failure(String),
    /// Killed when its limit passed.
    TimedOut,
    /// Killed because of [`AskedProgram::stop`].
    Stopped,
    /// Killed because it wrote too much.
    TooLong,
}

/// A hook, as it is run.
pub struct HookCommand<'a> {
    /// Path of the program.
    pub path: &'a Path,
    /// Arguments, without the name.
    pub args: &'a [String],
    /// Variables added to our environment.
    pub with: &'a [(&'static str, String)],
    /// Tells by name which of our variables are removed.
    pub withheld: &'a dyn Fn(&str) -> bool,
    /// Standard input; it need not be read.
    pub input: Vec<u8>,
    /// How long it may run before it is killed.
    pub limit: Duration,
    /// Asked every few milliseconds; true kills it.
    pub stop: &'a dyn Fn() -> bool,
}

/// How a hook ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With status 0.
    Success,
    /// With another status, or by a signal; a clause.
    Failure(String),
    /// Killed when its limit passed.
    TimedOut,
    /// Killed because of [`HookCommand::stop`].
    Stopped,
}

/// A running plugin. Dropping it closes its input, and stops it if that does not end it.
pub trait Running: Send {
    /// Writes a line to its input without waiting until it is read; a line that is not read shows in
    /// the answer.
    fn send(&mut self, line: Secret<Vec<u8>>);

    /// Reads the next line of its output, or says why there is none.
    fn receive(&mut self, wait: Duration) -> Received;

    /// Passes a signal on, and two seconds later kills what is left of its process group. What it
    /// had written before can still be received.
    fn stop(&mut self, signal: Signal);
}

/// What was read from a plugin.
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
    #[error("{} was not run: {fault}", path.display())]
    Refused {
        /// The program.
        path: PathBuf,
        /// What is wrong.
        fault: Fault,
    },
    /// The system could not start it.
    #[error("could not start {}: {reason}", path.display())]
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
    /// It has no execute permission.
    #[error("{} is not executable", at.display())]
    NotExecutable {
        /// The file.
        at: PathBuf,
    },
    /// Another user of this machine could have put it there.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
}
