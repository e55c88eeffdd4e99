//! Clock, randomness, environment, login shell, and signals that ask to stop.
//!
//! The real clock may jump and the machine may sleep: two readings need not be ordered. Randomness
//! must be fit for keys.

use std::time::Duration;

use crate::model::secret::Secret;
use crate::model::time::{LocalTime, Timestamp};

/// Wall clock, monotonic clock, and sleep.
pub trait Clock: Send + Sync {
    /// Returns the wall-clock time.
    fn now(&self) -> Timestamp;

    /// Returns the wall-clock time in the local time zone.
    fn local(&self) -> LocalTime {
        LocalTime::utc(self.now())
    }

    /// Returns monotonic time from an arbitrary start, for deadlines.
    fn monotonic(&self) -> Duration;

    /// Blocks the thread.
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
#[error("the system returned no random bytes: {0}")]
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
    /// Returns the value of a variable that is set and not blank, trimmed.
    fn var(&self, name: &str) -> Option<Secret<String>>;

    /// Returns the value of a variable that holds no secret: a path, a switch.
    fn plain(&self, name: &str) -> Option<String> {
        self.var(name).map(|value| value.expose().clone())
    }

    /// Whether a variable is set to bytes that are no Unicode text, so that [`var`](Self::var) cannot
    /// return it.
    fn is_garbled(&self, _name: &str) -> bool {
        false
    }

    /// Lists the places that set a variable, the one that wins first.
    fn set_in(&self, name: &str) -> Vec<SetIn> {
        self.var(name).map(|_| SetIn::Process).into_iter().collect()
    }

    /// The step that mends it, if the `.env` file was not read because somebody else may have
    /// written it.
    fn refusal(&self) -> Option<String> {
        None
    }

    /// Why the `.env` file could not be read, a sentence.
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
#[error("could not read the environment of the login shell {shell}: {why}")]
pub struct ShellError {
    /// Path of the shell.
    pub shell: String,
    /// What went wrong.
    pub why: String,
}

/// Signals that ask this process to stop (SIGINT, SIGTERM, SIGHUP), and the one that wakes it.
pub trait Interrupt: Send + Sync {
    /// Remembers signals from now on instead of dying of them, so that a commit is never cut off.
    /// The caller must look at [`Interrupt::pending`] wherever it waits.
    fn defer(&self);

    /// Returns the signal that came since [`Interrupt::defer`].
    fn pending(&self) -> Option<Signal>;

    /// Lets signals end the process again: nothing is left that could be cut off.
    fn obey(&self) {}

    /// Whether this process was continued (SIGCONT) since the last call, the first of which looks
    /// back to [`Interrupt::defer`]: whoever stopped it may have used the terminal meanwhile.
    fn was_continued(&self) -> bool {
        false
    }
}

/// Whatever runs this process as a service, and waits to hear that it is ready: systemd.
pub trait Supervisor: Send + Sync {
    /// Tells it. Without one, this does nothing; one that cannot be told is logged, for the service
    /// does its work all the same.
    fn notify(&self, state: ServiceState);
}

/// How far a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceState {
    /// It answers requests.
    Ready,
    /// It is about to end, and takes no more of them.
    Stopping,
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
