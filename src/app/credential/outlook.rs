//! What `token --provider` would do for a provider, without a lock, a request or a write.

use super::candidates::{Found, find_token};
use super::env_keys::Keys;
use super::selector::Resolved;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::model::id::{ProfileId, ProviderId};
use crate::model::profile_index::ProfileIndex;
use crate::model::profiles::VisibleProfile;

/// The outcome of `token --provider` for one provider.
#[derive(Clone, Debug)]
pub struct Outlook {
    /// The provider.
    pub provider: ProviderId,
    /// The credential that would be handed out.
    pub used: Option<Used>,
    /// The failure if none would be.
    pub failure: Option<Failure>,
    /// Whether anything is stored for it, or named for it by an order or the configuration.
    pub has_candidates: bool,
    /// Whether it has no candidates because a document cannot be read. That is told once, not of
    /// each provider.
    pub is_unreadable: bool,
}

/// The credential that would be handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Used {
    /// The token of a profile.
    Profile(ProfileId),
    /// A key of a variable, or of a member of the configuration.
    Outside(String),
    /// None: the provider's own software is signed in and uses its own.
    Software,
}

impl Outlook {
    /// Whether somebody must act before there is a token.
    pub fn needs_somebody(&self) -> bool {
        let fails = |failure: &Failure| failure.kind != Kind::Temporary;
        self.used.is_none() && self.failure.as_ref().is_some_and(fails)
    }

    /// The profile whose token would be handed out.
    pub fn profile(&self) -> Option<&ProfileId> {
        match self.used.as_ref()? {
            Used::Profile(profile) => Some(profile),
            Used::Outside(_) | Used::Software => None,
        }
    }

    /// Makes the outlook of a provider for which nothing could be resolved.
    pub(in crate::app) fn failed(provider: ProviderId, failure: Failure) -> Self {
        Self {
            provider,
            used: None,
            failure: Some(failure),
            has_candidates: true,
            is_unreadable: false,
        }
    }
}

/// Asks what `token` would find. `failure_of` judges a profile that the agent sees; it is asked of those
/// that are tried, up to the first that gives a token.
pub(in crate::app) fn outlook(
    cx: Context<'_>,
    resolved: &Resolved,
    (keys, index): (&Keys<'_>, &ProfileIndex<'_>),
    failure_of: &mut dyn FnMut(&VisibleProfile<'_>) -> Option<Failure>,
) -> Outlook {
    let decision = resolved.decide(cx, index);
    let tried = resolved.tried(Some(&decision));
    let found = find_token(cx, resolved, &tried, (Some(keys), index), &mut |seen| {
        failure_of(seen).map_or_else(|| Ok(seen.id.clone()), Err)
    });
    let (used, failure) = match found {
        Ok(Found::Profile(id)) => (Some(Used::Profile(id)), None),
        Ok(Found::Key(key)) => (Some(Used::Outside(key.source)), None),
        Ok(Found::Software(failure)) => (Some(Used::Software), Some(failure)),
        Err(failure) => (None, Some(failure)),
    };
    Outlook {
        provider: resolved.provider.clone(),
        used,
        failure,
        has_candidates: !decision.candidates.is_empty(),
        is_unreadable: false,
    }
}
