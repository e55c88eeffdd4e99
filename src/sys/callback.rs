//! The loopback listener that takes the redirect of a login (RFC 8252 section 7.3).
//!
//! Sockets are on loopback addresses and nowhere else, whatever the environment says. One client
//! can never hold up another: each connection has its own thread and one deadline for its head. A
//! refused request costs the login nothing. An arrival that nobody answers is told that it is late.
//! The page that ends a login is shown at the bare path: the browser is sent there, so that no code
//! stays in its address bar and its history.

use std::io::{self, Cursor, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use tiny_http::{HTTPVersion, Header, Response, StatusCode};

use crate::model::provider::Loopback;
use crate::ports::callback::{Arrival, BindError, Callback, Listening, Page, PortFailure};
use crate::ports::host::Clock;

use super::clock::SystemClock;
use super::request_head::{self, Refusal};
use super::{callback_page, loopback, port_holder};

/// How long a client may take for its whole head.
const HEAD_LIMIT: Duration = Duration::from_secs(5);
/// How long a client may take to accept our answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// How long the login waits for the browser to fetch the page that ends it.
const SHOW_LIMIT: Duration = Duration::from_secs(3);
/// How long what a refused client still sends is read, so that it gets to read its answer.
const LINGER_LIMIT: Duration = Duration::from_secs(1);
/// The most that is read then.
const LINGER_BYTES: usize = 1 << 20;
/// Connections at once; more wait in the system's queue.
const MAX_CONNECTIONS: usize = 32;
/// Rest after a failed accept, which may be for want of descriptors.
const ACCEPT_REST: Duration = Duration::from_millis(50);

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
    acceptors: Vec<(SocketAddr, JoinHandle<()>)>,
}

/// What the threads of one endpoint share.
struct Shared {
    port: u16,
    path: String,
    clock: SystemClock,
    load: Mutex<Load>,
    changed: Condvar,
}

#[derive(Default)]
struct Load {
    connections: usize,
    closed: bool,
    last: Last,
    /// Each once.
    refused: Vec<Refusal>,
    /// How many of them were told.
    told: usize,
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
        let mut open = Self {
            shared: Arc::new(Shared {
                port,
                path: path.to_owned(),
                clock: SystemClock::new(),
                load: Mutex::new(Load::default()),
                changed: Condvar::new(),
            }),
            arrivals,
            _keep: sender.clone(),
            acceptors: Vec::new(),
        };
        for socket in sockets {
            let address = socket.local_addr()?;
            let (shared, sender) = (Arc::clone(&open.shared), sender.clone());
            let acceptor = thread::Builder::new()
                .name("callback".to_owned())
                .spawn(move || accept(&socket, &shared, &sender))?;
            open.acceptors.push((address, acceptor));
        }
        Ok(open)
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
        let mut load = self.shared.load.lock();
        let refusal = load.refused.get(load.told).copied()?;
        load.told += 1;
        refusal.concern()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.shared.load.lock().closed = true;
        self.shared.changed.notify_all();
        for (address, acceptor) in self.acceptors.drain(..) {
            // A thread in accept() wakes for a connection only. If none can be made, it is left to
            // end with the process rather than waited for.
            let woken = TcpStream::connect_timeout(&address, LINGER_LIMIT).is_ok();
            if woken || acceptor.is_finished() {
                let _ = acceptor.join();
            }
        }
    }
}

impl Shared {
    /// Waits for a free place; `false` when the endpoint is closed.
    fn take_place(&self) -> bool {
        let full = |load: &mut Load| !load.closed && load.connections >= MAX_CONNECTIONS;
        let mut load = self.load.lock();
        self.changed.wait_while(&mut load, full);
        load.connections += 1;
        !load.closed
    }

    /// Offers the last page at the bare path; `false` when the endpoint is closed.
    fn offer(&self, page: Page) -> bool {
        let mut load = self.load.lock();
        if !load.closed {
            load.last = Last::Due(page);
        }
        !load.closed
    }

    /// Remembers why a request was turned away, if that may concern the login.
    fn refuse(&self, refusal: Refusal) {
        let mut load = self.load.lock();
        if refusal.concern().is_some() && !load.refused.contains(&refusal) {
            load.refused.push(refusal);
        }
    }

    /// The last page, once.
    fn take_last(&self) -> Option<Page> {
        let last = &mut self.load.lock().last;
        match std::mem::replace(last, Last::Taken) {
            Last::Due(page) => Some(page),
            other => {
                *last = other;
                None
            }
        }
    }

    fn last_is_shown(&self) {
        self.load.lock().last = Last::Shown;
        self.changed.notify_all();
    }

    /// Waits until the last page is written, within limits: the process may end right afterwards,
    /// and not every client follows a redirect.
    fn wait_until_shown(&self) {
        let waits = |load: &mut Load| !load.closed && !matches!(load.last, Last::Shown);
        let mut load = self.load.lock();
        self.changed.wait_while_for(&mut load, waits, SHOW_LIMIT);
    }
}

/// One of the places for connections, given back when dropped.
struct Permit(Arc<Shared>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.load.lock().connections -= 1;
        self.0.changed.notify_all();
    }
}

fn accept(socket: &TcpListener, shared: &Arc<Shared>, sender: &Sender<Arrival>) {
    while shared.take_place() {
        let place = Permit(Arc::clone(shared));
        let Ok((stream, _)) = socket.accept() else {
            shared.clock.sleep(ACCEPT_REST);
            continue;
        };
        let (shared, sender) = (Arc::clone(shared), sender.clone());
        // Without a thread the connection is closed, and waiting goes on.
        let _ = thread::Builder::new()
            .name("callback client".to_owned())
            .spawn(move || serve(stream, place, &shared, &sender));
    }
}

fn serve(stream: TcpStream, place: Permit, shared: &Arc<Shared>, sender: &Sender<Arrival>) {
    let deadline = shared.clock.monotonic() + HEAD_LIMIT;
    let judged = match request_head::read(&stream, &shared.clock, deadline) {
        Ok(None) => return,
        Ok(Some(head)) => request_head::judge(head.expose(), shared.port, &shared.path),
        Err(refusal) => Err(refusal),
    };
    let bare = judged.as_ref().is_ok_and(Vec::is_empty);
    if bare && let Some(page) = shared.take_last() {
        show(&stream, &page, None);
        return shared.last_is_shown();
    }
    match judged {
        Ok(query) => {
            let waiting = Waiting {
                client: Some((stream, place)),
                shared: Arc::clone(shared),
            };
            let answer = Box::new(move |page| waiting.answer(&page));
            // If nobody listens any more, the arrival comes back, is dropped, and so is late.
            let _ = sender.send(Arrival { query, answer });
        }
        Err(refusal) => {
            shared.refuse(refusal);
            let (status, words) = refusal.describe();
            // Neither path nor query: a code sent to the wrong path is still a code.
            tracing::debug!(target: "openclaw", status, "callback request refused");
            let allow = (refusal == Refusal::Method).then_some(("Allow", "GET"));
            let html = callback_page::html(
                "Not a response to this login",
                &callback_page::still_waiting(words),
            );
            if send(&stream, status, &html, allow).is_ok() {
                linger(&stream, &shared.clock, LINGER_LIMIT);
            }
        }
    }
}

/// A client that waits for its page.
struct Waiting {
    client: Option<(TcpStream, Permit)>,
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
        if let Some((stream, _place)) = self.client.take() {
            show(&stream, page, elsewhere);
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.write(&Page::Late, None);
    }
}

/// Sends a page, or with `elsewhere` the way to it and the page for a client that stays.
fn show(stream: &TcpStream, page: &Page, elsewhere: Option<&str>) {
    let (status, html) = callback_page::render(page);
    let status = if elsewhere.is_some() { 303 } else { status };
    let location = elsewhere.map(|path| ("Location", path));
    // The browser may be gone; that changes nothing about the login.
    let _ = send(stream, status, &html, location);
    // Without waiting: the login itself writes this answer.
    linger(stream, &SystemClock::new(), Duration::ZERO);
}

fn send(
    mut stream: &TcpStream,
    status: u16,
    html: &str,
    extra: Option<(&str, &str)>,
) -> io::Result<()> {
    let fields = callback_page::HEADERS.into_iter().chain(extra);
    let fields = fields.filter_map(|(name, value)| Header::from_bytes(name, value).ok());
    let body = Cursor::new(html.as_bytes());
    let response = Response::new(
        StatusCode(status),
        fields.collect(),
        body,
        Some(html.len()),
        None,
    );
    let mut bytes = Vec::new();
    response.raw_print(&mut bytes, HTTPVersion(1, 1), &[], false, None)?;
    // The crate keeps this field to itself and would promise a connection that stays open.
    let line_end = bytes.windows(2).position(|pair| pair == b"\r\n");
    if let Some(line_end) = line_end {
        let at = line_end + 2;
        bytes.splice(at..at, *b"Connection: close\r\n");
    }
    stream.set_write_timeout(Some(ANSWER_LIMIT))?;
    stream.write_all(&bytes)?;
    stream.shutdown(Shutdown::Write)
}

/// Reads what the client still sends, within limits; what is there already, if the limit is zero.
/// Closing a socket with unread bytes resets the connection, and the client may lose our answer
/// with it.
fn linger(mut stream: &TcpStream, clock: &SystemClock, limit: Duration) {
    let deadline = clock.monotonic() + limit;
    let mut buffer = [0; 4096];
    let mut total = 0;
    while total < LINGER_BYTES {
        let left = deadline.saturating_sub(clock.monotonic());
        let set = match left.is_zero() {
            true => stream.set_nonblocking(true),
            false => stream.set_read_timeout(Some(left)),
        };
        match set.and_then(|()| stream.read(&mut buffer)) {
            Ok(0) | Err(_) => return,
            Ok(count) => total += count,
        }
    }
}
