//! The target of a refresh: the token endpoint or the plugin that issued the grant.

use std::path::PathBuf;

use parking_lot::Mutex;

use crate::model::credential::OAuth;
use crate::model::grant::Binding;
use crate::model::provider::{Client, Provider};
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::oauth::address;
use crate::oauth::error::OAuthError;
use crate::oauth::grant::Grant;
use crate::oauth::plugin as protocol;
use crate::oauth::refresh;
use crate::oauth::token_response::may_hold_grant;
use crate::ports::http::{Http, HttpError, Request, Response};
use crate::ports::store::Reserved;

use crate::app::context::Context;
use crate::app::credential::facts::RefreshPath;
use crate::app::failure::Failure;
use crate::app::issuer::plugin;
use crate::app::issuer::registration::{self, Use};

/// The target of a refresh.
pub(in crate::app) enum Route {
    /// The token endpoint, for this client.
    Endpoint(Box<Client>),
    /// The plugin that issued it.
    Program(PathBuf),
}

/// The token response, and what stores it.
pub(in crate::app) type Renewal<'r> = (Box<dyn Reserved + 'r>, Result<Grant, OAuthError>);

impl Route {
    /// Returns the target for a login; `None` if the provider has none.
    ///
    /// # Errors
    /// If there is one that cannot be gone now.
    pub(in crate::app) fn of(
        cx: Context<'_>,
        provider: &Provider,
        login: &OAuth,
    ) -> Result<Option<Self>, Failure> {
        if let Some(origin) = plugin::origin(login) {
            plugin::check(cx, provider, &origin)?;
            return Ok(Some(Self::Program(origin)));
        }
        if provider.registration.is_none() {
            return Ok(None);
        }
        let client = registration::resolve(cx, provider, Use::Refresh)?;
        Ok(Some(Self::Endpoint(Box::new(client))))
    }

    /// Returns the binding that a grant must have to go there.
    pub(in crate::app) fn binding(&self) -> Binding {
        match self {
            Self::Endpoint(client) => client.binding(),
            Self::Program(path) => Binding::to_program(&path.to_string_lossy()),
        }
    }

    /// Sends the refresh token. The response is saved before it is parsed.
    pub(in crate::app) fn renew<'r>(
        &self,
        cx: Context<'_>,
        provider: &Provider,
        old: (&OAuth, &Secret<String>),
        begun_at: Timestamp,
        reserved: Box<dyn Reserved + 'r>,
    ) -> Renewal<'r> {
        let (login, refresh_token) = old;
        match self {
            Self::Endpoint(client) => {
                let http = SavingFirst {
                    http: cx.http,
                    reserved: Mutex::new(reserved),
                };
                let granted = refresh::refresh(&http, provider, client, refresh_token, begun_at);
                (http.reserved.into_inner(), granted)
            }
            Self::Program(path) => {
                let mut reserved = reserved;
                let program = plugin::speaker(cx, provider, path);
                let line = program.refresh(login, &mut |line| reserved.save(line));
                let granted = line.and_then(|line| {
                    protocol::grant(line, begun_at, provider.refresh.baked_margin)
                });
                (reserved, granted)
            }
        }
    }
}

/// Returns the host that a refresh of a login asks first, as far as the manifest tells, with its
/// port if that is not the usual one; for a login of a plugin, the path of the plugin.
pub(in crate::app) fn host_of(provider: &Provider, login: &OAuth) -> Option<String> {
    if let Some(path) = plugin::origin(login) {
        return Some(path.display().to_string());
    }
    let registration = provider.registration.as_ref()?;
    let address = registration
        .token
        .as_ref()
        .or(registration.issuer.as_ref())?;
    address::authority(address)
}

/// Whether a provider has anything that refreshes a login.
pub(in crate::app) fn can_refresh(provider: &Provider, login: &OAuth) -> bool {
    match login.is_of_client() {
        true => provider.client_credentials().is_some(),
        false => provider.registration.is_some() || plugin::is_origin_of(login),
    }
}

/// Looks for obstacles to a refresh without a request. Also returns the binding of the target,
/// unless only the issuer's metadata tells it.
pub(in crate::app) fn look_ahead(
    cx: Context<'_>,
    provider: &Provider,
    login: &OAuth,
) -> (RefreshPath, Option<Binding>) {
    let blocked = |failure| (RefreshPath::Blocked(Box::new(failure)), None);
    if login.is_of_client() {
        let client = registration::without_asking(cx, provider);
        let client = client.and_then(|client| {
            let checked = client.map(|client| registration::with_secret(provider, client));
            checked.transpose()
        });
        return client.map_or_else(blocked, |_| (RefreshPath::Open, None));
    }
    if provider.registration.is_none() || plugin::origin(login).is_some() {
        return match Route::of(cx, provider, login) {
            Ok(Some(route)) => (RefreshPath::Open, Some(route.binding())),
            Ok(None) => (RefreshPath::Missing, None),
            Err(failure) => blocked(failure),
        };
    }
    match registration::without_asking(cx, provider) {
        Ok(client) => (RefreshPath::Open, client.as_ref().map(Client::binding)),
        Err(failure) => blocked(failure),
    }
}

/// The HTTP client of one refresh: it saves the response before anything understands it.
struct SavingFirst<'a, 'r> {
    http: &'a dyn Http,
    reserved: Mutex<Box<dyn Reserved + 'r>>,
}

impl Http for SavingFirst<'_, '_> {
    fn send(&self, request: &Request) -> Result<Response, HttpError> {
        let answer = self.http.send(request)?;
        if may_hold_grant(&answer) {
            self.reserved.lock().save(&answer.body);
        }
        Ok(answer)
    }
}
