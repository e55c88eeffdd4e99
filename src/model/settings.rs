//! What `openclaw.json` says, as far as it concerns us.

use std::collections::HashMap;
use std::ops::Deref;

use super::cooldown::Cooldowns;
use super::id::{AgentId, ProfileId, ProviderId};
use super::pairs;
use super::secret::Secret;
use super::secret_source::SecretSources;

/// The configuration, read and resolved; absent members are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `agents.list`, in order; empty means that `main` is the only agent.
    pub agents: Vec<AgentSettings>,
    /// `agents.defaults.workspace`, as written.
    pub default_workspace: Option<String>,
    /// `agents.defaults.model` and `imageModel`.
    pub model: ModelChoice,
    /// `agents.defaults.imageModel`.
    pub image_model: ModelChoice,
    /// `agents.defaults.models`: reference as written, alias if it has one; in order.
    pub models: Vec<(String, Option<String>)>,
    /// `auth.profiles`.
    pub profiles: ConfiguredProfiles,
    /// `auth.order`, keys as written.
    pub order: Vec<(String, Vec<String>)>,
    /// `auth.cooldowns`.
    pub cooldowns: Cooldowns,
    /// `models.providers`: name as written, and its `apiKey`.
    pub providers: Vec<ProviderSettings>,
    /// `secrets`: where references to secrets lead.
    pub secrets: SecretSources,
    /// `env.vars` and the plain strings of `env`: names that the configuration would set.
    pub env: Vec<(String, Secret<String>)>,
    /// `env.shellEnv.enabled`.
    pub shell_env: bool,
    /// `env.shellEnv.timeoutMs`.
    pub shell_env_timeout: Option<u64>,
    /// `meta.lastTouchedVersion`: the release that wrote the configuration last.
    pub written_by: Option<String>,
    /// `bindings`: how many there are for each agent id.
    pub bindings: Vec<AgentId>,
}

/// One member of `agents.list`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentSettings {
    /// `id` as written.
    pub id: String,
    /// `default`.
    pub default: bool,
    /// `name`.
    pub name: Option<String>,
    /// `workspace`, as written.
    pub workspace: Option<String>,
    /// `agentDir`, as written.
    pub agent_dir: Option<String>,
    /// `model`.
    pub model: ModelChoice,
    /// The members of `identity` that are texts, in order.
    pub identity: Vec<(String, String)>,
}

/// A primary model and its fallbacks; `None` where the configuration says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelChoice {
    /// `primary`, or the whole value where it is a string.
    pub primary: Option<String>,
    /// `fallbacks`.
    pub fallbacks: Option<Vec<String>>,
}

/// The members of `auth.profiles` in their order; each is found by its key without a look at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfiguredProfiles {
    all: Vec<ProfileSettings>,
    places: HashMap<ProfileId, usize>,
}

impl FromIterator<ProfileSettings> for ConfiguredProfiles {
    fn from_iter<T: IntoIterator<Item = ProfileSettings>>(profiles: T) -> Self {
        let all: Vec<ProfileSettings> = profiles.into_iter().collect();
        let mut places = HashMap::with_capacity(all.len());
        for (place, profile) in all.iter().enumerate() {
            // Of two keys that differ by white space the first counts.
            places.entry(profile.id.clone()).or_insert(place);
        }
        Self { all, places }
    }
}

impl Deref for ConfiguredProfiles {
    type Target = [ProfileSettings];

    fn deref(&self) -> &[ProfileSettings] {
        &self.all
    }
}

/// One member of `auth.profiles`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileSettings {
    /// Its key.
    pub id: ProfileId,
    /// `provider` as written.
    pub provider: String,
    /// `mode`: `oauth`, `token` or `api_key`.
    pub mode: String,
    /// `email`.
    pub email: Option<String>,
}

/// One member of `models.providers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderSettings {
    /// Its key as written.
    pub name: String,
    /// `apiKey`, with `${VAR}` resolved; a reference to a secret is none yet.
    pub api_key: Option<Secret<String>>,
    /// `baseUrl`, with `${VAR}` resolved: where requests for it go.
    pub base_url: Option<String>,
}

impl Settings {
    /// The agent that is meant when none is named: the first with `default: true`, else the first
    /// of the list, else `main`.
    pub fn default_agent(&self) -> AgentId {
        let marked = self.agents.iter().find(|agent| agent.default);
        marked
            .or_else(|| self.agents.first())
            .map_or_else(AgentId::main, |agent| AgentId::normalise(&agent.id))
    }

    /// The agents that are listed, in their order.
    pub fn agent_ids(&self) -> impl Iterator<Item = AgentId> {
        let agents = self.agents.iter();
        agents.map(|agent| AgentId::normalise(&agent.id))
    }

    /// The settings of one agent.
    pub fn agent(&self, id: &AgentId) -> Option<&AgentSettings> {
        self.agents
            .iter()
            .find(|agent| AgentId::normalise(&agent.id) == *id)
    }

    /// Whether an agent of this name is configured; `main` always is, when the list is empty.
    pub fn knows_agent(&self, id: &AgentId) -> bool {
        self.agent(id).is_some() || (self.agents.is_empty() && id.is_main())
    }

    /// The model choice of an agent: its own members where it has them, else the defaults'.
    pub fn model_of(&self, id: &AgentId) -> ModelChoice {
        let own = self.agent(id).map(|agent| agent.model.clone());
        let own = own.unwrap_or_default();
        ModelChoice {
            primary: own.primary.or_else(|| self.model.primary.clone()),
            fallbacks: own.fallbacks.or_else(|| self.model.fallbacks.clone()),
        }
    }

    /// `auth.order` of a provider, whichever way its key is written.
    pub fn order_of(&self, provider: &ProviderId) -> Option<&[String]> {
        pairs::get(&self.order, |key| provider.is_named(key)).map(Vec::as_slice)
    }

    /// `models.providers` of a provider that has a key there, whichever way its name is written.
    pub fn key_of(&self, provider: &ProviderId) -> Option<(&str, &Secret<String>)> {
        let mut all = self.providers.iter();
        all.find_map(|other| {
            let key = other.api_key.as_ref().filter(|key| !key.is_blank())?;
            let is_it = provider.is_named(&other.name);
            is_it.then_some((other.name.as_str(), key))
        })
    }

    /// `auth.profiles` of one profile.
    pub fn profile(&self, id: &ProfileId) -> Option<&ProfileSettings> {
        let place = self.profiles.places.get(id)?;
        self.profiles.get(*place)
    }
}
