//! Secrets that a configuration names and does not hold: `${secret:NAME}`.
//!
//! An implementation owes: a value that is blank counts as absent, and nothing of a value is in an
//! error.

use std::sync::Arc;

use super::host::Env;
use crate::model::secret::Secret;

/// Where named secrets are kept.
pub trait Secrets: Send + Sync {
    /// The secret called `name`, if there is one.
    ///
    /// # Errors
    /// If it is there and cannot be read.
    fn get(&self, name: &str) -> Result<Option<Secret<String>>, SecretError>;
}

/// A secret cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the secret {name} cannot be read: {why}")]
pub struct SecretError {
    /// Its name.
    pub name: String,
    /// What went wrong.
    pub why: String,
}

/// The variables that carry the secret called `name`; the first that is set wins.
pub fn variables(name: &str) -> [String; 2] {
    [name.to_owned(), format!("OPENCLAW_SECRET_{name}")]
}

/// Secrets in environment variables.
pub struct EnvSecrets {
    env: Arc<dyn Env>,
}

impl EnvSecrets {
    /// Looks in `env`.
    pub fn new(env: Arc<dyn Env>) -> Self {
        Self { env }
    }
}

impl Secrets for EnvSecrets {
    fn get(&self, name: &str) -> Result<Option<Secret<String>>, SecretError> {
        Ok(variables(name).iter().find_map(|name| self.env.var(name)))
    }
}
