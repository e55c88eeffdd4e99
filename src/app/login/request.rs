//! Request of a login.

use std::time::Duration;

use crate::app::failure::{Failure, Kind};
use crate::model::hint::Command;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::provider::Provider;

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
    /// Whether to skip the notice that a stored token will be replaced.
    pub yes: bool,
}

impl Request {
    /// Returns the model that becomes the default with this login.
    pub(super) fn default_model<'a>(&self, provider: &'a Provider) -> Option<&'a String> {
        let model = provider.default_model.as_ref();
        model.filter(|_| self.set_default)
    }
}

/// Makes the failure after the time limit.
pub(super) fn timed_out(request: &Request, provider: &Provider) -> Failure {
    let message = format!("login timed out after {:?}", request.timeout);
    let mut login = Command::login(&provider.id, request.profile.as_ref());
    if let Some(method) = &request.method {
        login = login.option("--method", method);
    }
    Failure::new(Kind::Temporary, message).hint(login.option("--timeout", "15m"))
}
