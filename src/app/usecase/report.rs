//! `models auth report`: records the outcome of a request with a profile, so that the profile cools
//! down or is used again.
//!
//! What is told goes into the asking agent's own document, of an inherited profile, too: what one
//! agent may not do another still may. Only who was told of a success is ever marked good; the
//! reference release marked the last profile to fail.

use std::time::Duration;

use serde::Serialize;

use crate::model::cooldown::{self, ProfileFailure, Reason};
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::profiles::Effective;
use crate::model::time::Timestamp;
use crate::ports::store::Scope;

use super::cooldown::{Next, known, next_in_line};
use crate::app::context::{Context, look_up_provider};
use crate::app::credential::model_ref::own_name;
use crate::app::failure::Failure;

/// The outcome of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestOutcome {
    /// It succeeded.
    Worked,
    /// It failed.
    Failed {
        /// The reason.
        reason: Reason,
        /// The pause that the server asked for.
        retry_after: Option<Duration>,
    },
}

/// Parameters of [`run`].
#[derive(Clone, Debug)]
pub struct Request {
    /// The agent that reports.
    pub agent: AgentId,
    /// The profile that was used.
    pub profile: ProfileId,
    /// The model that was used: a reference, an alias, or its own name.
    pub model: Option<String>,
    /// The outcome of the request.
    pub ending: RequestOutcome,
}

/// The state of the profile afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// It is used.
    #[serde(rename = "ok")]
    Works,
    /// It cools down.
    Cooldown(Pause),
    /// It is disabled.
    Disabled(Pause),
    /// Profiles of its provider never cool down.
    Exempt,
}

/// The time in which a profile is passed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pause {
    /// The reason.
    pub reason: Reason,
    /// The only model that it is for.
    pub model: Option<String>,
    /// Its end.
    pub until: Timestamp,
    /// The number of failures that count.
    pub error_count: u64,
}

/// The outcome of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The agent whose document records it.
    #[serde(rename = "agentId")]
    pub agent: AgentId,
    /// The profile.
    #[serde(rename = "profileId")]
    pub profile: ProfileId,
    /// Its provider.
    pub provider: ProviderId,
    /// The state of the profile.
    #[serde(flatten)]
    pub state: State,
    /// The profile that is next for the same model.
    pub next: Option<Next>,
}

/// Records the outcome in the agent's document.
///
/// # Errors
/// [`Kind::NotFound`](crate::app::failure::Kind::NotFound) if the agent sees no such profile,
/// [`Kind::Config`](crate::app::failure::Kind::Config) if its entry cannot be
/// used, and what the store says.
pub fn run(cx: Context<'_>, request: &Request) -> Result<Outcome, Failure> {
    let id = &request.profile;
    let before = cx.effective(&request.agent, Scope::All)?;
    let provider = look_up_provider(&before, id)?;
    let model = model_of(cx, request, &provider);
    let now = cx.clock.now();
    let is_exempt = matches!(request.ending, RequestOutcome::Failed { .. })
        && cooldown::is_exempt(&provider, before.release());
    let after = match is_exempt {
        true => before,
        false => {
            let what = (id, &provider, model.as_deref(), now);
            written(cx, request, before, what)?
        }
    };
    Ok(Outcome {
        agent: request.agent.clone(),
        profile: id.clone(),
        state: match is_exempt {
            true => State::Exempt,
            false => state(&after, id, &request.ending),
        },
        next: next_in_line(&after, cx.settings, &provider, model.as_deref(), now),
        provider,
    })
}

/// Returns the model's own name. Models of a router have slashes of their own, so only its provider
/// is removed.
fn model_of(cx: Context<'_>, request: &Request, provider: &ProviderId) -> Option<String> {
    let model = request.model.as_deref()?.trim();
    let before = model.split_once('/').map(|(before, _)| before);
    let is_other = |before| ProviderId::parse(before).as_ref() != Ok(provider);
    let own = match before.is_some_and(is_other) {
        true => model.to_owned(),
        false => own_name(cx, &request.agent, model),
    };
    Some(own).filter(|own| !own.is_empty())
}

type What<'a> = (&'a ProfileId, &'a ProviderId, Option<&'a str>, Timestamp);

/// Writes into the agent's own document. An entry there hides main's, so it starts with what main
/// has recorded.
fn written(
    cx: Context<'_>,
    request: &Request,
    before: Effective,
    (id, provider, model, now): What<'_>,
) -> Result<Effective, Failure> {
    let rules = &cx.settings.cooldowns;
    let main = before.main;
    let mut is_there = false;
    let own = cx.store.update(&request.agent, &mut |doc| {
        is_there = [Some(&*doc), main.as_ref()]
            .into_iter()
            .flatten()
            .any(|document| document.get(id).is_some());
        if !is_there {
            return false;
        }
        let usage = known(doc, main.as_ref(), id).cloned().unwrap_or_default();
        let release = doc.release.over(main.as_ref().map(|main| main.release));
        let next = match request.ending {
            RequestOutcome::Worked => cooldown::record_success(&usage, now),
            RequestOutcome::Failed {
                reason,
                retry_after,
            } => {
                let failed = ProfileFailure {
                    provider,
                    reason,
                    model,
                    retry_after,
                    now,
                };
                cooldown::record_failure(&usage, &failed, rules, release)
            }
        };
        doc.set_usage(id, next);
        if request.ending == RequestOutcome::Worked {
            doc.set_last_good(provider, id);
        }
        true
    })?;
    if !is_there {
        return Err(Failure::no_such_profile(id));
    }
    cx.tell_faults(&own);
    Ok(Effective::new(request.agent.clone(), own, main))
}

fn state(after: &Effective, id: &ProfileId, ending: &RequestOutcome) -> State {
    let usage = after.usage_of(id);
    let (RequestOutcome::Failed { reason, .. }, Some(usage)) = (ending, usage) else {
        return State::Works;
    };
    let is_disabling = matches!(reason, Reason::Billing | Reason::AuthPermanent);
    let disabled = is_disabling && usage.disabled_until.is_some();
    let ends = [usage.cooldown_until, usage.disabled_until];
    let pause = |model| Pause {
        reason: *reason,
        model,
        until: ends.into_iter().flatten().max().unwrap_or(Timestamp(0)),
        error_count: usage.error_count,
    };
    match disabled {
        true => State::Disabled(pause(None)),
        false => State::Cooldown(pause(usage.cooldown_model.clone())),
    }
}
