//! What `token --provider` would do for a provider, without a lock, a request or a write: the same
//! choice, the same order, the same judgement of each candidate.

use std::sync::Arc;

use super::assessment::Assessment;
use super::env_keys::Keys;
use super::outside_key::{self, Outside};
use super::reason_text::Reason;
use super::selector::Resolved;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::model::credential::Kind as CredentialKind;
use crate::model::hint::Command;
use crate::model::id::{ProfileId, ProviderId};
use crate::model::profiles::VisibleProfile;
use crate::model::provider::Provider;
use crate::model::selection::{Candidate, Decision, Verdict};
use crate::ports::store::Scope;

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

    /// Returns whether the documents could not be read, which is told once and not of each provider.
    pub(in crate::app) fn is_unreadable(&self) -> bool {
        let failure = self.failure.as_ref().filter(|_| !self.has_candidates);
        failure.is_some_and(|failure| failure.kind == Kind::Storage)
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
        }
    }
}

/// Examines the candidates in the order in which `token` tries them.
///
/// # Errors
/// What `assess` says.
pub(in crate::app) fn outlook<E>(
    cx: Context<'_>,
    resolved: &Resolved,
    keys: &Keys<'_>,
    assess: &mut dyn FnMut(&VisibleProfile<'_>) -> Result<Assessment, E>,
) -> Result<Outlook, E> {
    let decision = resolved.decide(cx);
    let mut outlook = Outlook {
        provider: resolved.provider.clone(),
        used: None,
        failure: None,
        has_candidates: !decision.candidates.is_empty(),
    };
    let locked = resolved.locked();
    for id in resolved.tried(&decision) {
        let Some(seen) = resolved.effective.get(id) else {
            continue;
        };
        match assess(&seen)?.failure(id) {
            None => {
                outlook.used = Some(Used::Profile(id.clone()));
                outlook.failure = None;
                return Ok(outlook);
            }
            Some(failure) if concerns_one(&failure) => {
                outlook.failure.get_or_insert(failure);
            }
            Some(failure) => {
                outlook.failure = Some(match locked {
                    Some(locked) => locked.explain(failure),
                    None => failure,
                });
                return Ok(outlook);
            }
        }
    }
    if let Some(locked) = locked {
        outlook.failure = outlook.failure.map(|failure| locked.explain(failure));
        return Ok(outlook);
    }
    match outside_key::find(cx, keys, &resolved.provider) {
        Outside::Key(key) => {
            outlook.used = Some(Used::Outside(key.source));
            outlook.failure = None;
        }
        Outside::Software(failure) => {
            if outlook.failure.is_none() {
                outlook.used = Some(Used::Software);
            }
            outlook.failure.get_or_insert(failure);
        }
        Outside::Nothing => {
            let nothing = || no_candidate(cx, resolved, &decision);
            outlook.failure.get_or_insert_with(nothing);
        }
    }
    Ok(outlook)
}

/// Whether a failure concerns this credential alone, so that the next one is tried. After a signal,
/// a full disk or a busy lock no other account is tried.
pub(in crate::app) fn concerns_one(failure: &Failure) -> bool {
    match failure.kind {
        Kind::NeedsLogin | Kind::Temporary => true,
        _ => failure.is_refusal(),
    }
}

/// Returns the failure if no candidate is usable, with the hint that fits.
pub(in crate::app) fn nothing_usable(cx: Context<'_>, choice: &Resolved) -> Failure {
    let mut choice = choice.clone();
    // Only what concerns the provider was read so far, and an order may name others.
    if let Ok(all) = cx.effective(&choice.effective.agent, Scope::All) {
        choice.effective = Arc::new(all);
    }
    no_candidate(cx, &choice, &choice.decide(cx))
}

/// The same of a decision that everything stored was considered for.
fn no_candidate(cx: Context<'_>, resolved: &Resolved, decision: &Decision) -> Failure {
    let provider = &resolved.provider;
    let manifest = cx.provider(provider);
    let kind = manifest
        .as_ref()
        .map_or(CredentialKind::OAuth, Provider::usual_kind);
    // One that has only ended or is empty is replaced under its own name.
    let replaced = match decision.candidates.as_slice() {
        [only] if matches!(only.verdict, Verdict::Expired | Verdict::NoSecret) => {
            resolved.effective.get(&only.id)
        }
        _ => None,
    };
    // Where it is the configuration that passes a login over, another login is no remedy.
    let by_config = |candidate: &Candidate| {
        let verdict = &candidate.verdict;
        matches!(verdict, Verdict::NotNamed | Verdict::ConfigDisagrees)
    };
    let hint = match decision.candidates.iter().any(by_config) {
        true => Command::explain(provider),
        false => match replaced {
            Some(seen) => Command::store(provider, Some(seen.id), seen.credential.kind()),
            None => Command::store(provider, None, kind),
        },
    };
    if decision.candidates.is_empty() {
        // Nobody can log in to a provider whose description is wrong, and its keys are not found.
        if let Err(error) = manifest {
            return Failure::from(error);
        }
        let message = format!("no credential stored for {provider}");
        return Failure::new(Kind::NeedsLogin, message).hint(hint);
    }
    let now = cx.clock.now();
    let each = decision.candidates.iter().map(|candidate| {
        let why = Reason::of_verdict(&candidate.verdict, now);
        format!("{} {}", candidate.id, why.words)
    });
    let why = each.collect::<Vec<_>>().join("; ");
    let message = format!("no usable profile for {provider}: {why}");
    Failure::new(Kind::NeedsLogin, message).hint(hint)
}
