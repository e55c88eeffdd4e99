//! One login: what was asked for, how it is run here, and what others are told of it.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::held::Held;
use super::progress::Progress;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::app::login::noted::{Begun, Ending, Order, Taken, write};
use crate::app::login::{self, Attempt, Relay, StoredProfile};
use crate::model::state_digest::StateDigest;
use crate::ports::login_attempts::{LoginAttempt, LoginAttempts, Step};
use crate::ports::store::StoreError;

/// The name of a login with a browser.
const METHOD: &str = "oauth";

/// The code of the failure of a login beside which another one waits.
const NOT_ALONE: &str = "login_in_progress";

/// A login, as it is run by this gateway.
pub(super) struct Flow {
    pub(super) order: Order,
    /// Instead of those of the provider's manifest.
    pub(super) scopes: Option<Vec<String>>,
    /// The ports that it may listen on.
    pub(super) ports: Vec<u16>,
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

/// What this gateway knows of the note about a login.
pub(super) enum Noted {
    /// There is none, or it counts no more.
    Nowhere,
    /// It waits for its answer.
    Waiting(StateDigest),
    /// Its answer was asked for, and whether this gateway may use it was not heard.
    Undecided(StateDigest),
    /// Its answer is used here.
    Here(StateDigest),
    /// That, or its end, is for others to say.
    Elsewhere(StateDigest),
    /// Somebody wanted its end while it waited here.
    GivenUp(Option<StateDigest>),
}

impl Noted {
    /// Which it is.
    fn state(&self) -> Option<&StateDigest> {
        match self {
            Self::Nowhere => None,
            Self::GivenUp(state) => state.as_ref(),
            Self::Waiting(state)
            | Self::Undecided(state)
            | Self::Here(state)
            | Self::Elsewhere(state) => Some(state),
        }
    }

    /// How far it is for all, as far as is known here.
    fn step(&self) -> Step {
        match self {
            Self::Here(_) => Step::Taken,
            _ => Step::Waiting,
        }
    }
}

/// Whether a login failed because another gateway has one of its provider.
pub(super) fn is_not_alone(failure: &Failure) -> bool {
    failure.code.as_deref() == Some(NOT_ALONE)
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

    /// Whether it is the one that is noted there, which has ended here and is nobody's elsewhere.
    pub(super) fn was(&self, attempt: &LoginAttempt) -> bool {
        let noted = self.noted.lock();
        let is_elsewhere = attempt.step == Step::Taken && noted.step() != Step::Taken;
        noted.state() == Some(&attempt.state) && !is_elsewhere
    }

    /// Whether it listens on a port, or may be about to.
    pub(super) fn holds(&self, port: u16) -> bool {
        match self.progress.port() {
            Ok(held) => held == Some(port),
            Err(()) => self.ports.contains(&port),
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
            // Named, so that no device code is offered beside it.
            method: Some(METHOD.to_owned()),
            profile: order.profile.clone(),
            no_browser: true,
            clipboard: false,
            timeout: self.limit,
            set_default: false,
            yes: true,
            attempt: None,
            scopes: self.scopes.clone(),
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
            Noted::Elsewhere(_) => return false,
            Noted::Here(_) => (true, false),
            Noted::GivenUp(_) => (false, true),
            Noted::Nowhere | Noted::Waiting(_) | Noted::Undecided(_) => (false, false),
        };
        let ending = self.progress.ending(result);
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
                // One that is taken is told with the next look.
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
        let order = self.order.clone();
        self.attempts.take(state, &write(&Taken { order }))
    }

    /// Asks it to end, wherever it waits. A code that was sent is waited for: it cannot be had again.
    ///
    /// # Errors
    /// If others cannot be told. It goes on waiting then.
    pub(super) fn cancel(&self) -> Result<(), Failure> {
        let mut noted = self.noted.lock();
        match &*noted {
            Noted::Here(_) | Noted::Elsewhere(_) => {}
            Noted::Nowhere | Noted::GivenUp(None) => *noted = Noted::GivenUp(None),
            Noted::Waiting(state) | Noted::Undecided(state) | Noted::GivenUp(Some(state)) => {
                let state = state.clone();
                match self.end(&noted, &state, &Ending::Cancelled)? {
                    true => *noted = Noted::GivenUp(Some(state)),
                    false => self.leave(&mut noted),
                }
            }
        }
        self.progress.cancel();
        Ok(())
    }

    /// Learns what is noted of it; nothing is if another one took its place.
    pub(super) fn learn(&self, found: Option<&LoginAttempt>) {
        let mut noted = self.noted.lock();
        if self.progress.has_ended() {
            return self.learn_more(&noted, found);
        }
        match &*noted {
            // It is ended by its thread.
            Noted::Here(_) | Noted::GivenUp(_) => return,
            _ => {}
        }
        self.progress.tell_unknown(None);
        let is_undecided = matches!(*noted, Noted::Undecided(_));
        let ending = match found {
            None => Ending::Cancelled,
            // It may be taken by this gateway, which asks again with the next answer: nothing was sent.
            Some(found) if found.step == Step::Taken && is_undecided => return,
            Some(found) => match ending(found) {
                Some(ending) => ending,
                None if found.step == Step::Waiting => return,
                None => return self.leave(&mut noted),
            },
        };
        self.leave(&mut noted);
        self.progress.end(ending);
    }

    /// Learns what became of it since it ended here: whoever has its answer was taken for gone and is
    /// there again, or left that to another process.
    fn learn_more(&self, noted: &Noted, found: Option<&LoginAttempt>) {
        let Some(found) = found else { return };
        match (noted, found.step) {
            (Noted::Here(state), Step::Taken) => {
                if let Some(ending) = self.progress.ended()
                    && let Err(error) = self.attempts.end(state, Step::Taken, &ending.written())
                {
                    tracing::debug!(target: "openclaw::gateway", "other gateways are not told of the end of a login yet: {error}");
                }
            }
            (Noted::Elsewhere(_), Step::Taken) if !found.left.is_zero() => self.progress.withdraw(),
            (_, Step::Ended) => {
                let before = self.progress.view().state;
                if let Some(ending) = ending(found).filter(|ending| ending.state() != before) {
                    self.progress.end(ending);
                }
            }
            _ => {}
        }
    }

    /// Learns that nothing can be learnt now: whoever waits for what others make of it waits no longer.
    pub(super) fn learn_nothing(&self, why: &Failure) {
        if matches!(*self.noted.lock(), Noted::Elsewhere(_)) {
            self.progress.tell_unknown(Some(why));
        }
    }

    /// Leaves it to whoever uses its answer, or ended it.
    fn leave(&self, noted: &mut Noted) {
        if let Noted::Waiting(state) | Noted::Undecided(state) | Noted::GivenUp(Some(state)) = noted
        {
            *noted = Noted::Elsewhere(state.clone());
            self.progress.withdraw();
        }
    }
}

/// How a login ended; `None` if it has not.
fn ending(found: &LoginAttempt) -> Option<Ending> {
    let failed = |what: &str| Failure::new(Kind::Temporary, what);
    match found.step {
        Step::Waiting | Step::Taken if !found.left.is_zero() => None,
        Step::Waiting => Some(Ending::TimedOut(failed("login timed out"))),
        Step::Taken => {
            let machine = found.machine.as_deref().unwrap_or("the other gateway");
            Some(Ending::Failed(failed(&format!(
                "{machine} was completing the login and has not said what came of it; if it had an \
                 answer, it stores that when it is started again"
            ))))
        }
        Step::Ended => {
            let unknown = || Ending::Failed(failed("another release completed the login"));
            let outcome = found.content.as_ref().and_then(Ending::read);
            Some(outcome.unwrap_or_else(unknown))
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
        let mut noted = self.noted.lock();
        let state = attempt.state();
        let begun = Begun {
            order: self.order.clone(),
            attempt,
        };
        let provider = &self.order.provider;
        let is_alone = self
            .attempts
            .begin(provider, &state, &write(&begun), self.limit)?;
        if !is_alone {
            let message = format!("another login to {provider} is in progress");
            return Err(Failure::new(Kind::Busy, message).code(NOT_ALONE));
        }
        *noted = match *noted {
            Noted::GivenUp(_) => Noted::GivenUp(Some(state)),
            _ => Noted::Waiting(state),
        };
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
                self.progress.hold();
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
