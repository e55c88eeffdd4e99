//! `provider <id> token-status`: the state of the token that would be handed out, without touching
//! it.

use std::time::Duration;

use crate::app::context::Context;
use crate::app::credential::assessment::{Assessment, assess};
use crate::app::credential::env_keys::Keys;
use crate::app::credential::facts::{Facts, FactsReader, Renewal};
use crate::app::credential::outlook::{concerns_one, nothing_usable};
use crate::app::credential::outside_key::{self, Outside};
use crate::app::credential::resolve::choose;
use crate::app::credential::selector::{Resolved, Selector};
use crate::app::failure::Failure;
use crate::app::refresh::outcome::RefreshPolicy;
use crate::model::credential::Kind;
use crate::model::grant::Refusal;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::time::Timestamp;

/// Parameters of [`run`].
#[derive(Clone, Debug)]
pub struct Request {
    /// The agent.
    pub agent: AgentId,
    /// The provider.
    pub provider: ProviderId,
}

/// The state of a token. No part of it can hold a secret.
#[derive(Clone, Debug)]
pub struct Report {
    /// The profile whose token would be handed out, or the first that would be tried; `None` for a
    /// variable or the configuration.
    pub profile: Option<ProfileId>,
    /// The agent whose document holds it, or the variable or member of the configuration.
    pub source: String,
    /// The kind of credential.
    pub kind: Kind,
    /// Whether it is a token of the client credentials grant.
    pub of_client: bool,
    /// When it expires, if that is known.
    pub expires: Option<Timestamp>,
    /// What refreshes it.
    pub renewal: Renewal,
    /// The remaining lifetime at which it is refreshed; `None` if nothing refreshes it.
    pub margin: Option<Duration>,
    /// The refusal of its grant, if there is one.
    pub refusal: Option<Refusal>,
    /// The failure if nothing would be handed out now.
    pub failure: Option<Failure>,
}

/// Reports the state. No lock, no network, no write.
///
/// # Errors
/// [`Kind::NeedsLogin`](crate::app::failure::Kind::NeedsLogin) if there is no credential, and what
/// the store says.
pub fn run(cx: Context<'_>, request: &Request) -> Result<Report, Failure> {
    let selector = Selector::Provider(request.provider.clone());
    let resolved = choose(cx, &request.agent, &selector)?;
    let candidate = match decisive(cx, &resolved)? {
        Some((facts, assessment, true)) => return Ok(of_profile(&facts, &assessment, &resolved)),
        other => other.map(|(facts, assessment, _)| (facts, assessment)),
    };
    let outside = match resolved.locked() {
        Some(_) => Outside::Nothing,
        None => outside_key::find(cx, &Keys::look(cx)?, &request.provider),
    };
    match (outside, candidate) {
        (Outside::Key(key), _) => Ok(Report {
            profile: None,
            source: key.source,
            kind: key.kind,
            of_client: false,
            expires: None,
            renewal: Renewal::Never,
            margin: None,
            refusal: None,
            failure: None,
        }),
        (_, Some((facts, assessment))) => Ok(of_profile(&facts, &assessment, &resolved)),
        (Outside::Software(failure), None) => Err(failure),
        (Outside::Nothing, None) => Err(nothing_usable(cx, &resolved)),
    }
}

/// Returns the candidate that ends the search, by a token or by a failure, and that it does; else
/// the first of all.
fn decisive(
    cx: Context<'_>,
    resolved: &Resolved,
) -> Result<Option<(Facts, Assessment, bool)>, Failure> {
    let decision = resolved.decide(cx);
    let mut reader = FactsReader::new(cx);
    let mut first = None;
    for id in resolved.tried(&decision) {
        let Some(seen) = resolved.effective.get(id) else {
            continue;
        };
        let facts = reader.read(&seen)?;
        let assessment = assess(&facts, RefreshPolicy::MinValid(None), cx.clock.now());
        let goes_on = assessment.failure(id).as_ref().is_some_and(concerns_one);
        if !goes_on {
            return Ok(Some((facts, assessment, true)));
        }
        first.get_or_insert((facts, assessment, false));
    }
    Ok(first)
}

fn of_profile(facts: &Facts, assessment: &Assessment, resolved: &Resolved) -> Report {
    let failure = assessment.failure(&facts.profile);
    Report {
        profile: Some(facts.profile.clone()),
        source: facts.owner.to_string(),
        kind: facts.kind,
        of_client: facts.of_client,
        expires: facts.expires_at(),
        renewal: facts.renewal,
        margin: (facts.renewal != Renewal::Never).then_some(facts.margin),
        refusal: facts.refusal().map(|(refusal, _)| refusal.clone()),
        failure: failure.map(|failure| match resolved.locked() {
            Some(locked) => locked.explain(failure),
            None => failure,
        }),
    }
}
