//! A login that a test drives: it has told its URL and waits for a browser, or for a paste.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::{Ran, World, ran};

/// A login that has told its URL and waits.
pub(crate) struct Waiting {
    pub(crate) child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    events: Vec<Value>,
    pub(crate) url: String,
}

impl Waiting {
    pub(crate) fn start(world: &World, more: &[&str]) -> Self {
        let mut args = vec!["models", "auth", "login", "--json", "--no-browser"];
        args.extend(more);
        Self::of(world.command(&args))
    }

    /// `command` is a login with `--json`.
    pub(crate) fn of(mut command: Command) -> Self {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut events = Vec::new();
        let url = loop {
            let line = lines
                .next()
                .expect("the login ended before it told its URL")
                .unwrap();
            let event: Value = serde_json::from_str(&line).unwrap();
            let url = event["url"].as_str().map(str::to_owned);
            events.push(event);
            if let Some(url) = url {
                break url;
            }
        };
        Self {
            child,
            lines,
            events,
            url,
        }
    }

    /// Reads on until an event of that name: it, and the one that told the URL.
    pub(crate) fn until(&mut self, name: &str) -> (Value, Value) {
        let known = self.events.iter().find(|event| event["event"] == name);
        let mut found = known.cloned();
        while found.is_none() {
            let line = self.lines.next().expect("the login ended").unwrap();
            let event: Value = serde_json::from_str(&line).unwrap();
            self.events.push(event.clone());
            found = Some(event).filter(|event| event["event"] == name);
        }
        let mut events = self.events.iter();
        let url = events.find(|event| event["event"] == "url");
        (found.unwrap(), url.unwrap().clone())
    }

    /// What it did, with all of its standard output, and the events in that.
    pub(crate) fn finish(mut self) -> (Ran, Vec<Value>) {
        for line in self.lines.by_ref() {
            self.events
                .push(serde_json::from_str(&line.unwrap()).unwrap());
        }
        let mut ran = ran(self.child.wait_with_output().unwrap());
        for event in &self.events {
            ran.out.push_str(&format!("{event}\n"));
        }
        (ran, self.events)
    }

    /// The redirect URL with this query.
    pub(crate) fn callback(&self, query: &str) -> String {
        format!("{}?{query}", self.parameter("redirect_uri"))
    }

    pub(crate) fn state(&self) -> String {
        self.parameter("state")
    }

    fn parameter(&self, name: &str) -> String {
        let url = url::Url::parse(&self.url).unwrap();
        let mut pairs = url.query_pairs();
        pairs.find(|(key, _)| key == name).unwrap().1.into_owned()
    }

    /// Sends a head to the callback as it is; the whole answer.
    fn send(&self, head: &str) -> String {
        let url = url::Url::parse(&self.callback("")).unwrap();
        let port = url.port().unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let head = head.replace("HOST", &format!("Host: localhost:{port}"));
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.replace('\r', "")
    }

    /// The page of every request that is not the answer of this login, by what is wrong with it.
    pub(crate) fn refusals(&self) -> Vec<(&'static str, String)> {
        let state = self.state();
        let get = |query: &str| format!("GET /auth/callback?{query} HTTP/1.1\r\nHOST\r\n\r\n");
        let good = format!("code=CODE-MARKER&state={state}");
        let asked = [
            ("another state", get("code=CODE-MARKER&state=STATE-MARKER")),
            ("no state", get("code=CODE-MARKER")),
            ("no code", get(&format!("state={state}"))),
            (
                "a refusal with another state",
                get("error=access_denied&error_description=CODE-MARKER&state=STATE-MARKER"),
            ),
            (
                "a repeated parameter",
                get(&format!("code=CODE-MARKER&{good}")),
            ),
            (
                "another path",
                format!("GET /success?{good} HTTP/1.1\r\nHOST\r\n\r\n"),
            ),
            (
                "another method",
                format!("POST /auth/callback?{good} HTTP/1.1\r\nHOST\r\n\r\n"),
            ),
            (
                "another host",
                get(&good).replace("HOST", "Host: evil.example"),
            ),
            (
                "too large",
                get(&good).replace("HOST", &format!("HOST\r\nX: {}", "y".repeat(300 * 1024))),
            ),
            ("no HTTP", format!("{good}\r\n\r\n")),
        ];
        let asked = asked.into_iter();
        asked.map(|(what, head)| (what, self.send(&head))).collect()
    }
}
