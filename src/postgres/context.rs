//! The store, which every function of this room is given.

use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use crate::model::id::AgentId;
use crate::ports::store::{Location, PendingRefresh, StoreError};

use super::address::Address;
use super::deployment::{self, Deployment};
use super::fault::{Fault, told, unavailable};
use super::link::{Link, Param, text};
use super::pool::Pool;
use super::settings::{Ports, Settings};
use super::watch::Watch;

/// A store in a PostgreSQL database.
pub struct PostgresStore {
    settings: Settings,
    ports: Ports,
    pool: OnceLock<Pool>,
    opened: OnceLock<Deployment>,
    /// One thread opens it, and the others wait.
    opening: Mutex<()>,
    pub(super) watch: OnceLock<Arc<Watch>>,
    /// Whose the logins under way are that this process takes, or ends.
    pub(super) taker: OnceLock<String>,
}

/// A store that is open.
pub(super) struct Opened<'a> {
    pub(super) pool: &'a Pool,
    pub(super) here: &'a Deployment,
}

impl PostgresStore {
    /// A store in this database. Connects to nothing yet.
    pub fn new(settings: Settings, ports: Ports) -> Self {
        Self {
            settings,
            ports,
            pool: OnceLock::new(),
            opened: OnceLock::new(),
            opening: Mutex::default(),
            watch: OnceLock::new(),
            taker: OnceLock::new(),
        }
    }

    pub(super) fn ports(&self) -> &Ports {
        &self.ports
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whose rows it works on.
    pub(super) fn tenant(&self) -> Param<'_> {
        text(self.settings.tenant.as_str())
    }

    /// The connections, whatever is in the database.
    pub(super) fn pool(&self) -> Result<&Pool, StoreError> {
        if let Some(pool) = self.pool.get() {
            return Ok(pool);
        }
        let address = Address::parse(&self.settings.url).map_err(|why| {
            let cause = format!("the address of the database is not valid: {why}");
            unavailable(cause, "Correct it.")
        })?;
        let (tls, clock) = (self.ports.tls.clone(), Arc::clone(&self.ports.clock));
        let tenant = self.settings.tenant.clone();
        Ok((self.pool).get_or_init(|| Pool::new((address, tls), tenant, clock)))
    }

    /// The store as it is used: its tables are there, and its key is this one.
    pub(super) fn opened(&self) -> Result<Opened<'_>, StoreError> {
        let pool = self.pool()?;
        let _one = match self.opened.get() {
            Some(here) => return Ok(Opened { pool, here }),
            None => self.opening.lock(),
        };
        let here = match self.opened.get() {
            Some(here) => here,
            None => {
                let here = deployment::open(pool, &self.settings, &self.ports)?;
                self.opened.get_or_init(|| here)
            }
        };
        Ok(Opened { pool, here })
    }

    /// Asks what may be asked twice.
    pub(super) fn ask<T>(
        &self,
        ask: impl FnMut(&Link) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let Opened { pool, .. } = self.opened()?;
        pool.read(ask).map_err(|fault| told(fault, pool.shown()))
    }

    /// Where the database is, without what is secret.
    pub(super) fn shown(&self) -> &str {
        self.pool()
            .map_or("an address that is not valid", Pool::shown)
    }

    /// Where an agent's credentials are, in words.
    pub(super) fn place(&self, agent: &AgentId) -> Location {
        Location::new(format!("{} (agent {agent})", self.shown()))
    }

    /// What a fault is that came over a refresh.
    pub(super) fn told_of(&self, fault: Fault, refresh: &PendingRefresh) -> StoreError {
        match fault {
            Fault::Conflict => StoreError::Conflict {
                at: self.place(&refresh.agent),
            },
            fault => told(fault, self.shown()),
        }
    }
}
