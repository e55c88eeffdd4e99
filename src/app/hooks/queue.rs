//! The queue of events of a command, for the hooks that run after it.

use std::sync::atomic::AtomicBool;

use parking_lot::Mutex;

use crate::model::alert::Alert;

/// The events of a command.
#[derive(Default)]
pub struct Alerts {
    noted: Mutex<Vec<Alert>>,
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
    }

    pub(super) fn take(&self) -> Vec<Alert> {
        std::mem::take(&mut *self.noted.lock())
    }
}
