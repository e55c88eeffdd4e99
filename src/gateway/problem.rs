//! What a request gets that is not answered as it wished.

use std::time::Duration;

use axum::Json;
use axum::http::header::{CONTENT_LENGTH, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::app::failure::{Failure, Kind};
use crate::model::id::ProviderId;

/// When another gateway may be there.
const DRAINED: Duration = Duration::from_secs(5);

/// When a database may be there again.
const UNAVAILABLE: Duration = Duration::from_secs(5);

/// Marks an answer that is whole although its status is that of an error.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole;

/// An error, before it is written down: the outermost layer adds the id of the request.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    /// For people. No secret is in it.
    pub(super) error: String,
    /// For programs; none changes its meaning.
    pub(super) code: &'static str,
    /// More than `error` says, where that is fixed.
    pub(super) detail: Option<String>,
    /// The provider's own error code.
    pub(super) provider_code: Option<String>,
    pub(super) retry_after: Option<Duration>,
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, error: impl Into<String>) -> Self {
        Self {
            status,
            error: error.into(),
            code,
            detail: None,
            provider_code: None,
            retry_after: None,
        }
    }

    pub(super) fn bad_request(code: &'static str, error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, error)
    }

    /// The same bytes whether the bearer is missing, wrong or revoked: an answer that differs tells
    /// which keys exist.
    pub(super) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "unauthorized")
    }

    /// Nothing describes this provider.
    pub(super) fn unknown_provider(id: &ProviderId) -> Self {
        let error = format!("unknown provider: {id}");
        Self::new(StatusCode::NOT_FOUND, "unknown_provider", error)
    }

    /// What is no fault of the caller, nor of anything that it asked for.
    pub(super) fn internal(error: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", error)
    }

    /// The gateway is about to end.
    pub(super) fn draining() -> Self {
        let error = "the gateway is about to end";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "draining", error).after(DRAINED)
    }

    /// What is shared cannot be asked, or not be changed, now.
    pub(super) fn unavailable(error: impl Into<String>) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self::new(status, "database_unavailable", error).after(UNAVAILABLE)
    }

    /// More is asked for than can be served now.
    pub(super) fn busy(retry_after: Duration) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            "the gateway is busy",
        )
        .after(retry_after)
    }

    /// More was asked for than a caller may ask in that time.
    pub(super) fn too_many(retry_after: Duration) -> Self {
        let status = StatusCode::TOO_MANY_REQUESTS;
        Self::new(status, "rate_limited", "too many requests").after(retry_after)
    }

    pub(super) fn after(mut self, retry_after: Duration) -> Self {
        self.retry_after = Some(retry_after);
        self
    }

    /// With the code by which the provider said no.
    pub(super) fn of_provider(mut self, code: Option<&str>) -> Self {
        self.provider_code = code.map(str::to_owned);
        self
    }

    pub(super) fn detailed(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The error for a status that somebody else chose, such as that of a path that is not there.
    fn of_status(status: StatusCode) -> Self {
        let code = match status {
            StatusCode::NOT_FOUND => "not_found",
            StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
            StatusCode::REQUEST_TIMEOUT => "timeout",
            status if status.is_client_error() => "bad_request",
            _ => "internal",
        };
        let reason = status.canonical_reason().unwrap_or("error");
        Self::new(status, code, reason.to_lowercase())
    }

    /// Writes an answer down that is an error, whoever made it; any other is left alone.
    pub(super) fn written(mut response: Response, request_id: &str) -> Response {
        if response.extensions_mut().remove::<Whole>().is_some() {
            return response;
        }
        let status = response.status();
        let known = response.extensions_mut().remove::<Self>();
        let is_error = status.is_client_error() || status.is_server_error();
        let Some(problem) = known.or_else(|| is_error.then(|| Self::of_status(status))) else {
            return response;
        };
        // The id of that one is in a header alone, so that all bodies are the same.
        let is_told = problem.status != StatusCode::UNAUTHORIZED;
        let body = Body {
            error: &problem.error,
            code: is_told.then_some(problem.code),
            detail: problem.detail.as_deref(),
            provider_code: problem.provider_code.as_deref(),
            request_id: is_told.then_some(request_id),
        };
        let mut written = (problem.status, Json(body)).into_response();
        // `Allow` of a 405, for one.
        for (name, value) in response.headers() {
            if !written.headers().contains_key(name) && *name != CONTENT_LENGTH {
                written.headers_mut().insert(name, value.clone());
            }
        }
        if problem.status == StatusCode::UNAUTHORIZED {
            // RFC 6750 section 3.
            let scheme = HeaderValue::from_static("Bearer");
            written.headers_mut().insert(WWW_AUTHENTICATE, scheme);
        }
        if let Some(after) = problem.retry_after {
            let seconds = after.as_secs_f64().ceil().max(1.0) as u64;
            written
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        written
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let (status, code) = match failure.kind {
            Kind::Usage => (StatusCode::BAD_REQUEST, "bad_request"),
            Kind::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Kind::Config => (StatusCode::INTERNAL_SERVER_ERROR, "configuration"),
            Kind::NeedsLogin => (StatusCode::FAILED_DEPENDENCY, "login_needed"),
            Kind::Locked => (StatusCode::SERVICE_UNAVAILABLE, "locked"),
            Kind::Temporary => (StatusCode::SERVICE_UNAVAILABLE, "temporary"),
            Kind::Storage => (StatusCode::SERVICE_UNAVAILABLE, "database_unavailable"),
            Kind::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            Kind::UnknownOutcome => (StatusCode::SERVICE_UNAVAILABLE, "outcome_unknown"),
            Kind::Cancelled(_) => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
            Kind::NoProgram | Kind::NotRun => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        };
        let problem = Self::new(status, code, failure.to_string());
        match status {
            StatusCode::SERVICE_UNAVAILABLE => problem.after(Duration::from_secs(5)),
            _ => problem,
        }
    }
}
