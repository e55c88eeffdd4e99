//! Device login: a code is shown here and typed in elsewhere.
//!
//! [`Running`] is a login that waits for its person, alone or in a thread beside other ways in.
//! Nothing is stored before the provider has said yes.

use std::time::Duration;

use crate::model::hint::Hint;
use crate::model::provider::{Client, DeviceFlow, DeviceScheme, Flow, Provider, Stored};
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::oauth::device::{
    self, DeviceAuthorization, DeviceClient, DeviceError, Poll, PollSchedule,
};
use crate::oauth::error::OAuthError;
use crate::oauth::grant::Grant;
use crate::ports::dialog::{DeviceCode, Notice};
use crate::ports::host::Signal;

use super::super::failure::{Failure, Kind};
use super::login_file::SavedLogin;
use super::login_result::LoginResult;
use super::relay::UserCode;
use super::request::{Login, not_granted};
use super::saved_login::{Awaited, Sent};
use super::saver::Saver;
use super::store_token;
use crate::app::deposit::StoredProfile;
use crate::app::issuer::verify_login;

/// The interval at which a wait looks whether it is over.
const TICK: Duration = Duration::from_millis(50);

/// A device login between its code and its grant.
pub(super) struct Running<'a> {
    login: Login<'a>,
    device: DeviceClient<'a>,
    saver: Saver<'a>,
    begun: DeviceAuthorization,
    /// When it ends: with its code, or with the time limit.
    until: Timestamp,
    pace: PollSchedule,
    troubled: bool,
}

impl<'a> Running<'a> {
    /// Requests a code; shows nothing yet. `stop`, which is asked every few milliseconds, gives up
    /// this and every later request.
    ///
    /// # Errors
    /// [`Kind::Temporary`] for the network, else [`Kind::NeedsLogin`] with what to do instead, as
    /// where device codes are switched off.
    pub(super) fn begin(
        login: Login<'a>,
        client: &'a Client,
        flow: &'a DeviceFlow,
        stop: &'a (dyn Fn() -> bool + Sync),
    ) -> Result<Self, Failure> {
        let Login { cx, provider, .. } = login;
        let device = DeviceClient {
            http: cx.http,
            provider,
            client,
            flow,
            stop,
        };
        if flow.stores == Stored::Token {
            store_token::announce(login, flow.profile.as_deref())?;
        }
        let awaited = match flow.stores {
            Stored::OAuth => Awaited::Grant,
            Stored::Token => Awaited::Token(flow.profile.clone()),
        };
        verify_login::fetch_keys(cx, provider, client);
        let until = cx.clock.now().after(login.request.timeout);
        let asked = cx.clock.monotonic();
        let begun = device::authorize(&device, cx.random, cx.clock.now())
            .map_err(|error| failure(login, flow, &error))?;
        let pace = PollSchedule::new(&begun, asked, cx.clock.monotonic());
        let until = until.min(begun.expires);
        let code = device_code(provider, &begun, false);
        login.tell_polls(UserCode {
            url: Secret::from(code.url()),
            user_code: Secret::new(code.user_code),
            expires: until,
        })?;
        // Not before: its file says by which name others know the login.
        let saver = Saver::prepare(login, client, awaited, None, Sent::Polls)?;
        Ok(Self {
            login,
            device,
            saver,
            begun,
            until,
            pace,
            troubled: false,
        })
    }

    /// Returns the code and its page, for the user; `beside` another way to log in.
    pub(super) fn notice(&self, beside: bool) -> Notice {
        Notice::DeviceCode(device_code(self.device.provider, &self.begun, beside))
    }

    /// Sends one poll (and the exchange of the code it brings); `None` if it must be asked again.
    fn poll(&mut self) -> Option<Result<LoginResult, DeviceError>> {
        let clock = self.login.cx.clock;
        let device = DeviceClient {
            http: &self.saver,
            ..self.device
        };
        let poll = device::poll(&device, &mut self.begun, clock.now());
        self.pace.learn(&poll, clock.monotonic());
        match poll {
            Poll::Grant(grant) => return Some(Ok(self.result(grant))),
            Poll::Failed(error) => return Some(Err(error)),
            Poll::Unavailable { .. } if (self.device.stop)() => {}
            Poll::Unavailable { reason, .. } if !self.troubled => {
                self.troubled = true;
                let text = format!("{reason}; still waiting");
                self.login.cx.warn(text);
            }
            Poll::Unavailable { .. } => {}
            Poll::Pending | Poll::SlowDown(_) => self.troubled = false,
        }
        None
    }

    fn result(&self, grant: Box<Grant>) -> LoginResult {
        let DeviceClient { client, flow, .. } = self.device;
        match flow.stores {
            Stored::OAuth => LoginResult::Grant {
                client: Box::new(client.clone()),
                grant,
            },
            Stored::Token => LoginResult::Token {
                name: flow.profile.clone(),
                grant,
            },
        }
    }

    /// Polls until there is a grant or a failure; `None` if it was stopped.
    pub(super) fn poll_until_stopped(
        &mut self,
    ) -> Option<Result<(LoginResult, SavedLogin), Failure>> {
        let clock = self.login.cx.clock;
        while !(self.device.stop)() {
            let polled = match self.pace.wait(clock.monotonic()) {
                None => Some(Err(DeviceError::Expired)),
                Some(Duration::ZERO) => self.poll(),
                Some(wait) => {
                    clock.sleep(wait.min(TICK));
                    None
                }
            };
            if let Some(ended) = polled {
                let saved = self.saver.finish();
                return Some(match ended {
                    Ok(granted) => Ok((granted, saved)),
                    Err(error) => {
                        let failure = failure(self.login, self.device.flow, &error);
                        Err(match &error {
                            DeviceError::OAuth(error) => {
                                saved.settle_failed(self.login.cx, error, failure)
                            }
                            _ => {
                                saved.discard(self.login.cx);
                                failure
                            }
                        })
                    }
                });
            }
        }
        None
    }
}

/// What the person is told of a code.
fn device_code(provider: &Provider, begun: &DeviceAuthorization, beside: bool) -> DeviceCode {
    DeviceCode {
        provider: provider.name.clone(),
        user_code: begun.user_code.clone(),
        verification_uri: begun.verification_uri.clone(),
        verification_uri_complete: begun.verification_uri_complete.clone(),
        expires: begun.expires,
        beside,
    }
}

/// Stores what a login brought. That it was to stop meanwhile changes nothing, for it cannot be had again;
/// but one that was ended before, with those who wait for it told so, is not to appear after all.
fn keep(
    login: Login<'_>,
    granted: LoginResult,
    mut saved: SavedLogin,
) -> Result<StoredProfile, Failure> {
    match login.take() {
        Ok(true) => {
            saved.decide(login.cx);
            granted.keep(login, saved)
        }
        Ok(false) => {
            saved.discard(login.cx);
            Err(Failure::cancelled(Signal::TERMINATE))
        }
        Err(failure) => saved.settle(login.cx, Err(failure)),
    }
}

/// Runs the flow alone, from the code to the stored credential.
pub(super) fn run(
    login: Login<'_>,
    client: &Client,
    flow: &DeviceFlow,
) -> Result<StoredProfile, Failure> {
    let Login { cx, request, .. } = login;
    cx.interrupt.defer();
    let deadline = cx.clock.monotonic() + request.timeout;
    let is_over = || cx.interrupt.pending().is_some() || cx.clock.monotonic() >= deadline;
    let running = Running::begin(login, client, flow, &is_over);
    cx.uninterrupted()?;
    let mut running = match running {
        Err(_) if is_over() => return Err(login.timed_out()),
        running => running?,
    };
    cx.dialog.notice(&running.notice(false));
    cx.dialog.notice(&Notice::Waiting {
        until: running.until,
    });
    match running.poll_until_stopped() {
        Some(Ok((granted, saved))) => keep(login, granted, saved),
        ended => {
            cx.uninterrupted()?;
            let ended = ended.and_then(Result::err);
            Err(ended.unwrap_or_else(|| login.timed_out()))
        }
    }
}

/// Makes the failure, with the command that mends it.
fn failure(login: Login<'_>, flow: &DeviceFlow, error: &DeviceError) -> Failure {
    let again = login.again().option("--method", "device-code");
    let fail = |kind, message: String| Failure::new(kind, message).hint(again.clone());
    match error {
        DeviceError::Random(error) => Failure::new(Kind::Storage, error.to_string()),
        DeviceError::SwitchedOff => switched_off(login, flow, error),
        DeviceError::Address { .. } => {
            let message = format!("{error}; no code was shown");
            let failure = Failure::new(Kind::NeedsLogin, message);
            failure.hint("if you trust that host, add it to `hosts` in the provider's manifest")
        }
        DeviceError::Malformed(_) => fail(Kind::NeedsLogin, error.to_string()),
        DeviceError::Denied(refusal) => login.denied(refusal).hint(again),
        DeviceError::Expired => fail(
            Kind::Temporary,
            "the code expired before it was used".to_owned(),
        ),
        DeviceError::OAuth(error) => {
            not_granted(kind(error), "device login failed", error).hint(again)
        }
    }
}

/// Makes the failure if no code is given out: a setting may be to blame, or the account uses
/// another method.
fn switched_off(login: Login<'_>, flow: &DeviceFlow, error: &DeviceError) -> Failure {
    let provider = login.provider;
    let message = format!("device codes are disabled at {}: {error}", provider.name);
    let mut hint = Hint::default();
    if matches!(flow.scheme, DeviceScheme::ServerPkce { .. }) {
        hint = hint.then(
            "enable device code login in the ChatGPT security settings (in a workspace, ask an admin)",
        );
    }
    let mut others = provider.flows.iter().filter(|flow| flow.is_a_login());
    if let Some(other) = others.find(|flow| !matches!(flow, Flow::Device(_))) {
        if !hint.parts.is_empty() {
            hint = hint.then(", or: ");
        }
        hint = hint.run(login.again().option("--method", other.method()));
    }
    Failure::new(Kind::NeedsLogin, message).hint(hint)
}

/// Returns the kind of a failure: temporary if a later request may be answered differently.
fn kind(error: &OAuthError) -> Kind {
    match error {
        OAuthError::Unsupported { .. } => Kind::Config,
        OAuthError::Transient {
            status: Some(400..=407 | 409..=428 | 430..=499),
            ..
        } => Kind::NeedsLogin,
        OAuthError::Transient { .. } | OAuthError::WebPage { .. } | OAuthError::Unknown { .. } => {
            Kind::Temporary
        }
        OAuthError::Refused(_)
        | OAuthError::NotUnderstood { .. }
        | OAuthError::Unexpected { .. } => Kind::NeedsLogin,
    }
}
