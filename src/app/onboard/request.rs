//! What the flags and the person ask for.

use std::time::Duration;

use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::secret::Secret;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// For which agent; asked for if it was not named and there are several.
    pub agent: AgentId,
    /// Whether it was named.
    pub agent_named: bool,
    /// Whether a person may be asked.
    pub interactive: bool,
    /// One of [`choices`](super::choices); asked for, or what the flags stand for, by default.
    pub choice: Option<String>,
    /// Keys by the flag that brought them, without dashes.
    pub keys: Vec<(&'static str, Given)>,
    /// What is stored beside a key, by the flag that brought it.
    pub beside: Vec<(&'static str, String)>,
    /// The secret of whichever choice it is comes from standard input.
    pub from_input: bool,
    /// What `token` and `setup-token` are to store.
    pub token: TokenFlags,
    /// The name after the colon of a profile for a pasted secret.
    pub name: &'static str,
    /// Do not open a browser.
    pub no_browser: bool,
    /// Give a login up after this long.
    pub timeout: Duration,
}

/// The flags of a token.
#[derive(Clone, Debug, Default)]
pub struct TokenFlags {
    /// Whose it is.
    pub provider: Option<ProviderId>,
    /// The token.
    pub token: Option<Given>,
    /// Under which name.
    pub profile: Option<ProfileId>,
    /// How long it lives from now.
    pub expires_in: Option<Duration>,
}

/// How a secret is given.
#[derive(Clone, Debug)]
pub enum Given {
    /// As an argument.
    Argument(Secret<String>),
    /// On standard input.
    Input,
}
