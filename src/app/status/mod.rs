//! `models status`: what is there, as facts. No lock, no network, no write.
//!
//! What the reference release reports is reported the same way, for scripts that read it; what it
//! never knew stands beside it: which bytes are present, until when the token lives, when the grant
//! was last proven, and what the provider said when it last refused.

mod health;
mod models;

pub use health::{Facts, Health, ProfileHealth, ProviderHealth, Status, WARN_AFTER_MS};
pub use models::Models;

use std::path::PathBuf;

use crate::model::credential::{Credential, Kind};
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::profiles::{AuthProfiles, Effective, Seen};
use crate::model::secret::Secret;
use crate::model::time::{Timestamp, short_duration};
use crate::ports::store::{Scope, StoreError};

use super::Ports;
use super::failure::{Failure, Kind as FailureKind};
use super::list::faults;

/// Providers that are reported when only an environment variable speaks for them.
const ENV_ONLY: [&str; 12] = [
    "anthropic",
    "github-copilot",
    "google-vertex",
    "openai",
    "google",
    "groq",
    "cerebras",
    "xai",
    "openrouter",
    "zai",
    "mistral",
    "synthetic",
];

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
    pub store_path: PathBuf,
    /// Default model, fallbacks, aliases.
    pub models: Models,
    /// Whether the configuration asks for variables of a login shell.
    pub shell_env: bool,
    /// Providers with anything to show.
    pub providers: Vec<ProviderRow>,
    /// Providers that the models need and nothing speaks for.
    pub missing: Vec<String>,
    /// Profiles that are passed over for a while, the soonest to recover first.
    pub unusable: Vec<UnusableRow>,
    /// Health of each profile and provider.
    pub health: Health,
    /// What is wrong, each a sentence.
    pub faults: Vec<String>,
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
    /// The exit status of `--check`: 1 if a login is expired or missing, or a provider in use has
    /// none; 2 if one ends within a day; else 0.
    pub fn check(&self) -> u8 {
        let logins = || {
            self.health
                .profiles
                .iter()
                .filter(|p| p.kind != Kind::ApiKey)
        };
        if !self.missing.is_empty()
            || logins().any(|p| matches!(p.status, Status::Expired | Status::Missing))
        {
            1
        } else if logins().any(|p| p.status == Status::Expiring) {
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
pub fn run(ports: Ports<'_>, request: &Request) -> Result<Report, Failure> {
    if request.agent_named && !ports.settings.knows_agent(&request.agent) {
        let message = format!("Unknown agent id \"{}\"", request.agent);
        return Err(Failure::new(FailureKind::NotFound, message).hint("openclaw agents list"));
    }
    let (effective, mut wrong) = look(ports, &request.agent)?;
    wrong.extend(faults(&effective));
    for (path, mode) in ports.store.wide_modes(&request.agent) {
        wrong.push(format!(
            "{} can be read by others (mode {mode:04o}); the next write repairs it",
            path.display()
        ));
    }
    let now = ports.clock.now();
    let models = models::resolve(ports.settings, &request.agent, request.agent_named);
    let store_path = ports.store.path(&request.agent);
    let agent_dir = store_path.parent().map(PathBuf::from).unwrap_or_default();
    let names = provider_names(ports, &effective, &models);
    let main_path = ports.store.path(&AgentId::main());
    let providers: Vec<ProviderRow> = names
        .iter()
        .filter_map(|name| row(ports, &effective, name, &main_path, &agent_dir, now))
        .collect();
    let speaks_for = |provider: &str| {
        let wanted = ProviderId::parse(provider).ok();
        providers
            .iter()
            .any(|row| row.provider == provider || ProviderId::parse(&row.provider).ok() == wanted)
    };
    let mut missing: Vec<String> = models.providers_in_use();
    missing.retain(|provider| !speaks_for(provider));
    Ok(Report {
        config_path: ports.config.path().to_owned(),
        agent: request.agent.clone(),
        agent_named: request.agent_named,
        agent_dir,
        store_path,
        shell_env: ports.settings.shell_env,
        unusable: unusable(&effective, now),
        health: health::judge(ports, &effective, &names, now)?,
        models,
        providers,
        missing,
        faults: wrong,
    })
}

/// Reads what the agent sees; a document that is no JSON counts as empty, and is a fault.
fn look(ports: Ports<'_>, agent: &AgentId) -> Result<(Effective, Vec<String>), Failure> {
    let mut wrong = Vec::new();
    let mut load = |agent: &AgentId| match ports.store.load(agent, Scope::All) {
        Ok(document) => Ok(document),
        Err(error @ StoreError::Unreadable { .. }) => {
            wrong.push(format!("{error}; it is kept as it is"));
            Ok(AuthProfiles::default())
        }
        Err(error) => Err(Failure::from(error)),
    };
    let own = load(agent)?;
    let main = match agent.is_main() {
        true => None,
        false => Some(load(&AgentId::main())?),
    };
    Ok((Effective::new(agent.clone(), own, main), wrong))
}

/// Every provider that anything mentions, sorted as people sort.
fn provider_names(ports: Ports<'_>, effective: &Effective, models: &Models) -> Vec<String> {
    let stored = effective.profiles();
    let stored = stored
        .iter()
        .map(|seen| seen.credential.raw_provider().trim().to_owned());
    let configured = ports
        .settings
        .providers
        .iter()
        .map(|p| p.name.trim().to_owned());
    let from_env = ENV_ONLY.iter().map(|name| (*name).to_owned());
    let from_env = from_env.filter(|name| from_environment(ports, name).is_some());
    let mut names: Vec<String> = stored
        .chain(configured)
        .chain(models.providers_mentioned())
        .chain(from_env)
        .filter(|name| !name.is_empty())
        .collect();
    names.sort_by_key(|name| (name.to_lowercase(), name.clone()));
    names.dedup();
    names
}

fn from_environment(ports: Ports<'_>, provider: &str) -> Option<Sourced> {
    let id = ProviderId::parse(provider).ok()?;
    let manifest = ports.catalogue.get(&id).ok()?;
    let (name, secret) = manifest
        .env
        .iter()
        .find_map(|name| Some((name, ports.env.var(name)?)))?;
    let value = if name.contains("OAUTH_TOKEN") {
        "OAuth (env)".to_owned()
    } else {
        secret.masked()
    };
    Some(Sourced {
        value,
        source: format!("env: {name}"),
    })
}

/// What speaks for one provider; `None` if nothing does.
fn row(
    ports: Ports<'_>,
    effective: &Effective,
    provider: &str,
    main_path: &std::path::Path,
    agent_dir: &std::path::Path,
    now: Timestamp,
) -> Option<ProviderRow> {
    let wanted = ProviderId::parse(provider).ok();
    let stored = effective.profiles();
    let mut counts = Counts::default();
    let mut labels = Vec::new();
    for seen in stored
        .iter()
        .filter(|seen| seen.credential.provider() == wanted)
    {
        match seen.credential.kind() {
            Kind::OAuth => counts.oauth += 1,
            Kind::Token => counts.token += 1,
            Kind::ApiKey => counts.api_key += 1,
        }
        labels.push(label(ports, seen, now));
    }
    let env = from_environment(ports, provider);
    let key = ports
        .settings
        .providers
        .iter()
        .find(|p| p.name.trim() == provider);
    let config = key.and_then(|p| p.api_key.as_ref()).map(|key| Sourced {
        value: key.masked(),
        source: format!("models.json: {}", agent_dir.join("models.json").display()),
    });
    let source = |kind, detail: &str| Source {
        kind,
        detail: detail.to_owned(),
    };
    let used = match (labels.is_empty(), &env, &config) {
        (false, _, _) => source("profiles", &main_path.display().to_string()),
        (true, Some(env), _) => source("env", &env.value),
        (true, None, Some(config)) => source("models.json", &config.value),
        (true, None, None) => return None,
    };
    Some(ProviderRow {
        provider: provider.to_owned(),
        effective: used,
        counts,
        labels,
        env,
        config,
    })
}

/// A profile and its masked secret, as the reference release writes it.
fn label(ports: Ports<'_>, seen: &Seen<'_>, now: Timestamp) -> String {
    let (id, credential) = (seen.id, seen.credential);
    let masked = || {
        credential
            .bearer()
            .map_or_else(|| "missing".to_owned(), Secret::masked)
    };
    let what = match credential.kind() {
        Kind::ApiKey => masked(),
        Kind::Token => format!("token:{}", masked()),
        Kind::OAuth => email_of(ports, id, credential)
            .map_or_else(|| "OAuth".to_owned(), |email| format!("OAuth ({email})")),
    };
    let passed_over = seen
        .usage
        .and_then(|usage| usage.unusable(now))
        .map_or_else(String::new, |unusable| {
            let left = short_duration(now.until(unusable.until));
            match unusable.disabled {
                Some(reason) => {
                    let reason = reason.map_or_else(String::new, |reason| format!(":{reason}"));
                    format!(" [disabled{reason} {left}]")
                }
                None => format!(" [cooldown {left}]"),
            }
        });
    format!("{id}={what}{passed_over}")
}

/// The e-mail of a profile: the configuration's, else the document's.
fn email_of(ports: Ports<'_>, id: &ProfileId, credential: &Credential) -> Option<String> {
    let configured = ports.settings.profile(id).and_then(|p| p.email.clone());
    configured
        .or_else(|| credential.email().map(str::to_owned))
        .map(|email| crate::model::id::printable(&email, 120))
        .filter(|email| !email.is_empty())
}

fn unusable(effective: &Effective, now: Timestamp) -> Vec<UnusableRow> {
    let mut rows: Vec<UnusableRow> = effective
        .profiles()
        .iter()
        .filter_map(|seen| {
            let unusable = seen.usage?.unusable(now)?;
            Some(UnusableRow {
                id: seen.id.clone(),
                provider: seen.credential.raw_provider().to_owned(),
                disabled: unusable.disabled,
                until: unusable.until,
                remaining: now.until(unusable.until),
            })
        })
        .collect();
    rows.sort_by_key(|row| row.remaining);
    rows
}
