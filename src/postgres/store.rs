//! The store: each method of its traits is a function of this room.

use crate::model::grant::{GrantDigest, GrantRecord};
use crate::model::id::AgentId;
use crate::model::inheritance::Inheritance;
use crate::model::profiles::AuthProfiles;
use crate::ports::lock::Wait;
use crate::ports::store::{
    Documents, GrantLock, GrantLocks, Journal, Location, Scope, StoreError, Waited,
};

use super::agents;
use super::context::Opened;
use super::lease;

pub use super::context::PostgresStore;

impl Documents for PostgresStore {
    fn load(&self, agent: &AgentId, scope: Scope<'_>) -> Result<AuthProfiles, StoreError> {
        self.load_document(agent, scope)
    }

    fn update(
        &self,
        agent: &AgentId,
        change: &mut dyn FnMut(&mut AuthProfiles) -> bool,
    ) -> Result<AuthProfiles, StoreError> {
        self.update_document(agent, change)
    }

    fn check_writable(&self, agent: &AgentId) -> Result<(), StoreError> {
        agents::check_writable(self, agent)
    }

    fn agents(&self) -> Result<Vec<AgentId>, StoreError> {
        agents::all(self)
    }

    fn location(&self, agent: &AgentId) -> Location {
        self.place(agent)
    }

    fn inheritance(&self, agent: &AgentId) -> Result<Inheritance, StoreError> {
        agents::inheritance(self, agent)
    }

    fn set_inheritance(
        &self,
        agent: &AgentId,
        inheritance: &Inheritance,
    ) -> Result<(), StoreError> {
        agents::set_inheritance(self, agent, inheritance)
    }
}

impl GrantLocks for PostgresStore {
    fn try_lock_grant<'a>(&'a self, grant: &GrantDigest) -> Result<GrantLock<'a>, StoreError> {
        self.lease(grant)
    }

    fn is_locked(&self, grant: &GrantDigest) -> bool {
        self.is_leased(grant)
    }

    fn await_grant(&self, grant: &GrantDigest, wait: &Wait<'_>) -> Result<Waited, StoreError> {
        self.await_lease(grant, wait)
    }
}

impl Journal for PostgresStore {
    fn grant_record(&self, grant: &GrantDigest) -> Result<Option<GrantRecord>, StoreError> {
        self.record(grant)
    }

    fn is_spent(&self, grant: &GrantDigest) -> Result<bool, StoreError> {
        lease::is_spent(self, grant)
    }

    fn record_login(&self, record: &GrantRecord) -> Result<(), StoreError> {
        self.put_record(record)
    }

    fn pending_answers(&self) -> Result<Vec<GrantDigest>, StoreError> {
        // Where there is no database none can be stored, and whatever is asked next says why.
        let Ok(Opened { here, .. }) = self.opened() else {
            return Ok(Vec::new());
        };
        self.review()?;
        here.rescue.grants()
    }
}
