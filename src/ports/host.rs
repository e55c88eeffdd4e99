//! Clock, randomness, environment, browser, and the wish of a person to stop.
//!
//! The real clock may jump and the machine may sleep; nobody here may assume that two readings are
//! ordered. Randomness must be fit for keys. Opening a browser may fail, and success proves
//! nothing: the caller always shows the URL, too.

use std::time::Duration;

use crate::model::secret::Secret;
use crate::model::time::Timestamp;

/// What time it is, and waiting.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Time that never goes back, from an arbitrary start: for deadlines.
    fn monotonic(&self) -> Duration;

    /// Waits.
    fn sleep(&self, duration: Duration);
}

/// Randomness fit for keys.
pub trait Random: Send + Sync {
    /// Fills `buffer`.
    ///
    /// # Errors
    /// If the system has no randomness to give; there is no weaker second choice.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError>;
}

/// The system gave no randomness.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the system gave no random bytes: {0}")]
pub struct RandomError(pub String);

/// Where a variable is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetIn {
    /// In the environment of this process.
    Process,
    /// In `<state>/.env`.
    DotEnv,
}

/// The environment variables.
pub trait Env: Send + Sync {
    /// The value of a variable, if it is set and not blank; trimmed of white space at the ends.
    fn var(&self, name: &str) -> Option<Secret<String>>;

    /// The value of a variable that is known to hold no secret: a path, a switch.
    fn plain(&self, name: &str) -> Option<String> {
        self.var(name).map(|value| value.expose().clone())
    }

    /// Every place that sets a variable to what is not blank, the one that counts first.
    fn set_in(&self, name: &str) -> Vec<SetIn> {
        self.var(name).map(|_| SetIn::Process).into_iter().collect()
    }

    /// What could not be read although it is there, a sentence.
    fn fault(&self) -> Option<String> {
        None
    }

    /// Whether a browser on this machine would not be the user's: an SSH session, a container, or
    /// no display. Decided as the reference release does (`docs/compatibility.md`).
    fn is_remote(&self) -> bool;
}

/// The user's login shell, whose profile may set variables that this process was not given.
pub trait LoginShell: Send + Sync {
    /// Starts it and asks for its environment. It is killed after `limit`, and when `stop`, which
    /// is asked every few milliseconds, says true.
    ///
    /// # Errors
    /// Why it gave none; nothing of what it printed is in there.
    fn variables(&self, limit: Duration, stop: &dyn Fn() -> bool) -> Result<Variables, ShellError>;
}

/// Names and values, in the order in which they were found.
pub type Variables = Vec<(String, Secret<String>)>;

/// The login shell gave no environment.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the login shell {shell} gave no environment: {why}")]
pub struct ShellError {
    /// Its path.
    pub shell: String,
    /// What went wrong.
    pub why: String,
}

/// The user's browser.
pub trait Browser: Send + Sync {
    /// Asks the system to open `url`. Does not wait for the browser.
    ///
    /// # Errors
    /// Why no browser could be started; a notice for the user, never the end of a login.
    fn open(&self, url: &str) -> Result<(), BrowserError>;
}

/// No browser could be started.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct BrowserError(pub String);

/// A person's or the system's wish to stop this process: SIGINT, SIGTERM, SIGHUP.
pub trait Interrupt: Send + Sync {
    /// From now on such a signal does not kill the process but is remembered, so that a commit is
    /// never cut off. The caller must look at [`Interrupt::pending`] at every point where it waits.
    fn defer(&self);

    /// The signal that came since [`Interrupt::defer`], if one did.
    fn pending(&self) -> Option<Signal>;

    /// From now on such a signal ends the process again: nothing is left to be cut off, and nobody
    /// will look.
    fn obey(&self) {}
}

/// A signal that asks to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal(pub i32);

impl Signal {
    /// SIGINT.
    pub const INTERRUPT: Signal = Signal(2);
    /// SIGTERM.
    pub const TERMINATE: Signal = Signal(15);

    /// The exit status of a process that stops because of it, as shells report it.
    pub fn exit_code(self) -> u8 {
        u8::try_from(128 + self.0).unwrap_or(130)
    }
}
