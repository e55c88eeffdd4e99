//! The sources of secrets that `secrets.providers` of `openclaw.json` defines, with the limits of the
//! reference release.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::pairs;
use super::secret::Secret;
use super::secret_ref::SecretPlace;

/// The provider of a reference that names none, where `secrets.defaults` says nothing.
const USUAL: &str = "default";

/// `secrets` of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretSources {
    /// `providers`: each by its alias; none where it is written and cannot be understood.
    pub providers: Vec<(String, Option<SecretSource>)>,
    /// `defaults`: the alias that is meant for a place where none is named.
    pub defaults: Vec<(String, String)>,
}

impl SecretSources {
    /// The alias that is meant where none is named.
    pub fn usual(&self, place: SecretPlace) -> String {
        let found = pairs::get(&self.defaults, |name| name == place.as_ref());
        found.map_or_else(|| USUAL.to_owned(), Clone::clone)
    }
}

/// One source.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "source", rename_all = "lowercase")]
pub enum SecretSource {
    /// Variables of the environment.
    Env(EnvSource),
    /// A file.
    File(FileSource),
    /// A program.
    Exec(ExecSource),
    /// The secrets of the state directory that have names.
    Store {},
}

impl SecretSource {
    /// What kind of place it is.
    pub fn place(&self) -> SecretPlace {
        match self {
            Self::Env(_) => SecretPlace::Env,
            Self::File(_) => SecretPlace::File,
            Self::Exec(_) => SecretPlace::Exec,
            Self::Store {} => SecretPlace::Store,
        }
    }
}

/// Variables of the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct EnvSource {
    /// `allowlist`: those that may be read; without it all.
    pub allowlist: Option<Vec<String>>,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileSource {
    /// `path`; `~` is the home directory.
    pub path: String,
    /// `mode`.
    #[serde(default)]
    pub mode: FileMode,
    max_bytes: Option<u64>,
}

impl FileSource {
    /// The most bytes that are read.
    pub fn longest(&self) -> u64 {
        limit(self.max_bytes, 20 << 20)
    }
}

/// What a file holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FileMode {
    /// An object of JSON, into which ids point.
    #[default]
    Json,
    /// One secret.
    SingleValue,
}

/// A program.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecSource {
    /// `command`: an absolute path; `~` is the home directory.
    pub command: String,
    /// `args`.
    #[serde(default)]
    pub args: Vec<String>,
    /// `passEnv`: the only variables of ours that it gets.
    #[serde(default)]
    pub pass_env: Vec<String>,
    /// `env`: those that it gets besides.
    #[serde(default, deserialize_with = "variables")]
    pub env: Vec<(String, Secret<String>)>,
    /// `jsonOnly`: false lets it answer with the secret and nothing else.
    #[serde(default = "yes")]
    pub json_only: bool,
    /// `allowSymlinkCommand`.
    #[serde(default)]
    pub allow_symlink_command: bool,
    /// `trustedDirs`: where the program must lie, if any are named.
    #[serde(default)]
    pub trusted_dirs: Vec<String>,
    timeout_ms: Option<u64>,
    max_output_bytes: Option<u64>,
}

impl ExecSource {
    /// How long it may run.
    pub fn timeout(&self) -> Duration {
        let usual = 5_000;
        let written = self.timeout_ms.filter(|&millis| millis > 0);
        Duration::from_millis(written.unwrap_or(usual).min(120_000))
    }

    /// The most bytes that it may answer.
    pub fn longest(&self) -> u64 {
        limit(self.max_output_bytes, 20 << 20)
    }
}

fn limit(written: Option<u64>, most: u64) -> u64 {
    let written = written.filter(|&bytes| bytes > 0);
    written.unwrap_or(1 << 20).min(most)
}

fn yes() -> bool {
    true
}

fn variables<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Vec<(String, Secret<String>)>, D::Error> {
    let written = BTreeMap::<String, String>::deserialize(from)?.into_iter();
    let wrapped = written.map(|(name, value)| (name, Secret::new(value)));
    Ok(wrapped.collect())
}
