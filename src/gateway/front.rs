//! What every request passes before anything looks at its path: the id, the log, and what keeps pages
//! of other sites, and names that somebody pointed at us, away.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, HOST, HeaderName, ORIGIN, TRANSFER_ENCODING,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Version};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower::ServiceExt as _;
use url::Url;

use super::address::is_loopback;
use super::problem::Problem;
use super::state::Gateway;

/// The longest path and query.
const MAX_URL: usize = 4 * 1024;
/// How long a request may take, its body included.
const LIMIT: Duration = Duration::from_secs(30);
/// What may stand once in a request: with two, we might go by another one than a proxy in front of us.
const SINGLE: [HeaderName; 4] = [HOST, CONTENT_LENGTH, TRANSFER_ENCODING, ORIGIN];

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(super) const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The service as a connection sees it.
pub(super) struct Front {
    gateway: Arc<Gateway>,
    routes: Router,
    /// How nearly everybody names us: of these, nothing has to be found out.
    hosts: [String; 2],
}

impl Front {
    pub(super) fn new(gateway: Arc<Gateway>, routes: Router) -> Self {
        let host = |name: &str| format!("{name}:{}", gateway.address.port());
        let hosts = ["127.0.0.1", "localhost"].map(host);
        Self {
            hosts,
            gateway,
            routes,
        }
    }

    /// Answers a request, or has it answered. Around the routes, and not one of their layers: a request
    /// that is not for us is told nothing of our paths.
    pub(super) async fn answer(&self, request: Request) -> Response {
        let gateway = &*self.gateway;
        let id = gateway.request_id();
        let begun = gateway.clock.monotonic();
        let method = request.method().clone();
        let answered = match self.judge(&request) {
            Err(problem) => problem.into_response(),
            Ok(()) => match self.routes.clone().oneshot(request).await {
                Ok(answered) => answered,
                Err(never) => match never {},
            },
        };
        let route = answered.extensions().get::<Route>().cloned();
        let mut response = Problem::written(answered, &id);
        let status = response.status().as_u16();
        gateway.counters.answered(status);
        let ms = gateway.clock.monotonic().saturating_sub(begun).as_millis();
        // The template of the route, never the path: what somebody wrote into it is theirs.
        let route = route.as_ref().map_or("-", |route| route.0.as_str());
        tracing::info!(target: "openclaw::gateway", %method, route, status, ms, id, "request");
        let headers = response.headers_mut();
        headers
            .entry(CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Ok(id) = HeaderValue::from_str(&id) {
            headers.insert(REQUEST_ID, id);
        }
        response
    }

    fn judge(&self, request: &Request) -> Result<(), Problem> {
        let headers = request.headers();
        let has_doubled = headers.len() > headers.keys_len();
        if has_doubled
            && SINGLE
                .iter()
                .any(|name| headers.get_all(name).iter().count() > 1)
        {
            return Err(Problem::bad_request(
                "doubled_header",
                "a header stands twice",
            ));
        }
        // Two readers may see its end in two places (RFC 9112 section 11.2), and no client of ours needs it.
        if headers.contains_key(TRANSFER_ENCODING) {
            let error = "send the length of the body, and the body in one piece";
            return Err(Problem::new(
                StatusCode::LENGTH_REQUIRED,
                "length_required",
                error,
            ));
        }
        let length = request
            .uri()
            .path_and_query()
            .map_or(0, |path| path.as_str().len());
        if length > MAX_URL {
            return Err(Problem::new(
                StatusCode::URI_TOO_LONG,
                "url_too_long",
                "the URL is too long",
            ));
        }
        if !self.is_for_us(request) {
            let status = StatusCode::MISDIRECTED_REQUEST;
            return Err(Problem::new(
                status,
                "wrong_host",
                "this is not the host that was asked for",
            ));
        }
        match is_of_another_site(&self.gateway, headers) {
            true => Err(Problem::new(
                StatusCode::FORBIDDEN,
                "cross_site",
                "asked by another site",
            )),
            false => Ok(()),
        }
    }

    /// Whether the request names us. Somebody else's name that leads here is DNS rebinding.
    fn is_for_us(&self, request: &Request) -> bool {
        let gateway = &*self.gateway;
        // The form with a whole URL is for proxies (RFC 9112 section 3.2.2).
        if request.uri().authority().is_some() || request.version() != Version::HTTP_11 {
            return false;
        }
        let named = request
            .headers()
            .get(HOST)
            .and_then(|host| host.to_str().ok());
        if named.is_some_and(|host| self.hosts.iter().any(|usual| usual == host)) {
            return true;
        }
        let Some(named) = named.and_then(|host| Url::parse(&format!("http://{host}")).ok()) else {
            return false;
        };
        // A URL has a path of its own; anything else in the header is none of a host.
        if named.path() != "/" || named.query().is_some() || !named.username().is_empty() {
            return false;
        }
        let is_public = |url: &Url| {
            // A proxy may leave out the port.
            let port = named.port().or(url.port_or_known_default());
            url.host() == named.host() && port == url.port_or_known_default()
        };
        is_here(gateway, &named) || gateway.options.public_url.as_ref().is_some_and(is_public)
    }
}

/// The template of the route that answered.
#[derive(Clone, Debug)]
struct Route(MatchedPath);

/// Limits the time of a request, and remembers which route it took.
pub(super) async fn timed(matched: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(LIMIT, next.run(request)).await;
    let mut response = answer.unwrap_or_else(|_| {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "timeout",
            "the request took too long",
        )
        .after(LIMIT)
        .into_response()
    });
    if let Some(matched) = matched {
        response.extensions_mut().insert(Route(matched));
    }
    response
}

/// Whether a URL names us as whoever is on this machine does.
fn is_here(gateway: &Gateway, url: &Url) -> bool {
    is_loopback(url) && url.port_or_known_default() == Some(gateway.address.port())
}

/// Whether a page of another site asks: its `Origin` is not ours, or the browser says so.
fn is_of_another_site(gateway: &Gateway, headers: &HeaderMap) -> bool {
    let site = headers.get(FETCH_SITE).map(HeaderValue::as_bytes);
    if site.is_some_and(|site| !matches!(site, b"same-origin" | b"none")) {
        return true;
    }
    let Some(origin) = headers.get(ORIGIN) else {
        return false;
    };
    !origin
        .to_str()
        .is_ok_and(|origin| is_ours(gateway, origin, headers))
}

/// Whether an origin is ours: that of the public URL, or, on this machine, the very host that was asked
/// for.
fn is_ours(gateway: &Gateway, origin: &str, headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let public = gateway.options.public_url.as_ref();
    let is_public = public.is_some_and(|url| url.origin().ascii_serialization() == origin);
    let is_asked = || host.is_some_and(|host| origin == format!("http://{host}"));
    let is_local = || Url::parse(origin).is_ok_and(|url| is_here(gateway, &url));
    is_public || is_asked() && is_local()
}
