//! Logins under way of one gateway alone, noted in its memory.

use std::time::Duration;

use parking_lot::Mutex;

use crate::model::id::ProviderId;
use crate::model::secret::Secret;
use crate::model::state_digest::StateDigest;
use crate::ports::login_attempts::{Life, LoginAttempt, LoginAttempts, Step};
use crate::ports::store::StoreError;

/// The notes. They have no clock: each login is run by the one process that reads them, which ends it in
/// time.
#[derive(Default)]
pub struct AttemptsInMemory(Mutex<Vec<LoginAttempt>>);

impl AttemptsInMemory {
    /// Changes one that is at that step; whether it is.
    fn change(
        &self,
        state: &StateDigest,
        at: Step,
        change: impl FnOnce(&mut LoginAttempt),
    ) -> bool {
        let mut all = self.0.lock();
        let mut found = all.iter_mut();
        let found = found.find(|attempt| attempt.state == *state && attempt.step == at);
        found.map(change).is_some()
    }
}

impl LoginAttempts for AttemptsInMemory {
    fn are_shared(&self) -> bool {
        false
    }

    fn attempts(&self) -> Result<Vec<LoginAttempt>, StoreError> {
        Ok(self.0.lock().clone())
    }

    fn begin(
        &self,
        provider: &ProviderId,
        state: &StateDigest,
        content: &Secret<String>,
        life: Life,
    ) -> Result<bool, StoreError> {
        let mut all = self.0.lock();
        all.retain(|attempt| attempt.provider != *provider);
        all.push(LoginAttempt {
            provider: provider.clone(),
            state: state.clone(),
            step: Step::Waiting,
            left: match life {
                Life::AtMost(life) => life,
                Life::Held => Duration::MAX,
            },
            machine: None,
            content: Some(content.clone()),
        });
        Ok(true)
    }

    fn take(&self, state: &StateDigest, know: &Secret<String>) -> Result<bool, StoreError> {
        Ok(self.change(state, Step::Waiting, |attempt| {
            attempt.step = Step::Taken;
            attempt.content = Some(know.clone());
        }))
    }

    fn hold(&self, _: &[StateDigest]) -> Result<(), StoreError> {
        Ok(())
    }

    fn end(
        &self,
        state: &StateDigest,
        at: Step,
        outcome: &Secret<String>,
    ) -> Result<bool, StoreError> {
        let end = |at| {
            self.change(state, at, |attempt| {
                attempt.step = Step::Ended;
                attempt.content = Some(outcome.clone());
            })
        };
        // Nobody but this process ends one.
        Ok(end(at) || end(Step::Ended))
    }
}
