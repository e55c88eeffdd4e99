//! The logins that nobody but this gateway completes, because it uses the answer, may be the one to use it,
//! or polls for it: others are told that it is there.

use parking_lot::Mutex;

use crate::model::state_digest::StateDigest;
use crate::ports::login_attempts::LoginAttempts;

/// Which they are. Nobody keeps its lock while the database is asked: what is held must not wait for
/// another login whose end the database does not tell.
#[derive(Default)]
pub(super) struct Held(Mutex<Vec<StateDigest>>);

impl Held {
    pub(super) fn add(&self, state: &StateDigest) {
        let mut all = self.0.lock();
        if !all.contains(state) {
            all.push(state.clone());
        }
    }

    pub(super) fn remove(&self, state: &StateDigest) {
        self.0.lock().retain(|held| held != state);
    }

    /// Tells others that it is still there for them.
    pub(super) fn tell(&self, attempts: &dyn LoginAttempts) {
        let held = self.0.lock().clone();
        if !held.is_empty()
            && let Err(error) = attempts.hold(&held)
        {
            tracing::debug!(target: "openclaw::gateway", "other gateways may take a login for lost: {error}");
        }
    }
}
