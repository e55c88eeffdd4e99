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

    /// Judges an answer that is no grant. `sent` are the secrets of the request: a server that
    /// quotes one in its description does not get it printed.
    pub(super) fn of_answer(response: &Response, now: Timestamp, sent: &[&Secret<String>]) -> Self {
        let status = response.status;
        if (300..400).contains(&status) {
            let reason = format!("the token endpoint answered with a redirect (HTTP {status})");
            return Self::Unexpected { reason };
        }
        let said = Said::read(response.body.expose(), sent);
        let judged = !matches!(status, 429 | 500..);
        if judged && LASTING.contains(&said.code.as_str()) {
            return Self::Refused(said.refusal(status));
        }
        if status == 401 && said.code != REGION {
            return Self::Refused(said.refusal(status));
        }
        Self::Passing {
            reason: said.reason(status),
            retry_after: retry_after(response, now),
            status: Some(status),
        }
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

/// How long a server wants to be left alone.
pub(super) fn retry_after(response: &Response, now: Timestamp) -> Option<Duration> {
    parse_retry_after(response.header("retry-after")?, now)
}

/// Code and description of an error body, both fit to print and possibly empty.
struct Said {
    code: String,
    description: String,
}

impl Said {
    /// Reads the shapes seen in the wild: `{"error": code}`, `{"error": {"code", "message"}}`,
    /// `{"code", "message"}`, and a bare JSON string. Of several codes a lasting one counts.
    fn read(body: &[u8], sent: &[&Secret<String>]) -> Self {
        let value: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let codes = ["/error", "/error/code", "/code", "/error/type", ""];
        let words = ["/error_description", "/error/message", "/message"];
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

    fn reason(&self, status: u16) -> String {
        if self.code == REGION {
            return format!(
                "the provider does not serve this country or region ({REGION}, HTTP {status}); \
                 behind a proxy, check HTTPS_PROXY"
            );
        }
        let parts = [self.code.as_str(), self.description.as_str()];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        match parts.join(": ") {
            said if said.is_empty() => format!("the token endpoint answered HTTP {status}"),
            said => format!("the token endpoint answered HTTP {status}: {said}"),
        }
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    let text = value.pointer(pointer)?.as_str()?.trim();
    (!text.is_empty()).then_some(text)
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
mod tests {
    use super::*;
    use crate::ports::http::HttpErrorKind;

    const NOW: Timestamp = Timestamp(1_795_242_600_000);

    fn answer(status: u16, body: &str) -> OAuthError {
        let response = Response {
            status,
            headers: Vec::new(),
            body: Secret::new(body.as_bytes().to_vec()),
        };
        OAuthError::of_answer(&response, NOW, &[&Secret::from("rt-MARKER")])
    }

    fn refused(status: u16, body: &str) -> String {
        match answer(status, body) {
            OAuthError::Refused(refusal) => refusal.code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_known_shape_of_a_refusal_is_understood() {
        let openai = r#"{"error":{"message":"used","type":"invalid_request_error","param":null,"code":"refresh_token_reused"}}"#;
        assert_eq!(refused(401, openai), "refresh_token_reused");
        assert_eq!(refused(400, openai), "refresh_token_reused");
        assert_eq!(
            refused(400, r#"{"error":"invalid_grant"}"#),
            "invalid_grant"
        );
        assert_eq!(refused(401, r#"{"code":"token_expired"}"#), "token_expired");
        assert_eq!(refused(400, r#""invalid_grant""#), "invalid_grant");
        let both = r#"{"error":"invalid_request","code":"refresh_token_expired"}"#;
        assert_eq!(refused(400, both), "refresh_token_expired");
        assert_eq!(refused(401, "<html>"), "http_401");
        assert_eq!(refused(401, r#"{"error":"other"}"#), "other");
    }

    #[test]
    fn what_does_not_judge_the_grant_is_no_refusal() {
        for (status, body) in [
            (403, ""),
            (403, "<html>blocked</html>"),
            (429, r#"{"error":"invalid_grant"}"#),
            (500, r#"{"error":"invalid_grant"}"#),
            (503, ""),
            (400, r#"{"error":"invalid_scope"}"#),
            (
                403,
                r#"{"error":{"code":"unsupported_country_region_territory"}}"#,
            ),
            (
                401,
                r#"{"error":{"code":"unsupported_country_region_territory"}}"#,
            ),
        ] {
            let error = answer(status, body);
            assert!(error.is_passing(), "{status} {body}: {error:?}");
            assert!(!error.is_lasting() && !error.is_unknown());
        }
        let region = answer(403, r#"{"error":"unsupported_country_region_territory"}"#);
        assert!(region.to_string().contains("HTTPS_PROXY"));
        assert!(answer(302, "").is_unknown());
    }

    #[test]
    fn descriptions_are_cleaned_and_hold_no_secret() {
        let body = "{\"error\":\"invalid_grant\",\"error_description\":\"bad rt-MARKER\\n\\u001b[2JLogged in\"}";
        let text = answer(400, body).to_string();
        assert_eq!(
            text,
            "refused: invalid_grant: bad (hidden) [2JLogged in (HTTP 400)"
        );
        let long = format!(
            r#"{{"error":"x","error_description":"{}"}}"#,
            "y".repeat(999)
        );
        assert!(answer(400, &long).to_string().chars().count() < 300);
        assert!(!format!("{:?}", answer(400, "secret body")).contains("secret"));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let seconds = |value| parse_retry_after(value, NOW).map(|wait| wait.as_secs());
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds("99999999"), Some(86_400));
        assert_eq!(seconds("soon"), None);
        assert_eq!(NOW.iso8601(), "2026-11-21T06:30:00.000Z");
        assert_eq!(seconds("Sat, 21 Nov 2026 06:31:00 GMT"), Some(60));
        assert_eq!(seconds("Sat, 21 Nov 2026 06:29:00 GMT"), Some(0));
        let response = Response {
            status: 429,
            headers: vec![("retry-after".into(), "7".into())],
            body: Secret::new(Vec::new()),
        };
        let error = OAuthError::of_answer(&response, NOW, &[]);
        let RefreshOutcome::Passing { retry_at, .. } = error.outcome(NOW) else {
            panic!("{error:?}");
        };
        assert_eq!(retry_at, Some(Timestamp(NOW.0 + 7_000)));
    }

    #[test]
    fn a_request_that_may_have_been_sent_leaves_the_outcome_open() {
        let error = |kind| {
            OAuthError::from(HttpError {
                kind,
                detail: "x".into(),
            })
        };
        assert!(error(HttpErrorKind::Connect).is_passing());
        assert!(error(HttpErrorKind::Tls).is_passing());
        assert!(error(HttpErrorKind::NoAnswer).is_unknown());
        assert!(error(HttpErrorKind::AnswerTimeout).is_unknown());
    }
}
