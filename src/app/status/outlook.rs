//! Outlooks of every provider that matters.

use std::collections::BTreeSet;
use std::sync::Arc;

use foldhash::HashMap;

use super::health::Health;
use crate::app::context::Context;
use crate::app::credential::assessment::Assessment;
use crate::app::credential::env_keys::Keys;
use crate::app::credential::outlook::{Outlook, outlook};
use crate::app::credential::pins::load_bindings;
use crate::app::credential::resolve::choose_within;
use crate::app::failure::{Failure, Kind};
use crate::model::id::{ProfileId, ProviderId};
use crate::model::profile_index::ProfileIndex;
use crate::model::profiles::{Effective, VisibleProfile};

/// Makes the outlooks of the providers in `needed`, of those that the configuration names in
/// `auth.profiles` or gives a key, and of those in `index`. A profile without an assessment in
/// `health` is known to give a token.
pub(super) fn of_all(
    cx: Context<'_>,
    (effective, index): (&Arc<Effective>, &ProfileIndex<'_>),
    keys: &Keys<'_>,
    health: &Health,
    needed: &[String],
) -> Vec<Outlook> {
    let configured = cx.settings.profiles.iter().map(|profile| &profile.provider);
    let keyed = cx.settings.providers.iter();
    let keyed = keyed.filter(|provider| provider.api_key.is_some());
    let names = needed.iter().chain(configured);
    let names = names.chain(keyed.map(|provider| &provider.name));
    let mut ids: BTreeSet<ProviderId> = names
        .filter_map(|name| ProviderId::parse(name).ok())
        .collect();
    ids.extend(index.providers().cloned());
    let judged = (health.profiles.iter()).map(|it| (&it.facts.profile, &it.assessment));
    let judged: HashMap<&ProfileId, &Assessment> = judged.collect();
    let mut failure_of = |seen: &VisibleProfile<'_>| judged.get(seen.id)?.failure(seen.id);
    let directories = load_bindings(cx);
    let within = (effective, &directories);
    let all = ids
        .into_iter()
        .map(|id| match choose_within(cx, within, id.clone()) {
            Err(failure) => Outlook::failed(id, failure),
            Ok(resolved) => outlook(cx, &resolved, (keys, index), &mut failure_of),
        });
    all.collect()
}

/// Says of a provider that nothing is stored for it that a document cannot be read: another login
/// would take the place of what may still be repaired.
pub(super) fn blame(outlooks: &mut [Outlook], damaged: &str) {
    let empty = outlooks
        .iter_mut()
        .filter(|outlook| !outlook.has_candidates);
    for outlook in empty.filter(|outlook| outlook.used.is_none()) {
        outlook.failure = Some(Failure::new(Kind::Storage, damaged));
        outlook.is_unreadable = true;
    }
}
