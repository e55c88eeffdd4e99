//! What can go wrong with the store, said without files.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::model::id::{AgentId, shown_as_text, written_as_text};
use crate::model::vault::VaultFault;

use super::host::Signal;

/// Where something lies, in the words of the backend: for files a path.
///
/// A copy is a reference to it: every profile of a report has one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location(Arc<str>);

impl Location {
    /// A place in the words that people know it by.
    pub fn new(words: impl Into<Arc<str>>) -> Self {
        Self(words.into())
    }
}

shown_as_text!(Location);
written_as_text!(Location);

/// What the store rests on failed: the disk, or the database.
#[derive(Debug)]
pub struct MediumError {
    /// What failed.
    pub cause: Box<dyn Error + Send + Sync>,
    /// The step that mends it, in the backend's words.
    pub remedy: String,
    /// Whether nothing was read because somebody else may have written it.
    pub is_refused: bool,
    /// Whether what was asked for is done all the same, and may not outlive a loss of power.
    pub is_done: bool,
}

impl fmt::Display for MediumError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl Error for MediumError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.source()
    }
}

/// What went wrong with the store. Unless it is `NotStored` or `HalfWritten`, or the medium says
/// that it is done, no credential was touched.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The medium failed.
    #[error(transparent)]
    Unavailable(MediumError),
    /// The document cannot be understood. It stays as it is.
    #[error("{at} is not a valid credential store: {fault}")]
    Corrupt {
        /// The document.
        at: Location,
        /// What is wrong with it, by line and column; holds nothing of its content.
        fault: String,
    },
    /// What says how much of main's an agent sees cannot be understood.
    #[error("{at} does not define what this agent inherits: {fault}")]
    Inheritance {
        /// The agent.
        agent: AgentId,
        /// Where that is said.
        at: Location,
        /// What is wrong with it.
        fault: String,
    },
    /// The credentials are written, and what was learnt by using them is not.
    #[error("the credentials are stored, but {0}")]
    HalfWritten(#[source] MediumError),
    /// Somebody else holds a lock and did not let go in time.
    #[error("{at} is locked{}", owner.as_ref().map_or_else(String::new, |owner| format!(" by {owner}")))]
    Busy {
        /// What is locked.
        at: Location,
        /// Who holds it, if that is known.
        owner: Option<String>,
    },
    /// A signal ended the wait for a lock.
    #[error("interrupted")]
    Interrupted(Signal),
    /// Somebody else changed the login between our look and our lock: look again.
    #[error("{at} was just changed by another program")]
    Conflict {
        /// The document.
        at: Location,
    },
    /// The refresh succeeded, and its result could not be stored.
    #[error("the refreshed login could not be stored: {source}; {}", whereabouts(saved.as_ref()))]
    NotStored {
        /// Why.
        source: Box<StoreError>,
        /// Where the server's answer is saved; the next command stores it.
        saved: Option<Location>,
    },
    /// A release that keeps its credentials elsewhere owns the store.
    #[error("{at} was written by a later OpenClaw release ({detail})")]
    LaterGeneration {
        /// Where it keeps them.
        at: Location,
        /// How that was found out.
        detail: String,
    },
    /// The secrets are sealed, and do not open.
    #[error(transparent)]
    Sealed(#[from] VaultFault),
}

fn whereabouts(saved: Option<&Location>) -> String {
    match saved {
        Some(at) => format!("it is saved in {at}"),
        None => "it could not be saved elsewhere and is lost".to_owned(),
    }
}
