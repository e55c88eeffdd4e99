//! Selectors, pins, and what they resolve to.

use std::path::PathBuf;
use std::sync::Arc;

use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::model::id::{ProfileId, ProviderId, printable};
use crate::model::named::ProfileName;
use crate::model::profile_index::ProfileIndex;
use crate::model::profiles::Effective;
use crate::model::selection::{self, Decision};

/// The credential that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// The only provider there is, else that of the default model.
    Default,
    /// The profile that selection chooses for this provider.
    Provider(ProviderId),
    /// This profile.
    Profile(ProfileName),
    /// The provider of this model: a reference or an alias. A profile may follow its first `@`.
    Model(String),
    /// Another selector, with the pin that OpenClaw stored for this session.
    Session {
        /// The key of the session.
        key: String,
        /// The other selector.
        want: Box<Selector>,
    },
}

/// The preferred profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The profile.
    pub profile: ProfileId,
    /// The source of the preference.
    pub because: PinReason,
    /// Whether no other profile is tried; then a cooldown does not count.
    pub locked: bool,
}

/// The source of a preference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PinReason {
    /// The profile was named.
    Profile,
    /// The profile was named with the model.
    Model,
    /// The session with this key is pinned to it.
    Session(String),
    /// This directory is bound to it: the working directory, or one above.
    Directory(PathBuf),
}

impl Pin {
    /// Adds to the failure of the only permitted profile why no other was tried.
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

/// A resolved selector.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The provider.
    pub provider: ProviderId,
    /// The model's name without its provider, if one was named: a cooldown may be for another
    /// model.
    pub model: Option<String>,
    /// The profile that is preferred, if any is.
    pub preferred: Option<Pin>,
    /// Pins that are ignored, with the reason, one sentence each.
    pub passed_over: Vec<String>,
    /// The documents that the agent sees, as far as they concern the provider.
    pub effective: Arc<Effective>,
    /// Whether these hold only what concerns the provider.
    pub is_partial: bool,
}

impl Resolved {
    /// Selects among what its documents hold: every candidate in order, the preferred one first if
    /// the order has it.
    pub(in crate::app) fn decide(&self, cx: Context<'_>, index: &ProfileIndex<'_>) -> Decision {
        let preferred = self.preferred.as_ref().map(|preferred| &preferred.profile);
        let wanted = (preferred, self.model.as_deref());
        selection::decide(index, cx.settings, &self.provider, wanted, cx.clock.now())
    }

    /// Selects, unless no other profile than one may be tried.
    pub(in crate::app) fn decide_unless_locked(
        &self,
        cx: Context<'_>,
        index: &ProfileIndex<'_>,
    ) -> Option<Decision> {
        self.locked().is_none().then(|| self.decide(cx, index))
    }

    /// Lists the profiles that are tried, in order: the only one that may be, else those of
    /// `decision`.
    pub(in crate::app) fn tried<'a>(
        &'a self,
        decision: Option<&'a Decision>,
    ) -> Vec<&'a ProfileId> {
        match self.locked() {
            Some(locked) => vec![&locked.profile],
            None => (decision.into_iter())
                .flat_map(Decision::order)
                .map(|candidate| &candidate.id)
                .collect(),
        }
    }

    /// Returns the profile if no other may be tried.
    pub fn locked(&self) -> Option<&Pin> {
        self.preferred.as_ref().filter(|preferred| preferred.locked)
    }
}
