//! The loopback listener that takes the redirect of a login (RFC 8252 section 7.3).
//!
//! Sockets are on loopback addresses and nowhere else, whatever the environment says. A refused
//! request costs the login nothing. An arrival that nobody answers is told that it is late. The page
//! that ends a login is shown at the bare path: the browser is sent there, so that no code stays in
//! its address bar and its history.

use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::model::provider::Loopback;
use crate::ports::callback::{Arrival, BindError, Callback, Listening, Page, PortFailure};

use super::loopback_server::{Client, LoopbackServer};
use super::request_head::Refusal;
use super::{callback_page, loopback, port_holder};

/// How long the login waits for the browser to fetch the page that ends it.
const SHOW_LIMIT: Duration = Duration::from_secs(3);

/// Opens redirect endpoints on this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemCallback;

impl Callback for SystemCallback {
    fn bind(&self, endpoint: &Loopback) -> Result<Box<dyn Listening>, BindError> {
        let addresses = loopback::addresses(&endpoint.host);
        let mut failures = Vec::new();
        for &port in &endpoint.ports {
            let opened = loopback::port(addresses, port)
                .and_then(|(port, sockets)| Open::start(sockets, port, &endpoint.path));
            match opened {
                Ok(open) => return Ok(Box::new(open)),
                Err(error) => failures.push(failure(port, &error)),
            }
        }
        Err(BindError(failures))
    }
}

fn failure(port: u16, error: &io::Error) -> PortFailure {
    let busy = error.kind() == ErrorKind::AddrInUse;
    PortFailure {
        port,
        reason: error.to_string(),
        holder: busy.then(|| port_holder::find(port)).flatten(),
    }
}

/// An open endpoint.
struct Open {
    shared: Arc<Shared>,
    arrivals: Receiver<Arrival>,
    /// Kept so that the channel never closes and `next` waits its full time.
    _keep: Sender<Arrival>,
    /// Dropped, it closes the port.
    _server: LoopbackServer,
}

/// What the threads of one endpoint share.
struct Shared {
    port: u16,
    path: String,
    told: Mutex<Told>,
    changed: Condvar,
}

#[derive(Default)]
struct Told {
    closed: bool,
    last: Last,
    /// Each once.
    refused: Vec<Refusal>,
    /// How many of them were told.
    count: usize,
}

/// The page that ends the login, on its way to the bare path.
#[derive(Default)]
enum Last {
    #[default]
    None,
    Due(Page),
    Taken,
    Shown,
}

impl Open {
    fn start(sockets: Vec<TcpListener>, port: u16, path: &str) -> io::Result<Self> {
        let (sender, arrivals) = mpsc::channel();
        let shared = Arc::new(Shared {
            port,
            path: path.to_owned(),
            told: Mutex::default(),
            changed: Condvar::new(),
        });
        let server = {
            let (shared, sender) = (Arc::clone(&shared), sender.clone());
            LoopbackServer::start(sockets, move |client| serve(client, &shared, &sender))?
        };
        Ok(Self {
            shared,
            arrivals,
            _keep: sender,
            _server: server,
        })
    }
}

impl Listening for Open {
    fn port(&self) -> u16 {
        self.shared.port
    }

    fn next(&mut self, wait: Duration) -> Option<Arrival> {
        self.arrivals.recv_timeout(wait).ok()
    }

    fn refused(&mut self) -> Option<&'static str> {
        let mut told = self.shared.told.lock();
        let refusal = told.refused.get(told.count).copied()?;
        told.count += 1;
        refusal.concern()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.shared.told.lock().closed = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    /// Offers the last page at the bare path; `false` when the endpoint is closed.
    fn offer(&self, page: Page) -> bool {
        let mut told = self.told.lock();
        if !told.closed {
            told.last = Last::Due(page);
        }
        !told.closed
    }

    /// Remembers why a request was turned away, if that may concern the login.
    fn refuse(&self, refusal: Refusal) {
        let mut told = self.told.lock();
        if refusal.concern().is_some() && !told.refused.contains(&refusal) {
            told.refused.push(refusal);
        }
    }

    /// The last page, once.
    fn take_last(&self) -> Option<Page> {
        let last = &mut self.told.lock().last;
        match std::mem::replace(last, Last::Taken) {
            Last::Due(page) => Some(page),
            other => {
                *last = other;
                None
            }
        }
    }

    fn last_is_shown(&self) {
        self.told.lock().last = Last::Shown;
        self.changed.notify_all();
    }

    /// Waits until the last page is written, within limits: the process may end right afterwards,
    /// and not every client follows a redirect.
    fn wait_until_shown(&self) {
        let waits = |told: &mut Told| !told.closed && !matches!(told.last, Last::Shown);
        let mut told = self.told.lock();
        self.changed.wait_while_for(&mut told, waits, SHOW_LIMIT);
    }
}

fn serve(client: Client, shared: &Arc<Shared>, sender: &Sender<Arrival>) {
    let Some(judged) = client.request(shared.port, &shared.path) else {
        return;
    };
    let bare = judged.as_ref().is_ok_and(Vec::is_empty);
    if bare && let Some(page) = shared.take_last() {
        show(&client, &page, None);
        return shared.last_is_shown();
    }
    match judged {
        Ok(query) => {
            let waiting = Waiting {
                client: Some(client),
                shared: Arc::clone(shared),
            };
            let answer = Box::new(move |page| waiting.answer(&page));
            // If nobody listens any more, the arrival comes back, is dropped, and so is late.
            let _ = sender.send(Arrival { query, answer });
        }
        Err(refusal) => {
            shared.refuse(refusal);
            client.refuse(refusal);
        }
    }
}

/// A client that waits for its page.
struct Waiting {
    client: Option<Client>,
    shared: Arc<Shared>,
}

impl Waiting {
    /// Writes the page before it returns: the process may end right afterwards.
    fn answer(mut self, page: &Page) {
        // Only these two answer a code.
        let ends = matches!(page, Page::Stored { .. } | Page::Failed { .. });
        if !ends || !self.shared.offer(page.clone()) {
            return self.write(page, None);
        }
        let path = self.shared.path.clone();
        self.write(page, Some(&path));
        self.shared.wait_until_shown();
    }

    fn write(&mut self, page: &Page, elsewhere: Option<&str>) {
        if let Some(client) = self.client.take() {
            show(&client, page, elsewhere);
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.write(&Page::Late, None);
    }
}

/// Sends a page, or with `elsewhere` the way to it and the page for a client that stays.
fn show(client: &Client, page: &Page, elsewhere: Option<&str>) {
    let (status, html) = callback_page::render(page);
    let status = if elsewhere.is_some() { 303 } else { status };
    client.answer(status, &html, elsewhere.map(|path| ("Location", path)));
}
