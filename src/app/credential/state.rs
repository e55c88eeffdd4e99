//! The state of a login, how bad it is, and who must act.

use serde::Serialize;

/// The state of a login, by all that is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Valid, or refreshed by any command that needs it.
    Ok,
    /// Never expires.
    Static,
    /// Expires within a day, and nothing refreshes it.
    Expiring,
    /// Expired, and nothing refreshes it.
    Expired,
    /// Holds nothing to hand out.
    Empty,
    /// Holds a reference, which OpenClaw follows and this program does not.
    Elsewhere,
    /// Was revoked.
    Revoked,
    /// Its refresh token went to another machine.
    Moved,
    /// The provider refused to refresh it.
    Refused,
    /// The login was refreshed, and this is what it was before.
    OldCopy,
    /// How its last refresh ended is not known.
    InDoubt,
    /// Was unused for longer than its provider keeps a grant.
    Idle,
    /// The provider is in trouble, and the backoff has not passed.
    BackingOff,
    /// The configuration prevents its use or refresh.
    Misconfigured,
    /// Something needs the provider, and no usable credential is stored.
    NotStored,
}

impl State {
    /// Returns the word for people, at most nine characters long.
    pub fn label(self) -> &'static str {
        match self {
            Self::Elsewhere => "external",
            Self::OldCopy => "outdated",
            Self::InDoubt => "uncertain",
            Self::NotStored => "missing",
            other => other.as_str(),
        }
    }

    /// Returns the word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Static => "static",
            Self::Expiring => "expiring",
            Self::Expired => "expired",
            Self::Empty => "empty",
            Self::Elsewhere => "elsewhere",
            Self::Revoked => "revoked",
            Self::Moved => "moved",
            Self::Refused => "refused",
            Self::OldCopy => "old copy",
            Self::InDoubt => "in doubt",
            Self::Idle => "idle",
            Self::BackingOff => "retrying",
            Self::Misconfigured => "misconfig",
            Self::NotStored => "not stored",
        }
    }
}

/// How bad the state is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// There is no token before somebody acts.
    Broken,
    /// There may be no next token, or there is none yet.
    Doubtful,
}

/// Who must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A person: must log in, paste or correct something.
    Person,
    /// Anything that runs a command, such as a timer.
    Command,
    /// Nobody: any command that needs a token refreshes it.
    Nobody,
}
