//! Which credential is asked for, and which one that is.

use std::path::PathBuf;
use std::sync::Arc;

use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::model::id::{ProfileId, ProviderId, printable};
use crate::model::profiles::Effective;
use crate::model::selection::{self, Decision};

/// Whose credential is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// Of the only provider there is, else of the default model's.
    Default,
    /// Of the profile that selection takes for this provider.
    Provider(ProviderId),
    /// Of this profile.
    Profile(ProfileId),
    /// Of the provider of this model: a reference or an alias, and behind its first `@` the
    /// profile, if one is named.
    Model(String),
    /// The same as another wish, by what OpenClaw keeps of this session.
    Session {
        /// The key of the session.
        key: String,
        /// What is asked for besides.
        want: Box<Selector>,
    },
}

/// The profile that is tried before all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The profile.
    pub profile: ProfileId,
    /// Who wants it so.
    pub because: PinReason,
    /// No other profile is tried, and a cooldown does not count.
    pub locked: bool,
}

/// Why a profile is preferred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PinReason {
    /// It was named.
    Profile,
    /// It was named with the model.
    Model,
    /// The session is pinned to it.
    Session(String),
    /// This directory is bound to it: the working directory, or one above.
    Directory(PathBuf),
}

impl Pin {
    /// A failure of the only profile that may be used, with why no other was tried.
    pub fn explain(&self, mut failure: Failure) -> Failure {
        let who = match &self.because {
            PinReason::Profile | PinReason::Model => return failure,
            PinReason::Session(key) => format!("session {} is pinned", printable(key, 120)),
            PinReason::Directory(directory) => {
                let directory = directory.display().to_string();
                format!("{} is bound", printable(&directory, 400))
            }
        };
        failure.message.push_str(&format!(
            " ({who} to {}, so no other account is tried)",
            self.profile
        ));
        failure
    }
}

/// What was chosen.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The provider.
    pub provider: ProviderId,
    /// The own name of the model, if one was named: a cooldown may be of another one.
    pub model: Option<String>,
    /// The profile that is preferred, if any is.
    pub preferred: Option<Pin>,
    /// Wishes that do not count, and why, each a sentence.
    pub passed_over: Vec<String>,
    /// What the agent sees, as far as it concerns the provider.
    pub effective: Arc<Effective>,
}

impl Resolved {
    /// Every candidate in order, the preferred one first if the order has it.
    pub fn decide(&self, cx: Context<'_>) -> Decision {
        let preferred = self.preferred.as_ref().map(|preferred| &preferred.profile);
        let now = cx.clock.now();
        selection::decide_for(
            &self.effective,
            cx.settings,
            &self.provider,
            (preferred, self.model.as_deref()),
            now,
        )
    }

    /// The profiles that are tried, in order.
    pub(in crate::app) fn tried<'a>(&'a self, decision: &'a Decision) -> Vec<&'a ProfileId> {
        match self.locked() {
            Some(locked) => vec![&locked.profile],
            None => decision.order().map(|candidate| &candidate.id).collect(),
        }
    }

    /// The profile beside which no other is tried.
    pub fn locked(&self) -> Option<&Pin> {
        self.preferred.as_ref().filter(|preferred| preferred.locked)
    }
}
