//! Logins that this program stored and that another program took away since, by writing a document
//! that it had read before.

use std::collections::HashSet;

use crate::app::context::Context;
use crate::model::credential::{Credential, OAuth};
use crate::model::grant::GrantDigest;
use crate::model::hint::Command;
use crate::model::history::History;
use crate::model::id::{AgentId, ProviderId};
use crate::model::profile_index::ProfileIndex;
use crate::model::profiles::{Content, Effective};
use crate::ports::store::{Detail, Scope};

/// Reports whether the journal knows that a grant is spent. One that cannot be read knows nothing.
pub(in crate::app) fn is_spent(cx: Context<'_>, grant: &GrantDigest) -> bool {
    let record = cx.store.grant_record(grant).ok().flatten();
    record.is_some_and(|record| record.successor().is_some())
}

/// What is said of each profile of an agent's own document whose login was taken away, and the
/// command that brings it back. What cannot be read is reported elsewhere.
pub(in crate::app) fn found(cx: Context<'_>, agent: &AgentId) -> Vec<(String, Command)> {
    found_where(cx, agent, |_| true)
}

/// The first of a provider.
pub(in crate::app) fn first_of(
    cx: Context<'_>,
    agent: &AgentId,
    provider: &ProviderId,
) -> Option<(String, Command)> {
    let is_of = |saved: &Credential| saved.provider().as_ref() == Some(provider);
    found_where(cx, agent, is_of).into_iter().next()
}

fn found_where(
    cx: Context<'_>,
    agent: &AgentId,
    is_wanted: impl Fn(&Credential) -> bool,
) -> Vec<(String, Command)> {
    let kept = cx.store.history(agent, None).unwrap_or_default();
    // Without a history the document need not be read once more.
    if kept.histories.is_empty() {
        return Vec::new();
    }
    let Ok(document) = cx.store.look(agent, Scope::All, Detail::Masked) else {
        return Vec::new();
    };
    let saved = |history: &History| {
        history
            .saved
            .as_ref()
            .is_some_and(|it| is_wanted(&it.credential))
    };
    let all = kept.histories.iter().filter(|history| saved(history));
    // Nobody else writes to a database: what is no credential there is damaged.
    let invalid = document.entries().iter();
    let invalid = invalid.filter(|entry| matches!(entry.content, Content::Invalid { .. }));
    let damaged: HashSet<String> = (invalid.filter(|_| cx.is_in_database()))
        .map(|entry| entry.key.trim().to_owned())
        .collect();
    let effective = Effective::new(agent.clone(), document, None);
    let index = ProfileIndex::new(&effective);
    let present = |id| index.get(id).map(|seen| seen.credential);
    let is_damaged = |history: &History| damaged.contains(history.profile.as_str());
    all.filter_map(|history| {
        let seen = (present(&history.profile), is_damaged(history));
        one(cx, agent, history, seen)
    })
    .collect()
}

fn one(
    cx: Context<'_>,
    agent: &AgentId,
    history: &History,
    (present, is_damaged): (Option<&Credential>, bool),
) -> Option<(String, Command)> {
    let saved = history.taken_away(present, |grant| is_spent(cx, grant))?;
    // The next command that uses a spent copy puts its successor back by itself.
    let grant = present
        .and_then(Credential::as_oauth)
        .and_then(OAuth::grant);
    if grant.is_some_and(|grant| is_spent(cx, &grant)) {
        return None;
    }
    let (id, at) = (&history.profile, cx.clock.local().spoken(saved.at));
    let text = match present {
        None if is_damaged => format!("{id} was stored {at}, and is damaged in the database"),
        None => format!("{id} was stored {at} and removed by another program"),
        Some(_) => {
            format!("{id} was stored {at} and replaced by another program with an older version")
        }
    };
    let undo = Command::undo(id);
    Some(match agent.is_main() {
        true => (text, undo),
        false => (text, undo.of_agent(agent)),
    })
}
