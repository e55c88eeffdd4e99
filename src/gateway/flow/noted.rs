//! What one gateway knows of the note about a login.

use crate::model::state_digest::StateDigest;
use crate::ports::login_attempts::Step;

/// What this gateway knows of the note about a login.
pub(super) enum Noted {
    /// There is none, or it counts no more.
    Nowhere,
    /// It waits for its answer.
    Waiting(StateDigest),
    /// Its answer was asked for, and whether this gateway may use it was not heard.
    Undecided(StateDigest),
    /// Its answer is used here.
    Here(StateDigest),
    /// That, or its end, is for others to say.
    Elsewhere(StateDigest),
    /// It waits for its code to be entered, and another gateway polls, and completes it.
    Polled(StateDigest),
    /// Somebody ended it while it waited, here or elsewhere.
    GivenUp(Option<StateDigest>),
}

impl Noted {
    /// Which it is.
    pub(super) fn state(&self) -> Option<&StateDigest> {
        match self {
            Self::Nowhere => None,
            Self::GivenUp(state) => state.as_ref(),
            Self::Waiting(state)
            | Self::Undecided(state)
            | Self::Here(state)
            | Self::Elsewhere(state)
            | Self::Polled(state) => Some(state),
        }
    }

    /// How far it is for all, as far as is known here.
    pub(super) fn step(&self) -> Step {
        match self {
            Self::Here(_) => Step::Taken,
            _ => Step::Waiting,
        }
    }
}
