//! Bodies of requests: one flat JSON object whose members are all known.

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::problem::Problem;
use crate::model::secret::Secret;

/// The largest body.
const LIMIT: usize = 16 * 1024;

/// A body; an empty one is an object without members. `T` denies unknown fields: then nothing is deep,
/// and nothing stands twice.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let is_json = is_json(request.headers());
        let bytes = to_bytes(request.into_body(), LIMIT).await.map_err(|_| {
            let error = format!("the body is larger than {LIMIT} bytes");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", error)
        })?;
        match bytes.as_ref() {
            b"" => parse(b"{}").map(Self),
            bytes if is_json => parse(bytes).map(Self),
            _ => {
                let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
                let error = "the body must be application/json";
                Err(Problem::new(status, "unsupported_media_type", error))
            }
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let kind = value.and_then(|value| value.split(|byte| *byte == b';').next());
    kind.is_some_and(|kind| kind.trim_ascii().eq_ignore_ascii_case(b"application/json"))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // A list would be taken for the members in their order.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(Problem::bad_request(
            "invalid_body",
            "the body is no object",
        ));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        // Its own words quote the body, which may hold a secret.
        let error = match error.is_data() {
            true => "a member of the body is missing, unknown, doubled or of another type",
            false => "the body is not JSON",
        };
        Problem::bad_request("invalid_body", error)
    })
}

/// Reads a text that is a secret.
///
/// # Errors
/// If it is no text.
pub(super) fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Secret<String>, D::Error> {
    String::deserialize(from).map(Secret::new)
}

/// Reads a text that is a secret, where it may be left out.
///
/// # Errors
/// If it is no text.
pub(super) fn optional_secret<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Secret<String>>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(Secret::new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Eq, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Name {
        name: Option<String>,
    }

    fn error(text: &str) -> String {
        parse::<Name>(text.as_bytes()).unwrap_err().error
    }

    #[test]
    fn what_is_not_understood_is_refused_and_not_quoted() {
        let member = "a member of the body is missing, unknown, doubled or of another type";
        let bodies = [
            r#"{"name":"a","name":"MARKER"}"#,
            r#"{"MARKER":"a"}"#,
            r#"{"other":[[[[[[[[["MARKER"]]]]]]]]]}"#,
            r#"{"name":["MARKER"]}"#,
            r#""MARKER""#,
        ];
        for body in bodies {
            assert_eq!(error(body), member, "{body}");
        }
        for body in ["{", "MARKER", "{\"name\":\"a\"} MARKER"] {
            assert_eq!(error(body), "the body is not JSON", "{body}");
        }
        assert_eq!(parse::<Name>(b"{}").unwrap(), Name::default());
    }

    #[test]
    fn the_type_of_a_body_is_json_whatever_its_parameters() {
        let is_one = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
            is_json(&headers)
        };
        assert!(is_one("application/json") && is_one("Application/JSON; charset=utf-8"));
        assert!(!is_one("text/plain") && !is_one("application/json-seq"));
        assert!(!is_json(&HeaderMap::new()));
    }
}
