//! The OAuth client of a provider: from the manifest, completed by what the user registered and by
//! the issuer's metadata. The manifest wins.

use crate::model::hint::Command;
use crate::model::provider::{
    Client, ClientAuth, ClientValue, DeviceScheme, Flow, IdTokenCheck, Provider, Registration,
};
use crate::model::secret::Secret;
use crate::model::variable;
use crate::model::vault::{SecretName, VaultFault};
use crate::oauth::metadata::Metadata;

use super::metadata_cache::{Issuer, Stale};
use crate::app::context::Context;
use crate::app::credential::secret_ref;
use crate::app::failure::{Failure, Kind};

/// The purpose of a client: it decides what must be known of it.
#[derive(Clone, Copy)]
pub(in crate::app) enum Use<'a> {
    /// A login by this flow.
    Login(&'a Flow),
    /// A refresh.
    Refresh,
    /// A revocation.
    Revocation,
}

impl Use<'_> {
    /// Whether the issuer's metadata is needed.
    fn needs_metadata(self, provider: &Provider, registration: &Registration) -> bool {
        let by_use = match self {
            Self::Login(_) => provider.id_token == IdTokenCheck::Signature,
            Self::Refresh => false,
            Self::Revocation => registration.revoke.is_none(),
        };
        registration.issuer.is_some() && (by_use || registration.needs_metadata())
    }

    /// Whether expired metadata will do: a login can wait until the server is back.
    fn stale(self) -> Stale {
        match self {
            Self::Login(_) => Stale::Refused,
            Self::Refresh | Self::Revocation => Stale::Accepted,
        }
    }
}

/// Resolves the client of a provider.
///
/// # Errors
/// [`Kind::Config`] if the manifest names none, what the user must bring is not there, or the
/// server cannot do what it is wanted for; [`Kind::Temporary`] if its metadata cannot be had now.
pub(in crate::app) fn resolve(
    cx: Context<'_>,
    provider: &Provider,
    purpose: Use<'_>,
) -> Result<Client, Failure> {
    let Some(issuer) = Issuer::of(cx, provider) else {
        let message = format!("the manifest of {} has no OAuth client", provider.id);
        return Err(Failure::new(Kind::Config, message));
    };
    let Some(brought) = issuer.brought(Opening::Allowed)? else {
        return Err(VaultFault::NeedsPassphrase.into());
    };
    let metadata = match purpose.needs_metadata(provider, issuer.registration) {
        true => Some(issuer.metadata(purpose.stale())?),
        false => None,
    };
    let metadata = metadata.as_ref();
    let client = issuer.complete(brought, metadata).and_then(|client| {
        if let (Use::Login(flow), Some(metadata)) = (purpose, metadata) {
            issuer.check_flow(&client, flow, metadata)?;
        }
        Ok(client)
    });
    if client.is_err() && metadata.is_some() {
        // The server may have learnt it by the next try.
        issuer.forget();
    }
    client
}

/// Resolves the client for a refresh without a request and without a question; `None` if the
/// issuer's metadata is needed, or a secret that is locked.
///
/// # Errors
/// [`Kind::Config`], as [`resolve`].
pub(in crate::app) fn without_asking(
    cx: Context<'_>,
    provider: &Provider,
) -> Result<Option<Client>, Failure> {
    let Some(issuer) = Issuer::of(cx, provider) else {
        return Ok(None);
    };
    let Some(brought) = issuer.brought(Opening::Never)? else {
        return Ok(None);
    };
    match Use::Refresh.needs_metadata(provider, issuer.registration) {
        true => Ok(None),
        false => issuer.complete(brought, None).map(Some),
    }
}

/// Opens the vault where the client of a provider needs it, while nothing is locked yet. What came of
/// it is known to whoever needs the secret then.
pub(in crate::app) fn open_secrets(cx: Context<'_>, provider: &Provider) {
    if let Some(issuer) = Issuer::of(cx, provider) {
        let _ = issuer.brought(Opening::Allowed);
    }
}

/// The id and the secret of a client that the user registered.
type Brought = (Secret<String>, Option<Secret<String>>);

/// Whether the vault may be opened, which may ask a person.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opening {
    Allowed,
    Never,
}

/// A value of a client.
enum Given {
    Value(Secret<String>),
    Missing,
    /// In the vault, if anywhere, or where a reference leads; and neither is to be opened.
    Locked,
}

impl Issuer<'_> {
    /// `None` if one of them is locked, and nobody may be asked.
    fn brought(&self, opening: Opening) -> Result<Option<Brought>, Failure> {
        let Registration { id, secret, .. } = self.registration;
        let known = match given(self.cx, id, opening)? {
            Given::Value(known) => known,
            Given::Missing => return Err(missing(self.provider, "client id", id)),
            Given::Locked => return Ok(None),
        };
        let shared = match given(self.cx, secret, opening)? {
            Given::Value(shared) => Some(shared),
            Given::Missing => None,
            Given::Locked => return Ok(None),
        };
        if shared.is_none() && !secret.is_empty() && self.registration.secret_required {
            return Err(missing(self.provider, "client secret", secret));
        }
        Ok(Some((known, shared)))
    }

    /// Completes the client.
    fn complete(
        &self,
        (id, secret): Brought,
        metadata: Option<&Metadata>,
    ) -> Result<Client, Failure> {
        let registration = self.registration;
        let told = |member: &str| Some(metadata?.text(member)?.to_owned());
        let token = (registration.token.clone()).or_else(|| told("token_endpoint"));
        Ok(Client {
            id: id.expose().clone(),
            is_id_secret: registration.id.is_secret(),
            secret,
            auth: registration.auth,
            issuer: registration.issuer.clone(),
            sends_iss: metadata.is_some_and(Metadata::sends_iss),
            authorize: (registration.authorize.clone()).or_else(|| told("authorization_endpoint")),
            token: token.ok_or_else(|| self.unnamed("token endpoint"))?,
            device: (registration.device.clone()).or_else(|| told("device_authorization_endpoint")),
            revoke: (registration.revoke.clone()).or_else(|| told("revocation_endpoint")),
            jwks: told("jwks_uri"),
            userinfo: told("userinfo_endpoint"),
        })
    }

    /// Checks, before the user is asked for anything, that a login by this flow can succeed.
    fn check_flow(&self, client: &Client, flow: &Flow, metadata: &Metadata) -> Result<(), Failure> {
        let grant_type = match flow {
            Flow::Browser(_) => Some("authorization_code"),
            Flow::ClientCredentials(_) => Some("client_credentials"),
            _ => None,
        };
        let manifest = format!("the manifest of {}", self.provider.id);
        if let Some(name) = grant_type.filter(|name| metadata.lacks_grant(name)) {
            let what = format!("support the grant type {name}, according to its metadata");
            return Err(self.does_not(&what, format!("correct the flows in {manifest}")));
        }
        match flow {
            Flow::Browser(_) if client.authorize.is_none() => {
                Err(self.unnamed("authorization endpoint"))
            }
            Flow::Browser(_) if metadata.lacks_s256() => Err(self.does_not(
                "support PKCE with S256, according to its metadata, and nothing weaker is allowed",
                format!(
                    "log in another way, or, if the metadata is wrong, set the endpoints in [client] of {manifest}"
                ),
            )),
            Flow::Device(device)
                if client.device.is_none() && device.scheme == DeviceScheme::Rfc8628 =>
            {
                Err(self.unnamed("device authorization endpoint"))
            }
            _ => self.check_auth_method(client, metadata),
        }
    }

    /// Checks that the server takes the client's authentication method.
    fn check_auth_method(&self, client: &Client, metadata: &Metadata) -> Result<(), Failure> {
        let Some(others) = metadata.other_auth_methods(client.secret.is_some(), client.auth) else {
            return Ok(());
        };
        if client.secret.is_none() {
            // Servers leave `none` out and take public clients all the same.
            self.cx.warn(format!(
                "{} lists no authentication method for public clients ({others}); trying anyway",
                self.address()
            ));
            return Ok(());
        }
        let (ours, other) = match client.auth {
            ClientAuth::Post => ("client_secret_post", "basic"),
            ClientAuth::Basic => ("client_secret_basic", "post"),
        };
        let what =
            format!("accept {ours} for client secrets, according to its metadata ({others})");
        let hint = match others.contains(&format!("client_secret_{other}")) {
            true => format!(
                "set auth = \"{other}\" in [client] of the manifest of {}",
                self.provider.id
            ),
            false => "register a client that uses one of these two methods".to_owned(),
        };
        Err(self.does_not(&what, hint))
    }

    fn does_not(&self, what: &str, hint: String) -> Failure {
        let message = format!("{} does not {what}", self.address());
        Failure::new(Kind::Config, message).hint(hint)
    }

    fn unnamed(&self, what: &str) -> Failure {
        let id = &self.provider.id;
        let message = match &self.registration.issuer {
            Some(issuer) => format!("the metadata of {issuer} has no {what}"),
            None => format!("the manifest of {id} has no {what}"),
        };
        let hint = format!("set it in [client] of the manifest of {id}");
        Failure::new(Kind::Config, message).hint(hint)
    }
}

/// Resolves a client for the client credentials grant, which needs its secret.
///
/// # Errors
/// As [`resolve`].
pub(in crate::app) fn resolve_with_secret(
    cx: Context<'_>,
    provider: &Provider,
    purpose: Use<'_>,
) -> Result<Client, Failure> {
    with_secret(provider, resolve(cx, provider, purpose)?)
}

/// Returns the client, which must have a secret.
///
/// # Errors
/// [`Kind::Config`], and where the secret may come from.
pub(in crate::app) fn with_secret(provider: &Provider, client: Client) -> Result<Client, Failure> {
    match (&client.secret, &provider.registration) {
        (None, Some(registration)) => Err(missing(provider, "client secret", &registration.secret)),
        _ => Ok(client),
    }
}

/// Returns a value: from a variable, else the secret of that name or that a reference names, else the
/// manifest.
fn given(cx: Context<'_>, given: &ClientValue, opening: Opening) -> Result<Given, Failure> {
    let named = given
        .secret
        .iter()
        .flat_map(|name| variable::of_secret(name));
    let mut variables = given.env.iter().cloned().chain(named);
    if let Some(value) = variables.find_map(|name| cx.env.var(&name)) {
        return Ok(Given::Value(value));
    }
    let stored = match (&given.secret, &given.reference) {
        (Some(name), _) => stored(cx, name, opening)?,
        (None, Some(_)) if opening == Opening::Never => Given::Locked,
        (None, Some(reference)) => Given::Value(referred(cx, reference)?),
        (None, None) => Given::Missing,
    };
    Ok(match (stored, &given.value) {
        (Given::Missing, Some(value)) => Given::Value(value.clone()),
        (stored, _) => stored,
    })
}

/// Follows a reference. A program is asked once, before anything is locked.
fn referred(cx: Context<'_>, reference: &str) -> Result<Secret<String>, Failure> {
    secret_ref::resolve(cx, reference).map_err(|failure| Failure {
        message: format!("the OAuth client {}", failure.message),
        ..failure
    })
}

/// Returns the secret of that name in the vault. One that is locked is never one that is not set.
fn stored(cx: Context<'_>, name: &str, opening: Opening) -> Result<Given, Failure> {
    let needs = |fault: VaultFault| {
        let message = format!("the secret {name} cannot be read: {fault}");
        Failure {
            message,
            ..Failure::from(fault)
        }
    };
    let Ok(name) = SecretName::parse(name) else {
        return Ok(Given::Missing);
    };
    let is_open = cx.vault.opened().is_some() || opening == Opening::Allowed;
    if !is_open && cx.vault.policy().map_err(needs)?.is_some() {
        return Ok(Given::Locked);
    }
    let value = cx.secrets.get(&name).map_err(needs)?;
    Ok(value.map_or(Given::Missing, Given::Value))
}

fn missing(provider: &Provider, what: &str, given: &ClientValue) -> Failure {
    let mut places = given.env.clone();
    if let Some(name) = &given.secret {
        places.extend(variable::of_secret(name));
    }
    let message = format!(
        "{} requires your own {what}, which is not set",
        provider.name
    );
    let failure = Failure::new(Kind::Config, message);
    let secret = given.secret.as_deref().map(SecretName::parse);
    match (secret, places.is_empty()) {
        (Some(Ok(name)), _) => failure.hint(Command::new("secrets set").arg(&name)),
        (_, true) => failure,
        (_, false) => failure.hint(format!("export {}=…", places.join("=… or "))),
    }
}
