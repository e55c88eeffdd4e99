//! What a token endpoint's "no" means for the grant.
//!
//! The invariant: only an answer that names the grant as dead is a refusal. Everything else leaves
//! the stored bytes as they are, because a wrong "log in again" costs a person more than one wrong
//! retry costs a server. No raw body gets into an error: descriptions are cleaned, cut, and freed
//! of the secrets that were sent.

use std::time::Duration;

use super::answer_body::page_title;
use super::error_body::error_body;
use super::redaction::clean;
use super::refusal::{is_final, is_passing};
use crate::model::grant::{RefreshOutcome, Refusal};
use crate::model::id::printable;
use crate::model::provider::Refusals;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::ports::http::{HttpError, HttpErrorKind, Response};

/// An answer about where the caller sits, not about the grant.
const REGION: &str = "unsupported_country_region_territory";

/// A failure of a token endpoint to give a grant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OAuthError {
    /// The grant, the code or the client is refused for good.
    #[error("{}", describe(.0))]
    Refused(Refusal),
    /// The request was not handled; what was sent with it is as good as before.
    #[error("{reason}")]
    Transient {
        /// The cause, cleaned for a terminal.
        reason: String,
        /// The wait that the server asks for (Retry-After).
        retry_after: Option<Duration>,
        /// HTTP status, if there was an answer; 0 if a program gave it.
        status: Option<u16>,
    },
    /// The request was sent and no whole answer came: a single-use token may be spent.
    #[error("{reason}")]
    Unknown {
        /// The cause, cleaned for a terminal.
        reason: String,
    },
    /// A web page came in the place of an answer: something before the server sent it, and what was
    /// sent with the request is as good as before.
    #[error("{reason}")]
    WebPage {
        /// The title of the page, and who sent it.
        reason: String,
        /// The wait that it asks for (Retry-After).
        retry_after: Option<Duration>,
    },
    /// The request was granted, and the grant is not in the answer as it is understood: what was
    /// sent with the request is spent, and must not be sent again.
    #[error("{reason}")]
    NotUnderstood {
        /// What is missing in the answer, without any part of its body.
        reason: String,
    },
    /// An answer that is neither a grant nor a refusal: a redirect.
    #[error("{reason}")]
    Unexpected {
        /// What is wrong with the answer, without any part of its body.
        reason: String,
    },
    /// Nothing was sent, because the manifest does not say how, or the settings of the network are
    /// wrong. Waiting does not correct that.
    #[error("{reason}")]
    Unsupported {
        /// What is missing or wrong.
        reason: String,
    },
}

fn describe(refusal: &Refusal) -> String {
    let words = refusal.words();
    match refusal.status {
        0 => format!("refused: {words}"),
        status => format!("refused: {words} (HTTP {status})"),
    }
}

impl OAuthError {
    /// There is no answer; what that means depends on whether anything may have been sent.
    pub(super) fn unanswered(reason: String, was_sent: bool) -> Self {
        match was_sent {
            true => Self::Unknown { reason },
            false => Self::Transient {
                reason,
                retry_after: None,
                status: None,
            },
        }
    }

    /// Nothing was sent, because this is missing.
    pub(super) fn unsupported(reason: &str) -> Self {
        let reason = reason.to_owned();
        Self::Unsupported { reason }
    }

    /// The server said yes, and this is missing.
    pub(super) fn not_understood(reason: &str) -> Self {
        let reason = reason.to_owned();
        Self::NotUnderstood { reason }
    }

    /// The server said yes, about somebody else than was asked for.
    pub fn other_account(account: &str) -> Self {
        let reason = format!("it is about another account: {account}");
        Self::NotUnderstood { reason }
    }

    /// The answer is not what it should be.
    pub(super) fn unexpected(reason: &str) -> Self {
        let reason = reason.to_owned();
        Self::Unexpected { reason }
    }

    /// Reports whether the same request can never succeed.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    /// Reports whether the grant is unharmed, so that a later retry is right.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Transient { .. } | Self::WebPage { .. } | Self::Unsupported { .. }
        )
    }

    /// Reports whether a single-use token may be spent.
    pub fn is_unknown(&self) -> bool {
        matches!(
            self,
            Self::Unknown { .. } | Self::Unexpected { .. } | Self::NotUnderstood { .. }
        )
    }

    /// Reports whether what was sent must never be sent again.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::NotUnderstood { .. })
    }

    /// Returns the wait that the server asked for, if it did.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Transient { retry_after, .. } | Self::WebPage { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Translates the error into the outcome of a refresh; `now` turns a Retry-After into a moment.
    pub fn outcome(&self, now: Timestamp) -> RefreshOutcome {
        let reason = self.to_string();
        match self {
            Self::Refused(refusal) => RefreshOutcome::Refused(refusal.clone()),
            Self::Transient { .. } | Self::WebPage { .. } | Self::Unsupported { .. } => {
                RefreshOutcome::Passing {
                    reason,
                    retry_at: self.retry_after().map(|wait| now.after(wait)),
                }
            }
            Self::NotUnderstood { .. } => RefreshOutcome::NotUnderstood { reason },
            Self::Unknown { .. } | Self::Unexpected { .. } => RefreshOutcome::Unknown { reason },
        }
    }

    /// Judges an answer of a token endpoint that is no grant. `sent` are the secrets of the
    /// request: a server that quotes one in its description does not get it printed.
    pub(super) fn of_answer(
        response: &Response,
        now: Timestamp,
        sent: &[&Secret<String>],
        refusals: &Refusals,
    ) -> Self {
        let judge = Judge {
            endpoint: "token endpoint",
            status: error_status(response),
            refusals,
        };
        judge.judge(response, now, sent)
    }

    /// The same for another endpoint, by its name.
    pub(super) fn of_answer_at(
        endpoint: &str,
        response: &Response,
        now: Timestamp,
        sent: &[&Secret<String>],
    ) -> Self {
        let judge = Judge {
            endpoint,
            status: response.status,
            refusals: &Refusals::default(),
        };
        judge.judge(response, now, sent)
    }

    /// Judges an answer to a client that asks for itself, and that is no grant. Whatever finds
    /// fault with the request finds it with the configuration, which asking again does not mend.
    pub(super) fn of_answer_to_client(
        response: &Response,
        now: Timestamp,
        sent: &[&Secret<String>],
    ) -> Self {
        let refusals = Refusals::default();
        let status = error_status(response);
        let body = error_body(status, response, sent, &refusals);
        let is_fault = matches!(status, 400..=499) && !matches!(status, 408 | 425 | 429);
        if is_fault && body.code != REGION && page_title(response).is_none() {
            return Self::Refused(named(body));
        }
        Self::of_answer(response, now, sent, &refusals)
    }
}

/// What an endpoint's "no" is judged by.
struct Judge<'a> {
    endpoint: &'a str,
    status: u16,
    refusals: &'a Refusals,
}

impl Judge<'_> {
    fn judge(&self, response: &Response, now: Timestamp, sent: &[&Secret<String>]) -> OAuthError {
        let Self {
            endpoint,
            status,
            refusals,
        } = *self;
        if (300..400).contains(&status) {
            let reason = format!("the {endpoint} returned a redirect (HTTP {status})");
            return OAuthError::Unexpected { reason };
        }
        if let Some(title) = page_title(response) {
            let title = clean(&title, 80, sent.iter().copied());
            return OAuthError::WebPage {
                reason: page_reason(endpoint, &title, response.status),
                retry_after: retry_after(response, now),
            };
        }
        let body = error_body(status, response, sent, refusals);
        let is_region = body.code == REGION;
        let is_permanent = is_final(status, &body.code, &body.description, refusals);
        let is_unauthorized = status == 401 && !is_passing(&body.code);
        if !is_region && (is_permanent || is_unauthorized) {
            return OAuthError::Refused(named(body));
        }
        let reason = match body.words() {
            _ if is_region => format!(
                "the provider is not available in this country or region ({REGION}, HTTP {status}); \
                 behind a proxy, check HTTPS_PROXY"
            ),
            words if words.is_empty() => format!("the {endpoint} returned HTTP {status}"),
            words => format!("the {endpoint} returned HTTP {status}: {words}"),
        };
        OAuthError::Transient {
            reason,
            retry_after: retry_after(response, now),
            status: Some(status),
        }
    }
}

fn page_reason(endpoint: &str, title: &str, status: u16) -> String {
    let page = match title {
        "" => String::new(),
        title => format!(": \"{title}\""),
    };
    format!("a web page came instead of an answer from the {endpoint} (HTTP {status}){page}")
}

/// An error sent with a status of success is judged as the 400 it should have been.
fn error_status(response: &Response) -> u16 {
    match response.status {
        200..=299 => 400,
        status => status,
    }
}

impl From<HttpError> for OAuthError {
    fn from(error: HttpError) -> Self {
        let reason = printable(&error.to_string(), 300);
        match error.kind {
            HttpErrorKind::Local => Self::Unsupported { reason },
            kind => Self::unanswered(reason, kind.may_have_been_sent()),
        }
    }
}

/// The refusal in an answer; `sent` as for [`OAuthError::of_answer`].
pub(super) fn refusal(response: &Response, sent: &[&Secret<String>]) -> Refusal {
    let refusals = Refusals::default();
    named(error_body(response.status, response, sent, &refusals))
}

/// The error code and description in an answer of any server of a provider, fit to print and
/// without `sent`; `None` if it has neither, as a web page.
pub fn error_text(response: &Response, sent: &[&Secret<String>]) -> Option<String> {
    let refusals = Refusals::default();
    let text = error_body(response.status, response, sent, &refusals).words();
    (!text.is_empty()).then_some(text)
}

/// A refusal without a code is called by its status.
fn named(mut refusal: Refusal) -> Refusal {
    if refusal.code.is_empty() {
        refusal.code = format!("http_{}", refusal.status);
    }
    refusal
}

/// Reads the Retry-After of an answer.
pub(super) fn retry_after(response: &Response, now: Timestamp) -> Option<Duration> {
    parse_retry_after(response.header("retry-after")?, now)
}

/// The value of Retry-After: seconds, or a date (RFC 9110 section 10.2.3); one that has passed
/// means no wait. More than a day is taken for a day, for no token endpoint means that.
fn parse_retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let wait = match value.trim().parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let millis = now.until(http_date(value)?).max(0);
            Duration::from_millis(millis.unsigned_abs())
        }
    };
    Some(wait.min(Duration::from_secs(86_400)))
}

/// A date as HTTP headers write it.
pub(super) fn http_date(value: &str) -> Option<Timestamp> {
    let date = chrono::DateTime::parse_from_rfc2822(value.trim()).ok()?;
    Some(Timestamp(date.timestamp_millis()))
}

#[cfg(test)]
mod tests;
