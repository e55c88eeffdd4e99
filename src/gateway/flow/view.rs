//! What is told of a login under way.

use serde::Serialize;

use crate::app::login::noted::{Ending, State};
use crate::gateway::time::rfc3339;
use crate::model::hint::{Hint, Part};
use crate::model::time::Timestamp;

/// How the answer of the provider comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::gateway) enum Callback {
    /// To a port of this machine.
    Listening,
    /// By a person, who pastes the redirect URL.
    Manual,
    /// The provider is asked for it until the code is entered there: nothing comes back.
    Polling,
}

/// A login under way, or the last one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::gateway) struct View {
    /// How far it is.
    pub(in crate::gateway) state: State,
    /// What went wrong, or what a person should know while they log in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::gateway) message: Option<String>,
    /// The provider's error code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::gateway) code: Option<String>,
    /// When it ends if nobody answers.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "rfc3339")]
    pub(in crate::gateway) expires_at: Option<Timestamp>,
    /// How the answer comes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::gateway) callback: Option<Callback>,
    /// Where the browser is to be sent; for whoever began the login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::gateway) auth_url: Option<String>,
    /// What is to be entered there; for the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::gateway) user_code: Option<String>,
}

impl View {
    /// A state of which nothing more is told.
    pub(in crate::gateway) fn new(state: State) -> Self {
        Self {
            state,
            message: None,
            code: None,
            expires_at: None,
            callback: None,
            auth_url: None,
            user_code: None,
        }
    }

    /// A login that has ended.
    pub(in crate::gateway) fn ended(ending: &Ending) -> Self {
        let failure = ending.failure();
        Self {
            message: failure.map(ToString::to_string),
            code: failure.and_then(|failure| failure.code.as_deref().map(str::to_owned)),
            ..Self::new(ending.state())
        }
    }
}

/// Advice as a sentence; `None` if it names a command, for which a browser has no use.
pub(super) fn sentence(hint: &Hint) -> Option<String> {
    match hint.parts.as_slice() {
        [Part::Text(text)] => Some(text.clone()),
        _ => None,
    }
}
