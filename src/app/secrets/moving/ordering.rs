//! In which order the profiles of a bundle are used once they are here.

use crate::app::context::Context;
use crate::app::deposit::{has_own_order, make_selectable};
use crate::app::failure::Failure;
use crate::app::usecase::order;
use crate::model::credential::Credential;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::profiles::AuthProfiles;

/// Takes over in which order the profiles are used, where none is set here: behind those that are here
/// already, which an order that does not list them would take out of use. Where one is set, it gets
/// those that are `added`, for the same reason.
pub(super) fn take_orders(
    document: &mut AuthProfiles,
    from: &AuthProfiles,
    added: impl Iterator<Item = ProfileId>,
) {
    let added: Vec<ProfileId> = added.collect();
    for (key, ids) in &from.order {
        let Some(provider) = ProviderId::parse(key).ok() else {
            continue;
        };
        if document.order_of(&provider).is_none() {
            let is_own = |id: &ProfileId, credential: &Credential| {
                let is_listed = ids.iter().any(|other| other.trim() == id.as_str());
                let is_of_it = credential.provider().as_ref() == Some(&provider);
                is_of_it && !is_listed && !added.contains(id)
            };
            let own = (document.profiles()).filter(|(id, credential)| is_own(id, credential));
            let own = own.map(|(id, _)| id.to_string());
            let all: Vec<String> = own.chain(ids.iter().cloned()).collect();
            order::put(&mut document.order, &provider, Some(&all));
        }
    }
    for id in &added {
        add_to_order(document, id);
    }
    for (key, id) in &from.last_good {
        if !document.last_good.iter().any(|(other, _)| other == key) {
            document.last_good.push((key.clone(), id.clone()));
        }
    }
}

/// Lists a profile in the order of its provider, if there is one.
pub(super) fn add_to_order(document: &mut AuthProfiles, id: &ProfileId) {
    let provider = document.get(id).and_then(Credential::provider);
    let Some(provider) = provider else {
        return;
    };
    let id = id.as_str();
    if let Some(ids) = document.order_of(&provider)
        && !ids.iter().any(|other| other.trim() == id)
    {
        let ids = [ids, &[id.to_owned()]].concat();
        order::put(&mut document.order, &provider, Some(&ids));
    }
}

/// Makes the configuration name a profile where it could not be selected otherwise.
///
/// # Errors
/// If the configuration cannot be read or written.
pub(super) fn select(
    cx: Context<'_>,
    agent: &AgentId,
    (id, new): (&ProfileId, &Credential),
) -> Result<(), Failure> {
    let Some(provider) = new.provider() else {
        return Ok(());
    };
    let is_ordered = has_own_order(cx, agent, &provider);
    make_selectable(cx, id, (&provider, new.kind()), new.email(), is_ordered)
}
