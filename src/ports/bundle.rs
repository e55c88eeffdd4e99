//! Sealing a bundle by a passphrase.
//!
//! An implementation owes: a passphrase that is stretched, at a cost that whoever wrote a hostile
//! bundle does not choose; a wrong passphrase told from a damaged bundle; and every byte that can be
//! read bound to what is sealed.

use crate::model::bundle::BundleHead;
use crate::model::secret::Secret;
use crate::model::vault::VaultFault;

/// The most bytes of a bundle.
pub const LONGEST: u64 = 64 << 20;

/// Bundles that a passphrase opens.
pub trait Bundles: Send + Sync {
    /// Seals the content.
    ///
    /// # Errors
    /// If the system gives no randomness, or too little memory to stretch the passphrase.
    fn seal_bundle(
        &self,
        head: &BundleHead,
        content: &Secret<Vec<u8>>,
        passphrase: &Secret<String>,
    ) -> Result<Vec<u8>, VaultFault>;

    /// Reads what can be read without the passphrase. Nothing of it is proven before it opens.
    ///
    /// # Errors
    /// [`BundleFault::Damaged`] or [`BundleFault::Newer`].
    fn bundle_head(&self, bytes: &[u8]) -> Result<BundleHead, BundleFault>;

    /// Opens it.
    ///
    /// # Errors
    /// Why it does not open.
    fn open_bundle(
        &self,
        bytes: &[u8],
        passphrase: &Secret<String>,
    ) -> Result<Secret<Vec<u8>>, BundleFault>;
}

/// Why a bundle does not open. Nothing of its content is quoted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleFault {
    /// It was changed, torn, or is none.
    #[error("{0}")]
    Damaged(String),
    /// A later release wrote it.
    #[error("it was written by a later release of openclaw")]
    Newer,
    /// The passphrase is another one.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
}
