//! What the test issuer was told and has seen.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::client_credentials::Expected;
use super::device::Devices;
use super::grants::Grants;
use super::keys::Keys;
use super::message::{Scripted, Seen};
use super::pages::Pages;
use super::revoke::Revocations;
use crate::ports::host::Clock;

/// What the server is told, and what it has seen.
pub(super) struct State {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) grants: Grants,
    pub(super) devices: Devices,
    pub(super) keys: Keys,
    pub(super) url: String,
    pub(super) token_requests: Vec<Vec<(String, String)>>,
    pub(super) exchanges: Vec<Seen>,
    /// How many of them were dealt with.
    pub(super) dealt_with: usize,
    pub(super) next: Vec<Scripted>,
    pub(super) refuse: Option<(String, String)>,
    pub(super) client: Option<Expected>,
    pub(super) delay: Duration,
    pub(super) gate: Arc<Gate>,
    pub(super) pages: Pages,
    pub(super) revocations: Revocations,
}

/// What holds answers back.
#[derive(Default)]
pub(super) struct Gate {
    is_shut: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    pub(super) fn set(&self, is_shut: bool) {
        *locked(&self.is_shut) = is_shut;
        self.opened.notify_all();
    }

    pub(super) fn pass(&self) {
        let shut = self
            .opened
            .wait_while(locked(&self.is_shut), |is_shut| *is_shut);
        drop(shut);
    }
}

pub(super) fn locked<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
