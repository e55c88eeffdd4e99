//! `provider <id> token-status`: the state of the token that would be handed out, without touching
//! it.

use std::time::Duration;

use crate::app::context::Context;
use crate::app::credential::assessment::assess;
use crate::app::credential::candidates::{Found, concerns_one, find_token};
use crate::app::credential::facts::{Facts, Renewal};
use crate::app::credential::facts_reader::FactsReader;
use crate::app::credential::outside_key::OutsideKey;
use crate::app::credential::resolve::choose;
use crate::app::credential::selector::Selector;
use crate::app::failure::Failure;
use crate::app::refresh::outcome::RefreshPolicy;
use crate::model::credential::Kind;
use crate::model::grant::Refusal;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::profile_index::ProfileIndex;
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
    let index = ProfileIndex::new(&resolved.effective);
    let decision = resolved.decide_unless_locked(cx, &index);
    let tried = resolved.tried(decision.as_ref());
    let mut reader = FactsReader::new(cx);
    let (mut first, mut last) = (None, None);
    let found = find_token(cx, &resolved, &tried, (None, &index), &mut |seen| {
        last = None;
        let facts = reader.read(seen)?;
        let assessment = assess(&facts, RefreshPolicy::MinValid(None), cx.clock.now());
        let Some(failure) = assessment.failure(seen.id) else {
            return Ok(facts);
        };
        first.get_or_insert_with(|| facts.clone());
        last = Some(facts);
        Err(failure)
    });
    match found {
        Ok(Found::Profile(facts)) => Ok(report_profile(facts, None)),
        Ok(Found::Key(key)) => Ok(report_key(key)),
        Ok(Found::Software(failure)) => Err(failure),
        Err(failure) => {
            // The first is the one to mend, unless the search ended at another.
            let facts = match concerns_one(&failure) {
                true => first,
                false => last,
            };
            match facts {
                Some(facts) => Ok(report_profile(facts, Some(failure))),
                None => Err(failure),
            }
        }
    }
}

fn report_key(key: OutsideKey) -> Report {
    Report {
        profile: None,
        source: key.source,
        kind: key.kind,
        of_client: false,
        expires: None,
        renewal: Renewal::Never,
        margin: None,
        refusal: None,
        failure: None,
    }
}

fn report_profile(facts: Facts, failure: Option<Failure>) -> Report {
    Report {
        source: facts.owner.to_string(),
        kind: facts.kind,
        of_client: facts.of_client,
        expires: facts.expires_at(),
        renewal: facts.renewal,
        margin: (facts.renewal != Renewal::Never).then_some(facts.due_margin()),
        refusal: facts.refusal().map(|(refusal, _)| refusal.clone()),
        profile: Some(facts.profile),
        failure,
    }
}
