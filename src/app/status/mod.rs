//! `models status`: what is there, as facts. No lock, no network, no write; `probe` alone asks the
//! providers.
//!
//! What the reference release reports is reported the same way, for scripts that read it; what it
//! never knew stands beside it: which bytes are present, until when the token lives, when the grant
//! was last proven, and what the provider said when it last refused.

pub(in crate::app) mod health;
mod outlook;
pub mod probe;
pub mod prompt;
mod rows;

pub use health::{Health, ProfileHealth, ProviderHealth, Status, WARN_AFTER_MS};

use std::path::PathBuf;
use std::sync::Arc;

use crate::app::credential::forecast::ForecastEntry;
use crate::model::credential::Kind;
use crate::model::expiry::clock_fault;
use crate::model::hint::Hint;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::inheritance::Inheritance;
use crate::model::profiles::{AuthProfiles, Effective};
use crate::model::time::Timestamp;
use crate::ports::store::{Location, Scope, StoreError};

use super::agents::inherit;
use super::context::Context;
use super::credential::document_faults::faults;
use super::credential::env_keys::{Keys, shell_enabled};
use super::credential::forecast::forecast;
use super::credential::model_ref::{self, Models};
use super::credential::outlook::Outlook;
use super::failure::Failure;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// For which agent.
    pub agent: AgentId,
    /// Whether it was named, and not just the default.
    pub agent_named: bool,
}

/// The whole report. No type in it can hold a secret.
#[derive(Clone, Debug)]
pub struct Report {
    /// The configuration file.
    pub config_path: PathBuf,
    /// The agent.
    pub agent: AgentId,
    /// Whether it was named.
    pub agent_named: bool,
    /// Its directory.
    pub agent_dir: PathBuf,
    /// Its document.
    pub store_path: Location,
    /// How much of main's document it sees, and where that lies; nothing to say of main itself.
    pub inheritance: Option<(Inheritance, Location)>,
    /// When it was made.
    pub at: Timestamp,
    /// Default model, fallbacks, aliases.
    pub models: Models,
    /// Whether variables of a login shell are asked for.
    pub shell_env: bool,
    /// The variables that were taken from it, by name.
    pub from_shell: Vec<String>,
    /// Providers with anything to show.
    pub providers: Vec<ProviderRow>,
    /// Providers that the models need and nothing speaks for.
    pub missing: Vec<String>,
    /// Profiles that are passed over for a while, the soonest to recover first.
    pub unusable: Vec<UnusableRow>,
    /// Health of each profile and provider.
    pub health: Health,
    /// What `token --provider` would do for each provider that a model in use needs, that is
    /// configured, or that has a login.
    pub outlooks: Vec<Outlook>,
    /// What has stopped working and what will within a week, the worst first.
    pub forecast: Vec<ForecastEntry>,
    /// Whether there is a document that could not be read whole.
    pub unreadable: bool,
    /// What is wrong, each a sentence.
    pub faults: Vec<Hint>,
    /// What the providers say to the credentials, if they were asked.
    pub probes: Option<probe::Probes>,
}

/// What speaks for one provider.
#[derive(Clone, Debug)]
pub struct ProviderRow {
    /// Its name as written.
    pub provider: String,
    /// What would be used.
    pub effective: Source,
    /// How many profiles of each kind.
    pub counts: Counts,
    /// Each profile with its secret masked.
    pub labels: Vec<String>,
    /// The variable that carries a key.
    pub env: Option<Sourced>,
    /// The key in the configuration.
    pub config: Option<Sourced>,
}

/// Where a credential comes from.
#[derive(Clone, Debug)]
pub struct Source {
    /// `profiles`, `env` or `models.json`.
    pub kind: &'static str,
    /// The document's path, or the masked secret.
    pub detail: String,
}

/// A masked secret and its source.
#[derive(Clone, Debug)]
pub struct Sourced {
    /// Masked, or `OAuth (env)`.
    pub value: String,
    /// Its name, for people.
    pub source: String,
}

/// How many profiles of each kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// `oauth`.
    pub oauth: usize,
    /// `token`.
    pub token: usize,
    /// `api_key`.
    pub api_key: usize,
}

/// A profile that is passed over for a while.
#[derive(Clone, Debug)]
pub struct UnusableRow {
    /// The profile.
    pub id: ProfileId,
    /// Its provider as written.
    pub provider: String,
    /// `Some(reason)` if disabled, `None` if cooling down.
    pub disabled: Option<Option<String>>,
    /// Until then.
    pub until: Timestamp,
    /// Milliseconds until then.
    pub remaining: i64,
}

impl Report {
    /// The exit status of `--check`: 1 if a provider that is needed, configured or logged in to
    /// gives no token before somebody acts; 2 if a login expires within a day; else 0.
    pub fn check(&self) -> u8 {
        let is_expiring = |profile: &ProfileHealth| {
            profile.kind != Kind::ApiKey && profile.status == Status::Expiring
        };
        if self.outlooks.iter().any(Outlook::needs_somebody) {
            1
        } else if self.health.profiles.iter().any(is_expiring) {
            2
        } else {
            0
        }
    }
}

/// Gathers the report.
///
/// # Errors
/// If the agent is not configured, or a document is there and cannot be read. A document that is
/// no JSON is a fault in the report, not an error.
pub fn run(cx: Context<'_>, request: &Request) -> Result<Report, Failure> {
    if request.agent_named {
        cx.require_agent(&request.agent)?;
    }
    let (effective, mut wrong) = look(cx, &request.agent)?;
    let effective = Arc::new(effective);
    let unreadable = !wrong.is_empty() || !effective.own.faults.is_empty();
    wrong.extend(faults(&effective));
    let inheritance = inheritance(cx, &effective, &mut wrong)?;
    for (path, mode) in cx.store_files.wide_modes(&request.agent) {
        wrong.push(format!(
            "{} can be read by others (mode {mode:04o}); the next write repairs it",
            path.display()
        ));
    }
    let keys = Keys::look(cx)?;
    wrong.extend(keys.faults());
    let models = model_ref::resolve(cx.settings, &request.agent, request.agent_named);
    let profiles = effective.profiles();
    let look = rows::RowContext::new(cx, &keys, &profiles, &request.agent);
    let now = look.now;
    let names = look.providers(&models);
    let providers: Vec<ProviderRow> = names.iter().filter_map(|name| look.row(name)).collect();
    let speaks_for = |provider: &str| {
        let wanted = ProviderId::parse(provider).ok();
        providers
            .iter()
            .any(|row| row.provider == provider || ProviderId::parse(&row.provider).ok() == wanted)
    };
    let mut missing: Vec<String> = models.providers_in_use();
    missing.retain(|provider| !speaks_for(provider));
    let health = health::judge(cx, &profiles, &names, now)?;
    let needed = models.providers_in_use();
    let outlooks = outlook::of_all(cx, &effective, &keys, &health, &needed)?;
    let clock = clock_fault(now, health.newest());
    Ok(Report {
        config_path: cx.config.path().to_owned(),
        agent: request.agent.clone(),
        agent_named: request.agent_named,
        inheritance,
        unusable: look.unusable(),
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
        faults: wrong.into_iter().map(Hint::from).chain(clock).collect(),
        probes: None,
    })
}

/// How much of main's an agent sees; a link that leads nowhere is a fault.
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
        wrong.extend(lost.map(|id| format!("{id} is linked, and main holds no such profile")));
    }
    Ok(Some((inheritance, cx.store.location(&AgentId::main()))))
}

/// Whether anything speaks for each provider, as the report would say it, and what is wrong with
/// the documents.
pub(super) fn speaks_for(
    cx: Context<'_>,
    agent: &AgentId,
    providers: &[&ProviderId],
) -> Result<(Vec<bool>, Vec<String>), Failure> {
    let (effective, mut wrong) = look(cx, agent)?;
    wrong.extend(faults(&effective));
    let keys = Keys::look(cx)?;
    let profiles = effective.profiles();
    let look = rows::RowContext::new(cx, &keys, &profiles, agent);
    let providers = providers.iter();
    let spoken_for = providers.map(|provider| look.row(provider.as_str()).is_some());
    Ok((spoken_for.collect(), wrong))
}

/// Reads what the agent sees; a document that is no JSON counts as empty, and is a fault.
fn look(cx: Context<'_>, agent: &AgentId) -> Result<(Effective, Vec<String>), Failure> {
    let mut wrong = Vec::new();
    let mut load = |agent: &AgentId| match cx.store.load(agent, Scope::All) {
        Ok(document) => Ok(document),
        Err(error @ StoreError::Corrupt { .. }) => {
            wrong.push(format!("{error}; it is kept as it is"));
            Ok(AuthProfiles::default())
        }
        Err(error) => Err(Failure::from(error)),
    };
    let effective = cx.overlay(agent, &mut load)?;
    Ok((effective, wrong))
}
