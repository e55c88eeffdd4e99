//! The one HTTP client: reqwest on a runtime of its own, behind a call that blocks.
//!
//! Nothing is built before the first request, so a command that needs no network starts no runtime.
//! Proxies and the CA bundle come through the environment's port and hold for every request alike:
//! a login whose first refresh goes another way than its exchange is refused by region. A request
//! is never repeated here, because only the caller knows whether its token may be spent twice.

mod answer;
mod error;
mod no_proxy;
mod settings;
mod trust;
mod tunnel;

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Proxy};
use rustls::ClientConfig;
use tokio::runtime::{Builder, Runtime};
use url::Url;

use crate::ports::host::{Clock, Env};
use crate::ports::http::{
    CALL_LIMIT, Http, HttpError, HttpErrorKind, Method, Patience, Request, Response,
};

use super::clock::SystemClock;
use answer::Arriving;
use error::{Failed, deepest, explain, local};
use settings::{Route, Settings};

/// How long connecting may take: name, TCP, proxy and TLS together.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// The most header fields that an answer may have.
const MAX_HEADERS: usize = 2_000;
/// How often a call that may be stopped looks whether it is.
const TICK: Duration = Duration::from_millis(50);

/// The HTTP client of this process.
pub struct SystemHttp {
    env: Box<dyn Env>,
    settings: OnceLock<Settings>,
    limits: Limits,
    engine: OnceLock<Result<Engine, HttpError>>,
    tls: OnceLock<Result<Tls, HttpError>>,
}

/// Whether a call shall be given up.
type Stop<'a> = &'a (dyn Fn() -> bool + Sync);

/// TLS, and what was set for it and is ignored.
type Tls = (ClientConfig, Option<String>);

#[derive(Clone, Copy)]
struct Limits {
    connect: Duration,
    call: Duration,
}

/// TLS as every request of this program uses it, for another protocol.
///
/// # Errors
/// Which variable about certificates is wrong, and why.
pub fn tls(env: &dyn Env) -> Result<ClientConfig, String> {
    let (config, _) = trust::tls(&Settings::read(env).authorities)?;
    Ok(config)
}

impl SystemHttp {
    /// A client that takes its proxies and its CA bundle from `env`. Reads and opens nothing yet.
    pub fn new(env: impl Env + 'static) -> Self {
        let limits = Limits {
            connect: CONNECT_LIMIT,
            call: CALL_LIMIT,
        };
        Self::with_limits(env, limits)
    }

    fn with_limits(env: impl Env + 'static, limits: Limits) -> Self {
        Self {
            env: Box::new(env),
            settings: OnceLock::new(),
            limits,
            engine: OnceLock::new(),
            tls: OnceLock::new(),
        }
    }

    fn settings(&self) -> &Settings {
        self.settings.get_or_init(|| Settings::read(&*self.env))
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
        let (url, headers) = (parse_url(&request.url)?, header_map(&request.headers)?);
        let route = (self.settings().route(&url)).map_err(|why| local(&why))?;
        let (client, ignored) = self.client(&url, &route)?;
        let engine = self.engine.get_or_init(Engine::build);
        let engine = engine.as_ref().map_err(Clone::clone)?;
        let wait = match patience {
            Some(Patience { limit, stop }) => (*limit, *stop),
            None => (self.limits.call, &(|| false) as Stop<'_>),
        };
        let result = engine
            .call(&client, request, (url.clone(), headers), wait)
            .map_err(|error| explain(error, (&url, &route), ignored));
        trace(request.method, &url, &result, clock.monotonic());
        result
    }

    /// The client for one way, and what was set and is ignored. What is set about certificates is
    /// judged where one is needed.
    fn client(&self, url: &Url, route: &Route) -> Result<(Client, Option<&str>), HttpError> {
        let tls = || trust::tls(&self.settings().authorities).map_err(|why| local(&why));
        let needs_tls = url.scheme() == "https"
            || matches!(route, Route::Proxy(proxy) if proxy.url.scheme() == "https");
        let mut builder = Client::builder()
            .user_agent(concat!("openclaw/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.limits.connect)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .http1_only()
            // What servers send for a grant that is spent by then is read, however odd its head.
            .http1_max_headers(MAX_HEADERS)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http1_ignore_invalid_headers_in_responses(true)
            // A fresh connection each time: on a kept one that died, "not sent" is a guess.
            .pool_max_idle_per_host(0)
            .retry(reqwest::retry::never());
        let (tls, ignored) = match needs_tls {
            true => {
                let tls = self.tls.get_or_init(tls).as_ref().map_err(Clone::clone)?;
                (tls.0.clone(), tls.1.as_deref())
            }
            false => (trust::nobody().map_err(|why| local(&why))?, None),
        };
        builder = builder.tls_backend_preconfigured(tls);
        let unusable = |error: reqwest::Error| local(&deepest(&error.without_url()));
        builder = match route {
            Route::System => builder,
            Route::Direct => builder.no_proxy(),
            Route::Proxy(proxy) => {
                let proxy = Proxy::all(proxy.url.clone()).map_err(unusable)?;
                builder.no_proxy().proxy(proxy)
            }
        };
        Ok((builder.build().map_err(unusable)?, ignored))
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

/// The runtime that drives the client.
struct Engine {
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
    fn build() -> Result<Self, HttpError> {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build();
        // For want of open files, which passes, and is no fault of the request.
        let runtime = runtime.map_err(|error| HttpError {
            kind: HttpErrorKind::Connect,
            ..local(&error.to_string())
        })?;
        Ok(Self {
            runtime: Some(runtime),
        })
    }

    fn call(
        &self,
        client: &Client,
        request: &Request,
        (url, headers): (Url, HeaderMap),
        (limit, stop): (Duration, Stop<'_>),
    ) -> Result<Response, Failed> {
        let Some(runtime) = &self.runtime else {
            return Err(local("the client is shutting down").into());
        };
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        let spends = request.method == Method::Post;
        let mut builder = client.request(method, url).headers(headers);
        builder = builder.header(ACCEPT_ENCODING, "identity");
        if request.method == Method::Post || !request.body.expose().is_empty() {
            builder = builder.body(request.body.expose().clone());
        }
        let arriving = Arriving::default();
        let answer = async {
            let response = builder.send().await?;
            arriving.read(response, spends).await
        };
        let answer = runtime.block_on(wait_for(answer, limit, stop));
        answer.or_else(|error| arriving.part(spends).ok_or(error))
    }
}

/// Waits for an answer, and looks up every now and then. The time during which this process was
/// stopped (Ctrl-Z, a paused container) does not count: the answer may have come meanwhile, and with
/// it the only successor of a grant.
async fn wait_for(
    answer: impl Future<Output = Result<Response, Failed>>,
    limit: Duration,
    stop: Stop<'_>,
) -> Result<Response, Failed> {
    let mut answer = std::pin::pin!(answer);
    let mut left = limit;
    loop {
        match tokio::time::timeout(TICK.min(left), answer.as_mut()).await {
            Ok(answer) => return answer,
            Err(_) if stop() => {
                let canceled = HttpError {
                    kind: HttpErrorKind::NoAnswer,
                    detail: "canceled".to_owned(),
                };
                return Err(canceled.into());
            }
            Err(_) => left = left.saturating_sub(TICK),
        }
        if left.is_zero() {
            return Err(Failed::TimedOut);
        }
    }
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

#[cfg(test)]
mod tests;
