//! The logins under way: at most one of a provider, and of a port.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::Mutex;

use super::all::All;
use super::held::Held;
use super::login::{Flow, GivenUp, is_not_alone};
use super::method::Method;
use super::noted::Noted;
use super::progress::{Listener, PasteError, Progress};
use super::view::{Callback, View};
use crate::app::failure::{Failure, Kind};
use crate::app::login::noted::{Ending, Order, State, Unfinished, Waits, unfinished};
use crate::gateway::audit::Audit;
use crate::gateway::engine::Engine;
use crate::model::audit::AuditEntry;
use crate::model::id::ProviderId;
use crate::model::provider::Provider;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::ports::login_attempts::{LoginAttempts, Step};

/// How often a login is begun, or joined, where others begin one at the same time.
const TRIES: usize = 3;

/// A login that waits for its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::gateway) struct Started {
    /// Where the browser is to be sent.
    pub(in crate::gateway) auth_url: Secret<String>,
    /// What is to be entered there.
    pub(in crate::gateway) user_code: Option<Secret<String>>,
    /// How the answer comes back.
    pub(in crate::gateway) callback: Callback,
    /// When the login ends if nobody answers.
    pub(in crate::gateway) expires: Option<Timestamp>,
}

/// Why a login was not started.
#[derive(Clone, Debug)]
pub(in crate::gateway) enum NotStarted {
    /// Somebody else logs in to this provider, or the same caller in another way or with an answer already.
    Taken,
    /// The ports that the browser could be redirected to wait for a login to that provider.
    PortTaken(ProviderId),
    /// The provider has no login that a gateway can run.
    NoLogin,
    /// The gateway is ending.
    Draining,
    /// It was cancelled at once.
    Cancelled,
    /// It failed before a browser could be sent anywhere.
    Failed(Failure),
}

/// The logins under way.
pub(in crate::gateway) struct Flows {
    engine: Arc<dyn Engine>,
    limit: Duration,
    pub(super) listener: Listener,
    audit: Arc<Audit>,
    pub(super) attempts: Arc<dyn LoginAttempts>,
    pub(super) held: Arc<Held>,
    pub(super) all: Mutex<All>,
    /// One look after the other: an older one must not undo what a later one found.
    pub(super) looking: Mutex<()>,
}

impl Flows {
    /// No login yet. Each is noted in `attempts` and ends after `limit`; `listener` is called when one has
    /// come further.
    pub(in crate::gateway) fn new(
        engine: Arc<dyn Engine>,
        audit: Arc<Audit>,
        attempts: Arc<dyn LoginAttempts>,
        limit: Duration,
        listener: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        Self {
            engine,
            limit,
            listener: Arc::new(listener),
            audit,
            attempts,
            held: Arc::default(),
            all: Mutex::default(),
            looking: Mutex::default(),
        }
    }

    /// Starts a login to `provider`, or joins the one that the same caller began, and waits until the
    /// browser can be sent to the provider. `None` if the one that was joined has connected by then.
    ///
    /// # Errors
    /// Why there is none.
    pub(in crate::gateway) fn start(
        &self,
        provider: &Provider,
        order: &Order,
    ) -> Result<Option<Started>, NotStarted> {
        let method = Method::of(provider).ok_or(NotStarted::NoLogin)?;
        for _ in 0..TRIES {
            let flow = self.join_or_begin(method.clone(), order.clone())?;
            let failure = match flow.progress.announced() {
                Ok((announced, expires)) => {
                    return Ok(Some(Started {
                        callback: announced.callback(),
                        auth_url: announced.url,
                        user_code: announced.user_code,
                        expires,
                    }));
                }
                Err(Ending::Connected(_)) => return Ok(None),
                Err(Ending::Cancelled) if self.all.lock().is_closed => {
                    return Err(NotStarted::Draining);
                }
                Err(Ending::Cancelled) => return Err(NotStarted::Cancelled),
                Err(Ending::Refused(it) | Ending::TimedOut(it) | Ending::Failed(it)) => it,
            };
            if !is_not_alone(&failure) {
                return Err(NotStarted::Failed(failure));
            }
            // It may be the caller's own.
            self.look().map_err(NotStarted::Failed)?;
        }
        Err(NotStarted::Taken)
    }

    fn join_or_begin(&self, method: Method, order: Order) -> Result<Arc<Flow>, NotStarted> {
        let mut all = self.all.lock();
        if all.is_closed {
            return Err(NotStarted::Draining);
        }
        if let Some(flow) = all.living(&order.provider) {
            let has_answer = flow.progress.view().state == State::Exchanging;
            return match flow.order.is_same(&order) && !has_answer {
                true => Ok(Arc::clone(flow)),
                false => Err(NotStarted::Taken),
            };
        }
        if let Some(holder) = all.holder_of(method.ports()) {
            return Err(NotStarted::PortTaken(holder));
        }
        let flow = Flow {
            progress: Progress::new(Arc::clone(&self.listener)),
            order,
            method,
            limit: self.limit,
            resumed: None,
            attempts: Arc::clone(&self.attempts),
            held: Arc::clone(&self.held),
            noted: Mutex::new(Noted::Nowhere),
        };
        self.run(&mut all, flow).map_err(|error| {
            let message = format!("could not start a thread for the login: {error}");
            NotStarted::Failed(Failure::new(Kind::Temporary, message))
        })
    }

    /// Runs a login on a thread of its own, in the place of the last one of its provider.
    pub(super) fn run(&self, all: &mut All, flow: Flow) -> std::io::Result<Arc<Flow>> {
        let flow = Arc::new(flow);
        let thread = self.spawn(&flow)?;
        all.threads.retain(|thread| !thread.is_finished());
        all.threads.push(thread);
        all.put(Arc::clone(&flow));
        Ok(flow)
    }

    fn spawn(&self, flow: &Arc<Flow>) -> std::io::Result<JoinHandle<()>> {
        let (engine, flow) = (Arc::clone(&self.engine), Arc::clone(flow));
        let audit = Arc::clone(&self.audit);
        let builder = thread::Builder::new().name("login".to_owned());
        builder.spawn(move || {
            let order = &flow.order;
            if flow.resumed.is_none() {
                audit.note(&order.caller, "login started", |entry| {
                    describe(order, entry);
                });
            }
            let result = engine.run(|cx, _| flow.log_in(cx));
            let nothing = || Err(Failure::new(Kind::Config, "the login could not be run"));
            let result = result.unwrap_or_else(nothing);
            let stored = result.as_ref().ok();
            let profile = stored.map(|stored| stored.profile.as_str().to_owned());
            if flow.finish(result) {
                audit.note(&order.caller, "login ended", |entry| {
                    describe(order, entry);
                    entry.profile = profile;
                    entry.outcome = flow.progress.view().state.as_ref().to_owned();
                });
            }
        })
    }

    /// The providers whose login has not ended.
    pub(in crate::gateway) fn under_way(&self) -> Vec<ProviderId> {
        let flows = self.all.lock().flows.clone();
        let living = flows.iter().filter(|flow| !flow.progress.has_ended());
        living.map(|flow| flow.order.provider.clone()).collect()
    }

    /// Whether `caller` began a login to this provider that has not ended.
    pub(in crate::gateway) fn is_under_way_for(&self, provider: &ProviderId, caller: &str) -> bool {
        let all = self.all.lock();
        let flow = all.living(provider);
        flow.is_some_and(|flow| flow.order.caller == caller)
    }

    /// Hands a redirect URL to the login to this provider, and waits for its end.
    ///
    /// # Errors
    /// If that is not its answer, and it goes on waiting.
    pub(in crate::gateway) fn paste(
        &self,
        provider: &ProviderId,
        text: Secret<String>,
    ) -> Result<Ending, PasteError> {
        let found = self.find(provider);
        let flow = found.map_err(|failure| PasteError::Unavailable(failure.to_string()))?;
        let flow = flow.ok_or(PasteError::NoLogin)?;
        match flow.method {
            Method::Browser { .. } => flow.progress.paste(text),
            Method::DeviceCode => Err(PasteError::NothingToPaste),
        }
    }

    /// Cancels the login to this provider for `caller`, unless its answer has come: what became of it.
    ///
    /// # Errors
    /// If other gateways cannot be told. It goes on waiting then.
    pub(in crate::gateway) fn cancel(
        &self,
        provider: &ProviderId,
        caller: &str,
    ) -> Result<View, Failure> {
        let (order, view) = match self.find(provider)? {
            Some(flow) => {
                self.give_up(&flow)?;
                flow.progress.wait_for_answer();
                if flow.progress.view().state == State::Exchanging {
                    // It may have ended elsewhere.
                    self.look()?;
                }
                (flow.order.clone(), flow.progress.view())
            }
            None => match self.end_elsewhere(provider, |_| true)? {
                Some(order) => (order, View::new(State::Cancelled)),
                None => return Ok(View::new(State::Idle)),
            },
        };
        if view.state == State::Cancelled {
            self.audit.note(caller, "login cancelled", |entry| {
                describe(&order, entry);
            });
        }
        Ok(view)
    }

    /// Ends the login to this provider if it `is_meant`, however far it is, and waits for that.
    ///
    /// # Errors
    /// As [`Self::cancel`], and if nobody knows whether it has ended elsewhere.
    pub(in crate::gateway) fn settle(
        &self,
        provider: &ProviderId,
        is_meant: impl Fn(&Order) -> bool,
    ) -> Result<(), Failure> {
        // What is known here may be over, and another one under way elsewhere.
        self.look()?;
        let flow = self.all.lock().living(provider).cloned();
        let Some(flow) = flow else {
            return self.end_elsewhere(provider, is_meant).map(drop);
        };
        if !is_meant(&flow.order) {
            return Ok(());
        }
        self.give_up(&flow)?;
        flow.progress.wait_for_end()
    }

    /// Ends a login to this provider that has ended here and may go on elsewhere, if it `is_meant`: one whose
    /// gateway counts as gone, and may come back with the tokens of a device code, or one with a browser that
    /// could not be completed here. Returns whose it was.
    fn end_elsewhere(
        &self,
        provider: &ProviderId,
        is_meant: impl Fn(&Order) -> bool,
    ) -> Result<Option<Order>, Failure> {
        let found = self.attempts.attempts()?;
        let mut found = found.iter();
        let there = found.find(|it| it.provider == *provider && it.step == Step::Waiting);
        let there = there.and_then(|there| Some((there, unfinished(there)?)));
        // Nobody can complete one with a browser whose time is over.
        let there = there.filter(|(there, (order, how))| {
            let may_come = matches!(how, Unfinished::Waits(Waits::ForCode(_)));
            is_meant(order) && (may_come || !there.left.is_zero())
        });
        let Some((there, (order, _))) = there else {
            return Ok(None);
        };
        let ending = Ending::Cancelled.written();
        if !self.attempts.end(&there.state, Step::Waiting, &ending)? {
            return Ok(None);
        }
        self.note_cancelled(&order);
        // What is shown here follows with the next look.
        let _ = self.look();
        Ok(Some(order))
    }

    /// Notes the end of a login whose thread, at another gateway, knows nothing of it.
    fn note_cancelled(&self, order: &Order) {
        self.audit.note(&order.caller, "login ended", |entry| {
            describe(order, entry);
            entry.outcome = State::Cancelled.as_ref().to_owned();
        });
    }

    /// Asks a login to end.
    fn give_up(&self, flow: &Flow) -> Result<(), Failure> {
        if flow.cancel()? == GivenUp::Elsewhere {
            self.note_cancelled(&flow.order);
        }
        Ok(())
    }

    /// The login to this provider that has not ended, wherever it was begun.
    fn find(&self, provider: &ProviderId) -> Result<Option<Arc<Flow>>, Failure> {
        let living = |all: &All| all.living(provider).cloned();
        let here = living(&self.all.lock());
        if here.is_some() {
            return Ok(here);
        }
        self.look()?;
        Ok(living(&self.all.lock()))
    }

    /// What is told to `caller` of the last login to this provider.
    pub(in crate::gateway) fn view(&self, provider: &ProviderId, caller: &str) -> View {
        let flow = self.all.lock().last(provider).cloned();
        let Some(flow) = flow else {
            return View::new(State::Idle);
        };
        let view = flow.progress.view();
        match flow.order.caller == caller {
            true => view,
            false => View {
                auth_url: None,
                user_code: None,
                ..view
            },
        }
    }

    /// Starts no more, and cancels those that wait; those that others may complete go on waiting there.
    pub(in crate::gateway) fn cancel_all(&self) {
        let mut all = self.all.lock();
        all.is_closed = true;
        for flow in &all.flows {
            flow.progress.cancel();
        }
    }

    /// The same, and waits for those that have a code: they would be stored only by the next start.
    pub(in crate::gateway) fn close(&self) {
        self.cancel_all();
        let threads = std::mem::take(&mut self.all.lock().threads);
        for thread in threads {
            // A panic has been told already.
            let _ = thread.join();
        }
    }
}

fn describe(order: &Order, entry: &mut AuditEntry) {
    entry.agent = Some(order.agent.to_string());
    entry.provider = Some(order.provider.to_string());
}

#[cfg(test)]
mod tests;
