//! How a login stands, how bad that is, and who must act: a word each.

/// How a login stands, by all that is known of it.
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
    /// The provider refused to refresh it.
    Refused,
    /// The login was refreshed, and this is what it was before.
    OldCopy,
    /// How its last refresh ended is not known.
    InDoubt,
    /// Was not used for longer than its provider keeps a login.
    Idle,
    /// The provider is in trouble and is not asked again yet.
    BackingOff,
    /// The configuration keeps it from being used or refreshed.
    Misconfigured,
    /// Something needs the provider, and nothing that can be used is there.
    NotStored,
}

impl State {
    /// The word for people, at most nine characters long.
    pub fn label(self) -> &'static str {
        match self {
            Self::Elsewhere => "external",
            Self::OldCopy => "outdated",
            Self::InDoubt => "uncertain",
            Self::NotStored => "missing",
            other => other.as_str(),
        }
    }

    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Static => "static",
            Self::Expiring => "expiring",
            Self::Expired => "expired",
            Self::Empty => "empty",
            Self::Elsewhere => "elsewhere",
            Self::Revoked => "revoked",
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

/// How bad it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// There is no token, and somebody must act.
    Broken,
    /// There is a token, and perhaps no next one; or there will be one later.
    Doubtful,
}

/// Who must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A person, who logs in, pastes or corrects something.
    Person,
    /// Anything that runs a command: a timer can.
    Command,
    /// Nobody: any command that needs a token refreshes it.
    Nobody,
}

impl Actor {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Command => "command",
            Self::Nobody => "nobody",
        }
    }
}
