//! What a command leaves to be done when it is over: events for the hooks, and logins to revoke.

use std::sync::atomic::AtomicBool;

use parking_lot::Mutex;

use crate::model::alert::Alert;
use crate::model::credential::OAuth;
use crate::model::id::{AgentId, ProfileId};

/// What a refresh brought for a login that was removed meanwhile.
pub(in crate::app) struct Unwanted {
    pub(in crate::app) owner: AgentId,
    pub(in crate::app) profile: ProfileId,
    pub(in crate::app) login: OAuth,
}

/// The events of a command.
#[derive(Default)]
pub struct Alerts {
    noted: Mutex<Vec<Alert>>,
    unwanted: Mutex<Vec<Unwanted>>,
    /// Whether faults of the configuration were reported.
    pub(super) is_checked: AtomicBool,
}

impl Alerts {
    /// Queues an event. Runs nothing, so it may be called while a lock is held.
    pub(in crate::app) fn note(&self, alert: Alert) {
        let mut noted = self.noted.lock();
        let is_known = |known: &Alert| alert.mark.is_some() && known.mark == alert.mark;
        if !noted.iter().any(is_known) {
            noted.push(alert);
        }
    }

    /// Queues the events of another queue behind those of this one.
    pub(in crate::app) fn append(&self, other: &Self) {
        for alert in other.take() {
            self.note(alert);
        }
        self.unwanted.lock().extend(other.take_unwanted());
    }

    /// Queues what is to be revoked when the command is done.
    pub(in crate::app) fn note_unwanted(&self, unwanted: Unwanted) {
        self.unwanted.lock().push(unwanted);
    }

    pub(in crate::app) fn take_unwanted(&self) -> Vec<Unwanted> {
        std::mem::take(&mut *self.unwanted.lock())
    }

    pub(super) fn take(&self) -> Vec<Alert> {
        std::mem::take(&mut *self.noted.lock())
    }
}
