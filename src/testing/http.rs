//! An HTTP client whose answers a test has written down beforehand.

use std::collections::VecDeque;

use parking_lot::Mutex;

use crate::model::secret::Secret;
use crate::ports::http::{Http, HttpError, HttpErrorKind, Request, Response};

/// Gives the scripted answers in order and keeps every request. A request beyond the script fails
/// as [`HttpErrorKind::Local`].
#[derive(Debug, Default)]
pub struct ScriptedHttp {
    script: Mutex<VecDeque<Result<Response, HttpError>>>,
    requests: Mutex<Vec<Request>>,
}

impl ScriptedHttp {
    /// A client with an empty script.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an answer with a JSON body.
    pub fn answer(&self, status: u16, body: &str) {
        let content_type = "application/json".to_owned();
        self.push(Ok(Response {
            status,
            headers: vec![("content-type".to_owned(), content_type)],
            body: Secret::new(body.as_bytes().to_vec()),
        }));
    }

    /// Adds a failure.
    pub fn fail(&self, kind: HttpErrorKind) {
        let detail = "scripted".to_owned();
        self.push(Err(HttpError { kind, detail }));
    }

    /// Adds any outcome.
    pub fn push(&self, outcome: Result<Response, HttpError>) {
        self.script.lock().push_back(outcome);
    }

    /// A client with one answer, a JSON body.
    pub fn answering(status: u16, body: &str) -> Self {
        let http = Self::new();
        http.answer(status, body);
        http
    }

    /// The body of the first request, as text.
    pub fn first_body(&self) -> String {
        let requests = self.requests.lock();
        let body = requests
            .first()
            .map(|request| request.body.expose().clone());
        String::from_utf8_lossy(&body.unwrap_or_default()).into_owned()
    }

    /// The requests so far, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().clone()
    }
}

impl Http for ScriptedHttp {
    fn send(&self, request: &Request) -> Result<Response, HttpError> {
        self.requests.lock().push(request.clone());
        self.script.lock().pop_front().unwrap_or_else(|| {
            Err(HttpError {
                kind: HttpErrorKind::Local,
                detail: "the script is at its end".to_owned(),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::http::Method;

    #[test]
    fn answers_come_in_order_and_requests_are_kept() {
        let http = ScriptedHttp::new();
        http.answer(200, "{}");
        http.fail(HttpErrorKind::NoAnswer);
        let request = |url: &str| Request {
            method: Method::Get,
            url: url.to_owned(),
            headers: Vec::new(),
            body: Secret::new(Vec::new()),
        };
        assert_eq!(http.send(&request("http://a.test/")).unwrap().status, 200);
        let failure = http.send(&request("http://b.test/")).unwrap_err();
        assert_eq!(failure.kind, HttpErrorKind::NoAnswer);
        let beyond = http.send(&request("http://c.test/")).unwrap_err();
        assert_eq!(beyond.kind, HttpErrorKind::Local);
        let urls: Vec<String> = http.requests().into_iter().map(|seen| seen.url).collect();
        assert_eq!(urls, ["http://a.test/", "http://b.test/", "http://c.test/"]);
    }
}
