//! `models auth token`: a living token, refreshed first if it must be.
//!
//! The hot path. A fresh token costs one read of each document: no lock, no runtime, no thread.

use std::time::Duration;

use crate::model::credential::{Credential, Kind as CredentialKind};
use crate::model::expiry::clock_fault;
use crate::model::expiry::{Freshness, freshness};
use crate::model::hint::{Command, Hint};
use crate::model::id::{AgentId, ProfileId, ProviderId, printable};
use crate::model::profiles::{Effective, VisibleProfile};
use crate::model::provider::Provider;
use crate::model::secret::Secret;
use crate::model::selection::{Candidate, Verdict};
use crate::model::time::{Timestamp, short_duration};
use crate::ports::store::Scope;
use crate::providers::catalogue::CatalogueError;

use crate::app::context::Context;
use crate::app::credential::env_keys::{KeyMaterial, Keys};
use crate::app::credential::reason_text::Reason;
use crate::app::credential::resolve::choose;
use crate::app::credential::selector::{Resolved, Selector};
use crate::app::failure::{Failure, Kind};
use crate::app::refresh::ensure_fresh::ensure_fresh;
use crate::app::refresh::outcome::{RefreshPolicy, RefreshResult};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// For which agent.
    pub agent: AgentId,
    /// Whose token.
    pub want: Selector,
    /// How long it must live at least; `None` for the provider's margin.
    pub min_valid: Option<Duration>,
}

/// A living token.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The profile it is of; `None` if it lies in no document.
    pub profile: Option<ProfileId>,
    /// The agent in whose document the profile lies, or the variable or the member of the
    /// configuration it comes from.
    pub source: String,
    /// Its provider.
    pub provider: ProviderId,
    /// What kind of credential it is.
    pub kind: CredentialKind,
    /// The token.
    pub bearer: Secret<String>,
    /// When it ends, if that is known.
    pub expires: Option<Timestamp>,
    /// What was done for it.
    pub how: RefreshResult,
    /// What a person should know besides.
    pub warning: Option<Hint>,
}

/// Finds the profile that is meant and makes its token live.
///
/// # Errors
/// [`Kind::NotFound`] for a profile that does not exist, [`Kind::NeedsLogin`] if nobody can give a
/// living token without a person, and what [`ensure_fresh`] says.
pub fn run(cx: Context<'_>, request: &Request) -> Result<Outcome, Failure> {
    let choice = choose(cx, &request.agent, &request.want)?;
    of(cx, &choice, request.min_valid)
}

/// Makes a token of what was chosen live.
///
/// # Errors
/// As [`run`].
pub(in crate::app) fn of(
    cx: Context<'_>,
    choice: &Resolved,
    least: Option<Duration>,
) -> Result<Outcome, Failure> {
    for sentence in &choice.passed_over {
        cx.warn(sentence.as_str());
    }
    let mut outcome = match choice.locked() {
        Some(locked) => take(cx, &choice.effective, &locked.profile, least)
            .map_err(|failure| locked.explain(failure))?,
        None => of_provider(cx, choice, least)?,
    };
    if let Some(fault) = clock_fault(cx.clock.now(), None) {
        outcome.warning.get_or_insert(fault);
    }
    Ok(outcome)
}

/// Tries the profiles of a provider in their order; the first that gives a living token wins.
fn of_provider(
    cx: Context<'_>,
    choice: &Resolved,
    least: Option<Duration>,
) -> Result<Outcome, Failure> {
    let (provider, decision) = (&choice.provider, choice.decide(cx));
    let mut first_failure: Option<Failure> = None;
    for candidate in decision.order() {
        match take(cx, &choice.effective, &candidate.id, least) {
            Ok(outcome) => return Ok(outcome),
            // A person's wish to stop, a full disk or a busy lock is no reason to go on to the
            // next account; only a credential that cannot give a token is.
            Err(failure) if !concerns_one(&failure) => return Err(failure),
            Err(failure) => first_failure = first_failure.or(Some(failure)),
        }
    }
    let keys = Keys::look(cx)?;
    match (elsewhere(cx, &keys, provider), first_failure) {
        (Ok(Some(outcome)), _) => Ok(outcome),
        (_, Some(failure)) | (Err(failure), None) => Err(failure),
        (Ok(None), None) => {
            let mut failure = nothing_usable(cx, choice);
            for fault in keys.faults() {
                failure.message.push_str(&format!("; {fault}"));
            }
            Err(failure)
        }
    }
}

/// Whether a failure says that this very credential gives no token.
pub(in crate::app) fn concerns_one(failure: &Failure) -> bool {
    match failure.kind {
        Kind::NeedsLogin | Kind::Temporary => true,
        _ => failure.is_refusal(),
    }
}

fn take(
    cx: Context<'_>,
    effective: &Effective,
    id: &ProfileId,
    least: Option<Duration>,
) -> Result<Outcome, Failure> {
    let seen = effective
        .get(id)
        .ok_or_else(|| Failure::not_seen(effective, id))?;
    let (provider, way) = way(cx, &seen, least)?;
    let outcome = |credential: &Credential, how, warning: Option<Hint>| {
        Ok(Outcome {
            profile: Some(id.clone()),
            source: seen.owner.to_string(),
            provider: provider.clone(),
            kind: seen.credential.kind(),
            bearer: bearer(credential, id, &provider)?.clone(),
            expires: credential.expires(),
            how,
            warning: match warning {
                Some(warning) => Some(Hint::about(id, &warning)),
                None => credential
                    .end()
                    .and_then(|end| end.fault(id))
                    .map(Hint::from),
            },
        })
    };
    match way {
        TokenSource::AsItIs(warning) => outcome(seen.credential, RefreshResult::WasFresh, warning),
        TokenSource::KeptAlive(manifest) => {
            let need = RefreshPolicy::MinValid(least);
            let living = ensure_fresh(cx, seen.owner, id, &manifest, need)?;
            let (how, warning) = (living.how, living.warning);
            outcome(&Credential::OAuth(living.credential), how, warning)
        }
    }
}

/// How the token of a stored credential is had.
pub(in crate::app) enum TokenSource {
    /// As it is; with what a person should know of it, the profile being the subject.
    AsItIs(Option<Hint>),
    /// Of a login that is kept alive.
    KeptAlive(Box<Provider>),
}

/// Which way leads to a token of this credential, and of which provider it is.
///
/// # Errors
/// If none does, without asking anybody.
pub(in crate::app) fn way(
    cx: Context<'_>,
    seen: &VisibleProfile<'_>,
    least: Option<Duration>,
) -> Result<(ProviderId, TokenSource), Failure> {
    let (id, credential) = (seen.id, seen.credential);
    let provider = credential
        .provider()
        .ok_or_else(|| Failure::names_no_provider(id))?;
    let way = match credential {
        Credential::ApiKey(_) => TokenSource::AsItIs(None),
        Credential::Token(token) if !token.is_of_client() => {
            if let Some(end) = credential.expires() {
                check_static(cx, id, &provider, end, least)?;
            }
            TokenSource::AsItIs(None)
        }
        Credential::Token(_) | Credential::OAuth(_) => {
            let manifest = cx.provider_of(&provider, credential)?;
            match manifest.refresh.automatic {
                true => TokenSource::KeptAlive(Box::new(manifest)),
                false => TokenSource::AsItIs(unrenewed(cx, id, credential, &manifest, least)?),
            }
        }
    };
    if matches!(way, TokenSource::AsItIs(_)) {
        bearer(credential, id, &provider)?;
    }
    Ok((provider, way))
}

fn bearer<'a>(
    credential: &'a Credential,
    id: &ProfileId,
    provider: &ProviderId,
) -> Result<&'a Secret<String>, Failure> {
    credential.bearer().ok_or_else(|| {
        let hint = Command::store(provider, Some(id), credential.kind());
        Failure::about(id, Kind::NeedsLogin, "holds no secret").hint(hint)
    })
}

/// The configuration says that nothing is renewed by itself: a token that lives is handed out, with
/// a warning once it is due.
fn unrenewed(
    cx: Context<'_>,
    id: &ProfileId,
    credential: &Credential,
    manifest: &Provider,
    least: Option<Duration>,
) -> Result<Option<Hint>, Failure> {
    let Some(end) = credential.expires() else {
        return Ok(None);
    };
    let left = cx.clock.now().until(end);
    let by_itself = "and it is not renewed by itself (token_auto_refresh: false)";
    let command = Command::refresh(id);
    let wanted = i64::try_from(least.unwrap_or_default().as_millis()).unwrap_or(i64::MAX);
    if left <= wanted {
        let end = end.iso8601();
        let message = match left {
            ..=0 => format!("ended at {end}, {by_itself}"),
            _ => format!("ends at {end}, sooner than asked for, {by_itself}"),
        };
        return Err(Failure::about(id, Kind::NeedsLogin, message).hint(command));
    }
    let margin = i64::try_from(manifest.refresh.margin.as_millis()).unwrap_or(i64::MAX);
    let left_short = short_duration(left);
    let warning = || Hint::from(format!("ends in {left_short}, {by_itself}: ")).run(command);
    Ok((left <= margin).then(warning))
}

/// A token without a refresh token either lives long enough or does not; nothing renews it.
fn check_static(
    cx: Context<'_>,
    id: &ProfileId,
    provider: &ProviderId,
    end: Timestamp,
    least: Option<Duration>,
) -> Result<(), Failure> {
    let least = least.unwrap_or_default();
    let message = match freshness(Some(end), cx.clock.now(), least) {
        Freshness::Fresh { .. } | Freshness::NoExpiry => return Ok(()),
        // Due because its end cannot be, and nothing brings a better one.
        Freshness::Due { remaining } if i128::from(remaining) > least.as_millis().cast_signed() => {
            return Ok(());
        }
        Freshness::Due { .. } => format!("ends at {}, sooner than asked for", end.iso8601()),
        Freshness::Expired { .. } => format!("ended at {}", end.iso8601()),
    };
    let failure = Failure::about(id, Kind::NeedsLogin, message);
    Err(failure.hint(Command::paste_token(provider, Some(id))))
}

/// A key that lies in no document: of a variable, else of the configuration.
///
/// # Errors
/// If other software is signed in and there is no key in that.
pub(in crate::app) fn elsewhere(
    cx: Context<'_>,
    keys: &Keys<'_>,
    provider: &ProviderId,
) -> Result<Option<Outcome>, Failure> {
    let manifest = cx.catalogue.get(provider).ok();
    let found = manifest.as_ref().and_then(|manifest| keys.of(manifest));
    let (source, kind, bearer) = match found {
        None => match cx.settings.key_of(provider) {
            None => return Ok(None),
            Some((name, key)) => (key_member(name), CredentialKind::ApiKey, key.clone()),
        },
        Some(found) => match found.what {
            KeyMaterial::Key(key) => (found.source, CredentialKind::ApiKey, key),
            KeyMaterial::Token(token) => (found.source, CredentialKind::Token, token),
            KeyMaterial::Ambient => {
                let name = manifest.map_or_else(String::new, |manifest| manifest.name);
                return Err(signed_in_elsewhere(provider, &name, &found.source));
            }
        },
    };
    Ok(Some(Outcome {
        profile: None,
        source,
        provider: provider.clone(),
        kind,
        bearer,
        expires: None,
        how: RefreshResult::WasFresh,
        warning: None,
    }))
}

/// Where the key of a provider stands in the configuration.
pub(in crate::app) fn key_member(name: &str) -> String {
    format!("models.providers.{}.apiKey", printable(name, 80))
}

/// Other software is signed in, and it has no token to print.
pub(in crate::app) fn signed_in_elsewhere(
    provider: &ProviderId,
    name: &str,
    source: &str,
) -> Failure {
    let message = format!("{provider} is signed in through {source}, which holds no token");
    let hint = format!("let the software of {name} use it itself");
    Failure::new(Kind::NeedsLogin, message).hint(hint)
}

/// Says why no candidate could be used, so that the advice fits.
pub(in crate::app) fn nothing_usable(cx: Context<'_>, choice: &Resolved) -> Failure {
    let mut choice = choice.clone();
    // Only what concerns the provider was read so far, and an order may name others.
    if let Ok(all) = cx.effective(&choice.effective.agent, Scope::All) {
        choice.effective = all;
    }
    let decision = choice.decide(cx);
    let provider = &choice.provider;
    let manifest = cx.provider(provider);
    let kind = manifest
        .as_ref()
        .map_or(CredentialKind::OAuth, Provider::usual_kind);
    // One that has only ended or is empty is replaced under its own name.
    let profile = match decision.candidates.as_slice() {
        [only] if matches!(only.verdict, Verdict::Expired | Verdict::NoSecret) => Some(&only.id),
        _ => None,
    };
    // Where it is the configuration that passes a login over, another login is no remedy.
    let by_config = |candidate: &Candidate| {
        let verdict = &candidate.verdict;
        matches!(verdict, Verdict::NotNamed | Verdict::ConfigDisagrees)
    };
    let hint = match decision.candidates.iter().any(by_config) {
        true => Command::explain(provider),
        false => Command::store(provider, profile, kind),
    };
    if decision.candidates.is_empty() {
        if let Err(error @ CatalogueError::Unknown { .. }) = manifest {
            return Failure::from(error);
        }
        let message = format!("no credential for {provider} is stored");
        return Failure::new(Kind::NeedsLogin, message).hint(hint);
    }
    let now = cx.clock.now();
    let each = decision.candidates.iter().map(|candidate| {
        let why = Reason::of_verdict(&candidate.verdict, now);
        format!("{}: {}", candidate.id, why.words)
    });
    let why = each.collect::<Vec<_>>().join("; ");
    let message = format!("no profile of {provider} can be used ({why})");
    Failure::new(Kind::NeedsLogin, message).hint(hint)
}
