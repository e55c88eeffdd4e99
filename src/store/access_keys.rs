//! The keys to the gateway of this machine: `<state>/gateway/keys.json`.
//!
//! The file holds digests, and decides who gets tokens: it is read only if nobody else could have
//! written it, and one that is not understood is never written over.

use std::path::PathBuf;

use crate::model::access_key::{AccessKey, AccessKeys};
use crate::model::state_files::{GATEWAY, LOCKS};
use crate::model::time::Timestamp;
use crate::ports::access_keys::AccessKeyStore;
use crate::ports::lock::SHORT;
use crate::ports::store::{MediumError, StoreError};

use super::io::FileStore;

impl AccessKeyStore for FileStore {
    fn access_keys(&self) -> Result<AccessKeys, StoreError> {
        let path = self.key_file();
        let Some(bytes) = self.io.files.read_settings(&path)? else {
            return Ok(AccessKeys::default());
        };
        let shown = path.display();
        let keys: AccessKeys = serde_json::from_slice(&bytes).map_err(|error| {
            // The parser's own words could repeat what stands there.
            let at = format!("line {}, column {}", error.line(), error.column());
            refused(
                format!("{shown} cannot be understood ({at})"),
                format!("repair {shown} or move it away; until then it is left unchanged"),
            )
        })?;
        match keys.schema {
            ..=AccessKeys::SCHEMA => Ok(keys),
            _ => Err(refused(
                format!("{shown} was written by a later release"),
                "use that release, or choose another state directory with --state-dir".to_owned(),
            )),
        }
    }

    fn add_access_key(&self, key: &AccessKey, now: Timestamp) -> Result<(), StoreError> {
        self.change_keys(|keys| {
            keys.keys.retain(|key| !key.is_forgotten(now));
            keys.keys.push(key.clone());
        })
    }

    fn revoke_access_key(&self, id: &str, now: Timestamp) -> Result<Option<AccessKey>, StoreError> {
        self.change_keys(|keys| {
            let key = keys.keys.iter_mut().find(|key| key.id == id)?;
            key.revoked_at.get_or_insert(now);
            Some(key.clone())
        })
    }
}

impl FileStore {
    fn key_file(&self) -> PathBuf {
        self.paths.state.join(GATEWAY).join("keys.json")
    }

    /// Changes the keys under the lock of the file.
    fn change_keys<T>(&self, change: impl FnOnce(&mut AccessKeys) -> T) -> Result<T, StoreError> {
        let locks = self.paths.state.join(LOCKS);
        self.io.files.create_dirs(&locks)?;
        let lock = locks.join("gateway-keys.lock");
        let _lock = self.io.lock(&lock, &self.wait(SHORT))?;
        let mut keys = self.access_keys()?;
        let changed = change(&mut keys);
        self.io.files.create_dirs(&self.paths.state.join(GATEWAY))?;
        let text = serde_json::to_string_pretty(&keys).expect("texts, numbers and lists");
        let path = self.key_file();
        self.io
            .files
            .replace(&path, format!("{text}\n").as_bytes())?;
        Ok(changed)
    }
}

fn refused(cause: String, remedy: String) -> StoreError {
    StoreError::Unavailable(MediumError {
        cause: cause.into(),
        remedy,
        is_refused: false,
        is_done: false,
    })
}
