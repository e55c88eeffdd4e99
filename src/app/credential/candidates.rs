//! The search for a token among the candidates of a provider: its profiles in their order, then
//! keys outside every document.
//!
//! `token` acts on what it finds; `status` and `token-status` only ask what it would find. One
//! place searches, so that they cannot disagree.

use std::sync::Arc;

use super::env_keys::Keys;
use super::obstacle::store_beside;
use super::outside_key::{self, Outside, OutsideKey};
use super::reason_text::Reason;
use super::selector::Resolved;
use super::strays;
use super::taken_away;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::model::credential::Kind as CredentialKind;
use crate::model::hint::{Command, Hint};
use crate::model::id::{ProfileId, ProviderId};
use crate::model::profile_index::ProfileIndex;
use crate::model::profiles::VisibleProfile;
use crate::model::provider::Provider;
use crate::model::selection::{Candidate, Decision, Verdict};
use crate::ports::store::{Detail, Scope};

/// What gives a token.
pub(in crate::app) enum Found<T> {
    /// A profile, with what the attempt returned.
    Profile(T),
    /// A variable, or a member of the configuration.
    Key(OutsideKey),
    /// The provider's own software, which is signed in and gives none to others.
    Software(Failure),
}

/// Tries the profiles in `tried` by `attempt`; the first that succeeds wins, and keys outside come last.
/// `keys` are looked for if they are not at hand: that may start the login shell. The index is that
/// of the documents of `resolved`.
///
/// # Errors
/// The failure of the first profile if there is no key either, and any failure that does not
/// concern its profile alone.
pub(in crate::app) fn find_token<T>(
    cx: Context<'_>,
    resolved: &Resolved,
    tried: &[&ProfileId],
    (keys, index): (Option<&Keys<'_>>, &ProfileIndex<'_>),
    attempt: &mut dyn FnMut(&VisibleProfile<'_>) -> Result<T, Failure>,
) -> Result<Found<T>, Failure> {
    let mut first_failure = None;
    for id in tried {
        let seen = index.get(id);
        let seen = seen.ok_or_else(|| Failure::not_seen(&resolved.effective, id));
        match seen.and_then(&mut *attempt) {
            Ok(token) => return Ok(Found::Profile(token)),
            Err(failure) => match resolved.locked() {
                Some(locked) => return Err(locked.explain(failure)),
                None if !concerns_one(&failure) => return Err(failure),
                None => first_failure = first_failure.or(Some(failure)),
            },
        }
    }
    let looked;
    let keys = match keys {
        Some(keys) => keys,
        None => {
            looked = Keys::look(cx)?;
            &looked
        }
    };
    match (
        outside_key::find(cx, keys, &resolved.provider),
        first_failure,
    ) {
        (Outside::Key(key), _) => Ok(Found::Key(key)),
        (_, Some(failure)) => Err(failure),
        (Outside::Software(failure), None) => Ok(Found::Software(failure)),
        (Outside::Nothing, None) => {
            // The key that is missing may stand there.
            if let (Some(fault), Some(remedy)) = (cx.env.fault(), cx.env.refusal()) {
                return Err(Failure::new(Kind::Config, fault).hint(remedy));
            }
            let mut failure = nothing_usable(cx, resolved, index);
            let provider = cx.provider(&resolved.provider).ok();
            let of_provider = provider.map(|provider| keys.faults_of(&provider));
            for fault in keys
                .faults()
                .into_iter()
                .chain(of_provider.into_iter().flatten())
                .chain(outside_key::fault_of_configured(cx, &resolved.provider))
            {
                failure.message.push_str(&format!("; {fault}"));
            }
            Err(failure)
        }
    }
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
pub(in crate::app) fn nothing_usable(
    cx: Context<'_>,
    resolved: &Resolved,
    index: &ProfileIndex<'_>,
) -> Failure {
    // An order may name profiles of other providers.
    if resolved.is_partial
        && let Ok(all) = cx.overview(&resolved.effective.agent, Scope::All, Detail::Masked)
    {
        let whole = Resolved {
            effective: Arc::new(all),
            is_partial: false,
            ..resolved.clone()
        };
        return nothing_usable(cx, &whole, &ProfileIndex::new(&whole.effective));
    }
    let decision = resolved.decide(cx, index);
    let provider = &resolved.provider;
    let manifest = cx.provider(provider);
    let kind = manifest
        .as_ref()
        .map_or(CredentialKind::OAuth, Provider::usual_kind);
    let hint = remedy((provider, index), &decision, kind);
    if decision.candidates.is_empty() {
        // Nobody can log in to a provider whose description is wrong, and its keys are not found.
        if let Err(error) = manifest {
            return Failure::from(error);
        }
        return nothing_stored(cx, resolved, hint);
    }
    let local = cx.clock.local();
    let each = decision.candidates.iter().map(|candidate| {
        let why = Reason::of_verdict(&candidate.verdict, local);
        format!("{} {}", candidate.id, why.words)
    });
    let why = each.collect::<Vec<_>>().join("; ");
    let message = format!("no usable profile for {provider}: {why}");
    Failure::new(Kind::NeedsLogin, message).hint(hint)
}

/// Returns the failure where nothing is stored, with what is known of where it is instead.
fn nothing_stored(cx: Context<'_>, resolved: &Resolved, hint: Hint) -> Failure {
    let (agent, provider) = (&resolved.effective.agent, &resolved.provider);
    let strays = strays::found_for(cx, &resolved.effective);
    let stray = strays.iter().find(|stray| stray.serves(provider));
    let stray = stray.map(|stray| (stray.text(), stray.import()));
    let gone = || taken_away::first_of(cx, agent, provider);
    let message = format!("no credential stored for {provider}");
    match stray.or_else(gone) {
        Some((what, command)) => {
            Failure::new(Kind::NeedsLogin, format!("{message}; {what}")).hint(command)
        }
        None => Failure::new(Kind::NeedsLogin, message).hint(hint),
    }
}

/// Returns what gives a token where no candidate does; `kind` is what the provider usually takes.
fn remedy(
    (provider, index): (&ProviderId, &ProfileIndex<'_>),
    decision: &Decision,
    kind: CredentialKind,
) -> Hint {
    // One that has only ended or is empty is replaced under its own name.
    let replaced = match decision.candidates.as_slice() {
        [only]
            if matches!(
                only.verdict,
                Verdict::Expired | Verdict::NoSecret | Verdict::SecretFault(_)
            ) =>
        {
            index.get(&only.id)
        }
        _ => None,
    };
    // Where it is the configuration that passes a login over, another login is no remedy.
    let by_config = |candidate: &Candidate| {
        let verdict = &candidate.verdict;
        matches!(verdict, Verdict::NotNamed | Verdict::ConfigDisagrees)
    };
    let elsewhere = |candidate: &Candidate| candidate.verdict == Verdict::Elsewhere;
    let candidates = &decision.candidates;
    match replaced {
        _ if candidates.iter().any(by_config) => Command::explain(provider).into(),
        Some(seen) => Command::store(provider, Some(seen.id), seen.credential.kind()).into(),
        None if candidates.iter().any(elsewhere) => store_beside(provider, kind),
        None => Command::store(provider, None, kind).into(),
    }
}
