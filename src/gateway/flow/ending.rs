//! The end of a login under way.

use crate::app::failure::{Failure, Kind};
use crate::app::login::StoredProfile;

/// How a login ended.
#[derive(Clone, Debug)]
pub(in crate::gateway) enum Ending {
    /// Its credential is stored.
    Connected(StoredProfile),
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
pub(super) enum Before {
    /// Nobody was sent to the browser yet.
    Announced,
    /// It waited for an answer.
    Answer,
    /// It had a code.
    Exchange,
}

impl Ending {
    /// The end of a login with this result. A failure of one kind means another thing at another
    /// step: before there was a code nothing was refused but the consent, and nothing but the wait was
    /// too long.
    pub(super) fn of(result: Result<StoredProfile, Failure>, before: Before) -> Self {
        let failure = match result {
            Ok(stored) => return Self::Connected(stored),
            Err(failure) => failure,
        };
        match (failure.kind, before) {
            (Kind::Cancelled(_), _) => Self::Cancelled,
            (Kind::NeedsLogin, Before::Answer) => Self::Refused(failure),
            (Kind::Temporary, Before::Answer) => Self::TimedOut(failure),
            _ => Self::Failed(failure),
        }
    }

    /// Its name in answers.
    pub(in crate::gateway) fn name(&self) -> &'static str {
        match self {
            Self::Connected(_) => "connected",
            Self::Refused(_) => "refused",
            Self::TimedOut(_) => "timed_out",
            Self::Cancelled => "cancelled",
            Self::Failed(_) => "failed",
        }
    }

    /// Why it was not successful, unless somebody wanted that.
    pub(in crate::gateway) fn failure(&self) -> Option<&Failure> {
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
        let name = |kind, before| {
            let failure = Failure::new(kind, "said so").code("access_denied");
            Ending::of(Err(failure), before).name()
        };
        let cancelled = Kind::Cancelled(Signal::TERMINATE);
        assert_eq!(name(Kind::NeedsLogin, Before::Answer), "refused");
        assert_eq!(name(Kind::NeedsLogin, Before::Exchange), "failed");
        assert_eq!(name(Kind::Temporary, Before::Announced), "failed");
        assert_eq!(name(Kind::Temporary, Before::Answer), "timed_out");
        assert_eq!(name(Kind::Temporary, Before::Exchange), "failed");
        assert_eq!(name(cancelled, Before::Answer), "cancelled");
        assert_eq!(name(Kind::Storage, Before::Answer), "failed");
    }
}
