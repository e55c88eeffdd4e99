//! What a change of a document replaces or removes.

use super::super::credential::Credential;
use super::super::id::ProfileId;
use super::super::mentions::Mentions;

/// A profile before a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// Its name.
    pub id: ProfileId,
    /// What it held.
    pub credential: Credential,
    /// What was said of it, if it was removed.
    pub mentions: Mentions,
}
