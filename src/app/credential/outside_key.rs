//! Keys that no document holds: in a variable, else in the configuration.

use super::env_keys::{KeyMaterial, Keys};
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind as FailureKind};
use crate::model::clean;
use crate::model::credential::{Kind, SecretFault};
use crate::model::id::{ProviderId, printable};
use crate::model::secret::Secret;

/// A key that no document holds.
pub(in crate::app) struct OutsideKey {
    /// The variable or the member of the configuration.
    pub(in crate::app) source: String,
    pub(in crate::app) kind: Kind,
    /// Itself, or the reference to where it lies.
    pub(in crate::app) secret: Secret<String>,
}

/// What a provider has outside every document.
pub(in crate::app) enum Outside {
    Nothing,
    Key(OutsideKey),
    /// The provider's own software is signed in, and there is no token to print.
    Software(Failure),
}

/// Looks for a key of a provider.
pub(in crate::app) fn find(cx: Context<'_>, keys: &Keys<'_>, provider: &ProviderId) -> Outside {
    let manifest = cx.catalogue.get(provider).ok();
    let key = |source, kind, secret| {
        Outside::Key(OutsideKey {
            source,
            kind,
            secret,
        })
    };
    match manifest.as_ref().and_then(|manifest| keys.of(manifest)) {
        None => {
            let found = configured(cx, provider);
            let usable = found.and_then(|(member, secret)| Some((member, secret.ok()?)));
            usable.map_or(Outside::Nothing, |(member, secret)| {
                key(member, Kind::ApiKey, secret)
            })
        }
        Some(found) => match found.what {
            KeyMaterial::Key(secret) => key(found.source, Kind::ApiKey, secret),
            KeyMaterial::Token(secret) => key(found.source, Kind::Token, secret),
            KeyMaterial::Ambient => {
                let name = manifest.map_or_else(String::new, |manifest| manifest.name);
                Outside::Software(signed_in_elsewhere(provider, &name, &found.source))
            }
        },
    }
}

/// Returns the key of a provider in the configuration without what was copied along with it, or what
/// is wrong with it, and its path.
fn configured(
    cx: Context<'_>,
    provider: &ProviderId,
) -> Option<(String, Result<Secret<String>, SecretFault>)> {
    let (name, value) = cx.settings.key_of(provider)?;
    if value.as_reference().is_some() {
        return Some((key_member(name), Ok(value.clone())));
    }
    let secret = clean::key(value.expose());
    let fault = SecretFault::of_variable(value.expose(), &secret, None);
    Some((key_member(name), fault.map_or(Ok(secret), Err)))
}

/// Describes what is wrong with the key of a provider in the configuration.
pub(in crate::app) fn fault_of_configured(
    cx: Context<'_>,
    provider: &ProviderId,
) -> Option<String> {
    let (member, secret) = configured(cx, provider)?;
    Some(format!("{member} {}", secret.err()?.words()))
}

/// Returns the path of a provider's key in the configuration.
pub(in crate::app) fn key_member(name: &str) -> String {
    format!("models.providers.{}.apiKey", printable(name, 80))
}

/// The failure if other software is signed in, which has no token to print.
pub(in crate::app) fn signed_in_elsewhere(
    provider: &ProviderId,
    name: &str,
    source: &str,
) -> Failure {
    let message = format!("{provider} is signed in through {source}, which provides no token");
    let hint = format!("use it through the software of {name} itself");
    Failure::new(FailureKind::NeedsLogin, message).hint(hint)
}
