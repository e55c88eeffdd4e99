//! The tree of `openclaw.json` to [`Settings`]: what concerns us, and nothing else.
//!
//! The reference release refuses a configuration with a member it does not know; we leave such a
//! member alone. A member that we need and that is not what it should be is an error that names it.

use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::model::cooldown::Cooldowns;
use crate::model::env_reference;
use crate::model::id::{AgentId, ProfileId};
use crate::model::pairs;
use crate::model::secret::Secret;
use crate::model::secret_ref;
use crate::model::secret_source::SecretSources;
use crate::model::settings::{
    AgentSettings, ConfiguredProfiles, ModelChoice, ProfileSettings, ProviderSettings, Settings,
};
use crate::ports::files::Files;
use crate::ports::host::Env;

use super::error::ConfigError;
use super::json5;

/// The configuration as it was read.
#[derive(Debug, Default)]
pub struct Loaded {
    /// What it says.
    pub settings: Settings,
    /// What is odd and no error, each a sentence.
    pub warnings: Vec<String>,
}

/// Reads the configuration; a missing file says nothing.
///
/// # Errors
/// Fails if it is no JSON5, includes what it cannot, or a member we need has the wrong shape.
pub fn read(path: &Path, files: &dyn Files, env: &dyn Env) -> Result<Loaded, ConfigError> {
    let mut loaded = Loaded::default();
    let Some(value) = json5::load(files, path)? else {
        return Ok(loaded);
    };
    let mut reader = Reader {
        path,
        env,
        own: Vec::new(),
        missing: Vec::new(),
    };
    loaded.settings = reader.settings(&value)?;
    let warning = |name: &String| format!("{}: ${{{name}}} is not set", path.display());
    loaded.warnings = reader.missing.iter().map(warning).collect();
    Ok(loaded)
}

struct Reader<'a> {
    path: &'a Path,
    env: &'a dyn Env,
    /// What the configuration itself sets, for references to it.
    own: Vec<(String, Secret<String>)>,
    missing: Vec<String>,
}

type Members = Map<String, Value>;

impl Reader<'_> {
    fn wrong(&self, member: &str, fault: &str) -> ConfigError {
        ConfigError::Shape {
            path: self.path.to_owned(),
            member: member.to_owned(),
            fault: fault.to_owned(),
        }
    }

    /// The object at a dotted path; an absent one is empty.
    fn object(&self, root: &Value, path: &str) -> Result<Members, ConfigError> {
        let mut value = root;
        for name in path.split('.').filter(|name| !name.is_empty()) {
            match value {
                Value::Object(object) => match object.get(name) {
                    Some(next) => value = next,
                    None => return Ok(Members::new()),
                },
                _ => return Err(self.wrong(path, "is not in an object")),
            }
        }
        match value {
            Value::Object(object) => Ok(object.clone()),
            Value::Null => Ok(Members::new()),
            _ if path.is_empty() => Err(self.wrong("the configuration", "is not an object")),
            _ => Err(self.wrong(path, "is not an object")),
        }
    }

    fn text(&mut self, value: Option<&Value>) -> Option<String> {
        let text = value?.as_str()?;
        let own = |name: &str| pairs::get(&self.own, |other| other == name).cloned();
        let value = |name: &str| self.env.var(name).or_else(|| own(name));
        Some(json5::substitute(text, &value, &mut self.missing))
    }

    /// A secret; a reference to a variable that is not set gives none.
    fn secret(&mut self, value: Option<&Value>) -> Option<Secret<String>> {
        let before = self.missing.len();
        let value = value?;
        let reference = value.as_str().and_then(env_reference::variable);
        let braced = reference.map(|name| Value::String(format!("${{{name}}}")));
        let text = self.text(Some(braced.as_ref().unwrap_or(value)))?;
        let secret = Secret::new(text);
        (self.missing.len() == before && !secret.is_blank()).then_some(secret)
    }

    /// A secret, or a reference to one that lies elsewhere.
    fn key(&mut self, value: Option<&Value>) -> Option<Secret<String>> {
        match value {
            Some(reference @ Value::Object(_)) => Some(Secret::referred(reference.to_string())),
            // As in `config.yaml`.
            Some(Value::String(text)) if let Some(name) = secret_ref::name_of(text) => {
                let reference = json!({ "source": "store", "id": name });
                Some(Secret::referred(reference.to_string()))
            }
            value => self.secret(value),
        }
    }

    /// Reads `secrets`. A provider that cannot be understood concerns only who refers to it.
    fn secrets(&self, root: &Value) -> Result<SecretSources, ConfigError> {
        let providers = self.object(root, "secrets.providers")?.into_iter();
        let defaults = self.object(root, "secrets.defaults")?.into_iter();
        let alias = |value: Value| Some(value.as_str()?.trim().to_owned());
        Ok(SecretSources {
            providers: providers
                .map(|(alias, value)| (alias, serde_json::from_value(value).ok()))
                .collect(),
            defaults: defaults
                .filter_map(|(place, value)| Some((place, alias(value)?)))
                .filter(|(_, alias)| !alias.is_empty())
                .collect(),
        })
    }

    /// An address. That a variable in it is not set harms only who goes there.
    fn address(&mut self, value: Option<&Value>) -> Option<String> {
        let before = self.missing.len();
        let text = self.text(value);
        self.missing.truncate(before);
        text
    }

    fn texts(&mut self, member: &str, value: Option<&Value>) -> Result<Vec<String>, ConfigError> {
        match value {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items
                .iter()
                .filter_map(|item| self.text(Some(item)))
                .collect()),
            Some(_) => Err(self.wrong(member, "is not a list")),
        }
    }

    fn settings(&mut self, root: &Value) -> Result<Settings, ConfigError> {
        self.object(root, "")?;
        self.env(root)?;
        let defaults = self.object(root, "agents.defaults")?;
        let shell = self.object(root, "env.shellEnv")?;
        let bindings = root["bindings"].as_array().into_iter().flatten();
        Ok(Settings {
            agents: self.agents(root)?,
            default_workspace: self.text(defaults.get("workspace")),
            model: self.model(defaults.get("model"))?,
            image_model: self.model(defaults.get("imageModel"))?,
            models: self
                .object(root, "agents.defaults.models")?
                .into_iter()
                .map(|(name, value)| (name, self.text(value.get("alias"))))
                .collect(),
            profiles: self.profiles(root)?,
            order: self
                .object(root, "auth.order")?
                .into_iter()
                .filter(|(_, ids)| !ids.is_null())
                .map(|(key, ids)| {
                    let ids = self.texts(&format!("auth.order.{key}"), Some(&ids))?;
                    Ok((key, ids))
                })
                .collect::<Result<_, ConfigError>>()?,
            cooldowns: self.cooldowns(root)?,
            providers: self
                .object(root, "models.providers")?
                .into_iter()
                .map(|(name, value)| ProviderSettings {
                    api_key: self.key(value.get("apiKey")),
                    base_url: self.address(value.get("baseUrl")),
                    name,
                })
                .collect(),
            secrets: self.secrets(root)?,
            env: self.own.clone(),
            shell_env: shell.get("enabled") == Some(&Value::Bool(true)),
            shell_env_timeout: shell.get("timeoutMs").and_then(Value::as_u64),
            written_by: root["meta"]["lastTouchedVersion"]
                .as_str()
                .map(str::to_owned),
            bindings: bindings
                .filter_map(|binding| binding.get("agentId")?.as_str().map(AgentId::normalise))
                .collect(),
        })
    }

    /// Reads `env`: of two members of one name the direct one counts, then that of `vars`. One may
    /// refer to another.
    fn env(&mut self, root: &Value) -> Result<(), ConfigError> {
        let direct = self.object(root, "env")?.into_iter();
        let direct = direct.filter(|(name, _)| name != "vars" && name != "shellEnv");
        let all: Vec<_> = direct.chain(self.object(root, "env.vars")?).collect();
        for (name, value) in &all {
            let raw = value.as_str().filter(|raw| !raw.trim().is_empty());
            let raw = raw.map(|raw| (name.clone(), Secret::from(raw)));
            self.own.extend(raw);
        }
        let resolved = all
            .into_iter()
            .filter_map(|(name, value)| Some((name, self.secret(Some(&value))?)));
        self.own = resolved.collect();
        Ok(())
    }

    fn agents(&mut self, root: &Value) -> Result<Vec<AgentSettings>, ConfigError> {
        let list = match self.object(root, "agents")?.get("list").cloned() {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(list)) => list,
            Some(_) => return Err(self.wrong("agents.list", "is not a list")),
        };
        let mut agents = Vec::new();
        for (number, agent) in list.iter().enumerate() {
            let member = format!("agents.list[{number}]");
            let id = self.text(agent.get("id"));
            let id = id.ok_or_else(|| self.wrong(&member, "has no \"id\""))?;
            let identity = agent.get("identity").and_then(Value::as_object);
            let identity = identity.into_iter().flatten();
            let identity = identity
                .filter_map(|(name, value)| Some((name.clone(), self.text(Some(value))?)))
                .collect();
            agents.push(AgentSettings {
                id,
                default: agent["default"] == true,
                name: self.text(agent.get("name")),
                workspace: self.text(agent.get("workspace")),
                agent_dir: self.text(agent.get("agentDir")),
                model: self.model(agent.get("model"))?,
                identity,
            });
        }
        Ok(agents)
    }

    /// A model is a reference, or an object of `primary` and `fallbacks`.
    fn model(&mut self, value: Option<&Value>) -> Result<ModelChoice, ConfigError> {
        let blank = |text: &String| !text.trim().is_empty();
        match value {
            None | Some(Value::Null) => Ok(ModelChoice::default()),
            Some(text @ Value::String(_)) => Ok(ModelChoice {
                primary: self.text(Some(text)).filter(blank),
                fallbacks: None,
            }),
            Some(Value::Object(object)) => Ok(ModelChoice {
                primary: self.text(object.get("primary")).filter(blank),
                fallbacks: match object.get("fallbacks") {
                    None => None,
                    list => Some(self.texts("model.fallbacks", list)?),
                },
            }),
            Some(_) => Err(self.wrong("model", "is neither a string nor an object")),
        }
    }

    fn cooldowns(&self, root: &Value) -> Result<Cooldowns, ConfigError> {
        let members = self.object(root, "auth.cooldowns")?;
        let path = |name: &str| format!("auth.cooldowns.{name}");
        let length = |name: &str, seconds: f64, default: Duration| match members.get(name) {
            None => Ok(default),
            Some(value) => self.length(&path(name), value, seconds),
        };
        let hours = |name, default| length(name, 3_600.0, default);
        let minutes = |name, default| length(name, 60.0, default);
        let defaults = Cooldowns::default();
        let by_provider = self.object(root, "auth.cooldowns.billingBackoffHoursByProvider")?;
        let by_provider = by_provider.into_iter().map(|(provider, value)| {
            let member = path(&format!("billingBackoffHoursByProvider.{provider}"));
            let length = self.length(&member, &value, 3_600.0)?;
            Ok((provider, length))
        });
        Ok(Cooldowns {
            billing_backoff: hours("billingBackoffHours", defaults.billing_backoff)?,
            billing_backoff_by_provider: by_provider.collect::<Result<_, ConfigError>>()?,
            billing_max: hours("billingMaxHours", defaults.billing_max)?,
            auth_permanent_backoff: minutes(
                "authPermanentBackoffMinutes",
                defaults.auth_permanent_backoff,
            )?,
            auth_permanent_max: minutes("authPermanentMaxMinutes", defaults.auth_permanent_max)?,
            failure_window: hours("failureWindowHours", defaults.failure_window)?,
        })
    }

    /// A number of units of so many seconds, more than zero.
    fn length(&self, member: &str, value: &Value, unit: f64) -> Result<Duration, ConfigError> {
        let number = value.as_f64().filter(|number| *number > 0.0);
        let length = number.and_then(|number| Duration::try_from_secs_f64(number * unit).ok());
        length.ok_or_else(|| self.wrong(member, "is not a number greater than 0"))
    }

    fn profiles(&mut self, root: &Value) -> Result<ConfiguredProfiles, ConfigError> {
        let mut profiles = Vec::new();
        for (key, value) in self.object(root, "auth.profiles")? {
            let member = format!("auth.profiles.{key}");
            let id = ProfileId::parse(&key);
            let id = id.map_err(|error| self.wrong(&member, &error.to_string()))?;
            let provider = self.text(value.get("provider"));
            let provider = provider.ok_or_else(|| self.wrong(&member, "has no \"provider\""))?;
            let mode = self.text(value.get("mode"));
            let mode = mode.ok_or_else(|| self.wrong(&member, "has no \"mode\""))?;
            profiles.push(ProfileSettings {
                id,
                provider,
                mode,
                email: self.text(value.get("email")),
            });
        }
        Ok(profiles.into_iter().collect())
    }
}
