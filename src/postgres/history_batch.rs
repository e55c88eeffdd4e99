//! The histories that one change concerns: read at once before it, and written at once after it.

use std::collections::HashMap;

use crate::model::grant::{GrantDigest, GrantRecord};
use crate::model::history::History;
use crate::model::id::ProfileId;
use crate::model::profiles::AuthProfiles;
use crate::model::time::Timestamp;
use crate::ports::store::StoreError;
use crate::store::histories::Histories;
use crate::store::history_rules;

use super::fault::Fault;
use super::history::RowHistories;

/// The histories of an agent, of which some are known already.
pub(super) struct HistoryBatch<'a> {
    rows: RowHistories<'a>,
    known: HashMap<ProfileId, History>,
    changed: HashMap<ProfileId, History>,
}

impl<'a> HistoryBatch<'a> {
    /// Reads those of the credentials that a change put in a document.
    pub(super) fn read(mut rows: RowHistories<'a>, doc: &AuthProfiles) -> Result<Self, Fault> {
        let mut known = HashMap::new();
        let put: Vec<&ProfileId> = history_rules::stored(doc).map(|(id, _)| id).collect();
        if rows.limit() > 0 && !put.is_empty() {
            known.extend(put.iter().map(|&id| (id.clone(), History::new(id.clone()))));
            for (name, history) in rows.some(put.iter().map(|id| id.as_str()).collect())? {
                // One that cannot be read is looked at where it is asked for, and set aside.
                let Ok(id) = ProfileId::parse(&name) else {
                    continue;
                };
                match history {
                    Ok(history) => known.insert(id, history),
                    Err(_) => known.remove(&id),
                };
            }
        }
        Ok(Self {
            rows,
            known,
            changed: HashMap::new(),
        })
    }

    /// As [`RowHistories::judge`].
    pub(super) fn judge<T>(&mut self, done: Result<T, StoreError>) -> Result<T, Fault> {
        self.rows.judge(done)
    }

    /// Writes those that were changed.
    pub(super) fn write(mut self) -> Result<(), Fault> {
        let mut changed: Vec<History> = self.changed.into_values().collect();
        match changed.is_empty() {
            true => Ok(()),
            false => self.rows.write_all(&mut changed),
        }
    }
}

impl Histories for HistoryBatch<'_> {
    fn limit(&self) -> usize {
        self.rows.limit()
    }

    fn now(&self) -> Timestamp {
        self.rows.now()
    }

    fn open(&mut self, id: &ProfileId) -> Result<(History, Option<String>), StoreError> {
        match self.changed.get(id).or_else(|| self.known.get(id)) {
            Some(history) => Ok((history.clone(), None)),
            None => self.rows.open(id),
        }
    }

    fn put(&mut self, history: History) -> Result<(), StoreError> {
        self.changed.insert(history.profile.clone(), history);
        Ok(())
    }

    fn forget(&mut self, id: &ProfileId) -> Result<(), StoreError> {
        self.changed.remove(id);
        self.known.remove(id);
        self.rows.forget(id)
    }

    fn record(&mut self, grant: &GrantDigest) -> Result<Option<GrantRecord>, StoreError> {
        self.rows.record(grant)
    }
}
