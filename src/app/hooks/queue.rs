//! What happened during a command, for the hooks that run when it is over.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::alert::{Alert, Hooks};
use crate::model::declared::Finding;
use crate::ports::declarations::{Declarations, DeclareError};

/// What happened during a command, and who wants to know.
#[derive(Default)]
pub struct Alerts {
    hooks: Option<Arc<dyn Declarations>>,
    noted: Mutex<Vec<Alert>>,
    /// What is wrong with the configuration was told.
    pub(super) is_checked: AtomicBool,
}

impl Alerts {
    /// Of which those are told that are configured there.
    pub fn new(hooks: Arc<dyn Declarations>) -> Self {
        Self {
            hooks: Some(hooks),
            ..Self::default()
        }
    }

    /// Runs nothing, and may be called while anything is locked.
    pub(in crate::app) fn note(&self, alert: Alert) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = |known: &Alert| alert.mark.is_some() && known.mark == alert.mark;
        if !noted.iter().any(is_known) {
            noted.push(alert);
        }
    }

    pub(super) fn take(&self) -> Vec<Alert> {
        std::mem::take(&mut *self.noted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn hooks(&self) -> Result<(Hooks, Vec<Finding>), DeclareError> {
        match &self.hooks {
            Some(source) => source.hooks(),
            None => Ok(Default::default()),
        }
    }
}
