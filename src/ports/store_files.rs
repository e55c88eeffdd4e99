//! What only a store on files has, and only those who speak of files ask: `doctor`, `status`,
//! `explain`, and hints. A backend without files answers that there is nothing.

use std::path::{Path, PathBuf};

use crate::model::grant::GrantDigest;
use crate::model::id::AgentId;
use crate::model::profiles::AuthProfiles;
use crate::model::secret::Secret;

use super::store::StoreError;

/// The files of an agent's credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StorePlaces {
    /// Those that are read: the document, or the files of earlier releases in its place.
    pub read: Vec<PathBuf>,
    /// Files of earlier releases that are there and not read, because there is a document.
    pub passed_over: Vec<PathBuf>,
}

/// A file with credentials that no command reads.
#[derive(Clone, Debug)]
pub struct Stray {
    /// The file.
    pub path: PathBuf,
    /// The credentials, by the ids that an import gives them.
    pub document: AuthProfiles,
}

/// The files of the store.
pub trait StoreFiles: Send + Sync {
    /// Where something that belongs to this store alone is kept in the state directory, which other
    /// stores may share.
    fn own(&self, state: &Path, name: &str) -> PathBuf;

    /// The directory of an agent.
    fn directory(&self, agent: &AgentId) -> PathBuf;

    /// The directories of the store that are not an agent's, wherever they lie.
    fn directories(&self) -> Vec<PathBuf>;

    /// The path of an agent's document; `None` where documents are no files.
    fn document(&self, agent: &AgentId) -> Option<PathBuf>;

    /// The path of the file in which its order, last good and usage lie, where a later release has
    /// split them off the document.
    ///
    /// # Errors
    /// If that cannot be found out.
    fn split_state(&self, agent: &AgentId) -> Result<Option<PathBuf>, StoreError>;

    /// The files that an agent's credentials lie in, or once lay in. Takes no lock.
    ///
    /// # Errors
    /// If one of them cannot be looked for.
    fn places(&self, agent: &AgentId) -> Result<StorePlaces, StoreError>;

    /// Permission bits of the document and its directory that are wider than 0600 and 0700, each
    /// with its path; they are repaired at the next write.
    fn wide_modes(&self, agent: &AgentId) -> Vec<(PathBuf, u32)>;

    /// The files in which saved answers wait, wherever they were saved, each with the grant that was
    /// spent for it. Takes no lock.
    ///
    /// # Errors
    /// If the place they are saved in cannot be read.
    fn waiting_answers(&self) -> Result<Vec<(GrantDigest, PathBuf)>, StoreError>;

    /// The files with credentials that no command reads for an agent: of another shape, or a store
    /// in another place. `own` is the document of the agent, as it was loaded. Takes no lock.
    ///
    /// # Errors
    /// If they cannot be looked for.
    fn strays(&self, agent: &AgentId, own: &AuthProfiles) -> Result<Vec<Stray>, StoreError>;

    /// The credentials of any file; `None` if there is no such file.
    ///
    /// # Errors
    /// If it cannot be read, or is no JSON object.
    fn stray(&self, path: &Path) -> Result<Option<Stray>, StoreError>;

    /// A document as text, with every secret in it in the clear: for what seals it in another way.
    fn to_text(&self, document: &AuthProfiles) -> Secret<Vec<u8>>;

    /// The document of such a text.
    ///
    /// # Errors
    /// If it is none: where it stops being one.
    fn parse_text(&self, text: &str) -> Result<AuthProfiles, String>;

    /// Writes an agent's document and histories anew, sealed as the vault says now. Returns the files
    /// that cannot be read, and were left as they are.
    ///
    /// # Errors
    /// If one of them cannot be written; a second run does the rest.
    fn reseal(&self, agent: &AgentId) -> Result<Vec<PathBuf>, StoreError>;

    /// The same of what no command reads: agents in the trash, documents from before a database.
    ///
    /// # Errors
    /// As [`StoreFiles::reseal`].
    fn reseal_trash(&self) -> Result<Vec<PathBuf>, StoreError>;

    /// The same of the responses to refreshes that are saved; also returns whether one of those refreshes
    /// is under way in another process, and its file was left alone.
    ///
    /// # Errors
    /// As [`StoreFiles::reseal`].
    fn reseal_answers(&self) -> Result<(Vec<PathBuf>, bool), StoreError>;

    /// How many files of spent grants an earlier version left. Takes no lock.
    ///
    /// # Errors
    /// If they cannot be looked for.
    fn leftovers(&self) -> Result<usize, StoreError>;

    /// Removes them, and returns how many they were.
    ///
    /// # Errors
    /// If one of them cannot be removed.
    fn remove_leftovers(&self) -> Result<usize, StoreError>;
}
