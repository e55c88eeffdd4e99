//! Why a request has no answer, in words, and whether the server may have seen it.

use std::error::Error as StdError;
use std::io;

use rustls::CertificateError;

use super::super::env::names;
use super::settings::Route;
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
pub(super) fn explain(error: Failed, route: &Route, ignored: Option<&str>) -> HttpError {
    let through = match route {
        Route::Proxy(proxy) => format!("through the proxy {proxy}: "),
        Route::Direct | Route::System => String::new(),
    };
    let error = match error {
        Failed::Client(error) => error.without_url(),
        Failed::Known(error) => return error,
        Failed::TimedOut => {
            return HttpError {
                kind: HttpErrorKind::AnswerTimeout,
                detail: printable(&format!("{through}operation timed out"), DETAIL),
            };
        }
    };
    let kind = kind(&error);
    let mut detail = through;
    detail.push_str(&deepest(&error));
    if unknown_issuer(&error) {
        detail.push_str("; for a company certificate authority set ");
        detail.push_str(names::CA_BUNDLE);
        if let Some(ignored) = ignored {
            detail.push_str("; ");
            detail.push_str(ignored);
        }
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
pub(super) fn deepest(error: &reqwest::Error) -> String {
    let last = causes(error).last().map(ToString::to_string);
    last.unwrap_or_default()
}
