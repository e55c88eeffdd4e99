//! A provider's API as far as a probe goes: it knows whom it answers what, keeps every request, and
//! counts how many it has at once.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

/// One request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        let found = all.find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether the request shows this credential, wherever.
    fn shows(&self, secret: &str) -> bool {
        self.headers.iter().any(|(_, value)| value.contains(secret))
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// This status and body, and a header.
    Says(u16, String, Option<(&'static str, String)>),
    /// Nothing, before the server is dropped.
    Nothing,
}

impl Answer {
    pub(crate) fn of(status: u16, body: &str) -> Self {
        Self::Says(status, body.to_owned(), None)
    }
}

#[derive(Default)]
struct State {
    answers: HashMap<String, Answer>,
    seen: Vec<Seen>,
    at_once: usize,
    most: usize,
    /// Requests wait until so many are there at once.
    gate: usize,
    over: bool,
}

/// The server; ends what hangs when it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    state: Arc<(Mutex<State>, Condvar)>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state: Arc<(Mutex<State>, Condvar)> = Arc::default();
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.0.lock().unwrap().over {
                    break;
                }
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        Self { address, state }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Whoever shows this secret gets this answer; whoever shows none that is known, a 404.
    pub(crate) fn answer(&self, secret: &str, answer: Answer) {
        let mut state = self.state.0.lock().unwrap();
        state.answers.insert(secret.to_owned(), answer);
    }

    /// Answers are held back until so many requests are there at once.
    pub(crate) fn gather(&self, count: usize) {
        self.state.0.lock().unwrap().gate = count;
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.0.lock().unwrap().seen.clone()
    }

    /// The most requests that were there at once.
    pub(crate) fn most_at_once(&self) -> usize {
        self.state.0.lock().unwrap().most
    }

    /// Waits until so many requests have come.
    pub(crate) fn until_seen(&self, count: usize) {
        let (state, changed) = &*self.state;
        let state = state.lock().unwrap();
        drop(
            changed
                .wait_while(state, |state| state.seen.len() < count)
                .unwrap(),
        );
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.state.0.lock().unwrap().over = true;
        self.state.1.notify_all();
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(mut stream: TcpStream, (state, changed): &(Mutex<State>, Condvar)) {
    let Some(seen) = read(&stream) else {
        return;
    };
    let mut locked = state.lock().unwrap();
    locked.at_once += 1;
    locked.most = locked.most.max(locked.at_once);
    if locked.at_once == locked.gate {
        // Those that were waited for are here; one more would be one too many, and is seen.
        locked.gate = 0;
    }
    locked.seen.push(seen.clone());
    changed.notify_all();
    let answer = locked.answers.iter().find(|(key, _)| seen.shows(key));
    let answer = answer.map(|(_, answer)| answer.clone());
    let hangs = matches!(answer, Some(Answer::Nothing));
    let held = |state: &mut State| !state.over && (hangs || state.gate > 0);
    let mut locked = changed.wait_while(locked, held).unwrap();
    locked.at_once -= 1;
    drop(locked);
    let text = match answer {
        Some(Answer::Says(status, body, header)) => {
            let header = header.map(|(name, value)| format!("{name}: {value}\r\n"));
            format!(
                "HTTP/1.1 {status} X\r\n{}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
                header.unwrap_or_default(),
                body.len()
            )
        }
        Some(Answer::Nothing) => return,
        None => "HTTP/1.1 404 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned(),
    };
    let _ = stream.write_all(text.as_bytes());
}

fn read(stream: &TcpStream) -> Option<Seen> {
    let mut reader = BufReader::new(stream);
    let mut seen = Seen::default();
    reader.read_line(&mut seen.line).ok()?;
    seen.line.truncate(seen.line.trim_end().len());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        seen.headers
            .push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = seen.header("content-length").unwrap_or("0").parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    seen.body = String::from_utf8(body).ok()?;
    (!seen.line.is_empty()).then_some(seen)
}
