//! Which kind of credential.

use serde::{Deserialize, Serialize};

/// The three kinds of credential, in the order in which selection prefers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `oauth`; the first choice of selection.
    #[serde(rename = "oauth")]
    OAuth,
    /// `token`.
    Token,
    /// `api_key`; the last choice.
    ApiKey,
}

impl Kind {
    /// The tag on disk and in `auth.profiles.<id>.mode` of the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OAuth => "oauth",
            Self::Token => "token",
            Self::ApiKey => "api_key",
        }
    }
}
