//! `/v1/session` and `/v1/links`: signing in to the page, and out. A bearer, or the code of a link, is
//! exchanged for a cookie, which no script can read, and a value that the page shows beside it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{COOKIE, HeaderName, ORIGIN, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::{Body, optional_secret};
use super::caller::{Caller, Client};
use super::front::FETCH_SITE;
use super::problem::Problem;
use super::sessions::{LINK_LIFE, SESSION_LIFE, SessionError, Sessions};
use super::state::Gateway;
use crate::model::access::Action;
use crate::model::access_key::BearerDigest;
use crate::model::secret::Secret;

const CSRF: HeaderName = HeaderName::from_static("x-openclaw-csrf");

/// The paths of it.
pub(super) fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/v1/session", get(show).post(open).delete(close))
        .route("/v1/links", post(link))
}

/// What is exchanged for a session: one of the two.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shown {
    #[serde(default, deserialize_with = "optional_secret")]
    bearer: Option<Secret<String>>,
    #[serde(default, deserialize_with = "optional_secret")]
    one_time_code: Option<Secret<String>>,
}

/// Signs in.
async fn open(
    State(gateway): State<Arc<Gateway>>,
    client: Client,
    Body(shown): Body<Shown>,
) -> Result<Response, Problem> {
    let caller = match (shown.bearer, shown.one_time_code) {
        (Some(bearer), None) => {
            let caller = Caller::with_bearer(&gateway, client, &bearer).await?;
            gateway.limit_sign_ins(&caller)?;
            caller
        }
        // Its link was counted when it was made.
        (None, Some(code)) => {
            let redeem = move |sessions: &Sessions| sessions.redeem(&code);
            let bearer = gateway.with_sessions(redeem).await?;
            let bearer = bearer.ok_or_else(Problem::unauthorized)?;
            Caller::with_digest(&gateway, client, &bearer).await?
        }
        _ => {
            let error = "give bearer or one_time_code";
            return Err(Problem::bad_request("invalid_body", error));
        }
    };
    if !caller.role.may(Action::ReadCredentials) {
        let error = format!("the role {} has no page", caller.role.as_ref());
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", error));
    }
    let opened = gateway
        .with_sessions(|sessions| sessions.open(caller.bearer))
        .await?;
    let body = json!({
        "csrf": opened.csrf.expose(),
        "role": caller.role,
        "expires_at": opened.ends.iso8601(),
    });
    let cookie = gateway.cookie();
    let cookie = cookie.set(opened.cookie.expose(), SESSION_LIFE.as_secs());
    Ok(([(SET_COOKIE, cookie)], Json(body)).into_response())
}

/// Tells as what somebody is signed in.
async fn show(caller: Caller) -> Json<Value> {
    Json(json!({ "role": caller.role }))
}

/// Signs out.
async fn close(
    State(gateway): State<Arc<Gateway>>,
    _: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let cookie = gateway.cookie();
    if let Some(value) = cookie.read(&headers) {
        gateway
            .with_sessions(move |sessions| sessions.close(&value))
            .await?;
    }
    let gone = cookie.set("", 0);
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, gone)]).into_response())
}

/// Makes a link that signs a browser in as the caller, once.
async fn link(State(gateway): State<Arc<Gateway>>, caller: Caller) -> Result<Json<Value>, Problem> {
    gateway.limit_sign_ins(&caller)?;
    gateway.audit.note(&caller.id, "link made", |_| {});
    let code = gateway
        .with_sessions(|sessions| sessions.invite(caller.bearer))
        .await?;
    let url = gateway.link_with(&code);
    Ok(Json(
        json!({ "url": url.expose(), "expires_in": LINK_LIFE.as_secs() }),
    ))
}

impl Gateway {
    /// A URL that signs a browser in as the holder of a bearer, once. The code is in the fragment,
    /// which a browser sends to nobody.
    ///
    /// # Errors
    /// If there can be none now.
    pub(super) fn one_time_link(
        &self,
        bearer: BearerDigest,
    ) -> Result<Secret<String>, SessionError> {
        self.sessions
            .invite(bearer)
            .map(|code| self.link_with(&code))
    }

    fn link_with(&self, code: &Secret<String>) -> Secret<String> {
        Secret::new(format!("{}/#k={}", self.base_url(), code.expose()))
    }

    /// Asks for sessions, or changes them: that may take a database.
    async fn with_sessions<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Sessions) -> Result<T, SessionError> + Send + 'static,
    ) -> Result<T, Problem> {
        let sessions = Arc::clone(&self.sessions);
        let done = self.workers.look(move |_, _| work(&sessions)).await?;
        Ok(done?)
    }

    /// Counts a session or a link that a caller asks for.
    ///
    /// # Errors
    /// 429 after too many.
    fn limit_sign_ins(&self, caller: &Caller) -> Result<(), Problem> {
        let taken = self.sign_ins.take(&caller.id, self.clock.monotonic());
        taken.map_err(Problem::too_many)
    }

    /// The bearer in whose name a request with a cookie is made. Beside it stand the value that only
    /// our page knows and, from a browser, where the request comes from.
    ///
    /// # Errors
    /// 503 if that cannot be told now.
    pub(super) async fn bearer_of_session(
        &self,
        parts: &Parts,
    ) -> Result<Option<BearerDigest>, Problem> {
        let Some((cookie, csrf)) = self.shown_in(parts) else {
            return Ok(None);
        };
        self.with_sessions(move |sessions| sessions.find(&cookie, &csrf))
            .await
    }

    /// The cookie of a request, and what stands beside it.
    fn shown_in(&self, parts: &Parts) -> Option<(Secret<String>, Secret<String>)> {
        let cookie = self.cookie().read(&parts.headers)?;
        let csrf = Secret::from(parts.headers.get(CSRF)?.to_str().ok()?);
        // A foreign origin was refused at the front. Browsers name none with GET.
        let is_told = parts.headers.contains_key(ORIGIN)
            || parts.method.is_safe() && parts.headers.get(FETCH_SITE)? == "same-origin";
        is_told.then_some((cookie, csrf))
    }

    fn cookie(&self) -> Cookie {
        let public = self.options.public_url.as_ref();
        match public.is_some_and(|url| url.scheme() == "https") {
            true => Cookie::Https,
            false => Cookie::Http(self.address.port()),
        }
    }
}

/// The cookie of a session.
enum Cookie {
    /// Of a host of its own.
    Https,
    /// Of this port. Two gateways of one host have two cookies, for a cookie knows no port.
    Http(u16),
}

impl Cookie {
    fn name(&self) -> String {
        match self {
            Self::Https => "__Host-openclaw".to_owned(),
            Self::Http(port) => format!("openclaw-{port}"),
        }
    }

    /// The value of `Set-Cookie`.
    fn set(&self, value: &str, seconds: u64) -> String {
        let name = self.name();
        let secure = match self {
            Self::Https => "; Secure",
            Self::Http(_) => "",
        };
        format!("{name}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Strict{secure}")
    }

    /// The value that a request shows; none if it shows two.
    fn read(&self, headers: &HeaderMap) -> Option<Secret<String>> {
        let name = self.name();
        let fields = headers.get_all(COOKIE).iter();
        let fields = fields.filter_map(|field| field.to_str().ok());
        let mut named = fields
            .flat_map(|field| field.split(';'))
            .filter_map(|pair| {
                let (key, value) = pair.trim().split_once('=')?;
                (key == name).then(|| Secret::from(value))
            });
        named.next().filter(|_| named.next().is_none())
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_cookie_is_bound_to_its_host_where_that_is_possible() {
        let set = Cookie::Https.set("value", 43_200);
        let kept = "Path=/; HttpOnly; SameSite=Strict";
        assert_eq!(
            set,
            format!("__Host-openclaw=value; Max-Age=43200; {kept}; Secure")
        );
        let gone = Cookie::Http(3577).set("", 0);
        assert_eq!(gone, format!("openclaw-3577=; Max-Age=0; {kept}"));
    }

    #[test]
    fn a_cookie_is_read_once() {
        let read = |fields: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for field in fields {
                headers.append(COOKIE, HeaderValue::from_static(field));
            }
            Cookie::Http(1)
                .read(&headers)
                .map(|value| value.expose().clone())
        };
        assert_eq!(read(&["a=b; openclaw-1=x"]).as_deref(), Some("x"));
        assert_eq!(
            read(&["openclaw-2=x", "openclaw-1=y"]).as_deref(),
            Some("y")
        );
        assert_eq!(read(&["openclaw-1=x; openclaw-1=y"]), None);
        assert_eq!(read(&["openclaw-1=x", "openclaw-1=y"]), None);
        assert_eq!(read(&["openclaw-2=x"]), None);
        assert_eq!(read(&[]), None);
    }
}
