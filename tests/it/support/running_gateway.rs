//! A gateway that runs, and what asks it: HTTP by hand, so that a test can ask what no client would.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{Ran, World, ran};

/// The bearer that may do everything.
pub(crate) const TOKEN: &str = "gateway-token-MARKER-0123456789abcdef";

/// A running gateway.
pub(crate) struct Gateway {
    child: Option<Child>,
    /// Reads the log, which would fill its pipe.
    log: Option<JoinHandle<String>>,
    /// Host and port.
    pub(crate) address: String,
}

/// What it answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The head, line by line.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The body, which must be JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (other, value) = line.split_once(':')?;
            other.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Gateway {
    /// Starts it on a free port.
    pub(crate) fn start(world: &World) -> Self {
        Self::of(world.command(&["gateway", "run", "--listen", "127.0.0.1:0"]))
    }

    /// Starts `command`, which is `gateway run`.
    pub(crate) fn of(mut command: Command) -> Self {
        let mut child = command
            .env("GOCLAW_GATEWAY_TOKEN", TOKEN)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut errors = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            errors.read_to_string(&mut log).unwrap();
            log
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let listening = lines.find_map(|line| {
            let line = line.unwrap();
            Some(line.split_once("http://")?.1.to_owned())
        });
        let Some(url) = listening else {
            panic!("the gateway ended: {}", log.join().unwrap());
        };
        let address = url.split(['/', '#', ' ']).next().unwrap().to_owned();
        Self {
            child: Some(child),
            log: Some(log),
            address,
        }
    }

    /// Asks with the gateway's own bearer.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &authorized(), "")
    }

    /// Posts JSON with the gateway's own bearer.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        let headers = format!("{}Content-Type: application/json\r\n", authorized());
        self.ask("POST", path, &headers, &body.to_string())
    }

    /// Posts no body, with the gateway's own bearer.
    pub(crate) fn post_nothing(&self, path: &str) -> Answer {
        self.ask("POST", path, &authorized(), "")
    }

    /// Asks with these headers, each with its end of line.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let (address, length) = (&self.address, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
             Content-Length: {length}\r\n{headers}\r\n{body}"
        );
        self.send(&request)
    }

    /// Sends a request as it is.
    pub(crate) fn send(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        // A server that refuses before it has read everything resets the connection behind its answer.
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        Answer {
            status: status.unwrap_or(0),
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    /// Asks until the answer is as it should be.
    pub(crate) fn until(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..600 {
            let answer = self.get(path).json();
            if is_so(&answer) {
                return answer;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{path} still says {:?}", self.get(path));
    }

    /// Asks it to end.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Stops it until [`Self::resume`], as a machine that is suspended.
    pub(crate) fn suspend(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = self.child.as_ref().map(Child::id).unwrap();
        let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Kills it at once.
    pub(crate) fn kill(mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Asks it to end, and waits for that.
    pub(crate) fn stop(self) -> Ran {
        self.terminate();
        self.ended()
    }

    /// Waits for its end.
    pub(crate) fn ended(mut self) -> Ran {
        let mut ran = ran(self.child.take().unwrap().wait_with_output().unwrap());
        ran.err = self.log.take().unwrap().join().unwrap();
        ran
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn authorized() -> String {
    format!("Authorization: Bearer {TOKEN}\r\n")
}
