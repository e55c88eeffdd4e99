//! What a login is asked for, and what it stored.

use std::time::Duration;

use crate::app::failure::{Failure, Kind};
use crate::model::hint::Command;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::provider::Provider;
use crate::model::time::Timestamp;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// For which agent.
    pub agent: AgentId,
    /// Where to log in.
    pub provider: ProviderId,
    /// How, by the name of a method; the provider's first by default.
    pub method: Option<String>,
    /// Under which name; by default the login's own.
    pub profile: Option<ProfileId>,
    /// Do not open a browser.
    pub no_browser: bool,
    /// On a remote machine: have the terminal put the URL in the clipboard.
    pub clipboard: bool,
    /// Give up after this long.
    pub timeout: Duration,
    /// Make the provider's default model the default one.
    pub set_default: bool,
    /// Do not say that a stored token will be replaced.
    pub yes: bool,
}

/// What was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Under which profile.
    pub profile: ProfileId,
    /// For which provider.
    pub provider: ProviderId,
    /// Whose login it is, as people know it.
    pub account: String,
    /// When the access token ends, if that is known.
    pub expires: Option<Timestamp>,
    /// Whether an older login of the same identity was replaced.
    pub replaced: bool,
}

/// The time that the caller gave is over.
pub(super) fn timed_out(request: &Request, provider: &Provider) -> Failure {
    let message = format!("nobody logged in within {:?}", request.timeout);
    let mut login = Command::login(&provider.id, request.profile.as_ref());
    if let Some(method) = &request.method {
        login = login.option("--method", method);
    }
    Failure::new(Kind::Temporary, message).hint(login.option("--timeout", "15m"))
}
