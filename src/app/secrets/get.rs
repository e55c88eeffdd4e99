//! `secrets get`.

use super::no_such_secret;
use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::model::secret::Secret;
use crate::model::vault::SecretName;

/// Returns the value of a secret.
///
/// # Errors
/// If there is none of that name, or the vault does not open.
pub fn run(cx: Context<'_>, name: &SecretName) -> Result<Secret<String>, Failure> {
    cx.secrets.get(name)?.ok_or_else(|| no_such_secret(name))
}
