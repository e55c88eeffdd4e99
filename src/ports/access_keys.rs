//! The keys to the gateway, wherever they are kept: in a file of one machine, or in a database that
//! several share.

use crate::model::access_key::{AccessKey, AccessKeys};
use crate::model::time::Timestamp;

use super::store::StoreError;

/// Where the keys are kept.
///
/// They decide who gets tokens. An implementation owes: digests, and never a bearer; that nobody made or
/// widened a key who could not have made one with this program; and that a key which was added or revoked
/// is read so by everybody from then on.
pub trait AccessKeyStore: Send + Sync {
    /// All keys, those that are accepted no more included; oldest first.
    ///
    /// # Errors
    /// If they cannot be read or understood.
    fn access_keys(&self) -> Result<AccessKeys, StoreError>;

    /// Adds a key, and drops those that are forgotten at `now`.
    ///
    /// # Errors
    /// If it cannot be stored; the keys are as they were then.
    fn add_access_key(&self, key: &AccessKey, now: Timestamp) -> Result<(), StoreError>;

    /// Revokes the key of this id, and returns it; `None` if there is none. One that was revoked before
    /// keeps the time at which it was.
    ///
    /// # Errors
    /// If that cannot be stored; the keys are as they were then.
    fn revoke_access_key(&self, id: &str, now: Timestamp) -> Result<Option<AccessKey>, StoreError>;
}
