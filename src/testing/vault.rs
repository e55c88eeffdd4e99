//! A state directory in which nothing is sealed, and nothing ever will be.

use std::sync::Arc;
use std::time::Duration;

use crate::model::bundle::BundleHead;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::model::vault::{SealedPart, SecretName, TokenStore, VaultFault};
use crate::ports::bundle::{BundleFault, Bundles};
use crate::ports::lock::Wait;
use crate::ports::secrets::{NamedSecrets, SecretEntry};
use crate::ports::vault::{NoVault, Sealer, VaultError};
use crate::ports::vault_keys::{KeySource, NewSlot, VaultKeys, VaultStatus};

fn refuse<T>() -> Result<T, VaultError> {
    Err(VaultFault::NoKey(Vec::new()).into())
}

impl NamedSecrets for NoVault {
    fn list(&self) -> Result<Vec<SecretEntry>, VaultFault> {
        Ok(Vec::new())
    }

    fn get(&self, _: &SecretName) -> Result<Option<Secret<String>>, VaultFault> {
        Ok(None)
    }

    fn set(
        &self,
        _: &SecretName,
        _: &Secret<String>,
        _: &NewSlot,
        _: &Wait<'_>,
    ) -> Result<bool, VaultError> {
        refuse()
    }

    fn remove(&self, _: &[SecretName], _: &Wait<'_>) -> Result<Vec<SecretName>, VaultError> {
        Ok(Vec::new())
    }
}

impl VaultKeys for NoVault {
    fn take_key_from(&self, _: KeySource) {}

    fn ask_nobody(&self) {}

    fn status(&self) -> Result<Option<VaultStatus>, VaultFault> {
        Ok(None)
    }

    fn unlock_for(&self, _: Duration) -> Result<Timestamp, VaultFault> {
        Err(VaultFault::NoKey(Vec::new()))
    }

    fn lock(&self) -> Result<bool, VaultFault> {
        Ok(false)
    }

    fn create(
        &self,
        _: (TokenStore, SealedPart),
        _: &[NewSlot],
        _: &Wait<'_>,
    ) -> Result<Arc<Sealer>, VaultError> {
        refuse()
    }

    fn set_store(&self, _: (TokenStore, SealedPart), _: &Wait<'_>) -> Result<(), VaultError> {
        refuse()
    }

    fn add_slot(&self, _: &NewSlot, _: &Wait<'_>) -> Result<String, VaultError> {
        refuse()
    }

    fn remove_slot(&self, _: usize, _: bool, _: &Wait<'_>) -> Result<String, VaultError> {
        refuse()
    }

    fn renew_key(&self, _: &Wait<'_>) -> Result<Arc<Sealer>, VaultError> {
        refuse()
    }
}

impl Bundles for NoVault {
    fn seal_bundle(
        &self,
        _: &BundleHead,
        _: &Secret<Vec<u8>>,
        _: &Secret<String>,
    ) -> Result<Vec<u8>, VaultFault> {
        Err(VaultFault::NoKey(Vec::new()))
    }

    fn bundle_head(&self, _: &[u8]) -> Result<BundleHead, BundleFault> {
        Err(BundleFault::Newer)
    }

    fn open_bundle(&self, _: &[u8], _: &Secret<String>) -> Result<Secret<Vec<u8>>, BundleFault> {
        Err(BundleFault::Newer)
    }
}
