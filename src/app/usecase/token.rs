//! `models auth token`: a valid access token, refreshed first if needed.
//!
//! The hot path. A fresh token costs one read of each document: no lock, no runtime, no thread.

use std::borrow::Cow;
use std::time::Duration;

use crate::app::context::Context;
use crate::app::credential::assessment::assess;
use crate::app::credential::candidates::{Found, find_token};
use crate::app::credential::document_faults::unread_end;
use crate::app::credential::facts_reader::{FactsReader, as_login};
use crate::app::credential::obstacle::Obstacle;
use crate::app::credential::outside_key::OutsideKey;
use crate::app::credential::resolve::choose;
use crate::app::credential::secret_ref;
use crate::app::credential::selector::{Resolved, Selector};
use crate::app::failure::{Failure, Kind, StoreEffect};
use crate::app::gateway::lease::Lease;
use crate::app::gateway::leased_token::{self, LeasedToken, Wanted};
use crate::app::refresh::ensure_fresh::ensure_fresh;
use crate::app::refresh::outcome::{RefreshPolicy, RefreshResult};
use crate::model::credential::{Credential, Kind as CredentialKind, OAuth};
use crate::model::expiry::clock_fault;
use crate::model::hint::Hint;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::profile_index::ProfileIndex;
use crate::model::profiles::VisibleProfile;
use crate::model::provider::Provider;
use crate::model::secret::Secret;
use crate::model::time::{Timestamp, short_duration};
use crate::ports::store::Scope;
use crate::providers::catalogue::CatalogueError;

/// Parameters of [`run`].
#[derive(Clone, Debug)]
pub struct Request {
    /// The agent.
    pub agent: AgentId,
    /// The credential.
    pub want: Selector,
    /// The lifetime that must be left; `None` for the provider's margin.
    pub min_valid: Option<Duration>,
}

/// What a request means, before a token of it is made valid.
pub(in crate::app) enum Choice<'a> {
    /// A credential of this machine.
    Stored(Resolved),
    /// One that the gateway chooses.
    Leased(&'a Lease, Wanted),
}

impl<'a> Choice<'a> {
    /// Understands a request.
    ///
    /// # Errors
    /// As [`choose`] and [`Wanted::by`].
    pub(in crate::app) fn make(cx: Context<'a>, request: &Request) -> Result<Self, Failure> {
        let (agent, want) = (&request.agent, &request.want);
        match cx.lease {
            None => choose(cx, agent, want).map(Self::Stored),
            Some(lease) => Ok(Self::Leased(lease, Wanted::by(cx, agent, want)?)),
        }
    }

    /// The provider, unless only the gateway knows it.
    pub(in crate::app) fn provider(&self) -> Option<&ProviderId> {
        match self {
            Self::Stored(resolved) => Some(&resolved.provider),
            Self::Leased(_, wanted) => wanted.provider.as_ref(),
        }
    }

    /// Makes its token valid, or has the gateway do so.
    ///
    /// # Errors
    /// As [`run`].
    pub(in crate::app) fn obtain(
        &self,
        cx: Context<'_>,
        least: Option<Duration>,
    ) -> Result<Outcome, Failure> {
        match self {
            Self::Stored(resolved) => obtain(cx, resolved, least),
            Self::Leased(lease, wanted) => {
                leased_token::ask(cx, lease, wanted, least).map(Outcome::from)
            }
        }
    }
}

/// A valid token.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its profile; `None` if no document holds it.
    pub profile: Option<ProfileId>,
    /// The agent whose document holds the profile, or the variable or the member of the
    /// configuration, or the URL of the gateway.
    pub source: String,
    /// Its provider.
    pub provider: ProviderId,
    /// The account, if a gateway tells it.
    pub account: Option<String>,
    /// The kind of credential.
    pub kind: CredentialKind,
    /// The token.
    pub bearer: Secret<String>,
    /// When it expires, if that is known.
    pub expires: Option<Timestamp>,
    /// How it was obtained.
    pub how: RefreshResult,
    /// A warning for the user.
    pub warning: Option<Hint>,
    /// The failure to expect once it has expired, if somebody must act to prevent it.
    pub later_failure: Option<Failure>,
}

impl From<LeasedToken> for Outcome {
    fn from(leased: LeasedToken) -> Self {
        Self {
            profile: leased.profile,
            source: leased.gateway,
            provider: leased.provider,
            account: leased.account,
            kind: leased.kind,
            bearer: leased.bearer,
            expires: leased.expires,
            // Whether it was refreshed for this, the gateway does not say.
            how: RefreshResult::WasFresh,
            warning: leased.warning,
            later_failure: None,
        }
    }
}

impl Outcome {
    /// The failure of a token that ends before it was to be valid for `least`, if it does: a
    /// refresh brings no more, or somebody must act before there is one.
    pub fn falls_short(&self, least: Duration, now: Timestamp) -> Option<Failure> {
        let left = now.until(self.expires?);
        let least = i64::try_from(least.as_millis()).unwrap_or(i64::MAX);
        let message = format!(
            "the token is valid for {}, and --min-valid asks for {}",
            short_duration(left),
            short_duration(least)
        );
        (left < least).then(|| {
            let failure = match &self.later_failure {
                Some(later) => Failure {
                    hint: later.hint.clone(),
                    ..Failure::new(later.kind, format!("{message}; it cannot be refreshed"))
                },
                None => Failure::new(Kind::Temporary, message)
                    .hint("ask for less, or run the command again later"),
            };
            match self.how {
                RefreshResult::Refreshed => failure.touched(StoreEffect::Changed),
                _ => failure,
            }
        })
    }
}

/// Resolves the profile and makes its token valid.
///
/// # Errors
/// [`Kind::NotFound`] for a profile that does not exist,
/// [`Kind::NeedsLogin`] if nobody can give a living token
/// without a person, and what [`ensure_fresh`] says.
pub fn run(cx: Context<'_>, request: &Request) -> Result<Outcome, Failure> {
    Choice::make(cx, request)?.obtain(cx, request.min_valid)
}

/// The same for a caller who may have the tokens of one provider alone: what is selected must be of it,
/// which is looked at before anything is refreshed.
///
/// # Errors
/// As [`run`]; [`Kind::NotFound`] for a profile of another provider.
pub fn run_of(
    cx: Context<'_>,
    request: &Request,
    provider: &ProviderId,
) -> Result<Outcome, Failure> {
    let choice = choose(cx, &request.agent, &request.want)?;
    if choice.provider != *provider {
        let message = format!("{provider} has no such profile");
        return Err(Failure::new(Kind::NotFound, message));
    }
    obtain(cx, &choice, request.min_valid)
}

/// Makes the token of a resolved selector valid.
fn obtain(
    cx: Context<'_>,
    resolved: &Resolved,
    least: Option<Duration>,
) -> Result<Outcome, Failure> {
    for sentence in &resolved.passed_over {
        cx.warn(sentence.as_str());
    }
    let index = ProfileIndex::new(&resolved.effective);
    let decision = resolved.decide_unless_locked(cx, &index);
    let tried = resolved.tried(decision.as_ref());
    let found = find_token(cx, resolved, &tried, (None, &index), &mut |seen| {
        obtain_of_profile(cx, resolved, seen, least)
    })?;
    let mut outcome = match found {
        Found::Profile(outcome) => outcome,
        Found::Key(key) => outcome_of_key(cx, key, &resolved.provider)?,
        Found::Software(failure) => return Err(failure),
    };
    if let Some(fault) = clock_fault(cx.clock.local(), None) {
        outcome.warning.get_or_insert(fault);
    }
    Ok(outcome)
}

fn outcome_of_key(
    cx: Context<'_>,
    key: OutsideKey,
    provider: &ProviderId,
) -> Result<Outcome, Failure> {
    let bearer = match key.secret.as_reference() {
        None => key.secret,
        Some(reference) => secret_ref::resolve(cx, reference).map_err(|failure| Failure {
            message: format!("{} {}", key.source, failure.message),
            ..failure
        })?,
    };
    Ok(Outcome {
        profile: None,
        source: key.source,
        provider: provider.clone(),
        account: None,
        kind: key.kind,
        bearer,
        expires: None,
        how: RefreshResult::WasFresh,
        warning: None,
        later_failure: None,
    })
}

/// Makes the token of one profile valid, which is loaded if its secret was only looked at.
fn obtain_of_profile(
    cx: Context<'_>,
    resolved: &Resolved,
    seen: &VisibleProfile<'_>,
    least: Option<Duration>,
) -> Result<Outcome, Failure> {
    if seen.credential.is_held() {
        return obtain_of_stored(cx, seen, least);
    }
    let effective = cx.effective(&resolved.effective.agent, Scope::Profile(seen.id))?;
    let loaded = effective.get(seen.id);
    // Another program may have stored something else under its name.
    let loaded = loaded.filter(|loaded| loaded.credential.is_for(&resolved.provider));
    let loaded = loaded.ok_or_else(|| Failure::not_seen(&effective, seen.id))?;
    obtain_of_stored(cx, &loaded, least)
}

/// Makes the token of one stored credential valid.
fn obtain_of_stored(
    cx: Context<'_>,
    seen: &VisibleProfile<'_>,
    least: Option<Duration>,
) -> Result<Outcome, Failure> {
    let (id, credential) = (seen.id, seen.credential);
    let policy = RefreshPolicy::MinValid(least);
    let (credential, how, warning, later_failure) = match find_refresher(cx, seen)? {
        Some((manifest, login)) => {
            let token = ensure_fresh(cx, seen.owner, id, &manifest, policy, &login)?;
            let credential = Credential::OAuth(token.credential);
            let later_failure = token.later_failure;
            (
                Cow::Owned(credential),
                token.how,
                token.warning,
                later_failure,
            )
        }
        None => {
            let now = cx.clock.now();
            let assessment = assess(&FactsReader::new(cx).read(seen)?, policy, now);
            let left = credential.expires().map(|end| now.until(end));
            let obstacle = assessment.obstacle.as_deref();
            if let Some(failure) = assessment.failure(id) {
                return Err(failure);
            }
            let warning = obstacle.map(|obstacle| obstacle.warning(left));
            let later_failure = obstacle.and_then(Obstacle::later_failure);
            let how = RefreshResult::WasFresh;
            (Cow::Borrowed(credential), how, warning, later_failure)
        }
    };
    let provider = seen.credential.provider();
    let bearer = match credential.reference() {
        Some(reference) => Some(
            secret_ref::resolve(cx, reference).map_err(|failure| Failure {
                subject: Some(id.clone()),
                ..failure
            })?,
        ),
        // As `SecretFault` has it: what stands around a secret is none of it.
        None => credential
            .bearer()
            .map(|bearer| Secret::from(bearer.expose().trim())),
    };
    let (Some(provider), Some(bearer)) = (provider, bearer) else {
        return Err(Failure::no_such_profile(id));
    };
    Ok(Outcome {
        profile: Some(id.clone()),
        source: seen.owner.to_string(),
        provider,
        account: None,
        kind: seen.credential.kind(),
        bearer,
        expires: credential.expires(),
        how,
        later_failure,
        warning: match warning {
            Some(warning) => Some(Hint::about(id, &warning)),
            None => credential
                .end()
                .and_then(|end| end.fault(id, cx.clock.local()))
                .or_else(|| credential.has_unread_end().then(|| unread_end(id)))
                .map(Hint::from),
        },
    })
}

/// Returns the manifest of a login that commands refresh automatically; `None` if its token is
/// handed out as it is.
///
/// # Errors
/// If a file that describes providers cannot be read: what it says counts.
fn find_refresher<'a>(
    cx: Context<'_>,
    seen: &VisibleProfile<'a>,
) -> Result<Option<(Provider, Cow<'a, OAuth>)>, CatalogueError> {
    let login = as_login(seen.credential);
    let (Some(provider), Some(login)) = (seen.credential.provider(), login) else {
        return Ok(None);
    };
    match cx.provider_of(&provider, seen.credential) {
        Ok(manifest) if manifest.refresh.automatic => Ok(Some((manifest, login))),
        Err(error) if error.is_unreadable() => Err(error),
        Ok(_) | Err(_) => Ok(None),
    }
}
