//! The histories of an agent, all at once: listed, cleared, and rid of what went to another machine.

use crate::model::grant::GrantDigest;
use crate::model::id::{AgentId, ProfileId};
use crate::ports::files::FileError;
use crate::ports::store::{History, HistoryListing, StoreError};

use super::document_lock;
use super::handed_over::strip_grants;
use super::histories::Histories as _;
use super::history::lock;
use super::history_file;
use super::io::FileStore;
use super::lock_path::PATIENCE;
use super::paths::{history_name, history_stem};

impl History for FileStore {
    fn history(
        &self,
        agent: &AgentId,
        profile: Option<&ProfileId>,
    ) -> Result<HistoryListing, StoreError> {
        let directory = self.paths.histories(agent);
        let mut kept = HistoryListing {
            limit: (self.limit)(),
            ..HistoryListing::default()
        };
        let names = match profile {
            Some(profile) => vec![history_name(profile)],
            None => self.io.files.list(&directory)?,
        };
        for name in names.iter().filter(|name| name.ends_with(".json")) {
            let path = directory.join(name);
            let fault = match history_file::read_file(self, &path) {
                Ok(None) => continue,
                Ok(Some(Ok(history))) if *name == history_name(&history.profile) => {
                    kept.histories.push(history);
                    continue;
                }
                Ok(Some(Ok(_))) => "it has the file name of another profile".to_owned(),
                Ok(Some(Err(fault))) => fault,
                Err(error) => {
                    let fault = error.source.to_string();
                    kept.refused = Some(error).filter(FileError::is_refused).map(Into::into);
                    fault
                }
            };
            let sentence = format!("{} cannot be read: {fault}", path.display());
            kept.faults.push(sentence);
        }
        kept.histories.sort_by(|a, b| a.profile.cmp(&b.profile));
        Ok(kept)
    }

    /// Removes whatever bears the name of the profile: what was set aside and what a crash left
    /// hold secrets, too.
    fn clear_history(
        &self,
        agent: &AgentId,
        profile: Option<&ProfileId>,
    ) -> Result<(), StoreError> {
        let directory = self.paths.histories(agent);
        if self.io.files.stat(&directory)?.is_none() {
            return Ok(());
        }
        let _locked = document_lock::lock(self, agent, &self.wait(PATIENCE))?;
        let _histories = lock(self, agent)?;
        let wanted = profile.map(history_stem);
        for name in self.io.files.list(&directory)? {
            if wanted.as_ref().is_none_or(|stem| name.contains(stem)) {
                self.io.files.remove(&directory.join(&name))?;
            }
        }
        Ok(())
    }

    fn strip_history(&self, agent: &AgentId, grants: &[GrantDigest]) -> Result<(), StoreError> {
        // Looked at first: seldom is anything to be written.
        let mut found = self.history(agent, None)?.histories;
        if !found
            .iter_mut()
            .any(|history| strip_grants(history, grants))
        {
            return Ok(());
        }
        let _locked = document_lock::lock(self, agent, &self.wait(PATIENCE))?;
        let mut histories = lock(self, agent)?;
        for mut history in self.history(agent, None)?.histories {
            if strip_grants(&mut history, grants) {
                histories.put(history)?;
            }
        }
        Ok(())
    }
}
