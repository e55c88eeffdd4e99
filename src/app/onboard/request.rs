//! Request of onboarding.

use std::time::Duration;

use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::secret::Secret;

/// Parameters of onboarding.
#[derive(Clone, Debug)]
pub struct Request {
    /// The agent; asked for if it was not named and there are several.
    pub agent: AgentId,
    /// True if the user named the agent.
    pub agent_named: bool,
    /// Whether questions may be asked.
    pub interactive: bool,
    /// A value of [`choices`](super::choices); by default asked for, or that of the flags.
    pub choice: Option<String>,
    /// Keys by their flag, without dashes.
    pub keys: Vec<(&'static str, Given)>,
    /// Values that are stored beside a key, by their flag.
    pub beside: Vec<(&'static str, String)>,
    /// Whether the secret of the choice comes from standard input.
    pub from_input: bool,
    /// Flags of `token` and `setup-token`.
    pub token: TokenFlags,
    /// The second part of the profile id of a pasted secret.
    pub name: &'static str,
    /// Whether to open no browser.
    pub no_browser: bool,
    /// The time limit of a login.
    pub timeout: Duration,
}

/// Flags of a token.
#[derive(Clone, Debug, Default)]
pub struct TokenFlags {
    /// The provider.
    pub provider: Option<ProviderId>,
    /// The token.
    pub token: Option<Given>,
    /// The profile.
    pub profile: Option<ProfileId>,
    /// The lifetime from now.
    pub expires_in: Option<Duration>,
}

/// The source of a secret.
#[derive(Clone, Debug)]
pub enum Given {
    /// As an argument, or in the environment.
    Argument(Secret<String>),
    /// On standard input.
    Input,
}

impl Given {
    /// Returns the secret, unless it must be read first.
    pub(super) fn text(self) -> Option<Secret<String>> {
        match self {
            Self::Argument(text) => Some(text),
            Self::Input => None,
        }
    }
}
