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
    /// The kind of that name on disk.
    pub fn parse(text: &str) -> Option<Self> {
        let mut all = [Self::OAuth, Self::Token, Self::ApiKey].into_iter();
        all.find(|kind| kind.as_str() == text)
    }

    /// The tag on disk and in `auth.profiles.<id>.mode` of the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OAuth => "oauth",
            Self::Token => "token",
            Self::ApiKey => "api_key",
        }
    }
}
