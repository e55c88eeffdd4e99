//! A line to a server that can go dead: nothing passes any more, in either direction, and nobody is told.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// A line to a port of loopback.
pub(crate) struct Line {
    /// Where its near end listens.
    pub(crate) port: u16,
    state: Arc<State>,
}

/// When it goes dead by itself: as this is sent, which still passes or does not.
type Trap = (&'static str, bool);

#[derive(Default)]
struct State {
    /// Whether it is dead.
    gate: Mutex<(bool, Option<Trap>)>,
    mended: Condvar,
    connections: AtomicUsize,
}

impl Line {
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (near, state) = (listener.local_addr().unwrap().port(), Arc::default());
        let shared: Arc<State> = Arc::clone(&state);
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                // A server that is not there is one that closes at once.
                let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else {
                    continue;
                };
                let ends = (near.try_clone().unwrap(), far.try_clone().unwrap());
                let there = Arc::clone(&shared);
                thread::spawn(move || there.pass(near, far, true));
                let back = Arc::clone(&shared);
                thread::spawn(move || back.pass(ends.1, ends.0, false));
            }
        });
        Self { port: near, state }
    }

    /// Nothing passes from now on.
    pub(crate) fn cut(&self) {
        self.state.gate.lock().unwrap().0 = true;
    }

    /// Nothing passes once a client has sent `words`; `passes` says whether those still do.
    pub(crate) fn cut_at(&self, words: &'static str, passes: bool) {
        self.state.gate.lock().unwrap().1 = Some((words, passes));
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.state.gate.lock().unwrap().0
    }

    /// What was sent meanwhile passes now.
    pub(crate) fn mend(&self) {
        *self.state.gate.lock().unwrap() = (false, None);
        self.state.mended.notify_all();
    }

    /// How often somebody connected to it.
    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.mend();
    }
}

impl State {
    fn pass(&self, mut from: TcpStream, mut to: TcpStream, is_request: bool) {
        let mut bytes = [0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            self.wait(&bytes[..length], is_request);
            if to.write_all(&bytes[..length]).is_err() {
                break;
            }
        }
        self.wait(&[], false);
        let _ = to.shutdown(Shutdown::Both);
    }

    /// Waits until bytes may pass.
    fn wait(&self, bytes: &[u8], is_request: bool) {
        let mut gate = self.gate.lock().unwrap();
        if let Some((words, passes)) = gate.1
            && is_request
            && bytes
                .windows(words.len())
                .any(|seen| seen == words.as_bytes())
        {
            *gate = (true, None);
            if passes {
                return;
            }
        }
        drop(self.mended.wait_while(gate, |gate| gate.0).unwrap());
    }
}
