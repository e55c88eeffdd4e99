//! Device login: a code is shown here and typed in elsewhere.
//!
//! [`Running`] is a login that waits for its person: whoever drives it waits as long as it says and
//! asks it again, so that it can run alone or in a thread beside other ways in. Nothing is stored
//! before the provider has said yes.

use std::time::Duration;

use crate::app::login::store_login::keep;
use crate::model::hint::{Command, Hint};
use crate::model::provider::{Client, DeviceFlow, DeviceScheme, Flow, Provider, Stored};
use crate::oauth::device::{
    self, DeviceAuthorization, DeviceClient, DeviceError, Poll, PollSchedule,
};
use crate::oauth::error::OAuthError;
use crate::oauth::grant::Grant;
use crate::ports::dialog::{DeviceCode, Notice};

use super::super::failure::{Failure, Kind};
use super::request::Request;
use super::store_token;
use crate::app::context::Context;
use crate::app::deposit::StoredProfile;

/// The interval at which a wait looks whether it is over.
const TICK: Duration = Duration::from_millis(50);

/// A device login between its code and its grant.
pub(super) struct Running<'a> {
    cx: Context<'a>,
    request: &'a Request,
    device: DeviceClient<'a>,
    begun: DeviceAuthorization,
    pace: PollSchedule,
    troubled: bool,
}

/// What the driver does next.
pub(super) enum Step {
    /// Waits, no longer than this, and polls again.
    Wait(Duration),
    /// Stores the grant with [`keep_grant`].
    Grant(Box<Grant>),
    /// Stops: there will be no grant for this code.
    Over(Failure),
}

impl<'a> Running<'a> {
    /// Requests a code; shows nothing yet.
    ///
    /// # Errors
    /// [`Kind::Temporary`] for the network, else [`Kind::NeedsLogin`] with what to do instead, as
    /// where device codes are switched off.
    pub(super) fn begin(
        cx: Context<'a>,
        request: &'a Request,
        provider: &'a Provider,
        client: &'a Client,
        flow: &'a DeviceFlow,
    ) -> Result<Self, Failure> {
        let device = DeviceClient {
            http: cx.http,
            provider,
            client,
            flow,
        };
        if flow.stores == Stored::Token {
            store_token::announce(cx, request, provider, flow)?;
        }
        let asked = cx.clock.monotonic();
        let begun = device::authorize(&device, cx.random, cx.clock.now())
            .map_err(|error| failure(request, &device, &error))?;
        let pace = PollSchedule::new(&begun, asked, cx.clock.monotonic());
        Ok(Self {
            cx,
            request,
            device,
            begun,
            pace,
            troubled: false,
        })
    }

    /// Returns the code and its page, for the user.
    pub(super) fn notice(&self) -> Notice {
        Notice::DeviceCode(DeviceCode {
            provider: self.device.provider.name.clone(),
            user_code: self.begun.user_code.clone(),
            verification_uri: self.begun.verification_uri.clone(),
            verification_uri_complete: self.begun.verification_uri_complete.clone(),
            expires: self.begun.expires,
        })
    }

    /// Polls if that is due. Sends at most one request (and the exchange of the code it brings),
    /// and never sleeps.
    pub(super) fn next(&mut self) -> Step {
        let clock = self.cx.clock;
        match self.pace.wait(clock.monotonic()) {
            None => return Step::Over(failure(self.request, &self.device, &DeviceError::Expired)),
            Some(wait) if !wait.is_zero() => return Step::Wait(wait),
            Some(_) => {}
        }
        let poll = device::poll(&self.device, &mut self.begun, clock.now());
        self.pace.learn(&poll, clock.monotonic());
        match poll {
            Poll::Grant(grant) => return Step::Grant(grant),
            Poll::Failed(error) => return Step::Over(failure(self.request, &self.device, &error)),
            Poll::Unavailable { reason, .. } if !self.troubled => {
                self.troubled = true;
                let text = format!("{reason}; still waiting");
                self.cx.warn(text);
            }
            Poll::Unavailable { .. } => {}
            Poll::Pending | Poll::SlowDown(_) => self.troubled = false,
        }
        // Whether the code has ended meanwhile is the next call's to say.
        let wait = self.pace.wait(clock.monotonic());
        Step::Wait(wait.unwrap_or_default())
    }

    /// Polls until there is a grant or a failure. Returns `None` once `stop`, which is asked every
    /// few milliseconds, returns true.
    pub(super) fn poll_until(
        &mut self,
        stop: &dyn Fn() -> bool,
    ) -> Option<Result<Box<Grant>, Failure>> {
        while !stop() {
            match self.next() {
                Step::Wait(wait) => self.cx.clock.sleep(wait.min(TICK)),
                Step::Grant(grant) => return Some(Ok(grant)),
                Step::Over(failure) => return Some(Err(failure)),
            }
        }
        None
    }
}

/// Runs the flow alone, from the code to the stored credential.
pub(super) fn run(
    cx: Context<'_>,
    request: &Request,
    provider: &Provider,
    client: &Client,
    flow: &DeviceFlow,
) -> Result<StoredProfile, Failure> {
    cx.interrupt.defer();
    let deadline = cx.clock.monotonic() + request.timeout;
    let until = cx.clock.now().after(request.timeout);
    let mut running = Running::begin(cx, request, provider, client, flow)?;
    cx.dialog.notice(&running.notice());
    cx.dialog.notice(&Notice::Waiting {
        until: until.min(running.begun.expires),
    });
    let is_over = || cx.interrupt.pending().is_some() || cx.clock.monotonic() >= deadline;
    let grant = running.poll_until(&is_over);
    cx.uninterrupted()?;
    let grant = grant.unwrap_or_else(|| Err(super::request::timed_out(request, provider)))?;
    keep_grant(cx, request, provider, client, flow, *grant)
}

/// Stores the grant, as its manifest says.
pub(super) fn keep_grant(
    cx: Context<'_>,
    request: &Request,
    provider: &Provider,
    client: &Client,
    flow: &DeviceFlow,
    grant: Grant,
) -> Result<StoredProfile, Failure> {
    match flow.stores {
        Stored::OAuth => keep(cx, request, provider, client, grant),
        Stored::Token => store_token::keep(cx, request, provider, flow, grant),
    }
}

/// Makes the failure, with the command that mends it.
fn failure(request: &Request, device: &DeviceClient<'_>, error: &DeviceError) -> Failure {
    let provider = device.provider;
    let again = Command::login(&provider.id, request.profile.as_ref());
    let again = again.option("--method", "device-code");
    let fail = |kind, message: String| Failure::new(kind, message).hint(again.clone());
    match error {
        DeviceError::Random(error) => Failure::new(Kind::Storage, error.to_string()),
        DeviceError::SwitchedOff { .. } => switched_off(request, device, error),
        DeviceError::Address { .. } => {
            let message = format!("{error}; no code was shown");
            let failure = Failure::new(Kind::NeedsLogin, message);
            failure.hint("if you trust that host, add it to `hosts` in the provider's manifest")
        }
        DeviceError::Malformed(_) => fail(Kind::NeedsLogin, error.to_string()),
        DeviceError::Denied { code, .. } => {
            fail(Kind::NeedsLogin, format!("login denied ({error})")).code(code)
        }
        DeviceError::Expired => fail(
            Kind::Temporary,
            "the code expired before it was used".to_owned(),
        ),
        DeviceError::OAuth(error) => {
            let failure = fail(kind(error), format!("device login failed: {error}"));
            match error {
                OAuthError::Refused(refusal) => failure.code(&refusal.code),
                _ => failure,
            }
        }
    }
}

/// Makes the failure if no code is given out: a setting may be to blame, or the account uses
/// another method.
fn switched_off(request: &Request, device: &DeviceClient<'_>, error: &DeviceError) -> Failure {
    let provider = device.provider;
    let message = format!("device codes are disabled at {}: {error}", provider.name);
    let login = Command::login(&provider.id, request.profile.as_ref());
    let mut hint = Hint::default();
    if matches!(device.flow.scheme, DeviceScheme::ServerPkce { .. }) {
        hint = hint.then(
            "enable device code login in the ChatGPT security settings (in a workspace, ask an admin)",
        );
    }
    let mut others = provider.flows.iter().filter(|flow| flow.is_a_login());
    if let Some(other) = others.find(|flow| !matches!(flow, Flow::Device(_))) {
        if !hint.parts.is_empty() {
            hint = hint.then(", or: ");
        }
        hint = hint.run(login.option("--method", other.method()));
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
        OAuthError::Transient { .. } | OAuthError::Unknown { .. } => Kind::Temporary,
        OAuthError::Refused(_) | OAuthError::Unexpected { .. } => Kind::NeedsLogin,
    }
}
