//! Why a request has no answer, in words, and whether the server may have seen it.

use std::error::Error as StdError;
use std::io;

use rustls::CertificateError;
use url::Url;

use super::super::env::names;
use super::settings::Route;
use super::trust::SelfSigned;
use super::tunnel;
use crate::model::id::printable;
use crate::ports::http::{HttpError, HttpErrorKind};

/// The longest cause in words, in characters.
const DETAIL: usize = 200;

/// Nothing was sent.
pub(super) fn local(detail: &str) -> HttpError {
    HttpError {
        kind: HttpErrorKind::Local,
        detail: printable(detail, DETAIL),
    }
}

/// Why a call failed, before it is said in words.
pub(super) enum Failed {
    Client(reqwest::Error),
    TimedOut,
    Known(HttpError),
}

impl From<reqwest::Error> for Failed {
    fn from(error: reqwest::Error) -> Self {
        Self::Client(error)
    }
}

impl From<HttpError> for Failed {
    fn from(error: HttpError) -> Self {
        Self::Known(error)
    }
}

/// Says why, and through which proxy: what cannot be reached may be either of the two.
pub(super) fn explain(
    error: Failed,
    (url, route): (&Url, &Route),
    ignored: Option<&str>,
) -> HttpError {
    let mut detail = match route {
        Route::Proxy(proxy) => format!("through the proxy {proxy}: "),
        Route::Direct | Route::System => String::new(),
    };
    let error = match error {
        Failed::Client(error) => error.without_url(),
        Failed::Known(error) => return error,
        Failed::TimedOut => {
            return HttpError {
                kind: HttpErrorKind::AnswerTimeout,
                detail: printable(&format!("{detail}operation timed out"), DETAIL),
            };
        }
    };
    let mut kind = kind(&error);
    let mut say = |text: &str| detail.push_str(text);
    match (deepest(&error), route) {
        (cause, Route::Proxy(proxy)) if wants_login(&cause) => {
            kind = HttpErrorKind::Local;
            say("it wants a login (HTTP 407): put a valid user name and password into ");
            say(proxy.variable);
        }
        (cause, Route::Proxy(proxy)) if cause == NO_TUNNEL => {
            say("it refuses to connect to ");
            say(url.host_str().unwrap_or_default());
            if let Some(status) = tunnel::refusal(&proxy.url, url) {
                say(&format!(" (HTTP {status})"));
            }
        }
        _ if is_self_signed(&error) => {
            say("the certificate of the server is self-signed; to trust it, put it into ");
            say(names::CA_BUNDLE);
        }
        (cause, _) => say(&cause),
    }
    if unknown_issuer(&error) {
        say("; for a company certificate authority set ");
        say(names::CA_BUNDLE);
        if let Some(ignored) = ignored {
            say("; ");
            say(ignored);
        }
    }
    HttpError {
        kind,
        detail: printable(&detail, DETAIL),
    }
}

/// What the client says if a proxy makes no tunnel. The types of these errors have no name outside
/// their crate.
const NO_TUNNEL: &str = "tunnel error: unsuccessful";

/// Whether a proxy refused because it knows no user, or not this one.
fn wants_login(cause: &str) -> bool {
    let causes = [
        "tunnel error: proxy authorization required",
        // Of SOCKS.
        "server does not support user/pass authentication",
        "server implements authentication incorrectly",
        "credentials not accepted",
    ];
    causes.contains(&cause)
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

fn is_self_signed(error: &reqwest::Error) -> bool {
    let Some(rustls::Error::InvalidCertificate(CertificateError::Other(other))) = tls_error(error)
    else {
        return false;
    };
    other.0.is::<SelfSigned>()
}

/// The innermost cause: the outer ones say only that something failed.
pub(super) fn deepest(error: &reqwest::Error) -> String {
    let last = causes(error).last().map(ToString::to_string);
    last.unwrap_or_default()
}
