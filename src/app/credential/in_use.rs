//! The profile of each provider that is in use: the one that `token --provider` hands out.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::assessment::assess;
use super::env_keys::Keys;
use super::facts_reader::FactsReader;
use super::outlook::outlook;
use super::pins::load_bindings;
use super::resolve::choose_within;
use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::app::refresh::outcome::RefreshPolicy;
use crate::model::hint::{Command, Hint};
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::profile_index::ProfileIndex;
use crate::model::profiles::{Effective, VisibleProfile};
use crate::ports::store::Scope;

/// Finds those of one provider or of all, without a lock, a request or a write.
///
/// # Errors
/// If the journal cannot be read.
pub(in crate::app) fn profiles_in_use(
    cx: Context<'_>,
    effective: &Arc<Effective>,
    only: Option<&ProviderId>,
) -> Result<Vec<ProfileId>, Failure> {
    let now = cx.clock.now();
    let mut reader = FactsReader::new(cx);
    let index = ProfileIndex::new(effective);
    let mut fault = None;
    let mut failure_of = |seen: &VisibleProfile<'_>| match reader.read(seen) {
        Ok(facts) => assess(&facts, RefreshPolicy::MinValid(None), now).failure(seen.id),
        Err(error) => {
            fault.get_or_insert(error);
            None
        }
    };
    let mut providers: BTreeSet<&ProviderId> = index.providers().collect();
    if let Some(only) = only {
        providers.retain(|provider| *provider == only);
    }
    // A key outside the documents is no profile, so the login shell need not be started for one.
    let keys = Keys::without_shell(cx);
    let directories = load_bindings(cx);
    let used = providers.into_iter().filter_map(|provider| {
        let resolved = choose_within(cx, (effective, &directories), provider.clone()).ok()?;
        outlook(cx, &resolved, (&keys, &index), &mut failure_of)
            .profile()
            .cloned()
    });
    let used = used.collect();
    fault.map_or(Ok(used), |error| Err(error.into()))
}

/// Says after a login which profile of a provider that has several is in use, and how to switch.
/// Only said: the login is stored, whatever goes wrong here.
pub(in crate::app) fn tell_in_use(
    cx: Context<'_>,
    agent: &AgentId,
    provider: &ProviderId,
    new: &ProfileId,
) {
    // The login may have changed the configuration.
    let Ok(loaded) = cx.config.load() else { return };
    let settings = &loaded.settings;
    let cx = Context { settings, ..cx };
    let Ok(effective) = cx.effective(agent, Scope::All).map(Arc::new) else {
        return;
    };
    let profiles = effective.profiles();
    let mut others = profiles
        .iter()
        .filter(|seen| seen.id != new && seen.credential.is_for(provider));
    let Some(other) = others.next() else { return };
    let used = profiles_in_use(cx, &effective, Some(provider)).unwrap_or_default();
    let token = Command::new("models auth token").option("--provider", provider);
    let said = match used.first() {
        Some(used) if used == new => Hint::from("`")
            .run(token)
            .then(format!("` gives {new} now. To use {} instead: ", other.id))
            .run(Command::use_profile(other.id)),
        Some(used) => Hint::from("`")
            .run(token)
            .then(format!("` still gives {used}. To use {new} instead: "))
            .run(Command::use_profile(new)),
        None => return,
    };
    cx.info(said);
}
