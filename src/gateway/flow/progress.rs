//! How far a login is: told by the thread that runs it, and read by requests, which wait for what comes
//! next.

mod person;

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use super::view::{Callback, View};
use crate::app::failure::Failure;
use crate::app::login::noted::{Before, Ending, State};
use crate::app::login::{StoredProfile, UserCode};
use crate::model::secret::Secret;
use crate::model::time::Timestamp;

/// Who is told that something changed.
pub(super) type Listener = Arc<dyn Fn() + Send + Sync>;

/// How far a login is.
pub(super) struct Progress {
    now: Mutex<Now>,
    changed: Condvar,
    listener: Listener,
}

/// Where a browser is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Announced {
    pub(super) url: Secret<String>,
    /// The port that waits for the answer; `None` if a person has to bring it.
    pub(super) port: Option<u16>,
    /// What the person enters there.
    pub(super) user_code: Option<Secret<String>>,
}

struct Now {
    phase: Phase,
    announced: Option<Announced>,
    paste: Paste,
    is_cancelled: bool,
    /// Whether its answer is used by this gateway: it goes on to its end.
    is_held: bool,
    /// Whether its answer is used, or it ended, elsewhere: nothing more is done for it here.
    is_withdrawn: bool,
    /// Why it cannot be told now what becomes of it elsewhere.
    unknown: Option<Failure>,
    /// The last thing that was wrong and ended nothing.
    warning: Option<String>,
}

enum Phase {
    Starting,
    Waiting { until: Timestamp },
    Exchanging,
    Ended(Ending),
}

/// A redirect URL on its way from a request to the login.
enum Paste {
    None,
    Offered(Secret<String>),
    Taken,
    NotAccepted(String),
    /// Who may use it cannot be decided.
    Undecided(String),
}

/// Why a redirect URL ended nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::gateway) enum PasteError {
    /// No login waits for one.
    #[error("no login is waiting for a redirect URL; start one first")]
    NoLogin,
    /// The login looks at another one.
    #[error("another redirect URL is being looked at; try again")]
    Busy,
    /// It waits for no answer of a browser.
    #[error(
        "this login takes no redirect URL: enter its code on the provider's page, and the gateway notices"
    )]
    NothingToPaste,
    /// It is none of this login, which goes on waiting.
    #[error("{0}; the login is still waiting")]
    NotAccepted(String),
    /// Logins cannot be looked up, or this one cannot be completed now.
    #[error("{0}; the code was not sent")]
    Unavailable(String),
}

impl Progress {
    pub(super) fn new(listener: Listener) -> Self {
        Self {
            now: Mutex::new(Now {
                phase: Phase::Starting,
                announced: None,
                paste: Paste::None,
                is_cancelled: false,
                is_held: false,
                is_withdrawn: false,
                unknown: None,
                warning: None,
            }),
            changed: Condvar::new(),
            listener,
        }
    }

    /// Of one whose answer is used elsewhere.
    pub(super) fn elsewhere(listener: Listener) -> Self {
        let progress = Self::new(listener);
        let mut now = progress.now.lock();
        now.is_withdrawn = true;
        now.phase = Phase::Exchanging;
        drop(now);
        progress
    }

    /// Of one for which another gateway polls: the code is told here as well.
    pub(super) fn polled_elsewhere(listener: Listener, code: UserCode) -> Self {
        let progress = Self::new(listener);
        let mut now = progress.now.lock();
        now.announced = Some(Announced {
            url: code.url,
            port: None,
            user_code: Some(code.user_code),
        });
        now.phase = Phase::Waiting {
            until: code.expires,
        };
        drop(now);
        progress
    }

    fn change(&self, change: impl FnOnce(&mut Now)) {
        change(&mut self.now.lock());
        self.changed.notify_all();
        (self.listener)();
    }

    /// The end that it comes to with this result.
    pub(super) fn ending(&self, result: Result<StoredProfile, Failure>) -> Ending {
        let before = match self.now.lock().phase {
            Phase::Waiting { .. } => Before::Answer,
            Phase::Exchanging => Before::Exchange,
            Phase::Starting | Phase::Ended(_) => Before::Announced,
        };
        Ending::of(result, before)
    }

    /// Ends it.
    pub(super) fn end(&self, ending: Ending) {
        self.change(|now| now.phase = Phase::Ended(ending));
    }

    /// Its answer is used here: from now on nothing stops it. `is_grant` if that needs no exchange, of which
    /// its thread would tell.
    pub(super) fn hold(&self, is_grant: bool) {
        self.change(|now| {
            now.is_held = true;
            if is_grant {
                now.phase = Phase::Exchanging;
            }
        });
    }

    /// Its answer is used elsewhere. What becomes of it is told by [`Self::end`].
    pub(super) fn withdraw(&self) {
        self.change(|now| {
            now.is_withdrawn = true;
            now.phase = Phase::Exchanging;
        });
    }

    /// Tells whoever waits for what others make of it that this cannot be told now, and why, until it can
    /// be told again.
    pub(super) fn tell_unknown(&self, why: Option<&Failure>) {
        self.now.lock().unknown = why.cloned();
        self.changed.notify_all();
    }

    /// Tells whoever brought the answer that it cannot be used now.
    pub(super) fn tell_undecided(&self, why: &Failure) {
        self.change(|now| {
            if matches!(now.paste, Paste::Taken) {
                now.paste = Paste::Undecided(why.to_string());
            }
        });
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended().is_some()
    }

    /// How it ended, if it has.
    pub(super) fn ended(&self) -> Option<Ending> {
        match &self.now.lock().phase {
            Phase::Ended(ending) => Some(ending.clone()),
            _ => None,
        }
    }

    /// The port that it holds: `Err` if it has not come so far that this is known.
    pub(super) fn port(&self) -> Result<Option<u16>, ()> {
        let now = self.now.lock();
        let announced = now.announced.as_ref().map(|announced| announced.port);
        match now.phase {
            Phase::Ended(_) => Ok(None),
            _ => announced.ok_or(()),
        }
    }

    /// Waits until the browser can be sent somewhere.
    ///
    /// # Errors
    /// How it ended before that, or why nobody knows.
    pub(super) fn announced(&self) -> Result<(Announced, Option<Timestamp>), Ending> {
        let mut now = self.now.lock();
        loop {
            if let Some(why) = &now.unknown {
                return Err(Ending::Failed(why.clone()));
            }
            let until = match &now.phase {
                Phase::Ended(ending) => return Err(ending.clone()),
                Phase::Waiting { until } => Some(*until),
                Phase::Starting | Phase::Exchanging => None,
            };
            // Where it has a code already, nobody is sent to its page again.
            let announced = now.announced.clone().filter(|_| until.is_some());
            match announced {
                Some(announced) => return Ok((announced, until)),
                None => self.changed.wait(&mut now),
            }
        }
    }

    /// Hands a redirect URL to the login, and waits for its end. Where a code has come another way it
    /// only waits.
    ///
    /// # Errors
    /// Why it did not end.
    pub(super) fn paste(&self, text: Secret<String>) -> Result<Ending, PasteError> {
        let mut now = self.now.lock();
        let is_offered = match (&now.phase, &now.paste) {
            (Phase::Ended(_), _) => return Err(PasteError::NoLogin),
            (Phase::Exchanging, _) => false,
            (Phase::Starting | Phase::Waiting { .. }, Paste::None) => true,
            (Phase::Starting | Phase::Waiting { .. }, _) => return Err(PasteError::Busy),
        };
        if is_offered {
            now.paste = Paste::Offered(text);
            self.changed.notify_all();
        }
        loop {
            if let Phase::Ended(ending) = &now.phase {
                return Ok(ending.clone());
            }
            if let Some(why) = &now.unknown {
                return Ok(Ending::Failed(why.clone()));
            }
            let refused = match &now.paste {
                Paste::NotAccepted(why) => Some(PasteError::NotAccepted(why.clone())),
                Paste::Undecided(why) => Some(PasteError::Unavailable(why.clone())),
                Paste::None | Paste::Offered(_) | Paste::Taken => None,
            };
            if let Some(why) = refused.filter(|_| is_offered) {
                now.paste = Paste::None;
                return Err(why);
            }
            self.changed.wait(&mut now);
        }
    }

    /// Asks it to end. A code that was sent is waited for: it cannot be had again.
    pub(super) fn cancel(&self) {
        self.now.lock().is_cancelled = true;
        self.changed.notify_all();
    }

    /// Waits until it has ended or has its answer.
    pub(super) fn wait_for_answer(&self) {
        let mut now = self.now.lock();
        while matches!(now.phase, Phase::Starting | Phase::Waiting { .. }) {
            self.changed.wait(&mut now);
        }
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// Why nobody knows whether it has.
    pub(super) fn wait_for_end(&self) -> Result<(), Failure> {
        let mut now = self.now.lock();
        while !matches!(now.phase, Phase::Ended(_)) {
            if let Some(why) = &now.unknown {
                return Err(why.clone());
            }
            self.changed.wait(&mut now);
        }
        Ok(())
    }

    /// What is told of it, with the URL.
    pub(super) fn view(&self) -> View {
        let now = self.now.lock();
        let (state, expires_at) = match &now.phase {
            Phase::Ended(ending) => return View::ended(ending),
            Phase::Starting => (State::Waiting, None),
            Phase::Waiting { until } => (State::Waiting, Some(*until)),
            Phase::Exchanging => return View::new(State::Exchanging),
        };
        let announced = now.announced.as_ref();
        View {
            message: now.warning.clone(),
            expires_at,
            callback: announced.map(Announced::callback),
            auth_url: announced.map(|announced| announced.url.expose().clone()),
            user_code: announced.and_then(Announced::user_code),
            ..View::new(state)
        }
    }
}

impl Announced {
    fn user_code(&self) -> Option<String> {
        let code = self.user_code.as_ref();
        code.map(|code| code.expose().clone())
    }

    pub(super) fn callback(&self) -> Callback {
        match (self.port, &self.user_code) {
            (Some(_), _) => Callback::Listening,
            (None, Some(_)) => Callback::Polling,
            (None, None) => Callback::Manual,
        }
    }
}

#[cfg(test)]
mod tests;
