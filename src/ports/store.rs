//! The credential store. The order of locking is in the types: a write without the document's
//! lock, or a refresh without the grant's, does not compile.
//!
//! Two locks, always in this order: grant (long, held during the network call), document (short).
//! An implementation owes: a `load` that takes no lock because a replace is atomic; the kernel's
//! locks, which a killed owner cannot leave behind; the locks of a running OpenClaw held as well
//! while it writes; every byte it does not understand kept.

use std::path::{Path, PathBuf};

use crate::model::credential::OAuth;
use crate::model::grant::{Binding, GrantDigest, GrantRecord, RefreshOutcome};
use crate::model::history::History;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::inheritance::Inheritance;
use crate::model::profiles::AuthProfiles;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;

use super::files::FileError;
use super::host::Signal;
use super::lock::{LockError, Wait};

/// Which part of a document is wanted. A store of ten thousand profiles is not parsed to read one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    /// Everything.
    All,
    /// The entries of one provider, and everything but the other entries.
    Provider(&'a ProviderId),
    /// One entry, and everything but the other entries.
    Profile(&'a ProfileId),
}

/// What an `update` came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Write the document.
    Write,
    /// Leave it as it is.
    Keep,
}

/// What went wrong with the store. Unless `credential_at_risk` says otherwise, no credential was
/// touched.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file operation failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// The document is no JSON object. Its bytes stay where they are.
    #[error("{} is not a credential store: {fault}", path.display())]
    Unreadable {
        /// The document.
        path: PathBuf,
        /// What is wrong with it, by line and column; holds nothing of its content.
        fault: String,
    },
    /// What says how much of main's an agent sees cannot be understood.
    #[error("{} does not say what this agent inherits: {fault}", path.display())]
    Inheritance {
        /// The agent.
        agent: AgentId,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: String,
    },
    /// Of a document in two files the first, with the credentials, is written, and the second, with
    /// what was learnt by using them, is not.
    #[error("the credentials are stored, but {0}")]
    HalfWritten(#[source] FileError),
    /// Somebody else holds a lock and did not let go in time.
    #[error("{} is locked{}", path.display(), owner.as_ref().map_or_else(String::new, |owner| format!(" by {owner}")))]
    Busy {
        /// What is locked.
        path: PathBuf,
        /// Who holds it, if that is known.
        owner: Option<String>,
    },
    /// A signal ended the wait for a lock.
    #[error("interrupted")]
    Interrupted(Signal),
    /// Somebody else changed the login between our look and our lock: look again.
    #[error("{} was changed by another program a moment ago", path.display())]
    Moved {
        /// The document.
        path: PathBuf,
    },
    /// The refresh succeeded, and its result could not be stored.
    #[error("the refreshed login could not be stored: {source}; {}", whereabouts(rescued.as_deref()))]
    NotStored {
        /// Why.
        source: Box<StoreError>,
        /// The file in which the server's answer is saved; the next command stores it.
        rescued: Option<PathBuf>,
    },
    /// The state directory belongs to a release that keeps its credentials elsewhere.
    #[error("{} holds the credentials of a later OpenClaw release ({detail})", path.display())]
    LaterGeneration {
        /// The database.
        path: PathBuf,
        /// How that was found out.
        detail: String,
    },
}

impl From<LockError> for StoreError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::File(error) => Self::File(error),
            LockError::Busy { path, owner } => Self::Busy { path, owner },
            LockError::Interrupted(signal) => Self::Interrupted(signal),
        }
    }
}

fn whereabouts(rescued: Option<&Path>) -> String {
    match rescued {
        Some(path) => format!("it is safe in {}", path.display()),
        None => "it could not be saved anywhere else and is lost".to_owned(),
    }
}

/// How a wait for a grant ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waited {
    /// Whoever held the grant let go: look at the document again.
    Released,
    /// The limit passed.
    TimedOut {
        /// Who holds it, if that is known.
        owner: Option<String>,
    },
    /// A signal ended the wait.
    Stopped(Signal),
}

/// What a token endpoint answered to a refresh, saved as it came and part of no document yet: the
/// process that asked was killed, or could not store it.
#[derive(Clone, Debug)]
pub struct SavedAnswer {
    /// The agent that owned the profile.
    pub agent: AgentId,
    /// The profile.
    pub profile: ProfileId,
    /// Its provider.
    pub provider: ProviderId,
    /// Who answered, and to which client.
    pub binding: Binding,
    /// When the refresh was begun.
    pub begun_at: Timestamp,
    /// The body of the answer.
    pub body: Secret<Vec<u8>>,
    /// The file it lies in.
    pub path: PathBuf,
}

/// What is kept of the credentials that an agent's profiles held before.
#[derive(Clone, Debug, Default)]
pub struct HistoryListing {
    /// How many generations of each profile are kept; 0 for none.
    pub limit: usize,
    /// The profiles that have any, by name.
    pub histories: Vec<History>,
    /// Histories that cannot be read, each a sentence.
    pub faults: Vec<String>,
}

/// The files of an agent's credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StorePlaces {
    /// Those that are read: the document, or the files of earlier releases in its place.
    pub read: Vec<PathBuf>,
    /// Files of earlier releases that are there and not read, because there is a document.
    pub passed_over: Vec<PathBuf>,
}

/// The agents' documents.
pub trait Store: Send + Sync {
    /// The document of one agent as it is now. Takes no lock. Without a document it is empty; the
    /// legacy files of the agent are read in its place.
    ///
    /// # Errors
    /// If it is there and cannot be read, or is no JSON object.
    fn load(&self, agent: &AgentId, scope: Scope<'_>) -> Result<AuthProfiles, StoreError>;

    /// Takes the document's lock, reads it again, lets `change` change it, replaces it durably.
    /// The only writer. A document that is no JSON is set aside under a dated name first, and the
    /// new document's `faults` say so. What the change replaces or removes goes to the history
    /// before that.
    ///
    /// # Errors
    /// If a lock or a file operation fails; the document is as it was then.
    fn update(
        &self,
        agent: &AgentId,
        change: &mut dyn FnMut(&mut AuthProfiles) -> Change,
    ) -> Result<AuthProfiles, StoreError>;

    /// Proves that an agent's document could be replaced now, before a person is asked for anything:
    /// the lock can be had, the directory is writable, the space is there. Changes nothing.
    ///
    /// # Errors
    /// What would keep [`Store::update`] from writing.
    fn check_writable(&self, agent: &AgentId) -> Result<(), StoreError>;

    /// Takes the long lock of a grant, or `None` if somebody else holds it.
    ///
    /// # Errors
    /// If the lock file cannot be made.
    fn try_lock_grant<'a>(
        &'a self,
        grant: &GrantDigest,
    ) -> Result<Option<Box<dyn Held<'a> + 'a>>, StoreError>;

    /// Waits until nobody refreshes the grant. All waiters wake together.
    ///
    /// # Errors
    /// If the lock file cannot be made.
    fn await_grant(&self, grant: &GrantDigest, wait: &Wait<'_>) -> Result<Waited, StoreError>;

    /// What the journal knows of a grant.
    ///
    /// # Errors
    /// If the journal is there and cannot be read.
    fn grant_record(&self, grant: &GrantDigest) -> Result<Option<GrantRecord>, StoreError>;

    /// Writes down that a login just gave us this grant.
    ///
    /// # Errors
    /// If the journal cannot be written; the grant itself is not concerned.
    fn record_login(&self, record: &GrantRecord) -> Result<(), StoreError>;

    /// The grants for which an answer was saved that is part of no document yet, or whose refresh
    /// is under way just now.
    ///
    /// # Errors
    /// If the place they are saved in cannot be read.
    fn pending_answers(&self) -> Result<Vec<GrantDigest>, StoreError>;

    /// The files in which saved answers wait, wherever they were saved. Takes no lock.
    ///
    /// # Errors
    /// If the place they are saved in cannot be read.
    fn waiting_answers(&self) -> Result<Vec<PathBuf>, StoreError>;

    /// What one profile of an agent held before, or every one. Takes no lock.
    ///
    /// # Errors
    /// If the directory of histories is there and cannot be read.
    fn history(
        &self,
        agent: &AgentId,
        profile: Option<&ProfileId>,
    ) -> Result<HistoryListing, StoreError>;

    /// Forgets what one profile of an agent held before, or all of them. No document is touched.
    ///
    /// # Errors
    /// If a lock cannot be had or something cannot be removed.
    fn clear_history(&self, agent: &AgentId, profile: Option<&ProfileId>)
    -> Result<(), StoreError>;

    /// How much of the main agent's document an agent sees. Takes no lock.
    ///
    /// # Errors
    /// If what says so is there and cannot be read or understood.
    fn inheritance(&self, agent: &AgentId) -> Result<Inheritance, StoreError>;

    /// Sets how much of the main agent's document an agent sees, whatever was said before.
    ///
    /// # Errors
    /// If it cannot be written; it is as it was then.
    fn set_inheritance(&self, agent: &AgentId, inheritance: &Inheritance)
    -> Result<(), StoreError>;

    /// The agents that have a directory, sorted, `main` always among them.
    ///
    /// # Errors
    /// If the directory of agents cannot be read.
    fn agents(&self) -> Result<Vec<AgentId>, StoreError>;

    /// The files that an agent's credentials lie in, or once lay in. Takes no lock.
    ///
    /// # Errors
    /// If one of them cannot be looked for.
    fn places(&self, agent: &AgentId) -> Result<StorePlaces, StoreError>;

    /// The path of an agent's document.
    fn path(&self, agent: &AgentId) -> PathBuf;

    /// The path of the file in which its order, last good and usage lie: the document, or the one
    /// beside it where a later release has split them off.
    ///
    /// # Errors
    /// If that cannot be found out.
    fn state_path(&self, agent: &AgentId) -> Result<PathBuf, StoreError>;

    /// Permission bits of the document and its directory that are wider than 0600 and 0700, each
    /// with its path; they are repaired at the next write.
    fn wide_modes(&self, agent: &AgentId) -> Vec<(PathBuf, u32)>;
}

/// What a refresh is about to spend.
#[derive(Clone, Copy)]
pub struct PendingRefresh<'a> {
    /// The agent that owns the profile.
    pub agent: &'a AgentId,
    /// The profile.
    pub profile: &'a ProfileId,
    /// Its provider.
    pub provider: &'a ProviderId,
    /// Where the refresh token is about to be sent.
    pub binding: &'a Binding,
    /// Now.
    pub now: Timestamp,
    /// How long to wait for another program that is at work on the same document.
    pub wait: &'a Wait<'a>,
}

/// The long lock of a grant. Dropping it lets go.
pub trait Held<'a>: Send {
    /// The last answer to a refresh of this grant that is part of no document. Removes what is
    /// left of refreshes that were never answered.
    ///
    /// # Errors
    /// If it is there and cannot be read.
    fn saved(&self) -> Result<Option<SavedAnswer>, StoreError>;

    /// Goes on where the process that got `answer` stopped.
    ///
    /// # Errors
    /// If the journal is there and cannot be read; the answer stays where it is.
    fn resume(self: Box<Self>, answer: &SavedAnswer) -> Result<Box<dyn Reserved + 'a>, StoreError>;

    /// Proves, before a single-use token is spent, that its successor can be stored: the directory
    /// is writable, the space is allocated, the journal says that the refresh has begun.
    ///
    /// # Errors
    /// If any of that fails; nothing was spent, and the grant is as good as it was.
    /// [`StoreError::Moved`] if the owner's document does not hold it any more.
    fn reserve(
        self: Box<Self>,
        what: &PendingRefresh<'_>,
    ) -> Result<Box<dyn Reserved + 'a>, StoreError>;
}

/// A refresh that may now be sent.
pub trait Reserved: Send {
    /// Saves the server's answer as it came, durably, in one write to a file that lies ready: the
    /// first thing that happens to an answer, before anything tries to understand it. Whoever is
    /// killed after this loses nothing, for [`Store::pending_answers`] names the grant. A failure is not
    /// the end: [`Reserved::commit`] tries other ways.
    fn save(&mut self, answer: &Secret<Vec<u8>>);

    /// Stores the new grant in every agent's document that holds a copy of the old one, closes the
    /// journal, removes the saved answer, and lets go. Returns the agents whose documents changed;
    /// none if the login was removed or replaced meanwhile, for the newer wish wins.
    ///
    /// # Errors
    /// [`StoreError::NotStored`], which says where the answer is saved instead.
    fn commit(self: Box<Self>, new: &OAuth, now: Timestamp) -> Result<Vec<AgentId>, StoreError>;

    /// Closes the journal without a new grant, and lets go. No document is touched. An answer that
    /// was saved stays for a release or a manifest that understands it.
    ///
    /// # Errors
    /// If the journal cannot be written.
    fn settle(self: Box<Self>, outcome: &RefreshOutcome, now: Timestamp) -> Result<(), StoreError>;
}
