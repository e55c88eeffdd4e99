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
use openclaw::ports::host::Clock;

/// What the server is told, and what it has seen.
pub(crate) struct State {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) grants: Grants,
    pub(crate) devices: Devices,
    pub(crate) keys: Keys,
    pub(crate) url: String,
    pub(crate) token_requests: Vec<Vec<(String, String)>>,
    pub(crate) exchanges: Vec<Seen>,
    /// How many of them are not answered yet, and the most that were so at once.
    pub(crate) under_way: usize,
    pub(crate) most_at_once: usize,
    /// How many of them were dealt with.
    pub(crate) dealt_with: usize,
    pub(crate) next: Vec<Scripted>,
    pub(crate) refuse: Option<(String, String)>,
    pub(crate) client: Option<Expected>,
    pub(crate) delay: Duration,
    pub(crate) gate: Arc<Gate>,
    pub(crate) pages: Pages,
    pub(crate) revocations: Revocations,
}

/// What holds answers back.
#[derive(Default)]
pub(crate) struct Gate {
    is_shut: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    pub(crate) fn set(&self, is_shut: bool) {
        *locked(&self.is_shut) = is_shut;
        self.opened.notify_all();
    }

    pub(crate) fn pass(&self) {
        let shut = self
            .opened
            .wait_while(locked(&self.is_shut), |is_shut| *is_shut);
        drop(shut);
    }
}

pub(crate) fn locked<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
