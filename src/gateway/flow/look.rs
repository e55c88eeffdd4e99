//! What other gateways did: logins that wait there are taken up, codes for which others poll are shown here as
//! well, those that are completed there are waited for, and those that ended there end here.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::login::Flow;
use super::method::Method;
use super::noted::Noted;
use super::progress::Progress;
use super::registry::Flows;
use crate::app::failure::Failure;
use crate::app::login::noted::{Unfinished, Waits, unfinished};
use crate::gateway::hear::Ears;
use crate::ports::login_attempts::LoginAttempt;

/// How long what is known counts, whether or not the database told of a change.
const TRUST: Duration = Duration::from_secs(1);

impl Flows {
    /// Hears of logins at other gateways of a database, and tells those of the ones that end here.
    ///
    /// # Errors
    /// If there can be no thread.
    pub(in crate::gateway) fn keep(self: &Arc<Self>, ears: Ears) -> std::io::Result<()> {
        let (held, attempts) = (Arc::clone(&self.held), Arc::clone(&self.attempts));
        ears.clone().keep("holds", TRUST, move |_| {
            held.tell(&*attempts);
            true
        })?;
        let flows = Arc::clone(self);
        ears.keep("logins", TRUST, move |_| {
            // Whoever asks for a login is told why there is none.
            if let Err(failure) = flows.look() {
                tracing::debug!(target: "openclaw::gateway", "{failure}");
            }
            true
        })
    }

    /// Learns what became of logins elsewhere, and takes up those that wait there.
    ///
    /// # Errors
    /// If that cannot be told now.
    pub(in crate::gateway) fn look(&self) -> Result<(), Failure> {
        let _one = self.looking.lock();
        let flows = self.all.lock().flows.clone();
        // Before the notes are read: one that is noted meanwhile is not missed there.
        let known: Vec<_> = flows.iter().map(|flow| (flow, flow.state())).collect();
        let known = known
            .into_iter()
            .filter_map(|(flow, state)| Some((flow, state?)));
        match self.attempts.attempts() {
            Ok(found) => {
                for (flow, state) in known {
                    flow.learn(found.iter().find(|attempt| attempt.state == state));
                }
                found.iter().for_each(|attempt| self.take_up(attempt));
                Ok(())
            }
            Err(error) => {
                let failure = Failure::from(error);
                known.for_each(|(flow, _)| flow.learn_nothing(&failure));
                Err(failure)
            }
        }
    }

    /// Goes on with a login that waits at another gateway, or waits for the end of one that only that one
    /// completes, unless this one knows it.
    fn take_up(&self, attempt: &LoginAttempt) {
        let Some((order, how)) = unfinished(attempt).filter(|_| !attempt.left.is_zero()) else {
            return;
        };
        let mut all = self.all.lock();
        let last = all.last(&attempt.provider);
        let is_known = last.is_some_and(|flow| !flow.progress.has_ended() || flow.was(attempt));
        if is_known || all.is_closed {
            return;
        }
        let state = attempt.state.clone();
        let listener = Arc::clone(&self.listener);
        let method = Method::begun_elsewhere(&how);
        let (progress, noted, resumed) = match how {
            Unfinished::Waits(Waits::ForRedirect(attempt)) => (
                Progress::new(listener),
                Noted::Waiting(state),
                Some(*attempt),
            ),
            Unfinished::Waits(Waits::ForCode(code)) => (
                Progress::polled_elsewhere(listener, code),
                Noted::Polled(state),
                None,
            ),
            Unfinished::Taken { .. } => {
                (Progress::elsewhere(listener), Noted::Elsewhere(state), None)
            }
        };
        let flow = Flow {
            progress,
            order,
            method,
            limit: attempt.left,
            resumed,
            attempts: Arc::clone(&self.attempts),
            held: Arc::clone(&self.held),
            noted: Mutex::new(noted),
        };
        if flow.resumed.is_none() {
            all.put(Arc::new(flow));
            drop(all);
            (self.listener)();
        } else if let Err(error) = self.run(&mut all, flow) {
            tracing::warn!(target: "openclaw::gateway", "a login of another gateway cannot be completed here: {error}");
        }
    }
}
