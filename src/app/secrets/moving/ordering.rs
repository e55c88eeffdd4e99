//! In which order the profiles of a bundle are used once they are here.

use std::collections::{BTreeMap, HashSet};

use crate::app::context::Context;
use crate::app::deposit::{edit_to_select, edits_to_select, has_own_order};
use crate::app::failure::Failure;
use crate::app::usecase::order;
use crate::model::credential::Credential;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::profiles::AuthProfiles;

/// Takes over in which order the profiles are used, where none is set here: behind those that are here
/// already, which an order that does not list them would take out of use. Where one is set, it gets
/// those that are `added`, for the same reason, but none that was out of use where it comes from.
pub(super) fn take_orders(
    document: &mut AuthProfiles,
    from: &AuthProfiles,
    added: &HashSet<ProfileId>,
) {
    for (key, ids) in &from.order {
        let Some(provider) = ProviderId::parse(key).ok() else {
            continue;
        };
        if document.order_of(&provider).is_none() {
            let listed: HashSet<&str> = ids.iter().map(|id| id.trim()).collect();
            let is_own = |id: &ProfileId, credential: &Credential| {
                let is_of_it = credential.provider().as_ref() == Some(&provider);
                is_of_it && !listed.contains(id.as_str()) && !added.contains(id)
            };
            let own = (document.profiles()).filter(|(id, credential)| is_own(id, credential));
            let own = own.map(|(id, _)| id.to_string());
            let all: Vec<String> = own.chain(ids.iter().cloned()).collect();
            order::put(&mut document.order, &provider, Some(&all));
        }
    }
    let left_out = left_out(from);
    let used = added.iter().filter(|id| !left_out.contains(id));
    add_to_orders(document, &used.cloned().collect());
    for (key, id) in &from.last_good {
        if !document.last_good.iter().any(|(other, _)| other == key) {
            document.last_good.push((key.clone(), id.clone()));
        }
    }
}

/// The profiles that the orders beside them take out of use.
fn left_out(document: &AuthProfiles) -> HashSet<&ProfileId> {
    let mut left_out = HashSet::new();
    for (key, ids) in &document.order {
        let Ok(provider) = ProviderId::parse(key) else {
            continue;
        };
        let listed: HashSet<&str> = ids.iter().map(|id| id.trim()).collect();
        let all = document.profiles().filter(|(_, it)| it.is_for(&provider));
        let other = all.filter(|(id, _)| !listed.contains(id.as_str()));
        left_out.extend(other.map(|(id, _)| id));
    }
    left_out
}

/// Takes over what was learnt by using those that are `added`.
pub(super) fn take_usage(
    document: &mut AuthProfiles,
    from: &AuthProfiles,
    added: &HashSet<ProfileId>,
) {
    let known = (document.usage.iter()).map(|(name, _)| name.trim().to_owned());
    let known: HashSet<String> = known.collect();
    let is_new = |name: &str| {
        let id = ProfileId::parse(name);
        id.is_ok_and(|id| added.contains(&id) && !known.contains(id.as_str()))
    };
    let new = from.usage.iter().filter(|(name, _)| is_new(name));
    document.usage.extend(new.cloned());
}

/// Lists profiles in the orders of their providers, where there are any.
pub(super) fn add_to_orders(document: &mut AuthProfiles, added: &HashSet<ProfileId>) {
    if document.order.is_empty() {
        return;
    }
    let mut of_providers: BTreeMap<ProviderId, Vec<String>> = BTreeMap::new();
    for (id, credential) in document.profiles().filter(|(id, _)| added.contains(id)) {
        if let Some(provider) = credential.provider() {
            of_providers
                .entry(provider)
                .or_default()
                .push(id.to_string());
        }
    }
    for (provider, mut new) in of_providers {
        let Some(ids) = document.order_of(&provider) else {
            continue;
        };
        let listed: HashSet<&str> = ids.iter().map(|id| id.trim()).collect();
        new.retain(|id| !listed.contains(id.as_str()));
        if !new.is_empty() {
            let ids = [ids, &new].concat();
            order::put(&mut document.order, &provider, Some(&ids));
        }
    }
}

/// Makes the configuration name profiles where they could not be selected otherwise.
///
/// # Errors
/// If the configuration cannot be read or written.
pub(super) fn select(
    cx: Context<'_>,
    agent: &AgentId,
    new: &[(&ProfileId, &Credential)],
) -> Result<(), Failure> {
    let mut ordered = BTreeMap::new();
    let (mut edits, mut first) = (Vec::new(), None);
    for (id, new) in new {
        let Some(provider) = new.provider() else {
            continue;
        };
        let is_ordered = *(ordered.entry(provider.clone()))
            .or_insert_with(|| has_own_order(cx, agent, &provider));
        let of_it = (&provider, new.kind());
        edits.extend(edits_to_select(cx, id, of_it, new.email(), is_ordered));
        if !edits.is_empty() {
            first.get_or_insert((*id, provider));
        }
    }
    match first {
        Some((id, provider)) => edit_to_select(cx, (id, &provider), &edits),
        None => Ok(()),
    }
}
