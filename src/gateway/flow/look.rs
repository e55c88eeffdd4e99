//! What other gateways did: logins that wait there are taken up, and those that ended there end here.

use std::sync::Arc;

use parking_lot::Mutex;

use super::login::{Flow, Noted};
use super::note::Begun;
use super::progress::Progress;
use super::registry::Flows;
use crate::app::failure::Failure;
use crate::ports::login_attempts::{LoginAttempt, Step};

impl Flows {
    /// Learns what became of logins elsewhere, and takes up those that wait there.
    ///
    /// # Errors
    /// If that cannot be told now.
    pub(in crate::gateway) fn look(&self) -> Result<(), Failure> {
        let _one = self.looking.lock();
        let living = |flow: &&Arc<Flow>| !flow.progress.has_ended();
        let flows: Vec<_> = self
            .all
            .lock()
            .flows
            .iter()
            .filter(living)
            .cloned()
            .collect();
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

    /// Goes on with a login that waits at another gateway, unless this one knows it.
    fn take_up(&self, attempt: &LoginAttempt) {
        if attempt.step != Step::Waiting || attempt.left.is_zero() {
            return;
        }
        let mut all = self.all.lock();
        let last = all.last(&attempt.provider);
        let is_known = last.is_some_and(|flow| {
            !flow.progress.has_ended() || flow.state().as_ref() == Some(&attempt.state)
        });
        let begun = attempt.content.as_ref().and_then(Begun::read);
        // The provider stands beside what is sealed, too.
        let begun = begun.filter(|begun| begun.order.provider == attempt.provider);
        let Some(begun) = begun.filter(|_| !is_known && !all.is_closed) else {
            return;
        };
        let flow = Flow {
            progress: Progress::new(Arc::clone(&self.listener)),
            order: begun.order,
            scopes: None,
            ports: Vec::new(),
            limit: attempt.left,
            resumed: Some(begun.attempt),
            attempts: Arc::clone(&self.attempts),
            noted: Mutex::new(Noted::of(attempt.state.clone())),
        };
        if let Err(error) = self.run(&mut all, flow) {
            tracing::warn!(target: "openclaw::gateway", "a login of another gateway cannot be completed here: {error}");
        }
    }
}
