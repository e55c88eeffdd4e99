//! A bundle that a passphrase opens: one JSON document.
//!
//! Like a slot of the vault: the passphrase is stretched to a key that wraps a random one, and that
//! seals the content. So a wrong passphrase can be told from damage, and everything that can be read
//! is bound to both.

use serde::{Deserialize, Serialize};

use crate::model::bundle::{BundleHead, BundleId, ForDatabase};
use crate::model::seal::{BadSeal, DataKey, NONCE, RANDOM, Seal, WrappedKey};
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::model::vault::VaultFault;
use crate::ports::bundle::{BundleFault, Bundles};

use super::open::FileVault;
use super::passphrase::{SALT, Stretch};
use super::places::{new_key, random};

/// The version that this release writes.
const VERSION: u64 = 1;

/// What every version says.
#[derive(Deserialize)]
struct Version {
    #[serde(rename = "openclawBundle")]
    version: u64,
}

/// What can be read without the passphrase.
#[derive(Serialize, Deserialize)]
struct Head {
    #[serde(rename = "openclawBundle")]
    version: u64,
    id: BundleId,
    created: Timestamp,
    #[serde(rename = "move")]
    is_move: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    database: Option<ForDatabase>,
    kdf: Stretch,
}

/// The document.
#[derive(Serialize, Deserialize)]
struct Document {
    #[serde(flatten)]
    head: Head,
    /// What seals the content, wrapped under what the passphrase is stretched to.
    key: WrappedKey,
    #[serde(flatten)]
    content: Seal,
}

impl Head {
    /// What is bound to a seal of this bundle.
    ///
    /// # Errors
    /// If it has no text: sealed without it, the content would be bound to nothing.
    fn bound(&self, what: &str) -> Result<Vec<u8>, String> {
        let text = serde_json::to_vec(self).map_err(|error| error.to_string())?;
        Ok([what.as_bytes(), b"\0", &text].concat())
    }
}

impl Bundles for FileVault {
    fn seal_bundle(
        &self,
        head: &BundleHead,
        content: &Secret<Vec<u8>>,
        passphrase: &Secret<String>,
    ) -> Result<Vec<u8>, VaultFault> {
        let source = &*self.ports.random;
        let head = Head {
            version: VERSION,
            id: head.id.clone(),
            created: head.created,
            is_move: head.is_move,
            database: head.database.clone(),
            kdf: Stretch::new(self.cost, random::<SALT>(source)?),
        };
        let stretched = head.kdf.apply(passphrase).map_err(VaultFault::Failed)?;
        let key = new_key(source)?;
        let failed = |error: BadSeal| VaultFault::Failed(error.to_string());
        let bound = |what| head.bound(what).map_err(VaultFault::Failed);
        let wrapped = stretched.wrap(&bound("bundle key")?, &key, &random::<NONCE>(source)?);
        let sealed = key.seal(
            &bound("bundle")?,
            content.expose(),
            &random::<RANDOM>(source)?,
        );
        let document = Document {
            head,
            key: wrapped.map_err(failed)?,
            content: sealed.map_err(failed)?,
        };
        let mut bytes =
            serde_json::to_vec(&document).map_err(|error| VaultFault::Failed(error.to_string()))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    fn bundle_head(&self, bytes: &[u8]) -> Result<BundleHead, BundleFault> {
        let Head {
            id,
            created,
            is_move,
            database,
            ..
        } = parse(bytes)?.head;
        Ok(BundleHead {
            id,
            created,
            is_move,
            database,
        })
    }

    fn open_bundle(
        &self,
        bytes: &[u8],
        passphrase: &Secret<String>,
    ) -> Result<Secret<Vec<u8>>, BundleFault> {
        let Document { head, key, content } = parse(bytes)?;
        let stretched: DataKey = head.kdf.apply(passphrase).map_err(BundleFault::Damaged)?;
        let bound = |what| head.bound(what).map_err(BundleFault::Damaged);
        let key = stretched.unwrap(&bound("bundle key")?, &key);
        let key = key.map_err(|_| BundleFault::WrongPassphrase)?;
        let opened = key.open(&bound("bundle")?, &content);
        opened.map_err(|_| BundleFault::Damaged("its content was changed or is torn".to_owned()))
    }
}

fn parse(bytes: &[u8]) -> Result<Document, BundleFault> {
    let damaged = |why: &str| BundleFault::Damaged(why.to_owned());
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(damaged("it is empty"));
    }
    match serde_json::from_slice::<Version>(bytes) {
        Ok(Version { version: VERSION }) => {}
        Ok(Version { version }) if version > VERSION => return Err(BundleFault::Newer),
        Ok(_) => return Err(damaged("it does not say its version")),
        Err(error) if error.is_data() => return Err(damaged("it is no bundle of openclaw")),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            let why = format!("it is torn, or no bundle (line {line}, column {column})");
            return Err(BundleFault::Damaged(why));
        }
    }
    serde_json::from_slice(bytes)
        .map_err(|_| damaged("id, created, move, kdf, key or data are missing or no such"))
}
