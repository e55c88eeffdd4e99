//! A login that a test drives: it has told its URL and waits for a browser, or for a paste.

use std::io::{BufRead, BufReader};
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
}
