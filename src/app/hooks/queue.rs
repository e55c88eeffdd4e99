//! The queue of events of a command, for the hooks that run after it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use parking_lot::Mutex;

use crate::model::alert::{Alert, Hooks};
use crate::model::declared::Finding;
use crate::ports::declarations::{Declarations, DeclareError};

/// The events of a command, and the source of the configured hooks.
#[derive(Default)]
pub struct Alerts {
    hooks: Option<Arc<dyn Declarations>>,
    noted: Mutex<Vec<Alert>>,
    /// Whether faults of the configuration were reported.
    pub(super) is_checked: AtomicBool,
}

impl Alerts {
    /// Creates a queue for the hooks that are declared there.
    pub fn new(hooks: Arc<dyn Declarations>) -> Self {
        Self {
            hooks: Some(hooks),
            ..Self::default()
        }
    }

    /// Queues an event. Runs nothing, so it may be called while a lock is held.
    pub(in crate::app) fn note(&self, alert: Alert) {
        let mut noted = self.noted.lock();
        let is_known = |known: &Alert| alert.mark.is_some() && known.mark == alert.mark;
        if !noted.iter().any(is_known) {
            noted.push(alert);
        }
    }

    pub(super) fn take(&self) -> Vec<Alert> {
        std::mem::take(&mut *self.noted.lock())
    }

    pub(super) fn hooks(&self) -> Result<(Hooks, Vec<Finding>), DeclareError> {
        match &self.hooks {
            Some(source) => source.hooks(),
            None => Ok(Default::default()),
        }
    }
}
