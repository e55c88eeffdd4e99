//! The loopback redirect endpoint of a login (RFC 8252 section 7.3).
//!
//! An implementation owes: listening on loopback addresses only, and on 127.0.0.1 and ::1 both
//! where the redirect URI says `localhost`; bound before anybody is told the port; GET only; a Host
//! header that names the endpoint; limits on size and time of a request; the right status for
//! whatever is wrong, after which waiting goes on; and that the page which ends a login is shown at
//! a URL without the code, while the endpoint is open. It does not judge `state`: that is the
//! protocol's business, so an arrival waits for its answer.

use std::time::Duration;

use crate::model::provider::Loopback;
use crate::model::secret::Secret;

/// Opens redirect endpoints.
pub trait Callback: Send + Sync {
    /// Binds the first port that can be had.
    ///
    /// # Errors
    /// If none can; each port with its reason and, where the system tells, who holds it.
    fn bind(&self, endpoint: &Loopback) -> Result<Box<dyn Listening>, BindError>;
}

/// No port could be bound.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", describe(.0))]
pub struct BindError(pub Vec<PortFailure>);

/// Why one port could not be bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortFailure {
    /// The port.
    pub port: u16,
    /// What the system said.
    pub reason: String,
    /// Who holds it, if that can be found out.
    pub holder: Option<Holder>,
}

/// Who holds a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Process id and name, if this user may know them.
    pub process: Option<String>,
    /// The user, if it is neither this one nor root.
    pub foreign: Option<u32>,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.process, self.foreign) {
            (Some(process), None) => write!(f, ", used by {process}"),
            (Some(process), Some(uid)) => {
                write!(f, ", used by {process} of another user (uid {uid})")
            }
            (None, Some(uid)) => write!(f, ", used by another user (uid {uid})"),
            (None, None) => Ok(()),
        }
    }
}

impl BindError {
    /// The user who holds a port that we wanted, if it is neither this one nor root.
    pub fn foreign_holder(&self) -> Option<u32> {
        let mut holders = self.0.iter().filter_map(|failure| failure.holder.as_ref());
        holders.find_map(|holder| holder.foreign)
    }
}

fn describe(failures: &[PortFailure]) -> String {
    let each = failures.iter().map(|failure| {
        let holder = failure.holder.as_ref();
        let holder = holder.map_or_else(String::new, ToString::to_string);
        format!("port {}: {}{holder}", failure.port, failure.reason)
    });
    each.collect::<Vec<_>>().join("; ")
}

/// An open endpoint. Dropping it closes the port.
pub trait Listening: Send {
    /// The port that was bound.
    fn port(&self) -> u16;

    /// The next request for the path that is formally right, or `None` when `wait` is over.
    fn next(&mut self, wait: Duration) -> Option<Arrival>;

    /// Why a request was turned away that may have been meant for this login, the end of a sentence;
    /// each reason once.
    fn refused(&mut self) -> Option<&'static str>;
}

/// A request at the redirect endpoint that waits for its answer.
pub struct Arrival {
    /// The query, decoded, in order and with repetitions. It holds the authorization code.
    pub query: Vec<(String, Secret<String>)>,
    /// Sends the answer.
    pub answer: Box<dyn FnOnce(Page) + Send>,
}

impl Arrival {
    /// Answers the request and closes its connection. With a page that ends the login it returns
    /// when the browser has that page, or has not come for it.
    pub fn answer(self, page: Page) {
        (self.answer)(page);
    }
}

/// What the browser is shown. No page holds a secret, and no URL of ours does after the callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// 200: the credential is stored.
    Stored {
        /// Whose login, as the user knows it; escaped by the page.
        account: String,
    },
    /// 400: not what we wait for; the login goes on waiting.
    Ignored {
        /// Why, in a sentence; escaped by the page.
        reason: String,
    },
    /// 403: the provider refused, and the login has ended.
    Refused {
        /// The provider's words, cleaned; escaped by the page.
        reason: String,
    },
    /// 500: the login has ended without success.
    Failed {
        /// What went wrong; escaped by the page.
        reason: String,
    },
    /// 409: another request has already answered this login.
    Late,
}
