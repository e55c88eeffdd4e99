//! Rows of the report: one for each provider that has a credential.

use std::path::PathBuf;

use serde::Serialize;

use crate::app::context::Context;
use crate::app::credential::account::email_of;
use crate::app::credential::env_keys::{KeyMaterial, Keys};
use crate::model::collation;
use crate::model::credential::{Credential, Kind};
use crate::model::id::{AgentId, ProviderId, printable};
use crate::model::profile_index::ProfileIndex;
use crate::model::profiles::VisibleProfile;
use crate::model::secret::Secret;
use crate::model::time::{Timestamp, short_duration};

use crate::app::credential::model_ref::Models;

/// Providers that are reported even if only a variable names them.
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

/// The credentials of a provider.
#[derive(Clone, Debug, Serialize)]
pub struct ProviderRow {
    /// Its name as written.
    pub provider: String,
    /// The credential that would be used.
    pub effective: Source,
    /// The profiles.
    pub profiles: Profiles,
    /// The variable that carries a key.
    pub env: Option<Sourced>,
    /// The key in the configuration.
    #[serde(rename = "modelsJson")]
    pub config: Option<Sourced>,
}

/// The source of a credential.
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    /// `profiles`, `env` or `models.json`.
    pub kind: &'static str,
    /// The document's path, or the masked secret.
    pub detail: String,
}

/// A masked secret and its source.
#[derive(Clone, Debug, Serialize)]
pub struct Sourced {
    /// Masked, or `OAuth (env)`.
    pub value: String,
    /// The name of the source.
    pub source: String,
}

/// The profiles of a provider.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Profiles {
    /// The number of all.
    pub count: usize,
    /// `oauth`.
    pub oauth: usize,
    /// `token`.
    pub token: usize,
    /// `api_key`.
    pub api_key: usize,
    /// Each profile, with its secret masked.
    pub labels: Vec<String>,
}

/// What the rows are made of.
pub(super) struct RowContext<'a> {
    pub(super) cx: Context<'a>,
    pub(super) keys: &'a Keys<'a>,
    pub(super) index: &'a ProfileIndex<'a>,
    pub(super) agent_dir: PathBuf,
    pub(super) now: Timestamp,
}

impl<'a> RowContext<'a> {
    /// Creates the context for `agent` at the current time.
    pub(super) fn new(
        cx: Context<'a>,
        keys: &'a Keys<'a>,
        index: &'a ProfileIndex<'a>,
        agent: &AgentId,
    ) -> Self {
        Self {
            cx,
            keys,
            index,
            agent_dir: cx.store_files.directory(agent),
            now: cx.clock.now(),
        }
    }

    /// Lists every provider that anything mentions, sorted as people sort.
    pub(super) fn providers(&self, models: &Models) -> Vec<String> {
        // Those of one provider mostly stand together.
        let raw = |seen: &VisibleProfile<'a>| seen.credential.raw_provider();
        let stored = self.index.all().chunk_by(|one, next| raw(one) == raw(next));
        let stored = stored.map(|same| same[0].credential.raw_provider().trim().to_owned());
        let configured = self.cx.settings.providers.iter();
        let configured = configured.map(|provider| provider.name.trim().to_owned());
        let from_env = ENV_ONLY.iter().map(|name| (*name).to_owned());
        let from_env = from_env.filter(|name| self.variable(name).is_some());
        let mut names: Vec<String> = stored
            .chain(configured)
            .chain(models.providers_mentioned())
            .chain(from_env)
            .filter(|name| !name.is_empty())
            .collect();
        names.sort();
        names.dedup();
        names.sort_by(|a, b| collation::compare(a, b));
        names
    }

    /// Makes the row of a provider; `None` if it has no credential.
    pub(super) fn row(&self, provider: &str) -> Option<ProviderRow> {
        let wanted = ProviderId::parse(provider).ok();
        let mut profiles = Profiles::default();
        let unnamed = |seen: &&VisibleProfile<'_>| seen.credential.provider().is_none();
        let mine: Vec<&VisibleProfile<'_>> = match &wanted {
            Some(wanted) => self.index.of(wanted).collect(),
            None => self.index.all().iter().filter(unnamed).collect(),
        };
        for seen in mine {
            match seen.credential.kind() {
                Kind::OAuth => profiles.oauth += 1,
                Kind::Token => profiles.token += 1,
                Kind::ApiKey => profiles.api_key += 1,
            }
            profiles.count += 1;
            profiles.labels.push(self.label(seen));
        }
        let env = self.variable(provider);
        let config = self.configured_key(provider);
        let source = |kind, detail: &str| Source {
            kind,
            detail: detail.to_owned(),
        };
        let used = match (profiles.count == 0, &env, &config) {
            (false, _, _) => {
                let main = self.cx.store.location(&AgentId::main());
                source("profiles", main.as_str())
            }
            (true, Some(env), _) => source("env", &env.value),
            (true, None, Some(config)) => source("models.json", &config.value),
            (true, None, None) => return None,
        };
        Some(ProviderRow {
            provider: provider.to_owned(),
            effective: used,
            profiles,
            env,
            config,
        })
    }

    fn variable(&self, provider: &str) -> Option<Sourced> {
        let id = ProviderId::parse(provider).ok()?;
        let found = self.keys.of(&self.cx.catalogue.get(&id).ok()?)?;
        Some(Sourced {
            value: match found.what {
                KeyMaterial::Token(_) => "OAuth (env)".to_owned(),
                KeyMaterial::Key(key) => key.masked(),
                KeyMaterial::Ambient => "<authenticated>".to_owned(),
            },
            source: found.source,
        })
    }

    fn configured_key(&self, provider: &str) -> Option<Sourced> {
        let mut all = self.cx.settings.providers.iter();
        let found = all.find(|other| other.name.trim() == provider)?;
        let file = self.agent_dir.join("models.json");
        Some(Sourced {
            value: found.api_key.as_ref()?.masked(),
            source: format!("models.json: {}", file.display()),
        })
    }

    /// Returns a profile with its masked secret, as the reference release writes it.
    fn label(&self, seen: &VisibleProfile<'_>) -> String {
        let (id, credential) = (seen.id, seen.credential);
        let masked = || {
            let secret = credential
                .shown_secret()
                .filter(|_| credential.reference().is_none());
            secret
                .map(Secret::masked)
                .or_else(|| reference(credential))
                .unwrap_or_else(|| "missing".to_owned())
        };
        let what = match credential.kind() {
            Kind::ApiKey => masked(),
            Kind::Token => ["token:", &masked()].concat(),
            Kind::OAuth => email_of(self.cx, id, credential)
                .map_or_else(|| "OAuth".to_owned(), |email| format!("OAuth ({email})")),
        };
        let unusable = seen.unusable(self.now, None);
        let passed_over = unusable.map_or_else(String::new, |unusable| {
            let left = short_duration(self.now.until(unusable.until));
            match unusable.disabled {
                Some(reason) => {
                    let reason = reason.map_or_else(String::new, |reason| format!(":{reason}"));
                    format!(" [disabled{reason} {left}]")
                }
                None => format!(" [cooldown {left}]"),
            }
        });
        [&id.shown(), "=", &what, &passed_over].concat()
    }
}

/// Returns the reference to where the secret lies, as the reference release writes it.
fn reference(credential: &Credential) -> Option<String> {
    let extra = credential.extra();
    let text = extra.get("keyRef").or_else(|| extra.get("tokenRef"))?;
    let members: serde_json::Value = serde_json::from_str(text).ok()?;
    let member = |name: &str| Some(printable(members.get(name)?.as_str()?, 120));
    Some(format!("ref({}:{})", member("source")?, member("id")?))
}
