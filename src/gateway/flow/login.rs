//! One login: what was asked for, how it is run here, and what others are told of it.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::held::Held;
use super::method::Method;
use super::noted::Noted;
use super::progress::Progress;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::app::login::noted::{Ending, Order, Taken, Waiting, Waits, write};
use crate::app::login::{self, Attempt, Relay, StoredProfile, UserCode};
use crate::model::state_digest::StateDigest;
use crate::ports::login_attempts::{Life, LoginAttempt, LoginAttempts, Step};
use crate::ports::store::StoreError;

/// The code of the failure of a login beside which another one waits.
const NOT_ALONE: &str = "login_in_progress";

/// A login, as it is run by this gateway.
pub(super) struct Flow {
    pub(super) order: Order,
    pub(super) method: Method,
    pub(super) progress: Progress,
    /// How long it waits.
    pub(super) limit: Duration,
    /// What another gateway began.
    pub(super) resumed: Option<Attempt>,
    pub(super) attempts: Arc<dyn LoginAttempts>,
    pub(super) held: Arc<Held>,
    /// Held while it is decided who uses its answer.
    pub(super) noted: Mutex<Noted>,
}

/// Where a login ends that was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GivenUp {
    /// At this gateway, whose thread ends it unless it has an answer.
    Here,
    /// At the one that polls for it, which learns of it. To all others it has ended.
    Elsewhere,
}

/// Whether a login failed because another gateway has one of its provider.
pub(super) fn is_not_alone(failure: &Failure) -> bool {
    failure.code.as_deref() == Some(NOT_ALONE)
}

/// Why a login with a device code ended with its gateway.
fn stopped() -> Failure {
    let message = "the gateway that showed the code was stopped before the provider confirmed it; start again";
    Failure::new(Kind::Temporary, message)
}

/// Whether it may be another time in a moment, unchanged.
fn may_pass(failure: &Failure) -> bool {
    let passing = [Kind::Storage, Kind::Temporary, Kind::Busy, Kind::Locked];
    passing.contains(&failure.kind)
}

impl Flow {
    /// Which login it is, once it is noted.
    pub(super) fn state(&self) -> Option<StateDigest> {
        self.noted.lock().state().cloned()
    }

    /// Whether it is the one that is noted there, which has ended here and goes on nowhere else.
    pub(super) fn was(&self, attempt: &LoginAttempt) -> bool {
        let noted = self.noted.lock();
        let is_elsewhere = match attempt.step {
            Step::Taken => noted.step() != Step::Taken,
            // Whoever polls for it was taken for gone.
            Step::Waiting => matches!(*noted, Noted::Elsewhere(_)),
            Step::Ended => false,
        };
        noted.state() == Some(&attempt.state) && !is_elsewhere
    }

    /// Whether it listens on a port, or may be about to.
    pub(super) fn holds(&self, port: u16) -> bool {
        match self.progress.port() {
            Ok(held) => held == Some(port),
            Err(()) => self.method.ports().contains(&port),
        }
    }

    pub(super) fn log_in(&self, cx: Context<'_>) -> Result<StoredProfile, Failure> {
        let cx = Context {
            dialog: &self.progress,
            interrupt: &self.progress,
            ..cx
        };
        let order = &self.order;
        let request = login::Request {
            agent: order.agent.clone(),
            provider: order.provider.clone(),
            method: Some(self.method.name().to_owned()),
            profile: order.profile.clone(),
            no_browser: true,
            clipboard: false,
            timeout: self.limit,
            set_default: false,
            yes: true,
            attempt: None,
            scopes: self.method.scopes().cloned(),
            display_name: order.display_name.clone(),
        };
        login::run_relayed(cx, &request, self)
    }

    /// Ends it with what came of it, unless that is for others to say; whether it ended here.
    pub(super) fn finish(&self, result: Result<StoredProfile, Failure>) -> bool {
        let mut noted = self.noted.lock();
        if let Some(state) = noted.state() {
            self.held.remove(state);
        }
        let (is_taken, is_given_up) = match &*noted {
            Noted::Elsewhere(_) | Noted::Polled(_) => return false,
            Noted::Here(_) => (true, false),
            Noted::GivenUp(_) => (false, true),
            Noted::Nowhere | Noted::Waiting(_) | Noted::Undecided(_) => (false, false),
        };
        let is_noted = noted.state().is_some();
        let ending = match self.progress.ending(result) {
            // Others were told so already: whatever came meanwhile is thrown away.
            _ if is_given_up && is_noted => Ending::Cancelled,
            // Nobody else can go on with it.
            Ending::Cancelled if is_noted && self.method == Method::DeviceCode => {
                Ending::Failed(stopped())
            }
            ending => ending,
        };
        let is_over = match &ending {
            Ending::Cancelled => is_given_up,
            Ending::TimedOut(_) => true,
            // One that is begun elsewhere, and cannot be completed here, can be elsewhere.
            _ => is_taken || self.resumed.is_none(),
        };
        if let Some(state) = noted.state().filter(|_| is_over) {
            match self.end(&noted, state, &ending) {
                Ok(false) if !is_taken && !is_given_up => {
                    self.leave(&mut noted);
                    return false;
                }
                Ok(_) => {}
                // They are with the next look, unless its answer is saved: then whoever stores it tells them.
                Err(error) => {
                    tracing::warn!(target: "openclaw::gateway", "other gateways are not told of the end of a login: {error}");
                }
            }
        }
        let goes_on = !is_over && noted.state().is_some() && self.attempts.are_shared();
        if !is_over && ending.failure().is_some_and(may_pass) {
            // It is taken up once more.
            *noted = Noted::Nowhere;
        }
        self.progress.end(ending);
        is_over || self.resumed.is_none() && !goes_on
    }

    /// Notes its end; whether it was not for others to say.
    fn end(&self, noted: &Noted, state: &StateDigest, ending: &Ending) -> Result<bool, StoreError> {
        let end = |at| self.attempts.end(state, at, &ending.written());
        let is_undecided = matches!(noted, Noted::Undecided(_));
        Ok(end(noted.step())?
            // It may be taken here already.
            || is_undecided && self.take_noted(state)? && end(Step::Taken)?)
    }

    /// Notes that this gateway uses its answer; whether it may.
    fn take_noted(&self, state: &StateDigest) -> Result<bool, StoreError> {
        let taken = Taken {
            order: self.order.clone(),
            is_polled: self.method == Method::DeviceCode,
        };
        self.attempts.take(state, &write(&taken))
    }

    /// Asks it to end, wherever it waits. A code that was sent is waited for: it cannot be had again.
    ///
    /// # Errors
    /// If others cannot be told. It goes on waiting then.
    pub(super) fn cancel(&self) -> Result<GivenUp, Failure> {
        let mut noted = self.noted.lock();
        if self.progress.has_ended() {
            return Ok(GivenUp::Here);
        }
        match &*noted {
            Noted::Here(_) | Noted::Elsewhere(_) => {}
            Noted::Nowhere | Noted::GivenUp(None) => *noted = Noted::GivenUp(None),
            Noted::Polled(state) => {
                let state = state.clone();
                if self.end(&noted, &state, &Ending::Cancelled)? {
                    *noted = Noted::GivenUp(Some(state));
                    self.progress.end(Ending::Cancelled);
                    return Ok(GivenUp::Elsewhere);
                }
                self.leave(&mut noted);
            }
            Noted::Waiting(state) | Noted::Undecided(state) | Noted::GivenUp(Some(state)) => {
                let state = state.clone();
                match self.end(&noted, &state, &Ending::Cancelled)? {
                    true => *noted = Noted::GivenUp(Some(state)),
                    false => self.leave(&mut noted),
                }
            }
        }
        self.progress.cancel();
        Ok(GivenUp::Here)
    }

    /// Notes it for others, before it waits.
    fn note(&self, state: StateDigest, waits: Waits, life: Life) -> Result<(), Failure> {
        let mut noted = self.noted.lock();
        let order = self.order.clone();
        let content = write(&Waiting { order, waits });
        let provider = &self.order.provider;
        if !self.attempts.begin(provider, &state, &content, life)? {
            let message = format!("another login to {provider} is in progress");
            return Err(Failure::new(Kind::Busy, message).code(NOT_ALONE));
        }
        *noted = match *noted {
            Noted::GivenUp(_) => Noted::GivenUp(Some(state)),
            _ => Noted::Waiting(state),
        };
        Ok(())
    }

    /// Leaves it to whoever uses its answer, or ended it.
    pub(super) fn leave(&self, noted: &mut Noted) {
        if let Noted::Waiting(state)
        | Noted::Undecided(state)
        | Noted::Polled(state)
        | Noted::GivenUp(Some(state)) = noted
        {
            *noted = Noted::Elsewhere(state.clone());
            self.progress.withdraw();
        }
    }
}

impl Relay for Flow {
    fn resumed(&self) -> Option<&Attempt> {
        self.resumed.as_ref()
    }

    fn state(&self) -> Option<StateDigest> {
        Self::state(self)
    }

    fn begun(&self, attempt: Attempt) -> Result<(), Failure> {
        let state = attempt.state();
        let life = Life::AtMost(self.limit);
        self.note(state, Waits::ForRedirect(Box::new(attempt)), life)
    }

    fn polls(&self, state: StateDigest, code: UserCode) -> Result<(), Failure> {
        self.note(state.clone(), Waits::ForCode(code), Life::Held)?;
        self.held.add(&state);
        Ok(())
    }

    fn take(&self) -> Result<bool, Failure> {
        let mut noted = self.noted.lock();
        let (Noted::Waiting(state) | Noted::Undecided(state)) = &*noted else {
            return Ok(false);
        };
        let state = state.clone();
        // Also where it is not heard whether it may: nobody else holds it then.
        self.held.add(&state);
        match self.take_noted(&state) {
            Ok(true) => {
                *noted = Noted::Here(state);
                self.progress.hold(self.method == Method::DeviceCode);
                Ok(true)
            }
            Ok(false) => {
                self.leave(&mut noted);
                Ok(false)
            }
            Err(error) => {
                *noted = Noted::Undecided(state);
                let failure = Failure::from(error);
                self.progress.tell_undecided(&failure);
                Err(failure)
            }
        }
    }
}

#[cfg(test)]
mod tests;
