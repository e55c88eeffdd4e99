//! Logins that wait for their code, each in a file `<state>/pending/<attempt>.json`, so that
//! another process can complete them.
//!
//! A file holds `state` and the PKCE verifier: with the code they are the login. It is for its owner
//! only (sealed, in a sealed store), it goes when its code was used or refused, and after its deadline
//! it is refused and swept.
//! One lock keeps two processes from using one code twice; the kernel frees it when its holder dies,
//! and the attempt can be ended by the next.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::grant::Binding;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::seal::Seal;
use crate::model::secret::Secret;
use crate::model::state_files::{LOCKS, PENDING};
use crate::model::time::Timestamp;
use crate::model::vault::{About, VaultFault};
use crate::oauth::authorization::PendingAuthorization;
use crate::ports::files::{FileLock, Sharing};
use crate::ports::lock::{LockError, lock_within};
use crate::ports::vault::Sealer;

use super::super::failure::{Failure, Kind};
use super::file_name;
use super::pending_code::PendingCode;
use super::request::Request;
use crate::app::context::Context;

const SCHEMA: u32 = 1;
pub(super) const SUFFIX: &str = ".json";

/// The time limit for the completion of another attempt: it is one token request.
const PATIENCE: Duration = Duration::from_secs(60);

/// A login that waits for its code, as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pending {
    /// Its name: 16 hexadecimal digits.
    #[serde(skip)]
    pub(super) id: String,
    schema: u32,
    pub(super) provider: ProviderId,
    pub(super) agent: AgentId,
    pub(super) method: String,
    /// Under which name it is to be stored.
    #[serde(rename = "profileId")]
    pub(super) profile: Option<ProfileId>,
    pub(super) set_default: bool,
    #[serde(flatten)]
    pub(super) code: PendingCode,
    /// The attempt is refused from then on.
    #[serde(rename = "expiresAt")]
    pub(super) expires: Timestamp,
}

/// The file of an attempt in a sealed store.
#[derive(Serialize, Deserialize)]
struct SealedFile {
    sealed: Seal,
}

impl Pending {
    /// Makes a pending login with a new name and its deadline.
    ///
    /// # Errors
    /// If there is no randomness.
    pub(super) fn new(
        cx: Context<'_>,
        request: &Request,
        method: &str,
        binding: Binding,
        authorization: PendingAuthorization,
    ) -> Result<Self, Failure> {
        Ok(Self {
            id: file_name::new(cx)?,
            schema: SCHEMA,
            provider: request.provider.clone(),
            agent: request.agent.clone(),
            method: method.to_owned(),
            profile: request.profile.clone(),
            set_default: request.set_default,
            code: PendingCode::new(binding, authorization),
            expires: cx.clock.now().after(request.timeout),
        })
    }

    /// Writes the file, durably.
    ///
    /// # Errors
    /// What the disk says.
    pub(super) fn write(&self, cx: Context<'_>) -> Result<(), Failure> {
        cx.files.create_dirs(&directory(cx))?;
        let sealer = cx.sealer()?;
        let bytes = self.encode(sealer.as_deref())?;
        Ok(cx.files.replace(&path(cx, &self.id), bytes.expose())?)
    }

    /// Removes the file.
    ///
    /// # Errors
    /// What the disk says.
    pub(super) fn remove(&self, cx: Context<'_>) -> Result<(), Failure> {
        remove(cx, &self.id)
    }

    /// Whether its deadline has passed.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.expires <= now
    }

    fn encode(&self, sealer: Option<&Sealer>) -> Result<Secret<Vec<u8>>, Failure> {
        let failed = |error: serde_json::Error| {
            let message = format!("could not save the pending login: {error}");
            Failure::new(Kind::Storage, message)
        };
        let plain = serde_json::to_vec(self).map(Secret::new).map_err(failed)?;
        let Some(sealer) = sealer else {
            return Ok(plain);
        };
        let file = SealedFile {
            sealed: sealer.seal(About::Login(&self.id), plain.expose())?,
        };
        serde_json::to_vec(&file).map(Secret::new).map_err(failed)
    }

    fn decode(id: &str, bytes: &[u8]) -> Option<Self> {
        let read: Self = serde_json::from_slice(bytes).ok()?;
        let id = id.to_owned();
        (read.schema == SCHEMA).then_some(Self { id, ..read })
    }

    /// Reads the file of an attempt; `None` if it is damaged, or of a later release.
    pub(super) fn read(
        cx: Context<'_>,
        id: &str,
        bytes: &Secret<Vec<u8>>,
    ) -> Result<Option<Self>, VaultFault> {
        let Some(seal) = seal_of(bytes) else {
            return Ok(Self::decode(id, bytes.expose()));
        };
        let opened = cx.vault.unlock()?.open(About::Login(id), &seal);
        Ok(opened
            .ok()
            .and_then(|plain| Self::decode(id, plain.expose())))
    }
}

/// The seal in the file of an attempt, if it is sealed.
pub(super) fn seal_of(bytes: &Secret<Vec<u8>>) -> Option<Seal> {
    let file: Option<SealedFile> = serde_json::from_slice(bytes.expose()).ok();
    file.map(|file| file.sealed)
}

/// Locks out every other process that wants to use a code, until dropped.
///
/// # Errors
/// [`Kind::Busy`] if another process takes too long; a signal; what the disk says.
pub(super) fn lock(cx: Context<'_>) -> Result<Box<dyn FileLock>, Failure> {
    let locks = cx.dirs.state.join(LOCKS);
    cx.files.create_dirs(&locks)?;
    let path = locks.join("pending.lock");
    let wait = cx.wait(PATIENCE);
    let lock = lock_within(cx.files, cx.clock, &path, Sharing::Exclusive, &wait);
    lock.map_err(|error| match error {
        LockError::Busy { owner, .. } => {
            let owner = owner.unwrap_or_else(|| "another process".to_owned());
            let message = format!("{owner} is still finishing a login");
            Failure::new(Kind::Busy, message)
                .hint("wait for the other process, then run the command again")
        }
        other => other.into(),
    })
}

/// Removes an attempt, if it is there.
///
/// # Errors
/// What the disk says.
pub(super) fn remove(cx: Context<'_>, id: &str) -> Result<(), Failure> {
    match file_name::is_one(id) {
        true => Ok(cx.files.remove(&path(cx, id))?),
        false => Ok(()),
    }
}

pub(super) fn directory(cx: Context<'_>) -> PathBuf {
    cx.own(PENDING)
}

pub(super) fn path(cx: Context<'_>, id: &str) -> PathBuf {
    directory(cx).join(format!("{id}{SUFFIX}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_down_is_read_back() {
        let binding = Binding {
            token_endpoint: "https://login.example/token".to_owned(),
            client_id: "client-1".to_owned(),
        };
        let authorization = PendingAuthorization {
            redirect_uri: "http://localhost:1455/cb".to_owned(),
            state: Secret::from("state-MARKER"),
            code_verifier: Secret::from("verifier-MARKER"),
            nonce: Some(Secret::from("n")),
            issuer: Some("https://login.example".to_owned()),
            sends_iss: true,
        };
        let pending = Pending {
            id: "0123456789abcdef".to_owned(),
            schema: SCHEMA,
            provider: ProviderId::parse("openai-codex").unwrap(),
            agent: AgentId::main(),
            method: "oauth".to_owned(),
            profile: Some(ProfileId::parse("openai-codex:work").unwrap()),
            set_default: true,
            code: PendingCode::new(binding, authorization),
            expires: Timestamp(7),
        };
        let bytes = pending.encode(None).unwrap();
        let read = Pending::decode(&pending.id, bytes.expose());
        assert_eq!(read.as_ref(), Some(&pending));
        assert!(!format!("{pending:?}").contains("MARKER"));
        assert!(pending.is_over(Timestamp(7)) && !pending.is_over(Timestamp(6)));
        let later = String::from_utf8(bytes.expose().clone()).unwrap();
        let later = later.replace("\"schema\":1", "\"schema\":2");
        assert_eq!(Pending::decode(&pending.id, later.as_bytes()), None);
        assert_eq!(Pending::decode(&pending.id, b"{"), None);
    }
}
