//! The histories of an agent as the rules of what is kept see them, whatever they are kept in.

use crate::model::grant::{GrantDigest, GrantRecord};
use crate::model::history::History;
use crate::model::id::ProfileId;
use crate::model::time::Timestamp;
use crate::ports::store::StoreError;

/// The histories of one agent, which nobody else changes while this lives.
pub trait Histories {
    /// How many generations of each profile are kept; 0 for none.
    fn limit(&self) -> usize;

    /// The time that a change is noted with.
    fn now(&self) -> Timestamp;

    /// The history of a profile, empty if there is none. One that cannot be read is set aside, and a
    /// sentence says so.
    ///
    /// # Errors
    /// If it cannot be looked for, or set aside.
    fn open(&mut self, id: &ProfileId) -> Result<(History, Option<String>), StoreError>;

    /// Puts a history in the place of what was there.
    ///
    /// # Errors
    /// If it cannot be written; what was there stays.
    fn put(&mut self, history: History) -> Result<(), StoreError>;

    /// Removes the history of a profile, if there is one.
    ///
    /// # Errors
    /// If it cannot be removed.
    fn forget(&mut self, id: &ProfileId) -> Result<(), StoreError>;

    /// What the journal knows of a grant. One that cannot be understood knows nothing.
    ///
    /// # Errors
    /// If it cannot be looked for, and nothing else would succeed.
    fn record(&mut self, grant: &GrantDigest) -> Result<Option<GrantRecord>, StoreError>;
}
