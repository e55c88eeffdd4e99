//! The one HTTP client.
//!
//! An implementation owes: redirects refused, connecting limited to 5 s and the whole call to 30 s,
//! at most [`MAX_ANSWER`] bytes of answer, proxies and extra CA bundles honoured, and an error that
//! says whether the server may have seen the request. That last one decides whether a single-use
//! refresh token may be sent again.

use std::time::Duration;

use crate::model::pairs;
use crate::model::secret::Secret;

/// The longest answer that is read: one MiB.
pub const MAX_ANSWER: usize = 1 << 20;

/// What stands behind the body of an answer that broke off: no byte of a text, so that the
/// beginning of a text is not taken for the whole of it.
pub const TORN: u8 = 0xff;

/// How long a whole call may take, unless its caller says less.
pub const CALL_LIMIT: Duration = Duration::from_secs(30);

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET` or `POST`.
    pub method: Method,
    /// Where to. Never holds a secret.
    pub url: String,
    /// Header names and values.
    pub headers: Vec<(String, String)>,
    /// The body, which for a token request is full of secrets.
    pub body: Secret<Vec<u8>>,
}

/// The methods we use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Header names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body; behind one that broke off stands [`TORN`].
    pub body: Secret<Vec<u8>>,
}

impl Response {
    /// The value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        pairs::get(&self.headers, |other| other == name).map(String::as_str)
    }
}

/// Why there is no response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {detail}")]
pub struct HttpError {
    /// At which stage it failed.
    pub kind: HttpErrorKind,
    /// The cause in words, without the URL's query and without any body.
    pub detail: String,
}

/// The stages at which a request fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpErrorKind {
    /// The name has no address, or nothing answers there, or the proxy refused.
    #[error("could not connect")]
    Connect,
    /// No connection within the limit.
    #[error("timed out while connecting")]
    ConnectTimeout,
    /// The certificate or the handshake was not acceptable.
    #[error("TLS failed")]
    Tls,
    /// The request went out, or may have, and no whole answer came.
    #[error("no response")]
    NoAnswer,
    /// The request went out, and the limit for the whole call passed.
    #[error("timed out while waiting for the response")]
    AnswerTimeout,
    /// The answer is longer than [`MAX_ANSWER`].
    #[error("the response is too large")]
    TooLarge,
    /// The request could not even be built: a malformed URL, a broken CA bundle.
    #[error("the request could not be sent")]
    Local,
}

impl HttpErrorKind {
    /// Whether the server may have seen the request, so that a single-use token may be spent.
    pub fn may_have_been_sent(self) -> bool {
        match self {
            Self::NoAnswer | Self::AnswerTimeout | Self::TooLarge => true,
            Self::Connect | Self::ConnectTimeout | Self::Tls | Self::Local => false,
        }
    }
}

/// Sends requests.
pub trait Http: Send + Sync {
    /// Sends one request and reads the whole answer, whatever its status; a redirect is an answer.
    /// So is the beginning of an answer to a `POST` with a status of success, with [`TORN`] behind
    /// it: what was posted for it is spent.
    ///
    /// # Errors
    /// If there is no whole answer; see [`HttpErrorKind::may_have_been_sent`].
    fn send(&self, request: &Request) -> Result<Response, HttpError>;

    /// The same for a request that may be given up: after `patience.limit`, which counts from here
    /// on and holds for everything (name, connection, TLS, answer), or when it is told to stop.
    /// Of what spends something only the poll of a device code is sent so: it comes again. A client
    /// that cannot do so gives up by its own limits.
    ///
    /// # Errors
    /// As [`Http::send`]; one that was stopped is [`HttpErrorKind::NoAnswer`].
    fn send_within(
        &self,
        request: &Request,
        patience: &Patience<'_>,
    ) -> Result<Response, HttpError> {
        let _ = patience;
        self.send(request)
    }
}

/// How long to wait for an answer, and when to give up sooner.
pub struct Patience<'a> {
    /// The limit of the whole call.
    pub limit: Duration,
    /// Asked every few milliseconds; true ends the wait.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}
