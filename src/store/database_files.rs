//! The files of a state directory whose documents are in a database.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::model::grant::GrantDigest;
use crate::model::id::AgentId;
use crate::model::profiles::AuthProfiles;
use crate::model::secret::Secret;
use crate::model::tenant::TenantId;
use crate::ports::store::{Documents as _, StoreError};
use crate::ports::store_files::{StoreFiles, StorePlaces, Stray};

use super::file::FileStore;

/// What is on files beside a database: directories of agents, and documents of before, which no command
/// reads and which stay sealed as the vault says.
pub struct DatabaseFiles {
    before: Arc<FileStore>,
    tenant: TenantId,
    /// Where this machine keeps what it must not lose.
    directory: PathBuf,
}

impl DatabaseFiles {
    /// Beside these files, and a tenant's directory of what is in no row yet.
    pub fn new(before: Arc<FileStore>, (tenant, directory): (TenantId, PathBuf)) -> Self {
        Self {
            before,
            tenant,
            directory,
        }
    }
}

impl StoreFiles for DatabaseFiles {
    fn own(&self, state: &Path, name: &str) -> PathBuf {
        self.tenant.below(state).join(name)
    }

    fn directory(&self, agent: &AgentId) -> PathBuf {
        self.before.directory(agent)
    }

    fn directories(&self) -> Vec<PathBuf> {
        vec![self.directory.clone()]
    }

    fn document(&self, _: &AgentId) -> Option<PathBuf> {
        None
    }

    fn split_state(&self, _: &AgentId) -> Result<Option<PathBuf>, StoreError> {
        Ok(None)
    }

    fn places(&self, _: &AgentId) -> Result<StorePlaces, StoreError> {
        Ok(StorePlaces::default())
    }

    fn wide_modes(&self, _: &AgentId) -> Vec<(PathBuf, u32)> {
        Vec::new()
    }

    fn waiting_answers(&self) -> Result<Vec<(GrantDigest, PathBuf)>, StoreError> {
        Ok(Vec::new())
    }

    fn strays(&self, _: &AgentId, _: &AuthProfiles) -> Result<Vec<Stray>, StoreError> {
        Ok(Vec::new())
    }

    fn stray(&self, path: &Path) -> Result<Option<Stray>, StoreError> {
        self.before.stray(path)
    }

    fn to_text(&self, document: &AuthProfiles) -> Secret<Vec<u8>> {
        self.before.to_text(document)
    }

    fn parse_text(&self, text: &str) -> Result<AuthProfiles, String> {
        self.before.parse_text(text)
    }

    fn reseal(&self, _: &AgentId) -> Result<Vec<PathBuf>, StoreError> {
        Ok(Vec::new())
    }

    fn reseal_trash(&self) -> Result<Vec<PathBuf>, StoreError> {
        let mut left = Vec::new();
        for agent in self.before.agents()? {
            left.extend(self.before.reseal(&agent)?);
        }
        left.extend(self.before.reseal_trash()?);
        Ok(left)
    }

    fn reseal_answers(&self) -> Result<(Vec<PathBuf>, bool), StoreError> {
        self.before.reseal_answers()
    }

    fn leftovers(&self) -> Result<usize, StoreError> {
        Ok(0)
    }

    fn remove_leftovers(&self) -> Result<usize, StoreError> {
        Ok(0)
    }
}
