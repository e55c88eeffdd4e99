//! `models status --prompt`: what a shell prompt shows, which is nothing while all is well.
//!
//! A prompt is drawn after every command: nothing here writes, waits, or starts the login shell,
//! and nothing here fails. What cannot be read is itself what is shown.

use std::collections::HashMap;
use std::sync::Arc;

use crate::app::context::Context;
use crate::app::credential::env_keys::{Keys, shell_enabled};
use crate::model::credential::OAuth;
use crate::model::id::ProviderId;
use crate::model::profile_index::ProfileIndex;
use crate::model::profiles::VisibleProfile;
use crate::model::time::Timestamp;

use crate::ports::store::Detail;

use super::{Request, health, outlook};
use crate::app::credential::document_faults::look_effective;
use crate::app::credential::facts_reader::FactsReader;
use crate::app::credential::forecast::{ForecastEntry, HORIZON_MS, forecast};
use crate::app::credential::model_ref::{self, Models};
use crate::app::credential::outlook::Outlook;
use crate::app::credential::state::{Actor, Trouble};

/// An item of the prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The provider; the profile if there are several.
    pub name: String,
    /// The mark.
    pub mark: PromptMark,
}

/// The mark of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptMark {
    /// It does not work.
    Broken,
    /// It may not work.
    Doubtful,
    /// Expires in so many milliseconds.
    Ends(i64),
}

/// Returns the items if nothing can be read.
pub fn unreadable() -> Vec<Item> {
    vec![Item {
        name: "openclaw".to_owned(),
        mark: PromptMark::Broken,
    }]
}

/// Returns the items, the worst first; empty while nobody has to act. Each of `providers` must have a
/// credential; none given means all that matter.
pub fn run(cx: Context<'_>, request: &Request, providers: &[ProviderId]) -> Vec<Item> {
    gather(cx, request, providers).unwrap_or_else(unreadable)
}

/// Gathers the items; `None` if a document cannot be read.
fn gather(cx: Context<'_>, request: &Request, providers: &[ProviderId]) -> Option<Vec<Item>> {
    cx.require_agent(&request.agent).ok()?;
    let (effective, wrong) = look_effective(cx, &request.agent, Detail::Masked).ok()?;
    if !wrong.is_empty() {
        return None;
    }
    let effective = Arc::new(effective);
    let keys = Keys::without_shell(cx);
    let index = ProfileIndex::new(&effective);
    let profiles = index.all();
    let now = cx.clock.now();
    let judged: Vec<VisibleProfile<'_>> = profiles
        .iter()
        .filter(|seen| !is_quiet(cx, seen, now))
        .cloned()
        .collect();
    let mut reader = FactsReader::new(cx);
    let health = health::judge(cx, &mut reader, &judged, &[], now).ok()?;
    let needed = needed(cx, request, providers);
    let outlooks = outlook::of_all(cx, (&effective, &index), &keys, &health, &needed);
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for seen in profiles {
        *counts.entry(seen.credential.raw_provider()).or_default() += 1;
    }
    let outlook_of = outlooks.iter().map(|outlook| (&outlook.provider, outlook));
    let outlook_of: HashMap<&ProviderId, &Outlook> = outlook_of.collect();
    let all = forecast(&health.profiles, &outlooks, now);
    let items = all.iter().filter_map(|entry| {
        let provider = ProviderId::parse(&entry.provider).ok()?;
        let is_meant = providers.is_empty() || providers.contains(&provider);
        let outlook = outlook_of.get(&provider).copied();
        let is_several = counts.get(entry.provider.as_str()).is_some_and(|n| *n > 1);
        let name = match &entry.profile {
            Some(profile) if is_several => profile.to_string(),
            _ => entry.provider.clone(),
        };
        let mark = mark(entry, outlook?)?;
        is_meant.then_some(Item { name, mark })
    });
    Some(items.collect())
}

/// Whether nothing can be said of a login, whatever its manifest says: its token is valid beyond the
/// forecast, and nothing is known of its grant. To read the manifest is a third of what a prompt
/// costs.
fn is_quiet(cx: Context<'_>, seen: &VisibleProfile<'_>, now: Timestamp) -> bool {
    let credential = seen.credential;
    let end = credential.expires();
    let is_unknown = |grant| matches!(cx.store.grant_record(&grant), Ok(None));
    end.is_some_and(|end| now.until(end) > HORIZON_MS)
        && credential.shown_secret().is_some()
        && (credential.as_oauth().and_then(OAuth::grant)).is_some_and(is_unknown)
}

/// Returns the mark of an entry, for somebody who only wants to know whether commands get a token.
fn mark(entry: &ForecastEntry, outlook: &Outlook) -> Option<PromptMark> {
    match entry.trouble {
        Some(Trouble::Broken) if outlook.needs_somebody() => Some(PromptMark::Broken),
        Some(Trouble::Broken) => Some(PromptMark::Doubtful),
        _ if entry.actor == Actor::Nobody => None,
        Some(Trouble::Doubtful) => Some(PromptMark::Doubtful),
        None => Some(PromptMark::Ends(entry.remaining.unwrap_or_default())),
    }
}

/// Lists the providers that must have a credential: those that were asked for, else those of the
/// models that the configuration names. Without a configured model there are none.
fn needed(cx: Context<'_>, request: &Request, providers: &[ProviderId]) -> Vec<String> {
    if !providers.is_empty() {
        return providers.iter().map(ToString::to_string).collect();
    }
    let choice = match request.agent_named {
        true => cx.settings.model_of(&request.agent),
        false => cx.settings.model.clone(),
    };
    // A variable of the login shell may speak for them, and that is not asked.
    if choice.primary.is_none() || shell_enabled(cx) {
        return Vec::new();
    }
    let used: Models = model_ref::resolve(cx, &request.agent, request.agent_named);
    used.providers_in_use()
}
