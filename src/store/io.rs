//! The store on files, which every function of this room is given.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::model::profiles::AuthProfiles;
use crate::model::vault::VaultFault;
use crate::ports::dialog::{Dialog, Notice};
use crate::ports::files::{FileLock, Files, Sharing};
use crate::ports::host::{Clock, Interrupt};
use crate::ports::lock::{self, LockError, Wait, lock_within};
use crate::ports::vault::{Vault, VaultPolicy};

use super::keep::Keep;
use super::paths::StorePaths;
use super::sealed::{self, Sealing};

/// Says how many generations of a profile are to be kept; 0 for none.
pub type Limit = Arc<dyn Fn() -> usize + Send + Sync>;

/// The ports.
#[derive(Clone)]
pub(super) struct Io {
    pub(super) files: Arc<dyn Files>,
    pub(super) clock: Arc<dyn Clock>,
}

/// Who may end a wait for another process, and who is told of a long one.
pub(super) struct Person {
    pub(super) interrupt: Arc<dyn Interrupt>,
    pub(super) dialog: Arc<dyn Dialog>,
    /// The warnings that were given.
    pub(super) warned: Mutex<Vec<String>>,
}

/// The store on files: its ports, its places, and the one setting.
#[derive(Clone)]
pub struct FileStore {
    pub(super) io: Io,
    pub(super) vault: Arc<dyn Vault>,
    pub(super) person: Option<Arc<Person>>,
    pub(super) paths: StorePaths,
    pub(super) limit: Limit,
}

impl FileStore {
    /// A wait that something durable depends on.
    pub(super) fn commit_wait(&self, limit: Duration) -> Wait<'_> {
        let person = self.person.as_deref();
        Wait {
            limit,
            interrupt: None,
            dialog: person.map(|person| &*person.dialog),
        }
    }

    /// How what is written is sealed; opens the vault, which may ask a person.
    ///
    /// # Errors
    /// If it cannot be told.
    pub(super) fn sealing(&self) -> Result<Sealing, VaultFault> {
        Ok(self.sealing_as(self.vault.policy()?.as_ref()))
    }

    fn sealing_as(&self, policy: Option<&VaultPolicy>) -> Sealing {
        let Some(policy) = policy.filter(|policy| policy.store.seals()) else {
            return Sealing::Off;
        };
        match self.vault.unlock() {
            Ok(sealer) => Sealing::On(sealer, policy.part),
            Err(fault) => Sealing::Closed(fault),
        }
    }

    /// The same for a document that was read. One that is sealed, and whose vault is gone, takes nothing
    /// in the clear.
    ///
    /// # Errors
    /// If it cannot be told.
    pub(super) fn sealing_of(&self, document: &AuthProfiles) -> Result<Sealing, VaultFault> {
        let policy = self.vault.policy()?;
        let mut profiles = document.profiles();
        if policy.is_none()
            && let Some(needed) = profiles.find_map(|(_, it)| sealed::vault_of(it))
        {
            return Ok(Sealing::Closed(VaultFault::OtherVault {
                needed,
                found: None,
            }));
        }
        Ok(self.sealing_as(policy.as_ref()))
    }

    /// Reads what is sealed as far as this process has opened the vault.
    pub(super) fn keep(&self) -> Keep {
        Keep::all().opening(self.vault.opened())
    }

    /// A wait that a signal ends.
    pub(super) fn wait(&self, limit: Duration) -> Wait<'_> {
        let person = self.person.as_deref();
        Wait {
            interrupt: person.map(|person| &*person.interrupt),
            ..self.commit_wait(limit)
        }
    }
}

impl FileStore {
    /// Warns the person, of each thing once.
    pub(super) fn warn_once(&self, text: String) {
        let Some(person) = &self.person else {
            return;
        };
        let mut warned = person.warned.lock();
        if !warned.contains(&text) {
            (person.dialog).notice(&Notice::Warning(text.clone().into()));
            warned.push(text);
        }
    }
}

impl Io {
    /// What a lock file tells people about its holder.
    pub(super) fn note(&self) -> String {
        lock::owner_note(&*self.files, &*self.clock)
    }

    /// Who holds a lock, by its note.
    pub(super) fn owner(&self, path: &Path) -> Option<String> {
        lock::owner(&*self.files, &*self.clock, path)
    }

    /// Takes a kernel lock for ourselves.
    pub(super) fn lock(
        &self,
        path: &Path,
        wait: &Wait<'_>,
    ) -> Result<Box<dyn FileLock>, LockError> {
        lock_within(&*self.files, &*self.clock, path, Sharing::Exclusive, wait)
    }
}
