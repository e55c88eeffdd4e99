//! `provider <id> token-status`: the token that would be handed out, without touching it.

use std::time::Duration;

use crate::model::credential::Kind;
use crate::model::grant::{RefreshOutcome, Refusal};
use crate::model::hint::{Command, Hint};
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::profiles::VisibleProfile;
use crate::model::time::Timestamp;

use super::token;
use crate::app::context::Context;
use crate::app::credential::env_keys::Keys;
use crate::app::credential::facts::{Renewal, renewal};
use crate::app::credential::resolve::choose;
use crate::app::credential::selector::Selector;
use crate::app::failure::{Failure, Kind as FailureKind};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// For which agent.
    pub agent: AgentId,
    /// Of which provider.
    pub provider: ProviderId,
}

/// How it stands. No part of it can hold a secret.
#[derive(Clone, Debug)]
pub struct Report {
    /// The profile that selection takes; `None` if a variable or the configuration carries it.
    pub profile: Option<ProfileId>,
    /// The agent in whose document it lies, or the variable or member of the configuration.
    pub source: String,
    /// What it is.
    pub kind: Kind,
    /// Whether a client got it for itself.
    pub of_client: bool,
    /// When it ends, if that is known.
    pub expires: Option<Timestamp>,
    /// What renews it.
    pub renewal: Renewal,
    /// It is due with no more than this left; `None` if nothing renews it.
    pub margin: Option<Duration>,
    /// The last time it was to be renewed the provider refused, so.
    pub refusal: Option<Refusal>,
}

impl Report {
    /// Why nothing would be handed out now, if that is so.
    pub fn failure(&self, provider: &ProviderId, now: Timestamp) -> Option<Failure> {
        let profile = self.profile.as_ref()?;
        let end = self.expires.filter(|end| now >= *end)?;
        let message = format!("{profile} ended at {}", end.iso8601());
        let refresh = Command::refresh(profile);
        let (kind, hint): (_, Hint) = match (self.renewal, &self.refusal) {
            (Renewal::Never, _) => {
                let kind = match self.of_client {
                    true => Kind::OAuth,
                    false => self.kind,
                };
                let store = Command::store(provider, Some(profile), kind);
                (FailureKind::NeedsLogin, store.into())
            }
            (_, Some(_)) if self.of_client => {
                let hint = Hint::from(format!("correct the client of {provider}, then: "))
                    .run(refresh.arg("--force"));
                (FailureKind::Config, hint)
            }
            (_, Some(_)) => {
                let login = Command::login(provider, Some(profile));
                (FailureKind::NeedsLogin, login.into())
            }
            (Renewal::ByCommand, None) => (FailureKind::NeedsLogin, refresh.into()),
            (Renewal::Automatic, None) => return None,
        };
        Some(Failure::new(kind, message).hint(hint))
    }
}

/// Looks. No lock, no network, no write.
///
/// # Errors
/// [`FailureKind::NeedsLogin`] if there is no usable credential, and what the store says.
pub fn run(cx: Context<'_>, request: &Request) -> Result<Report, Failure> {
    let provider = &request.provider;
    let choice = choose(cx, &request.agent, &Selector::Provider(provider.clone()))?;
    let decision = choice.decide(cx);
    let first = || decision.order().next().map(|taken| &taken.id);
    let taken = choice.locked().map(|locked| &locked.profile).or_else(first);
    if let Some(seen) = taken.and_then(|id| choice.effective.get(id)) {
        return of_profile(cx, provider, &seen);
    }
    let keys = Keys::look(cx)?;
    match token::elsewhere(cx, &keys, provider)? {
        None => Err(token::nothing_usable(cx, &choice)),
        Some(found) => Ok(Report {
            profile: None,
            source: found.source,
            kind: found.kind,
            of_client: false,
            expires: found.expires,
            renewal: Renewal::Never,
            margin: None,
            refusal: None,
        }),
    }
}

fn of_profile(
    cx: Context<'_>,
    provider: &ProviderId,
    seen: &VisibleProfile<'_>,
) -> Result<Report, Failure> {
    let (renewal, grant) = renewal(cx, seen);
    let record = match grant {
        Some(grant) => cx.store.grant_record(&grant)?,
        None => None,
    };
    let outcome = record.and_then(|record| record.attempt?.outcome);
    let margin = match renewal {
        Renewal::Never => None,
        _ => Some(cx.provider_of(provider, seen.credential)?.refresh.margin),
    };
    Ok(Report {
        profile: Some(seen.id.clone()),
        source: seen.owner.to_string(),
        kind: seen.credential.kind(),
        of_client: seen.credential.is_of_client(),
        expires: seen.credential.expires(),
        renewal,
        margin,
        refusal: match outcome {
            Some(RefreshOutcome::Refused(refusal)) => Some(refusal),
            _ => None,
        },
    })
}
