//! `models status`: the facts about models and credentials. No lock, no network, no write; only
//! `probe` asks the providers.
//!
//! What the reference release reports is reported the same way, for scripts that read it; what it
//! never knew stands beside it: which bytes are present, until when the token lives, when the grant
//! was last proven, and what the provider said when it last refused.

pub(in crate::app) mod health;
mod outlook;
pub mod probe;
pub mod prompt;
mod report;
mod rows;

pub use health::{Health, ProfileHealth, ProviderHealth, Status, WARN_AFTER_MS};
pub use report::Report;
pub use rows::{Profiles, ProviderRow, Source, Sourced};

use std::path::Path;
use std::sync::Arc;

use crate::model::expiry::clock_fault;
use crate::model::hint::Hint;
use crate::model::id::{AgentId, ProviderId};
use crate::model::inheritance::Inheritance;
use crate::model::profile_index::ProfileIndex;
use crate::model::profiles::Effective;
use crate::ports::store::{Detail, Location, StoreError};

use super::agents::inherit;
use super::context::Context;
use super::credential::document_faults::{all_unusable_secrets, faults, look_effective};
use super::credential::env_keys::{Keys, shell_enabled};
use super::credential::facts_reader::FactsReader;
use super::credential::forecast::forecast;
use super::credential::getting_started;
use super::credential::model_ref;
use super::credential::strays::{self, StrayFile};
use super::credential::taken_away;
use super::failure::Failure;
use super::login;

/// Whose models and credentials are reported.
#[derive(Clone, Debug)]
pub struct Request {
    /// The agent.
    pub agent: AgentId,
    /// True if the user named the agent, which must then be configured.
    pub agent_named: bool,
}

/// Gathers the report.
///
/// # Errors
/// If the agent is not configured, or a document is there and cannot be read. A document that is
/// no JSON is a fault in the report, not an error.
pub fn run(cx: Context<'_>, request: &Request) -> Result<Report, Failure> {
    gather(cx, request, Detail::Masked)
}

/// The same with the fingerprint of each secret; to make those of a large store takes a while.
///
/// # Errors
/// The same.
pub fn run_with_fingerprints(cx: Context<'_>, request: &Request) -> Result<Report, Failure> {
    gather(cx, request, Detail::Fingerprint)
}

fn gather(cx: Context<'_>, request: &Request, detail: Detail) -> Result<Report, Failure> {
    cx.require_agent(&request.agent)?;
    let (effective, mut wrong) = look_effective(cx, &request.agent, detail)?;
    let effective = Arc::new(effective);
    let damaged = wrong.first().cloned();
    let unreadable = damaged.is_some() || !effective.own.faults.is_empty();
    wrong.extend(faults(&effective, cx.clock.local()));
    wrong.extend(all_unusable_secrets(&effective));
    let inheritance = inheritance(cx, &effective, &mut wrong)?;
    for (path, mode) in cx.store_files.wide_modes(&request.agent) {
        wrong.push(format!(
            "{} is readable by other users (mode {mode:04o}); the next write fixes it",
            path.display()
        ));
    }
    let keys = Keys::look(cx)?;
    wrong.extend(keys.faults());
    let models = model_ref::resolve(cx, &request.agent, request.agent_named);
    let index = ProfileIndex::new(&effective);
    let look = rows::RowContext::new(cx, &keys, &index, &request.agent);
    let now = look.now;
    let names = look.providers(&models);
    let providers: Vec<ProviderRow> = names.iter().filter_map(|name| look.row(name)).collect();
    let speaks_for = |provider: &str| {
        let wanted = ProviderId::parse(provider).ok();
        providers
            .iter()
            .any(|row| row.provider == provider || ProviderId::parse(&row.provider).ok() == wanted)
    };
    let needed = models.providers_in_use();
    let mut missing = needed.clone();
    missing.retain(|provider| !speaks_for(provider));
    let mut reader = FactsReader::new(cx);
    let mut health = health::judge(cx, &mut reader, index.all(), &names, now)?;
    if detail == Detail::Fingerprint {
        health.add_fingerprints(index.all());
    }
    let stored = (&effective, &index);
    let mut outlooks = outlook::of_all(cx, stored, &keys, &health, &needed);
    getting_started::replace(cx, &effective, &models, &mut outlooks);
    if let Some(damaged) = &damaged {
        outlook::blame(&mut outlooks, damaged);
    }
    let mut taken = taken_away::found(cx, &request.agent);
    if effective.main.is_some() {
        taken.extend(taken_away::found(cx, &AgentId::main()));
    }
    let taken = taken
        .into_iter()
        .map(|(text, undo)| Hint::from(format!("{text}; to restore it: ")).run(undo));
    let strays = strays::found_for(cx, &effective);
    let clock = clock_fault(cx.clock.local(), health.newest());
    Ok(Report {
        config_path: cx.config.path().to_owned(),
        agent: request.agent.clone(),
        agent_named: request.agent_named,
        inheritance,
        agent_dir: look.agent_dir,
        store_path: cx.store.location(&request.agent),
        at: now,
        shell_env: shell_enabled(cx),
        from_shell: keys.taken_from_shell(),
        forecast: forecast(&health.profiles, &outlooks, now),
        outlooks,
        health,
        models,
        providers,
        missing,
        unreadable,
        faults: wrong
            .into_iter()
            .map(Hint::from)
            .chain(clock)
            .chain(taken)
            .chain(login::waiting(cx).iter().map(|path| waiting(path)))
            .chain(strays.iter().map(StrayFile::hint))
            .collect(),
        probes: None,
    })
}

/// Returns what is said of a login that is in no document yet.
fn waiting(path: &Path) -> Hint {
    if login::is_unconfirmed(path) {
        let text = format!(
            "{} contains a login that nobody confirmed; ",
            path.display()
        );
        return Hint::from(text).then(login::to_store(path));
    }
    let path = path.display();
    Hint::from(format!(
        "{path} contains a login that could not be stored; the next command that may write tries again"
    ))
}

/// Returns how much of main's an agent sees; a link to a missing profile is a fault.
fn inheritance(
    cx: Context<'_>,
    effective: &Effective,
    wrong: &mut Vec<String>,
) -> Result<Option<(Inheritance, Location)>, StoreError> {
    if effective.agent.is_main() {
        return Ok(None);
    }
    let inheritance = cx.store.inheritance(&effective.agent)?;
    if let Some(main) = &effective.main {
        let lost = inherit::dangling(&inheritance, main);
        wrong.extend(lost.map(|id| format!("{id} is linked, but main has no such profile")));
    }
    Ok(Some((inheritance, cx.store.location(&AgentId::main()))))
}

/// Whether each provider has a credential, as the report would say, and the faults of the
/// documents.
pub(super) fn speaks_for(
    cx: Context<'_>,
    agent: &AgentId,
    providers: &[&ProviderId],
) -> Result<(Vec<bool>, Vec<String>), Failure> {
    let (effective, mut wrong) = look_effective(cx, agent, Detail::Masked)?;
    wrong.extend(faults(&effective, cx.clock.local()));
    let keys = Keys::look(cx)?;
    let index = ProfileIndex::new(&effective);
    let look = rows::RowContext::new(cx, &keys, &index, agent);
    let providers = providers.iter();
    let spoken_for = providers.map(|provider| look.row(provider.as_str()).is_some());
    Ok((spoken_for.collect(), wrong))
}
