//! What opens the page: sessions of browsers, and the links that sign one in. In the memory of one
//! gateway, or in a database that several share.

use std::time::Duration;

use crate::model::access_key::BearerDigest;

use super::store::StoreError;

/// What a pass is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassKind {
    /// Any number of requests, beside a value that the page shows.
    Session,
    /// One session.
    Link,
}

/// A pass, as it is kept: of every value that opens something only the digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// What it is good for.
    pub kind: PassKind,
    /// Of the cookie, or of the code of a link.
    pub digest: BearerDigest,
    /// Of what stands beside the cookie.
    pub csrf: Option<BearerDigest>,
    /// In whose name it was made.
    pub bearer: BearerDigest,
    /// How long it is good.
    pub left: Duration,
}

/// Where passes are kept.
///
/// They decide who is signed in as whom. An implementation owes: digests only; that nobody who can merely
/// write there makes a pass or changes in whose name one is; that of one bearer's, and of all, no more are
/// kept than it was told, the newest; and one clock for their ends.
pub trait PagePasses: Send + Sync {
    /// Keeps one, with at most `each` of its kind in the name of its bearer and `most` in all: the oldest
    /// go.
    ///
    /// # Errors
    /// If it cannot be kept.
    fn put(&self, pass: &Pass, each: usize, most: usize) -> Result<(), StoreError>;

    /// Finds one that is good.
    ///
    /// # Errors
    /// If they cannot be read.
    fn find(&self, kind: PassKind, digest: &BearerDigest) -> Result<Option<Pass>, StoreError>;

    /// Removes one, and returns it if it was good: to one caller only.
    ///
    /// # Errors
    /// If it cannot be removed.
    fn take(&self, kind: PassKind, digest: &BearerDigest) -> Result<Option<Pass>, StoreError>;
}
