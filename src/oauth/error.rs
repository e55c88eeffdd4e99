//! What a token endpoint's "no" means for the grant.
//!
//! The invariant: only an answer that names the grant as dead is a refusal. Everything else leaves
//! the stored bytes as they are, because a wrong "log in again" costs a person more than one wrong
//! retry costs a server. No raw body gets into an error: descriptions are cleaned, cut, and freed
//! of the secrets that were sent.

use std::time::Duration;

use serde_json::Value;

use crate::model::grant::{RefreshOutcome, Refusal};
use crate::model::id::printable;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::ports::http::{HttpError, Response};

/// The codes that mean the grant or the client is refused for good: RFC 6749 section 5.2, and what
/// OpenAI's token endpoint says instead.
const LASTING: [&str; 8] = [
    "invalid_grant",
    "refresh_token_reused",
    "refresh_token_expired",
    "refresh_token_invalidated",
    "token_expired",
    "invalid_client",
    "unauthorized_client",
    "access_denied",
];

/// An answer about where the caller sits, not about the grant.
const REGION: &str = "unsupported_country_region_territory";

/// Why a token endpoint gave no grant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OAuthError {
    /// Refused for good: the grant, the code or the client is not accepted.
    #[error("{}", describe(.0))]
    Refused(Refusal),
    /// The request was not handled; what was sent with it is as good as before.
    #[error("{reason}")]
    Passing {
        /// What went wrong, cleaned for a terminal.
        reason: String,
        /// How long the server wants to be left alone (Retry-After).
        retry_after: Option<Duration>,
        /// HTTP status, if there was an answer; 0 if a program gave it.
        status: Option<u16>,
    },
    /// The request was sent and no whole answer came: a single-use token may be spent.
    #[error("{reason}")]
    Unknown {
        /// What went wrong, cleaned for a terminal.
        reason: String,
    },
    /// An answer that is neither a grant nor a refusal: a redirect, a web page, no access token.
    #[error("{reason}")]
    Unexpected {
        /// What is wrong with it, without any part of the body.
        reason: String,
    },
    /// Nothing was sent: the manifest does not say how.
    #[error("{reason}")]
    Unsupported {
        /// What is missing.
        reason: String,
    },
}

fn describe(refusal: &Refusal) -> String {
    let Refusal {
        code,
        description,
        status,
    } = refusal;
    let words = match description.as_str() {
        "" => code.clone(),
        words => format!("{code}: {words}"),
    };
    match status {
        0 => format!("refused: {words}"),
        status => format!("refused: {words} (HTTP {status})"),
    }
}

impl OAuthError {
    /// Whether the same request can never succeed.
    pub fn is_lasting(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    /// Whether what was sent is as good as it was, so that trying again later is right.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Passing { .. } | Self::Unsupported { .. })
    }

    /// Whether nobody knows if a single-use token was spent.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown { .. } | Self::Unexpected { .. })
    }

    /// How long the server wants to be left alone, if it said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Passing { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// What this means for the grant whose refresh ended so; `now` turns a Retry-After into a
    /// moment.
    pub fn outcome(&self, now: Timestamp) -> RefreshOutcome {
        match self {
            Self::Refused(refusal) => RefreshOutcome::Refused(refusal.clone()),
            Self::Passing {
                reason,
                retry_after,
                ..
            } => RefreshOutcome::Passing {
                reason: reason.clone(),
                retry_at: retry_after.map(|wait| now.after(wait)),
            },
            Self::Unsupported { reason } => RefreshOutcome::Passing {
                reason: reason.clone(),
                retry_at: None,
            },
            Self::Unknown { reason } | Self::Unexpected { reason } => RefreshOutcome::Unknown {
                reason: reason.clone(),
            },
        }
    }

    /// Judges an answer of a token endpoint that is no grant. `sent` are the secrets of the request: a
    /// server that quotes one in its description does not get it printed.
    pub(super) fn of_answer(response: &Response, now: Timestamp, sent: &[&Secret<String>]) -> Self {
        Self::judge(
            ("token endpoint", error_status(response)),
            response,
            now,
            sent,
        )
    }

    /// The same for another endpoint, by its name.
    pub(super) fn of_answer_at(endpoint: &str, response: &Response, now: Timestamp) -> Self {
        Self::judge((endpoint, response.status), response, now, &[])
    }

    /// Judges an answer to a client that asks for itself, and that is no grant. Whatever finds
    /// fault with the request finds it with the configuration, which asking again does not mend.
    pub(super) fn of_answer_to_client(
        response: &Response,
        now: Timestamp,
        sent: &[&Secret<String>],
    ) -> Self {
        let status = error_status(response);
        let said = Said::read(response.body.expose(), sent);
        let is_fault = matches!(status, 400..=499) && !matches!(status, 408 | 425 | 429);
        if is_fault && said.code != REGION {
            return Self::Refused(said.refusal(status));
        }
        Self::of_answer(response, now, sent)
    }

    fn judge(
        (endpoint, status): (&str, u16),
        response: &Response,
        now: Timestamp,
        sent: &[&Secret<String>],
    ) -> Self {
        if (300..400).contains(&status) {
            let reason = format!("the {endpoint} answered with a redirect (HTTP {status})");
            return Self::Unexpected { reason };
        }
        let said = Said::read(response.body.expose(), sent);
        let judged = !matches!(status, 429 | 500..);
        let lasting = judged && LASTING.contains(&said.code.as_str());
        if lasting || (status == 401 && said.code != REGION) {
            return Self::Refused(said.refusal(status));
        }
        Self::Passing {
            reason: said.reason(endpoint, status),
            retry_after: retry_after(response, now),
            status: Some(status),
        }
    }
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
        let reason = printable(&error.to_string(), 200);
        if error.kind.may_have_been_sent() {
            Self::Unknown { reason }
        } else {
            Self::Passing {
                reason,
                retry_after: None,
                status: None,
            }
        }
    }
}

/// What an endpoint says with its "no"; `sent` as for [`OAuthError::of_answer`].
pub(super) fn refusal(response: &Response, sent: &[&Secret<String>]) -> Refusal {
    Said::read(response.body.expose(), sent).refusal(response.status)
}

/// What any server of a provider says in an answer: its own code and words, fit to print and without
/// `sent`, or nothing. A web page says nothing.
pub fn said(response: &Response, sent: &[&Secret<String>]) -> Option<String> {
    let said = Said::read(response.body.expose(), sent).words();
    (!said.is_empty()).then_some(said)
}

/// Code and description of an error body, both fit to print and possibly empty.
struct Said {
    code: String,
    description: String,
}

impl Said {
    /// Reads the shapes seen in the wild: `{"error": code}`, `{"error": {"code", "message"}}`,
    /// `{"code", "message"}`, `{"detail"}`, and a bare JSON string. Of several codes a lasting one counts.
    fn read(body: &[u8], sent: &[&Secret<String>]) -> Self {
        let value: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let codes = ["/error", "/error/code", "/code", "/error/type", ""];
        let words = [
            "/error_description",
            "/error/message",
            "/message",
            "/detail/message",
            "/detail",
            "/err_msg",
        ];
        let codes: Vec<&str> = codes.iter().filter_map(|at| text(&value, at)).collect();
        let code = codes.iter().find(|code| LASTING.contains(code));
        let code = code.or(codes.first()).copied().unwrap_or_default();
        let description = words.iter().find_map(|at| text(&value, at));
        let clean = |text: &str, limit| {
            let hide = |text: String, secret: &&Secret<String>| match secret.expose().as_str() {
                "" => text,
                secret => text.replace(secret, "(hidden)"),
            };
            printable(&sent.iter().fold(text.to_owned(), hide), limit)
        };
        Self {
            code: clean(code, 64),
            description: clean(description.unwrap_or_default(), 200),
        }
    }

    fn refusal(self, status: u16) -> Refusal {
        let code = match self.code.as_str() {
            "" => format!("http_{status}"),
            _ => self.code,
        };
        Refusal {
            code,
            description: self.description,
            status,
        }
    }

    fn words(&self) -> String {
        let parts = [self.code.as_str(), self.description.as_str()];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(": ")
    }

    fn reason(&self, endpoint: &str, status: u16) -> String {
        if self.code == REGION {
            return format!(
                "the provider does not serve this country or region ({REGION}, HTTP {status}); \
                 behind a proxy, check HTTPS_PROXY"
            );
        }
        match self.words() {
            said if said.is_empty() => format!("the {endpoint} answered HTTP {status}"),
            said => format!("the {endpoint} answered HTTP {status}: {said}"),
        }
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    let text = value.pointer(pointer)?.as_str()?.trim();
    (!text.is_empty()).then_some(text)
}

/// How long the server of an answer wants to be left alone, by its Retry-After.
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
