//! What goes wrong with a database, and how those are told who know nothing of it.

use std::error::Error;

use tokio_postgres::error::SqlState;

use crate::ports::store::{Location, MediumError, StoreError};

/// Why something was not done in the database.
#[derive(Debug)]
pub(super) enum Fault {
    /// The connection is gone, or none could be made. What was not committed is not there; of a commit
    /// that was under way see [`Fault::InDoubt`].
    Gone(String),
    /// The same, and it took the whole limit to find that out. Whoever has a pool is told [`Fault::Gone`].
    Silent(String),
    /// The connection was lost while a commit was under way: nobody knows whether it is done.
    InDoubt(String),
    /// The server refused: what it said, and what to do about it.
    Refused(String, &'static str),
    /// The database is sealed under another key.
    OtherKey,
    /// Somebody else changed the same at the same time: to be tried again.
    Conflict,
    /// Something else.
    Store(StoreError),
}

impl Fault {
    /// Whether the connection is gone, and with it what was not committed.
    pub(super) fn is_of_connection(&self) -> bool {
        matches!(self, Self::Gone(_) | Self::Silent(_))
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(refusal) = error.as_db_error() else {
            return Self::Gone(words(&error));
        };
        let code = refusal.code();
        // The connection goes with these: the server is stopped, not there yet, or too slow.
        let ends = [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
            SqlState::TOO_MANY_CONNECTIONS,
            SqlState::READ_ONLY_SQL_TRANSACTION,
            SqlState::QUERY_CANCELED,
        ];
        let collides = [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::UNIQUE_VIOLATION,
            // By a machine that is stopped in the middle of its transaction, until the server ends that.
            SqlState::LOCK_NOT_AVAILABLE,
        ];
        // Class 08: the connection. A pool says so of a server that is gone.
        let is_over = ends.contains(code) || code.code().starts_with("08");
        match (is_over, collides.contains(code)) {
            (true, _) => Self::Gone(refusal.message().to_owned()),
            (_, true) => Self::Conflict,
            _ => Self::Refused(refusal.message().to_owned(), remedy(code)),
        }
    }
}

/// What helps where a user of the database lacks rights.
pub(super) const RIGHTS: &str = "Check the rights of its user.";

fn remedy(code: &SqlState) -> &'static str {
    // By their classes: insufficient resources.
    match code.code().get(..2) {
        _ if *code == SqlState::INSUFFICIENT_PRIVILEGE => RIGHTS,
        Some("53") => "Free space, memory or connections on its server, then try again.",
        Some("28") => "Check the user and the password in its address.",
        Some("3D") => "Check the name of the database in its address.",
        _ => "See the log of its server.",
    }
}

/// An error with its causes.
fn words(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !words.contains(&text) {
            words = format!("{words}: {text}");
        }
        cause = error.source();
    }
    words
}

/// What a fault is to those who know nothing of databases.
pub(super) fn told(fault: Fault, at: &str) -> StoreError {
    match fault {
        Fault::Store(error) => error,
        Fault::Conflict => StoreError::Conflict {
            at: Location::new(at),
        },
        Fault::Gone(why) | Fault::Silent(why) => unavailable(
            format!("the database at {at} cannot be reached: {why}"),
            "Check that it runs and that this machine may connect to it, then try again.",
        ),
        Fault::InDoubt(why) => unavailable(
            format!("the connection to the database at {at} was lost during a commit: {why}"),
            "Try again: what was stored is found there.",
        ),
        Fault::Refused(why, remedy) => {
            unavailable(format!("the database at {at} refused: {why}"), remedy)
        }
        Fault::OtherKey => unavailable(
            format!(
                "the database at {at} is sealed under another key; nothing was read or changed"
            ),
            "Name the right one in GOCLAW_ENCRYPTION_KEY_FILE or GOCLAW_ENCRYPTION_KEY.",
        ),
    }
}

/// The medium failed.
pub(super) fn unavailable(cause: String, remedy: &str) -> StoreError {
    StoreError::Unavailable(MediumError {
        cause: cause.into(),
        remedy: remedy.to_owned(),
        is_refused: false,
        is_done: false,
    })
}
