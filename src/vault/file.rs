//! `secrets.enc`: reading it, and writing it whole.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::model::seal::{Seal, WrappedKey};
use crate::model::state_files::{SECRETS, SECRETS_BACKUP};
use crate::model::vault::{SealedPart, TokenStore, VaultFault, VaultId};
use crate::ports::files::{FileError, Files};
use crate::ports::vault::VaultPolicy;

/// The version that this release writes.
const VERSION: u64 = 1;

/// A longer one was not written by this program.
const LONGEST: usize = 8 << 20;

/// As many slots are looked at.
pub(super) const MOST_SLOTS: usize = 16;

/// What can be read without a key. Members and slots of a later release are kept as they are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Head {
    #[serde(rename = "openclawSecrets")]
    version: u64,
    pub(super) vault: VaultId,
    pub(super) store: TokenStore,
    #[serde(rename = "seal")]
    pub(super) part: SealedPart,
    pub(super) slots: Vec<Value>,
    /// Keys of before, wrapped under the new one, while something is still sealed under them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) before: Vec<WrappedKey>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// The file: what can be read, and what is sealed.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) head: Head,
    pub(super) body: Seal,
}

/// What becomes of the document that was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Previous {
    /// It lies beside the new one.
    Kept,
    /// Nothing of it stays: it holds what was removed.
    Gone,
}

impl Head {
    /// The head of a new vault.
    pub(super) fn new(vault: VaultId, (store, part): (TokenStore, SealedPart)) -> Self {
        Self {
            version: VERSION,
            vault,
            store,
            part,
            slots: Vec::new(),
            before: Vec::new(),
            rest: Map::new(),
        }
    }

    pub(super) fn policy(&self) -> VaultPolicy {
        VaultPolicy {
            vault: self.vault.clone(),
            store: self.store,
            part: self.part,
        }
    }

    /// What is bound to each of the keys of before.
    pub(super) fn bound_to_before(&self) -> Vec<u8> {
        format!("before\0{}", self.vault).into_bytes()
    }

    /// What is bound to the body, so that a change of anything else is seen.
    pub(super) fn bound(&self) -> Vec<u8> {
        let text = serde_json::to_vec(self).unwrap_or_default();
        [b"body\0".as_slice(), &Sha256::digest(text)].concat()
    }
}

/// Where the file lies.
pub(super) fn path(state: &Path) -> PathBuf {
    state.join(SECRETS)
}

/// Where the last good one lies.
fn backup(state: &Path) -> PathBuf {
    state.join(SECRETS_BACKUP)
}

/// Reads the file; `None` if there never was one.
pub(super) fn load(files: &dyn Files, state: &Path) -> Result<Option<Document>, VaultFault> {
    let path = path(state);
    let damaged = |why: String| VaultFault::Damaged {
        path: path.display().to_string(),
        why,
    };
    let Some(bytes) = files.read_settings(&path).map_err(|error| failed(&error))? else {
        // Without this, a file that is gone would mean that nothing has to be sealed.
        let backup = backup(state);
        let is_there = files.stat(&backup).map_err(|error| failed(&error))?;
        return match is_there {
            None => Ok(None),
            Some(_) => Err(damaged("it is gone, and its backup is there".to_owned())),
        };
    };
    match parse(&bytes) {
        Ok(document) => Ok(Some(document)),
        Err(Unreadable::Newer) => Err(VaultFault::Newer(path.display().to_string())),
        Err(Unreadable::Damaged(why)) => Err(damaged(why)),
    }
}

/// Writes the file in one step, and says what becomes of the one before. For who holds its lock.
pub(super) fn save(
    files: &dyn Files,
    state: &Path,
    document: &Document,
    previous: Previous,
) -> Result<(), VaultFault> {
    let bytes = text_of(document);
    if bytes.len() > LONGEST {
        let why = "the secrets would become longer than 8 MiB in all; nothing was changed";
        return Err(VaultFault::Failed(why.to_owned()));
    }
    let write = || -> Result<(), FileError> {
        let (path, backup) = (path(state), backup(state));
        if previous == Previous::Kept
            && let Some(last) = files.read(&path)?
        {
            files.replace(&backup, &last)?;
        }
        files.replace(&path, &bytes)?;
        if previous == Previous::Gone {
            files.replace(&backup, &bytes)?;
        }
        Ok(())
    };
    write().map_err(|error| failed(&error))
}

/// Why it could not be read or written, with the step that mends it.
pub(super) fn failed(error: &FileError) -> VaultFault {
    VaultFault::Failed(format!("{error} ({})", error.remedy()))
}

enum Unreadable {
    Newer,
    Damaged(String),
}

fn text_of(document: &Document) -> Vec<u8> {
    let mut value = serde_json::to_value(&document.head).unwrap_or_default();
    if let Value::Object(members) = &mut value {
        let body = serde_json::to_value(&document.body).unwrap_or_default();
        members.insert("body".to_owned(), body);
    }
    let mut bytes = serde_json::to_vec_pretty(&value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn parse(bytes: &[u8]) -> Result<Document, Unreadable> {
    let damaged = |why: &str| Unreadable::Damaged(why.to_owned());
    if bytes.is_empty() {
        return Err(damaged("it is empty"));
    }
    if bytes.len() > LONGEST {
        return Err(damaged("it is longer than 8 MiB"));
    }
    let value = serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Unreadable::Damaged(format!("not valid JSON (line {line}, column {column})"))
    })?;
    let Value::Object(mut members) = value else {
        return Err(damaged("it is no JSON object"));
    };
    match members.get("openclawSecrets").and_then(Value::as_u64) {
        Some(VERSION) => {}
        Some(later) if later > VERSION => return Err(Unreadable::Newer),
        _ => return Err(damaged("it does not say its version")),
    }
    // Nothing of its content is quoted.
    let body = members.shift_remove("body");
    let body = body.and_then(|body| serde_json::from_value(body).ok());
    let body = body.ok_or_else(|| damaged("it has no body"))?;
    let head: Head = serde_json::from_value(Value::Object(members))
        .map_err(|_| damaged("vault, store, seal or slots are missing or no such"))?;
    if head.slots.len() > MOST_SLOTS {
        return Err(damaged("it has more than 16 slots"));
    }
    Ok(Document { head, body })
}
