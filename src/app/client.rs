//! The OAuth client of a provider as it is used: what the manifest says, completed by what the
//! user brought.

use crate::model::provider::{Client, Given, Provider};
use crate::model::secret::Secret;
use crate::ports::secrets::variables;

use super::Ports;
use super::failure::{Failure, Kind};

/// Resolves the client of a provider.
///
/// # Errors
/// [`Kind::Config`] if the manifest names none, or what the user must bring is not there.
pub(super) fn resolve(ports: Ports<'_>, provider: &Provider) -> Result<Client, Failure> {
    let Some(registration) = &provider.registration else {
        let message = format!("the manifest of {} names no OAuth client", provider.id);
        return Err(Failure::new(Kind::Config, message));
    };
    let Some(token) = registration.token.clone() else {
        let message = format!("the manifest of {} names no token endpoint", provider.id);
        return Err(Failure::new(Kind::Config, message));
    };
    let id = given(ports, &registration.id)?
        .ok_or_else(|| missing(provider, "client id", &registration.id))?;
    let secret = given(ports, &registration.secret)?;
    if secret.is_none() && !registration.secret.is_empty() && registration.secret_required {
        return Err(missing(provider, "client secret", &registration.secret));
    }
    Ok(Client {
        id: id.expose().clone(),
        secret,
        auth: registration.auth,
        issuer: registration.issuer.clone(),
        sends_iss: false,
        authorize: registration.authorize.clone(),
        token,
        device: registration.device.clone(),
        revoke: registration.revoke.clone(),
        jwks: None,
        userinfo: None,
    })
}

/// Resolves a client that asks for itself, so that nothing goes without its secret.
///
/// # Errors
/// As [`resolve`].
pub(super) fn resolve_with_secret(
    ports: Ports<'_>,
    provider: &Provider,
) -> Result<Client, Failure> {
    let client = resolve(ports, provider)?;
    match (&client.secret, &provider.registration) {
        (None, Some(registration)) => Err(missing(provider, "client secret", &registration.secret)),
        _ => Ok(client),
    }
}

/// A variable first, then a secret by its name, then what is written down.
fn given(ports: Ports<'_>, given: &Given) -> Result<Option<Secret<String>>, Failure> {
    if let Some(value) = given.env.iter().find_map(|name| ports.env.var(name)) {
        return Ok(Some(value));
    }
    let named = given.secret.as_ref().map(|name| ports.secrets.get(name));
    let named = named.transpose().map_err(|error| {
        let hint = format!("export {}=…", error.name);
        Failure::new(Kind::Config, error.to_string()).hint(hint)
    })?;
    Ok(named.flatten().or_else(|| given.value.clone()))
}

fn missing(provider: &Provider, what: &str, given: &Given) -> Failure {
    let mut places = given.env.clone();
    if let Some(name) = &given.secret {
        places.extend(variables(name));
    }
    let message = format!(
        "{} needs a {what} of your own, and none is set",
        provider.name
    );
    let failure = Failure::new(Kind::Config, message);
    match places.is_empty() {
        true => failure,
        false => failure.hint(format!("export {}=…", places.join("=… or "))),
    }
}
