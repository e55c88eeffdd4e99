//! Request of a login.

use std::time::Duration;

use serde_json::Value;

use super::relay::Relay;
use crate::app::context::Context;
use crate::app::deposit::{Destination, StoredProfile};
use crate::app::failure::{Failure, Kind};
use crate::model::credential::Credential;
use crate::model::grant::Binding;
use crate::model::grant::Refusal;
use crate::model::hint::Command;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::json::Verbatim;
use crate::model::provider::Provider;
use crate::oauth::error::OAuthError;

/// Parameters of a login.
#[derive(Clone, Debug)]
pub struct Request {
    /// The agent to store it for.
    pub agent: AgentId,
    /// The provider.
    pub provider: ProviderId,
    /// The name of the method; by default the provider's first.
    pub method: Option<String>,
    /// The profile; by default named after the account.
    pub profile: Option<ProfileId>,
    /// Whether to open no browser.
    pub no_browser: bool,
    /// Whether the terminal puts the URL in the clipboard on a remote machine.
    pub clipboard: bool,
    /// The time limit.
    pub timeout: Duration,
    /// Whether the provider's default model becomes the default.
    pub set_default: bool,
    /// Whether to skip the notice that a stored token will be replaced, and the question whose login
    /// it is.
    pub yes: bool,
    /// The attempt of `--start` that it completes.
    pub attempt: Option<String>,
    /// The scopes to ask for in a browser, in the place of the provider's.
    pub scopes: Option<Vec<String>>,
    /// What the person calls the login.
    pub display_name: Option<String>,
}

/// A login that is carried out.
#[derive(Clone, Copy)]
pub(super) struct Login<'a> {
    pub(super) cx: Context<'a>,
    pub(super) request: &'a Request,
    pub(super) provider: &'a Provider,
    /// Lets others complete it.
    pub(super) relay: Option<&'a dyn Relay>,
}

impl Login<'_> {
    /// Returns the profile that was asked for, or the one of this name.
    pub(super) fn profile_or(&self, name: Option<&str>) -> Result<ProfileId, Failure> {
        match &self.request.profile {
            Some(profile) => Ok(profile.clone()),
            None => Ok(ProfileId::of(&self.provider.id, name.unwrap_or("default"))?),
        }
    }

    /// Stores the credential that it brought.
    pub(super) fn store(
        &self,
        profile: ProfileId,
        account: Option<String>,
        new: &Credential,
        issued_by: Option<&Binding>,
    ) -> Result<StoredProfile, Failure> {
        let to = Destination {
            provider: &self.provider.id,
            profile,
            named: self.request.profile.as_ref(),
            issued_by,
        };
        StoredProfile::store(self.cx, &self.request.agent, &to, account, &self.named(new))
    }

    /// Returns a credential with the name that the person gave the login.
    fn named(&self, credential: &Credential) -> Credential {
        let mut named = credential.clone();
        if let Some(name) = &self.request.display_name {
            let extra = match &mut named {
                Credential::ApiKey(key) => &mut key.extra,
                Credential::Token(token) => &mut token.extra,
                Credential::OAuth(oauth) => &mut oauth.extra,
            };
            let name = Value::from(name.as_str()).to_string();
            extra.set("displayName", Verbatim::new(name));
        }
        named
    }

    /// Completes the storage, with the provider's default model if that was asked for.
    pub(super) fn finish(
        &self,
        stored: StoredProfile,
        email: Option<&str>,
    ) -> Result<StoredProfile, Failure> {
        let model = self.provider.default_model.as_ref();
        let (agent, model) = (
            &self.request.agent,
            model.filter(|_| self.request.set_default),
        );
        stored.finish(self.cx, agent, email, model)?;
        Ok(stored)
    }

    /// Whether the person is asked where nothing tells whose login it is. Without a person it counts
    /// as their own.
    pub(super) fn asks(&self) -> bool {
        !self.request.yes && self.cx.dialog.can_ask()
    }

    /// Asks whether a login is the person's own: an answer can be sent to a login by whoever got hold
    /// of its URL. `replaced` is the profile that it replaces.
    ///
    /// # Errors
    /// If there is no answer, which is not a no.
    pub(super) fn ask_whose(&self, replaced: Option<&ProfileId>) -> Result<bool, Failure> {
        let name = &self.provider.name;
        let question = match replaced {
            None => format!("{name} did not say whose account this is. Did you just log in there?"),
            Some(profile) => {
                format!("Replace {profile}? Answer yes if you just logged in to {name}")
            }
        };
        self.cx.confirm(&question, false)
    }

    /// Returns the command that logs in again.
    pub(super) fn again(&self) -> Command {
        Command::login(&self.provider.id, self.request.profile.as_ref())
    }

    /// Makes the failure after the time limit.
    pub(super) fn timed_out(&self) -> Failure {
        let message = format!("login timed out after {:?}", self.request.timeout);
        let mut login = self.again();
        if let Some(method) = &self.request.method {
            login = login.option("--method", method);
        }
        Failure::new(Kind::Temporary, message).hint(login.option("--timeout", "15m"))
    }

    /// Makes the failure for a login that the provider or the user refused.
    pub(super) fn denied(&self, refusal: &Refusal) -> Failure {
        let message = format!("login denied ({})", refusal.words());
        let failure = Failure::new(Kind::NeedsLogin, message);
        failure.code(&refusal.code).hint(self.again())
    }
}

/// Makes the failure for a request that a server did not grant, without a hint.
pub(super) fn not_granted(kind: Kind, what: &str, error: &OAuthError) -> Failure {
    let failure = Failure::new(kind, format!("{what}: {error}"));
    match error {
        OAuthError::Refused(refusal) => failure.code(&refusal.code),
        _ => failure,
    }
}

/// Returns the kind of such a failure: temporary if the same request may be granted later.
pub(super) fn kind_of(error: &OAuthError) -> Kind {
    match error {
        OAuthError::Unsupported { .. } => Kind::Config,
        error if error.is_transient() => Kind::Temporary,
        _ => Kind::NeedsLogin,
    }
}
