//! What one gateway makes of what is noted of a login by others.

use super::login::Flow;
use super::method::Method;
use super::noted::Noted;
use crate::app::failure::{Failure, Kind};
use crate::app::login::noted::Ending;
use crate::model::state_digest::StateDigest;
use crate::ports::login_attempts::{LoginAttempt, Step};

impl Flow {
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
            // However long this gateway could not say so.
            Some(found) if found.step == Step::Waiting && self.asks_provider(&noted) => return,
            Some(found) => match self.ending(found) {
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
            (Noted::Here(state), Step::Taken) => self.tell_end(state, Step::Taken),
            (Noted::GivenUp(Some(state)), Step::Waiting) => self.tell_end(state, Step::Waiting),
            // Nobody polls for it any more, and no answer of it is saved.
            (Noted::Waiting(state), Step::Waiting) if self.method == Method::DeviceCode => {
                self.tell_end(state, Step::Waiting);
            }
            (Noted::Elsewhere(_), Step::Taken) if !found.left.is_zero() => self.progress.withdraw(),
            (_, Step::Ended) => {
                let before = self.progress.view().state;
                if let Some(ending) = self.ending(found).filter(|ending| ending.state() != before) {
                    self.progress.end(ending);
                }
            }
            _ => {}
        }
    }

    /// Tells others how it ended here, which they could not be told before.
    fn tell_end(&self, state: &StateDigest, at: Step) {
        if let Some(ending) = self.progress.ended()
            && let Err(error) = self.attempts.end(state, at, &ending.written())
        {
            tracing::debug!(target: "openclaw::gateway", "other gateways are not told of the end of a login yet: {error}");
        }
    }

    /// Learns that nothing can be learnt now: whoever waits for what others make of it waits no longer.
    pub(super) fn learn_nothing(&self, why: &Failure) {
        if matches!(*self.noted.lock(), Noted::Elsewhere(_)) {
            self.progress.tell_unknown(Some(why));
        }
    }

    /// Whether this gateway asks the provider whether the code of it was entered.
    fn asks_provider(&self, noted: &Noted) -> bool {
        let is_here = matches!(noted, Noted::Waiting(_) | Noted::Undecided(_));
        is_here && self.method == Method::DeviceCode
    }

    /// How a login ended; `None` if it has not.
    fn ending(&self, found: &LoginAttempt) -> Option<Ending> {
        let failed = |what: &str| Failure::new(Kind::Temporary, what);
        let machine = found.machine.as_deref().unwrap_or("the other gateway");
        match found.step {
            Step::Waiting | Step::Taken if !found.left.is_zero() => None,
            Step::Waiting if self.method == Method::DeviceCode => {
                Some(Ending::Failed(failed(&format!(
                    "{machine}, which polls for the login, is gone; if the code was entered in time, \
                     it stores the login when it is started again, unless another one is started first"
                ))))
            }
            Step::Waiting => Some(Ending::TimedOut(failed("login timed out"))),
            Step::Taken => Some(Ending::Failed(failed(&format!(
                "{machine} was completing the login and has not said what came of it; if it had an \
                     answer, it stores that when it is started again"
            )))),
            Step::Ended => {
                let unknown = || Ending::Failed(failed("another release completed the login"));
                let outcome = found.content.as_ref().and_then(Ending::read);
                Some(outcome.unwrap_or_else(unknown))
            }
        }
    }
}
