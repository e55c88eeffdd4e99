//! Reading an answer: all of it, or none; of one for which something was spent, whatever came.

use std::cell::RefCell;

use reqwest::header::HeaderValue;

use super::error::Failed;
use crate::model::secret::Secret;
use crate::ports::http::{HttpError, HttpErrorKind, MAX_ANSWER, Response, TORN};

/// Status and header fields.
type Head = (u16, Vec<(String, String)>);

/// An answer as it arrives.
#[derive(Default)]
pub(super) struct Arriving {
    head: RefCell<Option<Head>>,
    body: RefCell<Vec<u8>>,
}

impl Arriving {
    /// Reads an answer to its end. One that is announced as too long is begun only if its request
    /// `spends` something.
    pub(super) async fn read(
        &self,
        mut response: reqwest::Response,
        spends: bool,
    ) -> Result<Response, Failed> {
        let too_large = || {
            Failed::Known(HttpError {
                kind: HttpErrorKind::TooLarge,
                detail: format!("more than {MAX_ANSWER} bytes"),
            })
        };
        let announced = response.content_length().unwrap_or(0);
        let announced = usize::try_from(announced).unwrap_or(usize::MAX);
        if announced > MAX_ANSWER && !spends {
            return Err(too_large());
        }
        self.body.borrow_mut().reserve(announced.min(MAX_ANSWER));
        let head = head(&response);
        self.head.replace(Some(head.clone()));
        while let Some(chunk) = response.chunk().await? {
            let mut body = self.body.borrow_mut();
            let room = MAX_ANSWER - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                return Err(too_large());
            }
        }
        Ok(answer(head, self.body.take()))
    }

    /// Returns what came of an answer that never ended: TLS without `close_notify`, a length that is
    /// wrong, a connection that stays open. JSON says by itself that it is whole; of anything else
    /// the beginning counts if the request `spends` something and the server says that it is spent.
    pub(super) fn part(&self, spends: bool) -> Option<Response> {
        let head = self.head.take()?;
        let mut body = self.body.take();
        if !is_whole(&body) {
            if !spends || !(200..300).contains(&head.0) || body.trim_ascii().is_empty() {
                return None;
            }
            body.push(TORN);
        }
        Some(answer(head, body))
    }
}

fn head(response: &reqwest::Response) -> Head {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let fields = response.headers().iter();
    let fields = fields.map(|(name, value)| (name.as_str().to_owned(), text(value)));
    (response.status().as_u16(), fields.collect())
}

fn answer((status, headers): Head, body: Vec<u8>) -> Response {
    Response {
        status,
        headers,
        body: Secret::new(body),
    }
}

/// Whether a body is JSON from its first brace to its last.
fn is_whole(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim();
    text.starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}
