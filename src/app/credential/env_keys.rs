//! API keys from the environment: variables of the process, of `<state>/.env`, of `env` in
//! `openclaw.json`, and of the login shell if it is enabled, in this order.
//!
//! The login shell is a program of the user's and slow, so it is started only when the answer may
//! depend on it: never while a stored login gives a token.

use std::time::Duration;

use serde::Serialize;

use crate::model::clean;
use crate::model::credential::SecretFault;
use crate::model::env_reference;
use crate::model::malformed::Malformed;
use crate::model::provider::{Ambient, ClientValue, Provider};
use crate::model::secret::Secret;
use crate::model::variable::names_credential;
use crate::ports::host::{SetIn, Variables};

use crate::app::context::Context;
use crate::app::failure::Failure;

/// Enables the variables of the login shell, like `env.shellEnv.enabled`.
const LOAD_SHELL_ENV: &str = "OPENCLAW_LOAD_SHELL_ENV";
/// Disables them, whatever else enables them.
const DEFER_SHELL_ENV: &str = "OPENCLAW_DEFER_SHELL_ENV_FALLBACK";
/// The time limit of the login shell in milliseconds; `env.shellEnv.timeoutMs` wins.
const SHELL_ENV_TIMEOUT: &str = "OPENCLAW_SHELL_ENV_TIMEOUT_MS";
/// The default time limit of the login shell.
const USUAL_TIMEOUT_MS: u64 = 15_000;

/// Variables that are taken from a login shell, and only if none of them is set already: the list
/// of the reference release.
const FROM_SHELL: [&str; 16] = [
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_OAUTH_TOKEN",
    "GEMINI_API_KEY",
    "ZAI_API_KEY",
    "OPENROUTER_API_KEY",
    "AI_GATEWAY_API_KEY",
    "MINIMAX_API_KEY",
    "SYNTHETIC_API_KEY",
    "ELEVENLABS_API_KEY",
    "TELEGRAM_BOT_TOKEN",
    "DISCORD_BOT_TOKEN",
    "SLACK_BOT_TOKEN",
    "SLACK_APP_TOKEN",
    "OPENCLAW_GATEWAY_TOKEN",
    "OPENCLAW_GATEWAY_PASSWORD",
];

/// Variables that count as one of them: the reference release copies this one to `ZAI_API_KEY` at
/// start.
const STANDS_IN: [&str; 1] = ["Z_AI_API_KEY"];

/// Lists the variables that are known to carry credentials, of every provider.
pub(in crate::app) fn of_known_credentials(cx: Context<'_>) -> Vec<String> {
    let mut names: Vec<String> = FROM_SHELL.iter().map(|name| (*name).to_owned()).collect();
    let listing = cx.catalogue.list();
    for (provider, _) in listing.iter().flat_map(|listing| &listing.providers) {
        names.extend(of_provider(provider));
    }
    names
}

fn of_provider(provider: &Provider) -> impl Iterator<Item = String> {
    let of_client = |given: &ClientValue| {
        let named = given.env.iter().chain(&given.secret);
        named.cloned().collect::<Vec<_>>()
    };
    let client = provider.registration.iter();
    let client = client.flat_map(move |client| of_client(&client.secret));
    // A sign-in of other software also names directories and profiles, which hurt nobody.
    let ambient = provider.ambient.iter().flat_map(|ambient| &ambient.needs);
    let ambient = ambient
        .flatten()
        .filter(|name| names_credential(name))
        .cloned();
    let names: Vec<String> = provider
        .variables()
        .cloned()
        .chain(client)
        .chain(ambient)
        .collect();
    names.into_iter()
}

/// A credential of a provider that is not stored.
#[derive(Clone, Debug)]
pub(in crate::app) struct Found {
    /// Its source: `env: NAME`, `shell env: NAME`, or the manifest's name for it.
    pub(in crate::app) source: String,
    pub(in crate::app) what: KeyMaterial,
}

/// A key, or the knowledge that other software is signed in.
#[derive(Clone, Debug)]
pub(in crate::app) enum KeyMaterial {
    /// An API key.
    Key(Secret<String>),
    /// An access token.
    Token(Secret<String>),
    /// A sign-in of other software, without a key to hand out.
    Ambient,
}

/// What a variable holds.
type Judged = Result<Secret<String>, SecretFault>;

/// Where a variable is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EnvSource {
    /// In the environment of this process.
    Process,
    /// In `<state>/.env`.
    #[serde(rename = ".env")]
    DotEnv,
    /// In `env` of `openclaw.json`.
    Config,
    /// In the login shell.
    LoginShell,
}

/// The sources of variables, in their order.
pub(in crate::app) struct Keys<'a> {
    cx: Context<'a>,
    shell: Variables,
    fault: Option<String>,
}

impl<'a> Keys<'a> {
    /// Reads all sources except the login shell.
    pub(in crate::app) fn without_shell(cx: Context<'a>) -> Self {
        Self {
            cx,
            shell: Vec::new(),
            fault: None,
        }
    }

    /// Reads all sources. Starts the login shell if it is enabled and no variable on its list is
    /// set.
    ///
    /// # Errors
    /// If a signal came while the shell ran.
    pub(in crate::app) fn look(cx: Context<'a>) -> Result<Self, Failure> {
        let mut keys = Self::without_shell(cx);
        let is_set = |name: &&str| keys.variable(name).is_some();
        let mut list = FROM_SHELL.iter().chain(&STANDS_IN);
        if !shell_enabled(cx) || is_on(cx, DEFER_SHELL_ENV) || list.any(is_set) {
            return Ok(keys);
        }
        // The shell is no part of our process group: a signal that killed us would leave it behind.
        cx.interrupt.defer();
        let stop = || cx.interrupt.pending().is_some();
        let found = cx.shell.variables(shell_limit(cx), &stop);
        cx.uninterrupted()?;
        match found {
            Ok(found) => {
                let wanted = FROM_SHELL.iter().filter_map(|name| {
                    let set = found.iter().rev().find(|(other, _)| other == name)?;
                    (!set.1.is_blank())
                        .then(|| (set.0.clone(), Secret::from(set.1.expose().trim())))
                });
                keys.shell = wanted.collect();
            }
            Err(error) => keys.fault = Some(error.to_string()),
        }
        Ok(keys)
    }

    /// Returns the credential of a provider: a key first, then a sign-in of other software.
    pub(in crate::app) fn of(&self, provider: &Provider) -> Option<Found> {
        let key = provider.env.iter().find_map(|name| {
            let (place, value) = self.secret(provider, name)?;
            Some(Found {
                source: format!("{place}{name}"),
                what: match Self::is_token(name) {
                    true => KeyMaterial::Token(value),
                    false => KeyMaterial::Key(value),
                },
            })
        });
        key.or_else(|| {
            let mut all = provider.ambient.iter();
            all.find_map(|ambient| self.ambient(ambient))
        })
    }

    /// Returns the first API key of a provider, and its source.
    pub(in crate::app) fn key_of(&self, provider: &Provider) -> Option<(String, Secret<String>)> {
        let mut names = provider.env.iter().filter(|name| !Self::is_token(name));
        names.find_map(|name| {
            let (place, value) = self.secret(provider, name)?;
            Some((format!("{place}{name}"), value))
        })
    }

    /// Lists every source that sets a variable, the one that counts first.
    pub(in crate::app) fn places(&self, name: &str) -> Vec<EnvSource> {
        let within = |set: &Variables| set.iter().any(|(other, _)| other == name);
        let set_in = self.cx.env.set_in(name).into_iter();
        let set_in = set_in.map(|place| match place {
            SetIn::Process => EnvSource::Process,
            SetIn::DotEnv => EnvSource::DotEnv,
        });
        let config = within(&self.cx.settings.env).then_some(EnvSource::Config);
        let shell = within(&self.shell).then_some(EnvSource::LoginShell);
        set_in.chain(config).chain(shell).collect()
    }

    /// Whether a variable of that name carries an access token.
    pub(in crate::app) fn is_token(name: &str) -> bool {
        name.contains("OAUTH_TOKEN")
    }

    /// Lists the names of the variables that came from the login shell.
    pub(in crate::app) fn taken_from_shell(&self) -> Vec<String> {
        self.shell.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Lists the sources that could not be read, one sentence each.
    pub(in crate::app) fn faults(&self) -> Vec<String> {
        let file = self.cx.env.fault();
        file.into_iter().chain(self.fault.clone()).collect()
    }

    /// Describes the variables of a provider that hold something that is no key, one sentence each.
    pub(in crate::app) fn faults_of(&self, provider: &Provider) -> Vec<String> {
        let fault = |name: &String| {
            let fault = self.value(provider, name)?.1.err()?;
            let noun = if Self::is_token(name) { "token" } else { "key" };
            Some(format!(
                "the {noun} in the variable {name} {}",
                fault.words()
            ))
        };
        provider.env.iter().filter_map(fault).collect()
    }

    /// Returns the secret in a variable, and the word for its source. What a paste would not be
    /// taken for is none.
    fn secret(&self, provider: &Provider, name: &str) -> Option<(&'static str, Secret<String>)> {
        let (place, value) = self.value(provider, name)?;
        Some((place, value.ok()?))
    }

    /// Returns what a variable holds instead of a blank, without what was copied along with it, or
    /// what is wrong with it, and the word for its source.
    fn value(&self, provider: &Provider, name: &str) -> Option<(&'static str, Judged)> {
        if self.cx.env.is_garbled(name) {
            let fault = Malformed::Other("is not valid UTF-8");
            return Some(("env: ", Err(SecretFault::Malformed(fault))));
        }
        let (place, mut value) = self.variable(name)?;
        if let Some(other) = env_reference::variable(value.expose()) {
            value = match self.variable(other) {
                Some((_, value)) => value,
                None => return Some((place, Err(SecretFault::Unset(other.to_owned())))),
            };
        }
        let secret = clean::variable(name, value.expose());
        if secret.is_blank() {
            return None;
        }
        let prefix = match Self::is_token(name) {
            true => provider.token_shape().and_then(|it| it.prefix.as_deref()),
            false => provider.key_shape().and_then(|it| it.prefix.as_deref()),
        };
        let fault = SecretFault::of_variable(value.expose(), &secret, prefix);
        Some((place, fault.map_or(Ok(secret), Err)))
    }

    /// Returns the value of a variable, and the word for its source.
    fn variable(&self, name: &str) -> Option<(&'static str, Secret<String>)> {
        let of = |set: &Variables| {
            let found = set.iter().find(|(other, _)| other == name);
            found.map(|(_, value)| Secret::from(value.expose().trim()))
        };
        let set = self.cx.env.var(name);
        set.or_else(|| of(&self.cx.settings.env))
            .map(|value| ("env: ", value))
            .or_else(|| of(&self.shell).map(|value| ("shell env: ", value)))
    }

    fn ambient(&self, ambient: &Ambient) -> Option<Found> {
        let mut names = Vec::new();
        for any in &ambient.needs {
            names.push(any.iter().find(|name| self.variable(name).is_some())?);
        }
        if let Some(file) = &ambient.file {
            let named = self.variable(&file.variable);
            let dirs = self.cx.dirs;
            let path = match &named {
                Some((_, path)) => dirs.cwd.join(path.expose()),
                None => dirs.home.join(&file.home),
            };
            // One that cannot be looked at is of no use to the provider's software either.
            self.cx.files.stat(&path).ok().flatten()?;
        }
        let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
        let variables = || format!("env: {}", names.join(" + "));
        Some(Found {
            source: ambient.source.clone().unwrap_or_else(variables),
            what: KeyMaterial::Ambient,
        })
    }
}

/// Whether a variable or the configuration enables the login shell.
pub(in crate::app) fn shell_enabled(cx: Context<'_>) -> bool {
    cx.settings.shell_env || is_on(cx, LOAD_SHELL_ENV)
}

fn is_on(cx: Context<'_>, name: &str) -> bool {
    let value = cx.env.plain(name).unwrap_or_default();
    ["1", "true", "yes", "on"].contains(&value.to_ascii_lowercase().as_str())
}

/// Returns the time limit of the shell. Zero means no limit in the reference release; here every
/// wait has one.
fn shell_limit(cx: Context<'_>) -> Duration {
    let named = || cx.env.plain(SHELL_ENV_TIMEOUT)?.parse().ok();
    let limit = cx.settings.shell_env_timeout.or_else(named);
    Duration::from_millis(limit.filter(|limit| *limit > 0).unwrap_or(USUAL_TIMEOUT_MS))
}
