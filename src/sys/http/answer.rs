//! Reading an answer: all of it, or none.

use reqwest::header::HeaderValue;

use super::error::Failed;
use crate::model::secret::Secret;
use crate::ports::http::{HttpError, HttpErrorKind, MAX_ANSWER, Response};

pub(super) async fn read(mut response: reqwest::Response) -> Result<Response, Failed> {
    let too_large = || {
        Failed::Known(HttpError {
            kind: HttpErrorKind::TooLarge,
            detail: format!("more than {MAX_ANSWER} bytes"),
        })
    };
    let announced = response.content_length().unwrap_or(0);
    let announced = usize::try_from(announced).map_err(|_| too_large())?;
    if announced > MAX_ANSWER {
        return Err(too_large());
    }
    let mut body = Vec::with_capacity(announced);
    loop {
        match response.chunk().await {
            Ok(None) => break,
            Ok(Some(chunk)) if body.len() + chunk.len() > MAX_ANSWER => return Err(too_large()),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            // TLS without close_notify, a length that is wrong, a connection that stays open: JSON
            // says by itself that it is whole.
            Err(_) if is_whole(&body) => break,
            Err(error) => return Err(error.into()),
        }
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

/// Whether a body is JSON from its first brace to its last.
fn is_whole(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim();
    text.starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}
