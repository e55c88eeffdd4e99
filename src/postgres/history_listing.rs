//! The histories of an agent, all at once: listed, cleared, and rid of what went to another machine.

use crate::model::grant::GrantDigest;
use crate::model::id::{AgentId, ProfileId};
use crate::ports::store::{History, HistoryListing, StoreError};
use crate::store::handed_over::strip_grants;

use super::context::PostgresStore;
use super::fault::Fault;
use super::history::{self, Kept, RowHistories};

impl History for PostgresStore {
    fn history(
        &self,
        agent: &AgentId,
        profile: Option<&ProfileId>,
    ) -> Result<HistoryListing, StoreError> {
        let mut kept = HistoryListing {
            limit: (self.settings().limit)(),
            ..HistoryListing::default()
        };
        for (name, history) in self.find_histories(agent, profile)? {
            match history {
                Ok(history) => kept.histories.push(history),
                Err(fault) => kept.faults.push(format!("{name} cannot be read: {fault}")),
            }
        }
        kept.histories.sort_by(|a, b| a.profile.cmp(&b.profile));
        Ok(kept)
    }

    /// Also what was set aside, which may hold secrets, too.
    fn clear_history(
        &self,
        agent: &AgentId,
        profile: Option<&ProfileId>,
    ) -> Result<(), StoreError> {
        self.change_histories(agent, &|histories| histories.clear(profile))
    }

    fn strip_history(&self, agent: &AgentId, grants: &[GrantDigest]) -> Result<(), StoreError> {
        // Looked at first: seldom is anything to be written.
        let found = self.find_histories(agent, None)?;
        let mut found = found.into_iter().filter_map(|(_, history)| history.ok());
        if !found.any(|mut history| strip_grants(&mut history, grants)) {
            return Ok(());
        }
        self.change_histories(agent, &|histories| {
            for (_, history) in histories.all()? {
                if let Ok(mut history) = history
                    && strip_grants(&mut history, grants)
                {
                    histories.write(history)?;
                }
            }
            Ok(())
        })
    }
}

impl PostgresStore {
    fn find_histories(
        &self,
        agent: &AgentId,
        profile: Option<&ProfileId>,
    ) -> Result<Vec<Kept>, StoreError> {
        let here = self.opened()?.here;
        self.ask(|link| history::find(link, &here.rows, agent, profile))
    }

    /// Done again it comes to the same.
    fn change_histories(
        &self,
        agent: &AgentId,
        change: &dyn Fn(&mut RowHistories<'_>) -> Result<(), Fault>,
    ) -> Result<(), StoreError> {
        self.change(&self.place(agent), &mut |tx, rows| {
            change(&mut RowHistories::new(tx, rows, agent, self))
        })
    }
}
