//! A bus, and behind it a Secret Service, that answers each call as a test says.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::wire::{Values, read_call, reply};

/// What a call is answered with.
pub(crate) enum Reply {
    /// These values.
    Values(Values),
    /// An error: its name, its words.
    Error(&'static str, &'static str),
    /// Nothing, for as long as the caller waits.
    Silence,
    /// The end of the connection.
    HangUp,
    /// These values, in a message that was changed so.
    Bent(Values, Box<Bend>),
}

/// Changes a message.
type Bend = dyn Fn(&mut Vec<u8>);

/// Takes a step of the conversation: `accept`, `AUTH`, or a method. `None` for the usual answer.
type Answer = dyn Fn(&str) -> Option<Reply> + Send + Sync;

/// Listens until it is dropped.
pub(crate) struct FakeBus {
    directory: tempfile::TempDir,
    is_over: Arc<AtomicBool>,
    calls: Arc<Mutex<Vec<String>>>,
}

impl FakeBus {
    /// A bus with an open keyring that has this secret, where `answer` says nothing else.
    pub(crate) fn start(
        secret: &'static [u8],
        answer: impl Fn(&str) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join("bus")).unwrap();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&calls);
        let answer: Arc<Answer> = Arc::new(answer);
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&is_over);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
                let stream = stream.unwrap();
                std::thread::spawn(move || serve(&stream, secret, &*answer, &seen));
            }
        });
        Self {
            directory,
            is_over,
            calls,
        }
    }

    pub(crate) fn address(&self) -> String {
        format!("unix:path={}/bus", self.directory.path().display())
    }

    /// The directory that has it as `bus`.
    pub(crate) fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// The steps that it saw.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }
}

impl Drop for FakeBus {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // Wakes it.
        let _ = UnixStream::connect(self.directory.path().join("bus"));
    }
}

fn serve(
    mut stream: &UnixStream,
    secret: &[u8],
    answer: &Answer,
    seen: &Mutex<Vec<String>>,
) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let ask = |step: &str| {
        seen.lock().unwrap().push(step.to_owned());
        answer(step)
    };
    greet(&mut reader, stream, &ask)?;
    loop {
        let call = read_call(&mut reader)?;
        let usual = || Reply::Values(usual(&call.member, secret));
        let bytes = match ask(&call.member).unwrap_or_else(usual) {
            Reply::Values(values) => reply(call.serial, None, &values),
            Reply::Error(name, words) => {
                reply(call.serial, Some(name), &Values::new().string(words))
            }
            Reply::Bent(values, bend) => {
                let mut bytes = reply(call.serial, None, &values);
                bend(&mut bytes);
                bytes
            }
            Reply::Silence => continue,
            Reply::HangUp => return hang_up(stream),
        };
        stream.write_all(&bytes).ok()?;
    }
}

fn hang_up(stream: &UnixStream) -> Option<()> {
    stream.shutdown(std::net::Shutdown::Both).ok()
}

/// Authenticates the caller, whoever it is (D-Bus specification, "Authentication Protocol").
fn greet(
    reader: &mut BufReader<UnixStream>,
    mut stream: &UnixStream,
    ask: &dyn Fn(&str) -> Option<Reply>,
) -> Option<()> {
    let mut steps = ["accept", "AUTH"].into_iter();
    loop {
        match steps.next().and_then(ask) {
            Some(Reply::HangUp) => return hang_up(stream).and(None),
            Some(Reply::Silence) => {
                // Until the caller is gone.
                return reader.read_to_end(&mut Vec::new()).ok().and(None);
            }
            Some(Reply::Bent(_, bend)) => {
                let mut line = b"OK 0123456789abcdef0123456789abcdef\r\n".to_vec();
                bend(&mut line);
                stream.write_all(&line).ok()?;
                continue;
            }
            _ => {}
        }
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_start_matches('\0').trim_end();
        let answer: &[u8] = match line.split(' ').next()? {
            "AUTH" => b"OK 0123456789abcdef0123456789abcdef\r\n",
            "BEGIN" => return Some(()),
            _ => b"ERROR\r\n",
        };
        stream.write_all(answer).ok()?;
    }
}

/// What an open keyring with one item answers.
pub(crate) fn usual(member: &str, secret: &[u8]) -> Values {
    let none = Values::new();
    match member {
        "Hello" => none.string(":1.1"),
        "SearchItems" => none.paths(&["/item"]).paths(&[]),
        "ReadAlias" => none.path("/collection"),
        "Get" => none.flag(false),
        "OpenSession" => Values::session(),
        "GetSecret" => Values::secret(secret),
        "CreateItem" => none.path("/item").path("/"),
        "Delete" => none.path("/"),
        _ => none,
    }
}
