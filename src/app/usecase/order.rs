//! `models auth order`: the order in which an agent tries the profiles of a provider.
//!
//! The override is the agent's own and is written into its document alone. It may name inherited
//! profiles; their credentials stay where they are.

use std::path::PathBuf;

use crate::model::hint::Command;
use crate::model::id::{AgentId, ProfileId, ProviderId, printable};
use crate::model::profile_index::ProfileIndex;
use crate::model::profiles::Effective;
use crate::model::selection::{self, Verdict};
use crate::ports::store::{Location, Scope};

use crate::app::context::{Context, look_up};
use crate::app::credential::reason_text::Reason;
use crate::app::failure::{Failure, Kind};

/// The order override.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The agent.
    pub agent: AgentId,
    /// The agent's directory.
    pub agent_dir: PathBuf,
    /// The provider.
    pub provider: ProviderId,
    /// Where the agent's orders lie: for files a path.
    pub at: Location,
    /// Whether the credentials are in another file.
    pub is_split: bool,
    /// The override as written; `None` if there is none.
    pub order: Option<Vec<String>>,
    /// The agent whose override it is: main's counts if the agent has none.
    pub owner: Option<AgentId>,
    /// Whether this command changed it.
    pub changed: bool,
}

/// Returns the override.
///
/// # Errors
/// [`Kind::NotFound`] for an agent that is not configured, and what the store says.
pub fn get(cx: Context<'_>, agent: &AgentId, provider: &ProviderId) -> Result<Outcome, Failure> {
    cx.require_agent(agent)?;
    let effective = cx.effective(agent, Scope::Provider(provider))?;
    outcome(cx, agent, provider, &effective)
}

/// Sets the override to these profiles, without duplicates; the agent must see all of them.
///
/// # Errors
/// [`Kind::NotFound`] for a profile or an agent that does not exist, [`Kind::Usage`] for a profile
/// of another provider, and what the store says.
pub fn set(
    cx: Context<'_>,
    agent: &AgentId,
    provider: &ProviderId,
    profiles: &[ProfileId],
) -> Result<Outcome, Failure> {
    cx.require_agent(agent)?;
    let mut effective = cx.effective(agent, Scope::All)?;
    let mut ids: Vec<String> = Vec::new();
    for id in profiles {
        check_profile(&effective, id, provider)?;
        if !ids.iter().any(|other| other == id.as_str()) {
            ids.push(id.as_str().to_owned());
        }
    }
    put(&mut effective.own.order, provider, Some(&ids));
    // Before the write: nothing may fail after it that says nothing was changed.
    let mut outcome = outcome(cx, agent, provider, &effective)?;
    outcome.changed = write(cx, agent, provider, Some(&ids))?;
    tell_unusable(cx, &effective, provider);
    Ok(outcome)
}

/// Removes the agent's own override, however its provider is spelt. Writes nothing if there is
/// none.
///
/// # Errors
/// As for [`get`].
pub fn clear(cx: Context<'_>, agent: &AgentId, provider: &ProviderId) -> Result<Outcome, Failure> {
    cx.require_agent(agent)?;
    let mut effective = cx.effective(agent, Scope::Provider(provider))?;
    let is_set = put(&mut effective.own.order, provider, None);
    let mut outcome = outcome(cx, agent, provider, &effective)?;
    if is_set {
        outcome.changed = write(cx, agent, provider, None)?;
    }
    Ok(outcome)
}

/// Sets or removes an agent's own override; returns whether that changed anything.
pub(in crate::app) fn write(
    cx: Context<'_>,
    agent: &AgentId,
    provider: &ProviderId,
    ids: Option<&[String]>,
) -> Result<bool, Failure> {
    let mut changed = false;
    cx.change(agent, |document| {
        changed = put(&mut document.order, provider, ids);
        changed
    })?;
    Ok(changed)
}

/// Replaces every spelling of the provider by one entry, or by none; returns whether that changed
/// anything.
pub(in crate::app) fn put(
    order: &mut Vec<(String, Vec<String>)>,
    provider: &ProviderId,
    ids: Option<&[String]>,
) -> bool {
    let before = order.clone();
    let is_it = |entry: &(String, Vec<String>)| provider.is_named(&entry.0);
    let place = order.iter().position(is_it).unwrap_or(order.len());
    order.retain(|entry| !is_it(entry));
    if let Some(ids) = ids {
        order.insert(place, (provider.to_string(), ids.to_vec()));
    }
    *order != before
}

/// Fails if the agent does not see the profile, or it is for another provider.
pub(in crate::app) fn check_profile(
    effective: &Effective,
    id: &ProfileId,
    provider: &ProviderId,
) -> Result<(), Failure> {
    let seen = look_up(effective, id)?;
    if seen.credential.is_for(provider) {
        return Ok(());
    }
    let other = printable(seen.credential.raw_provider(), 80);
    let message = format!("{id} is for {other}, not for {provider}");
    let hint = Command::list().option("--provider", provider);
    Err(Failure::new(Kind::Usage, message).hint(hint))
}

/// Warns of entries of an order that have no effect today.
pub(in crate::app) fn tell_unusable(cx: Context<'_>, effective: &Effective, provider: &ProviderId) {
    let local = cx.clock.local();
    let index = ProfileIndex::new(effective);
    let decision = selection::decide(&index, cx.settings, provider, (None, None), local.now);
    for candidate in &decision.candidates {
        let (id, verdict) = (&candidate.id, &candidate.verdict);
        let sentence = match verdict {
            Verdict::Eligible | Verdict::NotNamed => continue,
            Verdict::CoolingDown(until) => {
                format!(
                    "{id} is tried last until {}: it is cooling down",
                    local.clock(*until)
                )
            }
            other => {
                let why = Reason::of_verdict(other, local).words;
                format!("{id} is in the order but skipped: it {why}")
            }
        };
        cx.warn(sentence);
    }
}

fn outcome(
    cx: Context<'_>,
    agent: &AgentId,
    provider: &ProviderId,
    effective: &Effective,
) -> Result<Outcome, Failure> {
    let split = cx.store_files.split_state(agent)?;
    let owner = match effective.own.order_of(provider) {
        Some(_) => agent.clone(),
        None => AgentId::main(),
    };
    let order = effective.order_of(provider).map(<[String]>::to_vec);
    Ok(Outcome {
        agent: agent.clone(),
        agent_dir: cx.store_files.directory(agent),
        provider: provider.clone(),
        is_split: split.is_some(),
        at: split.map_or_else(
            || cx.store.location(agent),
            |path| Location::new(path.display().to_string()),
        ),
        owner: order.is_some().then_some(owner),
        order,
        changed: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_provider_is_replaced_by_one() {
        let entry = |key: &str, id: &str| (key.to_owned(), vec![id.to_owned()]);
        let zai = ProviderId::parse("zai").unwrap();
        let old = vec![entry("a", "a:1"), entry("Z.AI", "zai:1"), entry("b", "b:1")];
        let mut order = old.clone();
        order.push(entry("zai", "zai:2"));
        assert!(put(&mut order, &zai, Some(&["zai:3".to_owned()])));
        let expected = [entry("a", "a:1"), entry("zai", "zai:3"), entry("b", "b:1")];
        assert_eq!(order, expected);
        assert!(!put(&mut order, &zai, Some(&["zai:3".to_owned()])));
        assert!(put(&mut order, &zai, None));
        assert!(!put(&mut order, &zai, None));
    }
}
