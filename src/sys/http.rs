//! The one HTTP client: reqwest on a runtime of its own, behind a call that blocks.
//!
//! Nothing is built before the first request, so a command that needs no network starts no runtime.
//! Proxies and the CA bundle come through the environment's port and hold for every request alike:
//! a login whose first refresh goes another way than its exchange is refused by region. A request
//! is never repeated here, because only the caller knows whether its token may be spent twice.

mod settings;

use std::error::Error as StdError;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, ClientBuilder, NoProxy, Proxy};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio::runtime::{Builder, Runtime};
use url::Url;

use crate::model::id::printable;
use crate::model::secret::Secret;
use crate::ports::host::{Clock, Env};
use crate::ports::http::{
    Http, HttpError, HttpErrorKind, MAX_ANSWER, Method, Patience, Request, Response,
};

use super::clock::SystemClock;
use super::env::names;
use settings::{Settings, proxy_url};

/// How long connecting may take: name, TCP, proxy and TLS together.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How long the whole call may take.
const CALL_LIMIT: Duration = Duration::from_secs(30);
/// How often a call that may be stopped looks whether it is.
const TICK: Duration = Duration::from_millis(50);
/// The longest cause in words, in characters.
const DETAIL: usize = 200;

/// The HTTP client of this process.
pub struct SystemHttp {
    settings: Settings,
    limits: Limits,
    engine: OnceLock<Result<Engine, HttpError>>,
}

#[derive(Clone, Copy)]
struct Limits {
    connect: Duration,
    call: Duration,
}

impl SystemHttp {
    /// A client that takes its proxies and its CA bundle from `env`; see [`names`]. Opens nothing.
    pub fn new(env: &dyn Env) -> Self {
        let limits = Limits {
            connect: CONNECT_LIMIT,
            call: CALL_LIMIT,
        };
        Self::with_limits(env, limits)
    }

    fn with_limits(env: &dyn Env, limits: Limits) -> Self {
        Self {
            settings: Settings::read(env),
            limits,
            engine: OnceLock::new(),
        }
    }
}

impl Http for SystemHttp {
    fn send(&self, request: &Request) -> Result<Response, HttpError> {
        self.call(request, None)
    }

    fn send_within(
        &self,
        request: &Request,
        patience: &Patience<'_>,
    ) -> Result<Response, HttpError> {
        self.call(request, Some(patience))
    }
}

impl SystemHttp {
    fn call(
        &self,
        request: &Request,
        patience: Option<&Patience<'_>>,
    ) -> Result<Response, HttpError> {
        let clock = SystemClock::new();
        let engine = self
            .engine
            .get_or_init(|| Engine::build(&self.settings, self.limits));
        let engine = engine.as_ref().map_err(Clone::clone)?;
        let (url, headers) = (parse_url(&request.url)?, header_map(&request.headers)?);
        let result = engine.call(request, url.clone(), headers, patience);
        trace(request.method, &url, &result, clock.monotonic());
        result
    }
}

/// Tells what was asked and what came of it: no query, no header field, no body.
fn trace(method: Method, url: &Url, result: &Result<Response, HttpError>, took: Duration) {
    let outcome = match result {
        Ok(response) => response.status.to_string(),
        Err(error) => error.to_string(),
    };
    let (host, path) = (url.host_str().unwrap_or_default(), url.path());
    let ms = took.as_millis();
    tracing::debug!(target: "openclaw", ?method, host, path, outcome, ms, "http");
}

/// The client and the runtime that drives it.
struct Engine {
    client: Client,
    /// `None` only while it is being dropped.
    runtime: Option<Runtime>,
}

impl Drop for Engine {
    fn drop(&mut self) {
        // An ordinary drop waits for a name lookup that may hang for a minute.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Engine {
    fn build(settings: &Settings, limits: Limits) -> Result<Self, HttpError> {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build();
        let runtime = runtime.map_err(|error| local(&format!("no runtime: {error}")))?;
        let builder = Client::builder()
            .tls_backend_preconfigured(tls(settings.ca_bundle.as_deref())?)
            .user_agent(concat!("openclaw/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(limits.connect)
            .timeout(limits.call)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .http1_only()
            // A fresh connection each time: on a kept one that died, "not sent" is a guess.
            .pool_max_idle_per_host(0)
            .retry(reqwest::retry::never());
        let client = proxies(builder, settings)?.build();
        let client = client.map_err(|error| local(&deepest(&error.without_url())))?;
        Ok(Self {
            client,
            runtime: Some(runtime),
        })
    }

    fn call(
        &self,
        request: &Request,
        url: Url,
        headers: HeaderMap,
        patience: Option<&Patience<'_>>,
    ) -> Result<Response, HttpError> {
        let Some(runtime) = &self.runtime else {
            return Err(local("the client is shutting down"));
        };
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        let mut builder = self.client.request(method, url).headers(headers);
        if request.method == Method::Post || !request.body.expose().is_empty() {
            builder = builder.body(request.body.expose().clone());
        }
        if let Some(patience) = patience {
            builder = builder.timeout(patience.limit);
        }
        runtime.block_on(async {
            let answer = async {
                let response = builder.send().await.map_err(explain)?;
                read(response).await
            };
            match patience {
                Some(patience) => unless_stopped(answer, patience.stop).await,
                None => answer.await,
            }
        })
    }
}

/// Waits for an answer, and looks up every now and then.
async fn unless_stopped(
    answer: impl Future<Output = Result<Response, HttpError>>,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Response, HttpError> {
    let mut answer = std::pin::pin!(answer);
    loop {
        match tokio::time::timeout(TICK, answer.as_mut()).await {
            Ok(answer) => return answer,
            Err(_) if stop() => {
                return Err(HttpError {
                    kind: HttpErrorKind::NoAnswer,
                    detail: "canceled".to_owned(),
                });
            }
            Err(_) => {}
        }
    }
}

async fn read(mut response: reqwest::Response) -> Result<Response, HttpError> {
    let too_large = || HttpError {
        kind: HttpErrorKind::TooLarge,
        detail: format!("more than {MAX_ANSWER} bytes"),
    };
    let announced = response.content_length().unwrap_or(0);
    let announced = usize::try_from(announced).map_err(|_| too_large())?;
    if announced > MAX_ANSWER {
        return Err(too_large());
    }
    let mut body = Vec::with_capacity(announced);
    while let Some(chunk) = response.chunk().await.map_err(explain)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let fields = response.headers().iter();
    Ok(Response {
        status: response.status().as_u16(),
        headers: fields
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect(),
        body: Secret::new(body),
    })
}

fn parse_url(text: &str) -> Result<Url, HttpError> {
    let url = Url::parse(text).map_err(|error| local(&format!("malformed URL: {error}")))?;
    if matches!(url.scheme(), "http" | "https") {
        Ok(url)
    } else {
        Err(local("the URL is neither https nor http"))
    }
}

fn header_map(fields: &[(String, String)]) -> Result<HeaderMap, HttpError> {
    let mut map = HeaderMap::new();
    for (name, value) in fields {
        let field = HeaderName::from_bytes(name.as_bytes()).ok();
        let (Some(field), Ok(mut value)) = (field, HeaderValue::from_str(value)) else {
            // The name only: the value may be a token with a stray newline.
            return Err(local(&format!("invalid header field {name}")));
        };
        value.set_sensitive(true);
        map.append(field, value);
    }
    Ok(map)
}

/// The compiled-in roots, and those of the bundle that the user names.
fn tls(ca_bundle: Option<&str>) -> Result<ClientConfig, HttpError> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(path) = ca_bundle {
        let broken = |why: &str| local(&format!("{} ({path}): {why}", names::CA_BUNDLE));
        let pem = std::fs::read(path).map_err(|error| broken(&error.to_string()))?;
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        let certificates = certificates.map_err(|error| broken(&error.to_string()))?;
        let (added, _) = roots.add_parsable_certificates(certificates);
        if added == 0 {
            return Err(broken("it contains no certificate"));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| local(&error.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

fn proxies(mut builder: ClientBuilder, settings: &Settings) -> Result<ClientBuilder, HttpError> {
    type Make = fn(String) -> reqwest::Result<Proxy>;
    let routes: [(_, Make); 2] = [
        (&settings.https_proxy, Proxy::https),
        (&settings.http_proxy, Proxy::http),
    ];
    // Where the system keeps proxies outside the environment, they hold if no variable is set.
    let none_set = settings.https_proxy.is_none() && settings.http_proxy.is_none();
    if !none_set || cfg!(not(any(windows, target_os = "macos"))) {
        builder = builder.no_proxy();
    }
    for (setting, make) in routes {
        let Some((name, value)) = setting else {
            continue;
        };
        // The client ignores a proxy it does not understand and goes straight to the network,
        // which is the one thing its user did not want.
        let broken = || local(&format!("{name} is not an http, https or socks proxy"));
        let url = proxy_url(value.expose()).ok_or_else(broken)?;
        let proxy = make(url).map_err(|_| broken())?;
        let exceptions = settings.no_proxy.as_deref();
        builder = builder.proxy(proxy.no_proxy(exceptions.and_then(NoProxy::from_string)));
    }
    Ok(builder)
}

fn local(detail: &str) -> HttpError {
    HttpError {
        kind: HttpErrorKind::Local,
        detail: printable(detail, DETAIL),
    }
}

fn explain(error: reqwest::Error) -> HttpError {
    let error = error.without_url();
    let kind = kind(&error);
    let mut detail = deepest(&error);
    if unknown_issuer(&error) {
        detail.push_str("; for a company certificate authority set ");
        detail.push_str(names::CA_BUNDLE);
    }
    HttpError {
        kind,
        detail: printable(&detail, DETAIL),
    }
}

/// Only what fails before a connection stands was surely not sent; all else may have been.
fn kind(error: &reqwest::Error) -> HttpErrorKind {
    if error.is_builder() {
        HttpErrorKind::Local
    } else if error.is_connect() {
        if error.is_timeout() {
            HttpErrorKind::ConnectTimeout
        } else if tls_error(error).is_some() {
            HttpErrorKind::Tls
        } else {
            HttpErrorKind::Connect
        }
    } else if error.is_timeout() {
        HttpErrorKind::AnswerTimeout
    } else {
        HttpErrorKind::NoAnswer
    }
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    let first: &(dyn StdError + 'static) = error;
    std::iter::successors(Some(first), |&error| error.source())
}

/// The handshake's error. It hides inside I/O errors, one in another, that do not call it their
/// source.
fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    causes(error).find_map(|cause| {
        let mut cause = cause;
        while let Some(inner) = cause.downcast_ref().and_then(io::Error::get_ref) {
            cause = inner;
        }
        cause.downcast_ref()
    })
}

fn unknown_issuer(error: &reqwest::Error) -> bool {
    let unknown = CertificateError::UnknownIssuer;
    tls_error(error) == Some(&rustls::Error::InvalidCertificate(unknown))
}

/// The innermost cause: the outer ones say only that something failed.
fn deepest(error: &reqwest::Error) -> String {
    let last = causes(error).last().map(ToString::to_string);
    last.unwrap_or_default()
}

#[cfg(test)]
mod tests;
