//! How a login stands: one word, made of all the facts.

use crate::model::time::Timestamp;

use super::facts::Facts;
use crate::app::status::Status;

/// How a login stands, by all that is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Lives, or can be renewed.
    Ok,
    /// Has no end.
    Static,
    /// Ends within a day.
    Expiring,
    /// Has ended.
    Expired,
    /// Has no known end.
    Missing,
    /// Holds nothing to hand out.
    Empty,
    /// Holds a reference, which OpenClaw follows and this program does not.
    Elsewhere,
    /// Was revoked.
    Revoked,
    /// The provider refused to renew it.
    Refused,
    /// The login was renewed, and this is what it was before.
    OldCopy,
    /// How its last refresh ended is not known.
    InDoubt,
    /// Was not used for longer than its provider keeps a login.
    Idle,
    /// A model needs the provider, and nothing is stored for it.
    NotStored,
}

impl State {
    /// Judges a profile. What is known of the grant counts before the end of the token: a refused
    /// grant is as good as gone however long its last token lives.
    pub(in crate::app) fn of(status: Status, facts: &Facts, now: Timestamp) -> Self {
        match status {
            _ if facts.revoked_at.is_some() => Self::Revoked,
            _ if facts.refusal.is_some() => Self::Refused,
            _ if facts.spent_since.is_some() => Self::OldCopy,
            _ if facts.unknown_since.is_some() => Self::InDoubt,
            _ if !facts.secret_present && !facts.is_reference => Self::Empty,
            _ if facts.rests_until.is_some_and(|end| end <= now) => Self::Idle,
            Status::Ok | Status::Static if facts.is_reference => Self::Elsewhere,
            Status::Ok => Self::Ok,
            Status::Static => Self::Static,
            Status::Expiring => Self::Expiring,
            Status::Expired => Self::Expired,
            Status::Missing => Self::Missing,
        }
    }

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Static => "static",
            Self::Expiring => "expiring",
            Self::Expired => "expired",
            Self::Missing => "missing",
            Self::Empty => "empty",
            Self::Elsewhere => "elsewhere",
            Self::Revoked => "revoked",
            Self::Refused => "refused",
            Self::OldCopy => "old copy",
            Self::InDoubt => "in doubt",
            Self::Idle => "idle",
            Self::NotStored => "not stored",
        }
    }

    /// Whether it needs attention now, and if so whether it is certain that it does not work.
    pub fn trouble(self) -> Option<Trouble> {
        match self {
            Self::Ok | Self::Static | Self::Expiring | Self::Elsewhere => None,
            Self::OldCopy | Self::InDoubt | Self::Idle => Some(Trouble::Doubtful),
            _ => Some(Trouble::Broken),
        }
    }
}

/// How bad it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// It does not work, or not beyond the end of its token.
    Broken,
    /// It may still work.
    Doubtful,
}
