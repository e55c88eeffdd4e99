//! The end of a login under way.

use serde::{Deserialize, Serialize};

use crate::app::deposit::StoredProfile;
use crate::app::failure::{Failure, Kind};
use crate::model::id::{ProfileId, ProviderId};

/// How far a login is, as its name in answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::AsRefStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum State {
    /// There is none.
    Idle,
    /// It waits for the browser, or is about to.
    Waiting,
    /// Its answer came: it is exchanged, or stored.
    Exchanging,
    /// As [`Ending::Connected`].
    Connected,
    /// As [`Ending::Refused`].
    Refused,
    /// As [`Ending::TimedOut`].
    TimedOut,
    /// As [`Ending::Cancelled`].
    Cancelled,
    /// As [`Ending::Failed`].
    Failed,
}

/// What a login brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connected {
    /// The provider.
    pub provider: ProviderId,
    /// Where its credential is stored.
    pub profile: ProfileId,
}

impl From<StoredProfile> for Connected {
    fn from(stored: StoredProfile) -> Self {
        Self {
            provider: stored.provider,
            profile: stored.profile,
        }
    }
}

/// How a login ended.
#[derive(Clone, Debug)]
pub enum Ending {
    /// Its credential is stored.
    Connected(Connected),
    /// The person or the provider said no.
    Refused(Failure),
    /// Nobody answered in time.
    TimedOut(Failure),
    /// It was cancelled before there was an answer.
    Cancelled,
    /// Something failed.
    Failed(Failure),
}

/// How far it was before it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// Nobody was sent to the browser yet.
    Announced,
    /// It waited for an answer.
    Answer,
    /// It had its answer.
    Exchange,
}

impl Ending {
    /// The end of a login with this result. A failure of one kind means another thing at another
    /// step: before there was a code nothing was refused but the consent, in a code of the provider's, and
    /// nothing but the wait was too long.
    pub fn of(result: Result<StoredProfile, Failure>, before: Before) -> Self {
        let failure = match result {
            Ok(stored) => return Self::Connected(stored.into()),
            Err(failure) => failure,
        };
        match (failure.kind, before) {
            (Kind::Cancelled(_), _) => Self::Cancelled,
            (Kind::NeedsLogin, Before::Answer) if failure.code.is_some() => Self::Refused(failure),
            (Kind::Temporary, Before::Answer) => Self::TimedOut(failure),
            _ => Self::Failed(failure),
        }
    }

    /// The state of a login that ended so.
    pub fn state(&self) -> State {
        match self {
            Self::Connected(_) => State::Connected,
            Self::Refused(_) => State::Refused,
            Self::TimedOut(_) => State::TimedOut,
            Self::Cancelled => State::Cancelled,
            Self::Failed(_) => State::Failed,
        }
    }

    /// Why it was not successful, unless somebody wanted that.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Refused(failure) | Self::TimedOut(failure) | Self::Failed(failure) => {
                Some(failure)
            }
            Self::Connected(_) | Self::Cancelled => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::host::Signal;

    #[test]
    fn a_failure_means_what_it_means_at_its_step() {
        let state = |kind, before| {
            let failure = Failure::new(kind, "said so").code("access_denied");
            Ending::of(Err(failure), before).state()
        };
        let cancelled = Kind::Cancelled(Signal::TERMINATE);
        assert_eq!(state(Kind::NeedsLogin, Before::Answer), State::Refused);
        assert_eq!(state(Kind::NeedsLogin, Before::Exchange), State::Failed);
        assert_eq!(state(Kind::Temporary, Before::Announced), State::Failed);
        assert_eq!(state(Kind::Temporary, Before::Answer), State::TimedOut);
        assert_eq!(state(Kind::Temporary, Before::Exchange), State::Failed);
        assert_eq!(state(cancelled, Before::Answer), State::Cancelled);
        assert_eq!(state(Kind::Storage, Before::Answer), State::Failed);
    }
}
