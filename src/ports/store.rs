//! The credential store: four traits, which say nothing of files, so that a database can stand
//! behind them. The order of locking is in the types: a write without the document's lock, or a
//! refresh without the grant's, does not compile.
//!
//! Two locks, always in this order: grant (long, held during the network call), document (short).
//! An implementation owes: a `load` that takes no lock; locks that a killed owner cannot leave
//! behind; the locks of a running OpenClaw held as well while it writes what OpenClaw reads; every
//! byte it does not understand kept. `tests/it/store/contract.rs` asks for the rest.

use serde::{Deserialize, Serialize};

use crate::model::credential::OAuth;
use crate::model::grant::{Binding, GrantDigest, GrantRecord, RefreshOutcome};
use crate::model::history;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::inheritance::Inheritance;
use crate::model::profiles::AuthProfiles;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;

use super::host::Signal;
use super::lock::Wait;
pub use super::store_error::{Location, MediumError, StoreError};

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

/// How much of each secret is wanted where a document is only looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// What a view shows of it.
    Masked,
    /// The same, and its fingerprint.
    Fingerprint,
    /// What a view shows of it, and the claims of a JWT.
    Claims,
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
    /// Whoever held it is dead, and nobody may try before the limit.
    Abandoned {
        /// Who that was, and since when.
        owner: String,
    },
    /// A signal ended the wait.
    Stopped(Signal),
}

/// What a refresh is about to spend. No secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PendingRefresh {
    /// The agent that owns the profile.
    pub agent: AgentId,
    /// Its provider.
    pub provider: ProviderId,
    /// The profile.
    pub profile: ProfileId,
    /// Where the refresh token is sent, and for which client.
    #[serde(flatten)]
    pub binding: Binding,
    /// When the refresh begins.
    pub begun_at: Timestamp,
}

/// What a token endpoint answered to a refresh, saved as it came and part of no document yet: the
/// process that asked was killed, or could not store it.
#[derive(Clone, Debug)]
pub struct SavedAnswer {
    /// The refresh that it answers.
    pub refresh: PendingRefresh,
    /// The body of the answer.
    pub body: Secret<Vec<u8>>,
    /// Where it lies.
    pub at: Location,
}

/// What is kept of the credentials that an agent's profiles held before.
#[derive(Debug, Default)]
pub struct HistoryListing {
    /// How many generations of each profile are kept; 0 for none.
    pub limit: usize,
    /// The profiles that have any, by name.
    pub histories: Vec<history::History>,
    /// History that cannot be read, each a sentence.
    pub faults: Vec<String>,
    /// The last that was not read because somebody else may have written it.
    pub refused: Option<MediumError>,
}

/// The answer to the wish for a grant's lock.
pub enum GrantLock<'a> {
    /// It is ours.
    Held(Box<dyn Held<'a> + 'a>),
    /// Nobody needs it any more: the grant is spent, no answer to its refresh waits to be stored,
    /// and this one took its place.
    Spent {
        /// The grant that took its place.
        successor: GrantDigest,
    },
    /// Somebody else holds it.
    Taken {
        /// Who, if that is known.
        owner: Option<String>,
    },
}

/// Everything that is stored: the four traits that a backend implements.
pub trait Store: Documents + GrantLocks + Journal + History {}

impl<T: Documents + GrantLocks + Journal + History> Store for T {}

/// The agents' documents.
pub trait Documents: Send + Sync {
    /// The document of one agent as it is now, of one moment. Takes no lock. Without a document it
    /// is empty, or what an earlier release left in its place.
    ///
    /// # Errors
    /// If it is there and cannot be read or understood.
    fn load(&self, agent: &AgentId, scope: Scope<'_>) -> Result<AuthProfiles, StoreError>;

    /// The same for views: of a secret that nothing is wrong with, no more than `detail` need be
    /// [held](Secret::is_held). What is handed out is loaded.
    ///
    /// # Errors
    /// As [`Documents::load`].
    fn look(
        &self,
        agent: &AgentId,
        scope: Scope<'_>,
        detail: Detail,
    ) -> Result<AuthProfiles, StoreError> {
        let _ = detail;
        self.load(agent, scope)
    }

    /// Reads the document again under its lock, lets `change` change it, and stores it if that
    /// returns true. The only writer. `change` may be called again on a newer document, so it must
    /// depend on nothing but the document. What cannot be understood is set aside first, and the new
    /// document's `faults` say so. What the change replaces or removes goes to the history with it, and
    /// so does what it stores: a program that ignores our locks may take that away.
    ///
    /// # Errors
    /// If a lock cannot be had or the medium fails; the document is as it was then.
    fn update(
        &self,
        agent: &AgentId,
        change: &mut dyn FnMut(&mut AuthProfiles) -> bool,
    ) -> Result<AuthProfiles, StoreError>;

    /// Proves that an agent's document could be replaced now, before a person is asked for anything.
    /// Changes nothing.
    ///
    /// # Errors
    /// What would keep [`Documents::update`] from storing it.
    fn check_writable(&self, agent: &AgentId) -> Result<(), StoreError>;

    /// The agents of the store, sorted, `main` always among them.
    ///
    /// # Errors
    /// If they cannot be listed.
    fn agents(&self) -> Result<Vec<AgentId>, StoreError>;

    /// Where an agent's document lies.
    fn location(&self, agent: &AgentId) -> Location;

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
}

/// The long locks, one for each grant.
pub trait GrantLocks: Send + Sync {
    /// Takes the lock of a grant, without waiting.
    ///
    /// # Errors
    /// If that cannot be tried.
    fn try_lock_grant<'a>(&'a self, grant: &GrantDigest) -> Result<GrantLock<'a>, StoreError>;

    /// Whether another process holds the lock of the grant, as far as can be told.
    fn is_locked(&self, grant: &GrantDigest) -> bool;

    /// Waits until nobody holds the lock of the grant. All waiters wake together.
    ///
    /// # Errors
    /// If that cannot be found out.
    fn await_grant(&self, grant: &GrantDigest, wait: &Wait<'_>) -> Result<Waited, StoreError>;
}

/// What became of every grant.
pub trait Journal: Send + Sync {
    /// What is known of a grant.
    ///
    /// # Errors
    /// If it is there and cannot be read.
    fn grant_record(&self, grant: &GrantDigest) -> Result<Option<GrantRecord>, StoreError>;

    /// Whether a grant is known to be spent. Asked on the way to every token, so it must be cheap for
    /// one that lives.
    ///
    /// # Errors
    /// If what is known of it cannot be read.
    fn is_spent(&self, grant: &GrantDigest) -> Result<bool, StoreError>;

    /// Writes down that a login just gave us this grant.
    ///
    /// # Errors
    /// If it cannot be written; the grant itself is not concerned. [`StoreError::Conflict`] if the record
    /// is older than what is known: the grant was spent meanwhile, or is being spent.
    fn record_login(&self, record: &GrantRecord) -> Result<(), StoreError>;

    /// The grants for which an answer was saved that is part of no document yet, or whose refresh
    /// is under way just now.
    ///
    /// # Errors
    /// If they cannot be looked for.
    fn pending_answers(&self) -> Result<Vec<GrantDigest>, StoreError>;
}

/// What the profiles held before. [`Documents::update`] alone appends to it.
pub trait History: Send + Sync {
    /// What one profile of an agent held before, or every one. Takes no lock.
    ///
    /// # Errors
    /// If it cannot be looked for.
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

    /// Leaves no tokens of grants that went to another machine in what the profiles of an agent held
    /// before.
    ///
    /// # Errors
    /// If a lock cannot be had or something cannot be read or written; it can be done again.
    fn strip_history(&self, agent: &AgentId, grants: &[GrantDigest]) -> Result<(), StoreError>;
}

/// The long lock of a grant. Dropping it lets go.
pub trait Held<'a>: Send {
    /// The last answer to a refresh of this grant that is part of no document. Removes what is
    /// left of refreshes that were never answered.
    ///
    /// # Errors
    /// If it is there and cannot be read.
    fn saved(&self) -> Result<Option<SavedAnswer>, StoreError>;

    /// Keeps other programs away from the grant, too, until what it returns is dropped: for what ends
    /// without a successor here.
    ///
    /// # Errors
    /// As [`Held::reserve`].
    fn exclude(
        &self,
        refresh: &PendingRefresh,
        wait: &Wait<'_>,
    ) -> Result<Box<dyn Exclusion + 'a>, StoreError>;

    /// Goes on where the process that got `answer` stopped.
    ///
    /// # Errors
    /// If the journal is there and cannot be read; the answer stays where it is.
    fn resume(self: Box<Self>, answer: &SavedAnswer) -> Result<Box<dyn Reserved + 'a>, StoreError>;

    /// Proves, before a single-use token is spent, that its successor can be stored: the directory
    /// is writable, the space is allocated, the journal says that the refresh has begun.
    /// `wait` is for another program that is at work on the same document.
    ///
    /// # Errors
    /// If any of that fails; nothing was spent, and the grant is as good as it was.
    /// [`StoreError::Conflict`] if the owner's document does not hold it any more.
    fn reserve(
        self: Box<Self>,
        refresh: &PendingRefresh,
        wait: &Wait<'_>,
    ) -> Result<Box<dyn Reserved + 'a>, StoreError>;
}

/// What keeps other programs away from a grant.
pub trait Exclusion: Send {}

/// A refresh that may now be sent.
pub trait Reserved: Send {
    /// Makes sure again that nobody else can use the grant, for a process that slept since it was
    /// reserved: whoever does not count our locks as stale cannot. False if the owner's document does
    /// not hold it any more.
    ///
    /// # Errors
    /// If another program has it, and does not let go in time, or the medium fails.
    fn confirm(&mut self, wait: &Wait<'_>) -> Result<bool, StoreError>;

    /// Saves the server's answer as it came, durably, in one write to a file that lies ready: the
    /// first thing that happens to an answer, before anything tries to understand it. Whoever is
    /// killed after this loses nothing, for [`Journal::pending_answers`] names the grant. A failure is not
    /// the end: [`Reserved::commit`] tries other ways.
    fn save(&mut self, answer: &Secret<Vec<u8>>);

    /// Stores the new grant in every agent's document that holds a copy of the old one, closes the
    /// journal, removes the saved answer, and lets go. Returns the agents whose documents changed;
    /// none if the login was removed or replaced meanwhile, for the newer wish wins. If that was no
    /// change of ours, the history has the new grant as what was stored last.
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
