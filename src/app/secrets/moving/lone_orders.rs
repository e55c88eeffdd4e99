//! The orders of agents that hold no profile of their provider, and use those that they inherit.

use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::app::usecase::order;
use crate::model::id::ProviderId;
use crate::model::profiles::AuthProfiles;
use crate::ports::store::{Detail, Scope};

/// Copies them; returns how many there are. Those of other agents go along with their profiles, and none
/// comes where the agent has another order or a profile by now, which it might take out of use.
///
/// # Errors
/// If a document cannot be read or written.
pub(super) fn copy(from: Context<'_>, to: Context<'_>, dry_run: bool) -> Result<usize, Failure> {
    let mut count = 0;
    for agent in from.store.agents()? {
        let here = from.store.look(&agent, Scope::All, Detail::Masked)?;
        let lone = here.order.iter().filter_map(|(name, ids)| {
            let provider = ProviderId::parse(name).ok()?;
            (!has_profiles(&here, &provider)).then_some((provider, ids))
        });
        let lone: Vec<(ProviderId, &Vec<String>)> = lone.collect();
        if lone.is_empty() {
            continue;
        }
        let is_free = |document: &AuthProfiles, provider: &ProviderId| {
            document.order_of(provider).is_none() && !has_profiles(document, provider)
        };
        let there = to.store.look(&agent, Scope::All, Detail::Masked)?;
        let new = lone
            .iter()
            .filter(|(provider, _)| is_free(&there, provider));
        let new = new.count();
        count += new;
        if new == 0 || dry_run {
            continue;
        }
        to.change(&agent, |document| {
            let mut is_changed = false;
            for (provider, ids) in &lone {
                if is_free(document, provider) {
                    order::put(&mut document.order, provider, Some(ids));
                    is_changed = true;
                }
            }
            is_changed
        })?;
    }
    Ok(count)
}

fn has_profiles(document: &AuthProfiles, provider: &ProviderId) -> bool {
    document.profiles().any(|(_, it)| it.is_for(provider))
}
