//! What of the state directory belongs to one of the stores that share it.

use std::path::PathBuf;

use super::context::Context;
use crate::model::state_files::TENANTS;

impl Context<'_> {
    /// A part of the state directory that only the store in use has to do with: what waits there to be
    /// stored must not come into another one.
    pub(in crate::app) fn own(self, name: &str) -> PathBuf {
        self.store_files.own(&self.dirs.state, name)
    }

    /// The same part of every store that shares the state directory.
    pub(in crate::app) fn of_every_store(self, name: &str) -> Vec<PathBuf> {
        let tenants = self.dirs.state.join(TENANTS);
        let named = self.files.list(&tenants).unwrap_or_default();
        let own = named.iter().map(|tenant| tenants.join(tenant));
        let states = std::iter::once(self.dirs.state.clone()).chain(own);
        states.map(|state| state.join(name)).collect()
    }
}
