//! What is asked of `gateway import`.

use std::path::PathBuf;

use crate::model::id::ProfileId;
use crate::model::seal::DataKey;
use crate::model::secret::Secret;
use crate::model::text::hexadecimal;
use crate::ports::database::Database;

/// What is asked for.
pub struct Request<'a> {
    /// The database.
    pub database: &'a dyn Database,
    /// The key of the database, which seals the bundle meanwhile.
    pub key: DataKey,
    /// The directory of what this machine must not lose.
    pub directory: PathBuf,
    /// The profiles that are meant; all without.
    pub profiles: Vec<ProfileId>,
    /// Whether other credentials in the database are replaced.
    pub replace: bool,
    /// Whether nothing is to be changed.
    pub dry_run: bool,
}

/// What opens a bundle that is on its way into the database of that key.
pub fn passphrase(key: &DataKey) -> Secret<String> {
    Secret::new(hexadecimal(key.bytes().expose()))
}
