//! A server on loopback sockets, for one browser of this user.
//!
//! Any process and any page in a browser can connect, so no client can hold up another: each has its
//! own thread, every connection is accepted, and when the places are taken the client that has been
//! silent longest loses its own. What comes from another user is refused.

use std::io::{self, Cursor, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::Mutex;
use tiny_http::{HTTPVersion, Header, Response, StatusCode};

use super::callback_page;
use super::clock::SystemClock;
use super::request_head::{self, Limits, Query, Refusal};
use super::socket_table::{self, Peer};
use crate::ports::host::Clock;

/// How long a client may take for its whole head, and for the first byte of it.
const HEAD_LIMITS: Limits = Limits {
    whole: Duration::from_secs(5),
    first: Duration::from_secs(2),
};
/// How long a client may take to accept our answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// How long what a refused client still sends is read, so that it gets to read its answer.
const LINGER_LIMIT: Duration = Duration::from_secs(1);
/// The most that is read then.
const LINGER_BYTES: usize = 1 << 20;
/// Connections at once.
const PLACES: usize = 32;
/// Rest after a failed accept, which may be for want of descriptors.
const ACCEPT_REST: Duration = Duration::from_millis(50);

/// A server. Dropping it closes its sockets; whoever is being served stays so.
pub(super) struct LoopbackServer {
    clients: Arc<Clients>,
    acceptors: Vec<(SocketAddr, JoinHandle<()>)>,
}

impl LoopbackServer {
    /// Starts to serve: each client has its own thread, and those of other users have none.
    pub(super) fn start(
        sockets: Vec<TcpListener>,
        serve: impl Fn(Client) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let serve: Arc<Serve> = Arc::new(serve);
        let mut server = Self {
            clients: Arc::new(Clients {
                clock: SystemClock::new(),
                list: Mutex::default(),
            }),
            acceptors: Vec::new(),
        };
        for socket in sockets {
            let address = socket.local_addr()?;
            let (clients, serve) = (Arc::clone(&server.clients), Arc::clone(&serve));
            let acceptor = thread::Builder::new()
                .name("loopback".to_owned())
                .spawn(move || accept(&socket, &clients, &serve))?;
            server.acceptors.push((address, acceptor));
        }
        Ok(server)
    }
}

impl Drop for LoopbackServer {
    fn drop(&mut self) {
        self.clients.list.lock().closed = true;
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

type Serve = dyn Fn(Client) + Send + Sync;

fn accept(socket: &TcpListener, clients: &Arc<Clients>, serve: &Arc<Serve>) {
    loop {
        let accepted = socket.accept();
        if clients.list.lock().closed {
            return;
        }
        let Ok((stream, _)) = accepted else {
            clients.clock.sleep(ACCEPT_REST);
            continue;
        };
        let Some(client) = Clients::take_in(clients, stream) else {
            continue;
        };
        let serve = Arc::clone(serve);
        // Without a thread the connection is closed, and waiting goes on.
        let _ = thread::Builder::new()
            .name("loopback client".to_owned())
            .spawn(move || serve(client));
    }
}

/// The clients that are connected.
struct Clients {
    clock: SystemClock,
    list: Mutex<List>,
}

#[derive(Default)]
struct List {
    closed: bool,
    next: u64,
    connected: Vec<Connected>,
}

struct Connected {
    id: u64,
    stream: Arc<TcpStream>,
    /// When something was last heard of it; `None` once its head is complete, for then it waits for
    /// us.
    heard: Option<Duration>,
}

impl Clients {
    /// Takes in a client. If there is no place for it, the one that has been silent longest goes; if
    /// all of them wait for an answer, there is none.
    fn take_in(clients: &Arc<Self>, stream: TcpStream) -> Option<Client> {
        let mut list = clients.list.lock();
        if list.connected.len() >= PLACES {
            let waits = |(at, client): (usize, &Connected)| Some((client.heard?, at));
            let (_, at) = list.connected.iter().enumerate().filter_map(waits).min()?;
            let dropped = list.connected.swap_remove(at);
            // Its thread reads the end.
            let _ = dropped.stream.shutdown(Shutdown::Both);
        }
        let (id, stream) = (list.next, Arc::new(stream));
        list.next += 1;
        list.connected.push(Connected {
            id,
            stream: Arc::clone(&stream),
            heard: Some(clients.clock.monotonic()),
        });
        Some(Client {
            id,
            stream,
            clients: Arc::clone(clients),
        })
    }

    fn note(&self, id: u64, heard: Option<Duration>) {
        let mut list = self.list.lock();
        let mut connected = list.connected.iter_mut();
        if let Some(client) = connected.find(|client| client.id == id) {
            client.heard = heard;
        }
    }
}

/// A client that is being served. Dropping it closes its connection.
pub(super) struct Client {
    id: u64,
    stream: Arc<TcpStream>,
    clients: Arc<Clients>,
}

impl Drop for Client {
    fn drop(&mut self) {
        let mut list = self.clients.list.lock();
        list.connected.retain(|client| client.id != self.id);
    }
}

impl Client {
    /// Reads the request and judges it: the query of a GET for `path` at this `port`. `None` if the
    /// client left without a word.
    pub(super) fn request(&self, port: u16, path: &str) -> Option<Result<Query, Refusal>> {
        let clock = &self.clients.clock;
        let heard = || self.clients.note(self.id, Some(clock.monotonic()));
        let head = match request_head::read(&self.stream, clock, HEAD_LIMITS, &heard) {
            Ok(head) => head?,
            Err(refusal) => return Some(Err(refusal)),
        };
        self.clients.note(self.id, None);
        // Asked now, while it waits for our answer: one that has left belongs to nobody.
        match socket_table::peer(&self.stream) {
            Peer::Ours | Peer::Root | Peer::Unknown => {}
            Peer::Foreign => return Some(Err(Refusal::Foreign)),
            Peer::Gone => return None,
        }
        Some(request_head::judge(head.expose(), port, path))
    }

    /// Whether it is known to be this very user's. Asked while it waits for our answer.
    pub(super) fn is_this_user(&self) -> bool {
        socket_table::peer(&self.stream) == Peer::Ours
    }

    /// Tells a client why its request is refused, and that the login still waits.
    pub(super) fn refuse(&self, refusal: Refusal) {
        let (status, words) = refusal.describe();
        // Neither path nor query: a code sent to the wrong path is still a code.
        tracing::debug!(target: "openclaw", status, "request to a loopback port refused");
        let allow = (refusal == Refusal::Method).then_some(("Allow", "GET"));
        let html = callback_page::html(
            "Not a response to this login",
            &callback_page::still_waiting(words),
        );
        if self.send(status, &html, allow).is_ok() {
            self.linger(LINGER_LIMIT);
        }
    }

    /// Answers with a page, and a header field beside the usual ones. What the client still sends
    /// is not waited for.
    pub(super) fn answer(&self, status: u16, html: &str, extra: Option<(&str, &str)>) {
        // The browser may be gone; that changes nothing about the login.
        let _ = self.send(status, html, extra);
        self.linger(Duration::ZERO);
    }

    fn send(&self, status: u16, html: &str, extra: Option<(&str, &str)>) -> io::Result<()> {
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
        let mut stream: &TcpStream = &self.stream;
        stream.set_write_timeout(Some(ANSWER_LIMIT))?;
        stream.write_all(&bytes)?;
        stream.shutdown(Shutdown::Write)
    }

    /// Reads what the client still sends, within limits; what is there already, if the limit is zero.
    /// Closing a socket with unread bytes resets the connection, and the client may lose our answer
    /// with it.
    fn linger(&self, limit: Duration) {
        let clock = &self.clients.clock;
        let mut stream: &TcpStream = &self.stream;
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
}
