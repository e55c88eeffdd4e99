//! Who asks, and whether they may.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::connect_info::ConnectInfo;
use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::address;
use super::options::LEAST_TOKEN;
use super::problem::Problem;
use super::provider::Named;
use super::state::Gateway;
use crate::model::access::{Action, Role, Scope};
use crate::model::access_key::BearerDigest;
use crate::model::secret::Secret;

/// A caller who showed a good bearer, and whose role and scope allow the route that was asked for.
/// Which agent and profile are meant only the handler knows; it asks `scope`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    /// Tells callers apart, in logs, too: the id of the key, or `gateway` for the gateway's own token.
    pub(super) id: String,
    /// The digest of what was shown.
    pub(super) bearer: BearerDigest,
    pub(super) role: Role,
    pub(super) scope: Scope,
}

/// The address that a request comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client(pub(super) IpAddr);

impl FromRequestParts<Arc<Gateway>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<Gateway>,
    ) -> Result<Self, Problem> {
        let client = Client::of(parts, gateway)?;
        let caller = match bearer(&parts.headers) {
            Some(bearer) => Self::with_bearer(gateway, client, &bearer).await?,
            None => {
                let session = gateway.bearer_of_session(parts).await?;
                let digest = session.ok_or_else(Problem::unauthorized)?;
                Self::with_digest(gateway, client, &digest).await?
            }
        };
        authorize(&caller, parts, gateway).await?;
        Ok(caller)
    }
}

impl Caller {
    /// The holder of a bearer.
    ///
    /// After too many wrong ones from an address, a bearer that could be guessed is not even looked
    /// at. One that cannot be is still good: whoever shares an address must not lock others out.
    ///
    /// # Errors
    /// 401 if it is wrong, 429 after too many, 403 if it is not for this address.
    pub(super) async fn with_bearer(
        gateway: &Gateway,
        client: Client,
        bearer: &Secret<String>,
    ) -> Result<Self, Problem> {
        let counted = address::counted(client.0);
        let now = gateway.clock.monotonic();
        let allowed = gateway.wrong_bearers.check(&counted, now);
        if bearer.expose().len() < LEAST_TOKEN {
            allowed.map_err(Problem::too_many)?;
        }
        let digest = BearerDigest::of(bearer);
        // Wrong bearers must not keep the disk busy.
        let found = Self::find(gateway, &digest, allowed.is_ok()).await?;
        let Some(caller) = found else {
            let taken = gateway.wrong_bearers.take(&counted, now);
            return Err(taken.map_or_else(Problem::too_many, |()| Problem::unauthorized()));
        };
        caller.admitted(client)
    }

    /// The holder of a bearer that was good when a session or a link was made in its name.
    ///
    /// # Errors
    /// 401 if it has been revoked or has ended, 403 if it is not for this address.
    pub(super) async fn with_digest(
        gateway: &Gateway,
        client: Client,
        digest: &BearerDigest,
    ) -> Result<Self, Problem> {
        let found = Self::find(gateway, digest, true).await?;
        found.ok_or_else(Problem::unauthorized)?.admitted(client)
    }

    async fn find(
        gateway: &Gateway,
        digest: &BearerDigest,
        reads_for_unknown: bool,
    ) -> Result<Option<Self>, Problem> {
        if *digest == gateway.token {
            return Ok(Some(Self {
                id: "gateway".to_owned(),
                bearer: digest.clone(),
                role: Role::Admin,
                scope: Scope::default(),
            }));
        }
        let (clock, workers) = (&*gateway.clock, &gateway.workers);
        let key = gateway
            .keys
            .find(digest, clock, workers, reads_for_unknown)
            .await?;
        Ok(key.map(|key| Self {
            id: key.id,
            bearer: key.digest,
            role: key.role,
            scope: key.scope,
        }))
    }

    fn admitted(self, client: Client) -> Result<Self, Problem> {
        match self.scope.admits(client.0) {
            true => Ok(self),
            false => Err(out_of_scope("this key is not for this address")),
        }
    }
}

impl FromRequestParts<Arc<Gateway>> for Client {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<Gateway>,
    ) -> Result<Self, Problem> {
        Self::of(parts, gateway)
    }
}

impl Client {
    fn of(parts: &Parts, gateway: &Gateway) -> Result<Self, Problem> {
        // Every connection has one.
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let ConnectInfo(peer) = peer.ok_or_else(Problem::unauthorized)?;
        let proxies = &gateway.options.trusted_proxies;
        let address = address::client(peer.ip(), &parts.headers, proxies);
        let address = address.ok_or_else(|| {
            let error = "the proxy does not say from which address this request comes";
            Problem::bad_request("unknown_address", error)
        })?;
        Ok(Self(address))
    }
}

/// Checks the role of a caller, and the provider of the path.
async fn authorize(
    caller: &Caller,
    parts: &mut Parts,
    gateway: &Arc<Gateway>,
) -> Result<(), Problem> {
    let route = parts.extensions.get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("", MatchedPath::as_str);
    let action = action(&parts.method, route);
    if !caller.role.may(action) {
        let error = format!("the role {} may not do this", caller.role.as_ref());
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", error));
    }
    // They are about all providers.
    if action == Action::ReadMetrics && !caller.scope.providers.is_empty() {
        return Err(out_of_scope("this key is not for all providers"));
    }
    if route.starts_with("/v1/auth/") {
        let Named(provider) = Named::from_request_parts(parts, gateway).await?;
        if !caller.scope.covers_provider(&provider) {
            return Err(out_of_scope("this key is not for this provider"));
        }
    }
    if route.ends_with("/start") || route.ends_with("/callback") {
        let now = gateway.clock.monotonic();
        let taken = gateway.logins.take(&caller.id, now);
        taken.map_err(Problem::too_many)?;
    }
    Ok(())
}

/// What a request does. Whatever is not known here, only an admin may do.
fn action(method: &Method, route: &str) -> Action {
    let (_, verb) = route.rsplit_once('/').unwrap_or_default();
    match (method.as_str(), verb) {
        ("GET" | "HEAD", "status" | "flow" | "events" | "session") => Action::ReadStatus,
        // Of whoever is signed in already.
        ("DELETE", "session") | ("POST", "links") => Action::ReadStatus,
        ("GET" | "HEAD", "credentials") => Action::ReadCredentials,
        ("GET" | "HEAD", "metrics") => Action::ReadMetrics,
        ("GET", "token") => Action::TakeToken,
        ("POST", "start" | "callback" | "cancel" | "credential") => Action::LogIn,
        ("POST", "logout") => Action::LogOut,
        _ => Action::ManageKeys,
    }
}

/// The failure of a request for what the key is not for.
pub(super) fn out_of_scope(error: &str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "scope", error)
}

/// The bearer of a request (RFC 6750 section 2.1); none if there are two.
fn bearer(headers: &HeaderMap) -> Option<Secret<String>> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    let (scheme, token) = HeaderValue::to_str(value).ok()?.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty();
    is_bearer.then(|| Secret::from(token.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_only_an_admin_may_do() {
        let auth = "/v1/auth/{provider}";
        for (method, route, expected) in [
            (Method::GET, format!("{auth}/status"), Action::ReadStatus),
            (Method::HEAD, format!("{auth}/status"), Action::ReadStatus),
            (Method::POST, format!("{auth}/status"), Action::ManageKeys),
            (Method::POST, format!("{auth}/start"), Action::LogIn),
            (Method::GET, format!("{auth}/start"), Action::ManageKeys),
            (Method::POST, format!("{auth}/logout"), Action::LogOut),
            (Method::GET, "/v1/token".to_owned(), Action::TakeToken),
            (Method::GET, "/metrics".to_owned(), Action::ReadMetrics),
            (Method::GET, "/v1/keys".to_owned(), Action::ManageKeys),
            (
                Method::DELETE,
                "/v1/keys/{id}".to_owned(),
                Action::ManageKeys,
            ),
            (Method::GET, String::new(), Action::ManageKeys),
        ] {
            assert_eq!(action(&method, &route), expected, "{method} {route}");
        }
    }
}
