//! `models auth cooldown`: the profiles that cool down or are disabled, why, until when and who is
//! next, and how to end that early.

use serde::{Serialize, Serializer};

use crate::model::collation;
use crate::model::cooldown;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::profile_index::ProfileIndex;
use crate::model::profiles::{AuthProfiles, Effective, VisibleProfile};
use crate::model::selection::{self, Verdict};
use crate::model::settings::Settings;
use crate::model::time::Timestamp;
use crate::model::usage::Usage;
use crate::ports::store::Scope;

use crate::app::context::Context;
use crate::app::failure::Failure;

/// The next profile of a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Next {
    /// The profile.
    #[serde(rename = "profileId")]
    pub profile: ProfileId,
    /// The end of its own cooldown, if all others cool down for longer.
    pub until: Option<Timestamp>,
}

/// Returns the profile that selection takes now for a provider, and for one of its models if that
/// is known.
pub(in crate::app) fn next_in_line(
    effective: &Effective,
    settings: &Settings,
    provider: &ProviderId,
    model: Option<&str>,
    now: Timestamp,
) -> Option<Next> {
    let index = ProfileIndex::new(effective);
    let decision = selection::decide(&index, settings, provider, (None, model), now);
    let first = decision.order().next()?;
    Some(Next {
        profile: first.id.clone(),
        until: match first.verdict {
            Verdict::CoolingDown(until) => Some(until),
            _ => None,
        },
    })
}

/// A profile that cools down or is disabled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The profile.
    #[serde(rename = "profileId")]
    pub profile: ProfileId,
    /// Its provider as written.
    pub provider: String,
    /// `disabled` or `cooldown`.
    pub kind: &'static str,
    /// The reason, as far as the document tells.
    pub reason: Option<String>,
    /// The only model that the cooldown is for.
    pub model: Option<String>,
    /// When it last failed.
    pub since: Option<Timestamp>,
    /// The end of the cooldown.
    pub until: Timestamp,
    /// The number of failures that count.
    #[serde(rename = "errorCount")]
    pub errors: u64,
    /// The number of failures by reason.
    #[serde(rename = "failureCounts", serialize_with = "members")]
    pub counts: Vec<(String, u64)>,
    /// The agent whose document records it.
    pub known_by: AgentId,
    /// The profile that is used instead.
    pub next: Option<Next>,
}

/// Lists the profiles that cool down or are disabled, by provider, the soonest to recover first.
///
/// # Errors
/// If a document cannot be read.
pub fn list(cx: Context<'_>, agent: &AgentId) -> Result<Vec<Row>, Failure> {
    cx.require_agent(agent)?;
    let effective = cx.effective(agent, Scope::All)?;
    let now = cx.clock.now();
    let profiles = effective.profiles();
    let rows = profiles
        .iter()
        .filter_map(|seen| row(cx, &effective, seen, now));
    let mut rows: Vec<Row> = rows.collect();
    rows.sort_by(|a, b| {
        (&a.provider, a.until)
            .cmp(&(&b.provider, b.until))
            .then_with(|| collation::compare(a.profile.as_str(), b.profile.as_str()))
    });
    Ok(rows)
}

/// Writes pairs as the members of an object.
fn members<S: Serializer>(pairs: &[(String, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, count)| (name, count)))
}

fn row(
    cx: Context<'_>,
    effective: &Effective,
    seen: &VisibleProfile<'_>,
    now: Timestamp,
) -> Option<Row> {
    let unusable = seen.unusable(now, None)?;
    let usage = seen.usage?;
    let provider = seen.credential.provider()?;
    // The early releases write down how often, and not which was the last.
    let counted = match usage.failure_counts.as_slice() {
        [(only, _)] => Some(only.clone()),
        _ => None,
    };
    let is_own = effective.own.usage_of(seen.id).is_some();
    Some(Row {
        profile: seen.id.clone(),
        provider: seen.credential.raw_provider().to_owned(),
        kind: unusable.kind(),
        model: match unusable.disabled {
            Some(_) => None,
            None => usage.cooldown_model.clone(),
        },
        reason: match unusable.disabled {
            Some(reason) => reason,
            None => usage.cooldown_reason.clone().or(counted),
        },
        since: usage.last_failure_at,
        until: unusable.until,
        errors: usage.error_count,
        counts: usage.failure_counts.clone(),
        known_by: match is_own {
            true => effective.agent.clone(),
            false => AgentId::main(),
        },
        next: next_in_line(effective, cx.settings, &provider, None, now),
    })
}

/// The profiles to clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// One profile.
    Profile(ProfileId),
    /// Those of one provider.
    Provider(ProviderId),
    /// Every one.
    All,
}

/// Removes the failures of profiles from the agent's own document, and returns which had any. What
/// only main records is overridden in the agent's document; main's stays as it is.
///
/// # Errors
/// [`Kind::NotFound`](crate::app::failure::Kind::NotFound) if there is no such profile, and what the
/// store says.
pub fn clear(cx: Context<'_>, agent: &AgentId, which: &Which) -> Result<Vec<ProfileId>, Failure> {
    let effective = cx.effective(agent, Scope::All)?;
    let is_known = |id| effective.get(id).is_some() || effective.usage_of(id).is_some();
    if let Which::Profile(id) = which
        && !is_known(id)
    {
        return Err(Failure::not_seen(&effective, id));
    }
    if marked(&effective.own, &effective, which).is_empty() {
        return Ok(Vec::new());
    }
    let mut cleared = Vec::new();
    cx.change(agent, |doc| {
        cleared = marked(doc, &effective, which);
        for id in &cleared {
            if let Some(usage) = known(doc, effective.main.as_ref(), id) {
                let next = cooldown::clear(usage);
                doc.set_usage(id, next);
            }
        }
        !cleared.is_empty()
    })?;
    Ok(cleared)
}

/// Returns what is recorded of a profile: the agent's own record, else main's.
pub(in crate::app) fn known<'a>(
    own: &'a AuthProfiles,
    main: Option<&'a AuthProfiles>,
    id: &ProfileId,
) -> Option<&'a Usage> {
    let inherited = || main.and_then(|main| main.usage_of(id));
    own.usage_of(id).or_else(inherited)
}

/// Lists the profiles of `which` that have failures recorded.
fn marked(own: &AuthProfiles, effective: &Effective, which: &Which) -> Vec<ProfileId> {
    let main = effective.main.as_ref();
    let is_meant = |id: &ProfileId| match which {
        Which::Profile(wanted) => id == wanted,
        Which::Provider(wanted) => effective
            .get(id)
            .is_some_and(|seen| seen.credential.is_for(wanted)),
        Which::All => true,
    };
    let is_marked = |id: &ProfileId| known(own, main, id).is_some_and(cooldown::is_marked);
    let usage = main.into_iter().chain([own]).flat_map(|doc| &doc.usage);
    let names = usage.filter_map(|(name, _)| ProfileId::parse(name).ok());
    let mut ids: Vec<ProfileId> = names.filter(|id| is_meant(id) && is_marked(id)).collect();
    ids.sort();
    ids.dedup();
    ids
}
