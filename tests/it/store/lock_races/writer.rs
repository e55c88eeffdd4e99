//! One of many processes that write to one store, and what each of them means to leave behind.
//!
//! Every process has profiles, an order and usage of its own, so that the outcome is known although
//! the interleaving is not; all of them count in one shared place, where a lost update shows.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use openclaw::model::credential::{Credential, Token};
use openclaw::model::id::{AgentId, ProfileId};
use openclaw::model::json::{Extra, Verbatim};
use openclaw::model::profiles::AuthProfiles;
use openclaw::model::secret::Secret;
use openclaw::model::usage::Usage;
use openclaw::ports::store::{Documents as _, StoreError};
use openclaw::store::file::FileStore;
use openclaw::store::paths::StorePaths;
use openclaw::sys::clock::SystemClock;
use openclaw::sys::files::SystemFiles;
use serde::{Deserialize, Serialize};

/// Where all of them count.
pub(super) const SHARED: &str = "groq:shared";

/// The exit code of a command that could not have a lock in time.
const BUSY: i32 = 6;

/// What a process is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Orders {
    /// Which of the processes it is.
    pub(super) number: usize,
    /// How many operations.
    pub(super) operations: usize,
    /// Each so-manieth operation that the program has a command for is that command.
    pub(super) commands: usize,
    /// The state directory.
    pub(super) state: PathBuf,
}

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Paste(usize),
    Logout(usize),
    Order,
    ClearOrder,
    Use,
    Count,
    Refresh,
}

fn deed(operation: usize) -> Deed {
    match operation % 25 {
        0 | 7 | 9 | 14 => Deed::Paste(0),
        2 | 12 | 19 => Deed::Paste(1),
        5 | 22 => Deed::Logout(1),
        3 | 10 | 15 | 20 => Deed::Order,
        17 => Deed::ClearOrder,
        24 => Deed::Refresh,
        4 | 8 | 13 | 18 => Deed::Use,
        _ => Deed::Count,
    }
}

/// What one process leaves behind.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Left {
    /// Token by profile.
    pub(super) tokens: BTreeMap<String, String>,
    /// The order for its provider.
    pub(super) order: Option<Vec<String>>,
    /// Its usage, by profile.
    pub(super) used: BTreeMap<String, usize>,
    /// How often it counted.
    pub(super) counted: usize,
    /// How often it refreshed its own login.
    pub(super) refreshed: usize,
}

impl Orders {
    pub(super) fn provider(&self) -> String {
        format!("acme-{}", self.number)
    }

    fn profile(&self, which: usize) -> String {
        format!("{}:{which}", self.provider())
    }

    pub(super) fn login(&self) -> String {
        format!("openai-codex:{}", self.number)
    }

    /// The serial application of all of its operations.
    pub(super) fn left(&self) -> Left {
        let mut left = Left::default();
        for operation in 0..self.operations {
            match deed(operation) {
                Deed::Paste(which) => {
                    let profile = self.profile(which);
                    left.tokens.insert(profile, format!("t-{operation}"));
                }
                Deed::Logout(which) => {
                    let profile = self.profile(which);
                    left.tokens.remove(&profile);
                    left.used.remove(&profile);
                    if let Some(order) = &mut left.order {
                        order.retain(|id| *id != profile);
                    }
                    left.order = left.order.filter(|order| !order.is_empty());
                }
                Deed::Order => left.order = Some(self.order(operation)),
                Deed::ClearOrder => left.order = None,
                Deed::Use => {
                    left.used.insert(self.profile(operation % 2), operation);
                }
                Deed::Count => left.counted += 1,
                Deed::Refresh => left.refreshed += 1,
            }
        }
        left
    }

    fn order(&self, operation: usize) -> Vec<String> {
        vec![self.profile(1), format!("{}:{operation}", self.provider())]
    }

    /// Does all of it.
    pub(super) fn carry_out(&self) {
        let places = StorePaths::below(&self.state);
        let store = FileStore::new(Arc::new(SystemFiles), Arc::new(SystemClock::new()), places);
        let mut commands = 0;
        for operation in 0..self.operations {
            let deed = deed(operation);
            let has_command = matches!(deed, Deed::Paste(_) | Deed::Logout(_));
            commands += usize::from(has_command);
            match deed {
                Deed::Refresh => {
                    self.command(&["refresh", "--force", "--profile", &self.login()], "");
                }
                Deed::Paste(which) if commands % self.commands == 0 => {
                    let (provider, profile) = (self.provider(), self.profile(which));
                    let args = [
                        "paste-token",
                        "--provider",
                        &provider,
                        "--profile-id",
                        &profile,
                    ];
                    self.command(&args, &format!("t-{operation}"));
                }
                // What is not there cannot be logged out.
                Deed::Logout(which) if commands % self.commands == 0 => {
                    self.command(&["logout", &self.profile(which), "--yes"], "");
                }
                deed => {
                    let mut change = |document: &mut AuthProfiles| {
                        self.change(document, deed, operation);
                        true
                    };
                    // Whoever had to wait for too long changed nothing, and may try again.
                    while let Err(error) = store.update(&AgentId::main(), &mut change) {
                        assert!(matches!(error, StoreError::Busy { .. }), "{error}");
                    }
                }
            }
        }
    }

    fn change(&self, document: &mut AuthProfiles, deed: Deed, operation: usize) {
        let id = |which| ProfileId::parse(&self.profile(which)).unwrap();
        match deed {
            Deed::Paste(which) => {
                let token = Token {
                    provider: self.provider(),
                    token: Some(Secret::new(format!("t-{operation}"))),
                    expires: None,
                    email: None,
                    extra: Extra::default(),
                };
                assert!(document.put(id(which), Credential::Token(token)));
            }
            Deed::Logout(which) => drop(document.remove(&id(which))),
            Deed::Order => {
                document
                    .order
                    .retain(|(other, _)| *other != self.provider());
                document
                    .order
                    .push((self.provider(), self.order(operation)));
            }
            Deed::ClearOrder => document
                .order
                .retain(|(other, _)| *other != self.provider()),
            Deed::Use => used(document, &self.profile(operation % 2), operation),
            Deed::Count => {
                let before = count(document);
                used(document, SHARED, before + 1);
            }
            Deed::Refresh => {}
        }
    }

    /// Runs a command, once more if it had to wait for too long: it says then that nothing was
    /// changed.
    fn command(&self, args: &[&str], input: &str) {
        loop {
            let output = self.attempt(args, input);
            let said = String::from_utf8_lossy(&output.stderr);
            if output.status.code() != Some(BUSY) {
                assert!(output.status.success(), "{args:?}: {said}");
                return;
            }
            assert!(said.contains("No credentials were changed."), "{said}");
        }
    }

    fn attempt(&self, args: &[&str], input: &str) -> Output {
        let mut command = Command::new(crate::support::program());
        let command = command.args(["models", "auth"]).args(args).env_clear();
        let command = command
            .env("HOME", &self.state)
            .env("OPENCLAW_STATE_DIR", &self.state);
        let command = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        child.wait_with_output().unwrap()
    }
}

fn used(document: &mut AuthProfiles, name: &str, number: usize) {
    document.usage.retain(|(other, _)| other != name);
    let usage = Usage {
        text: Verbatim::new(number.to_string()),
        ..Usage::default()
    };
    document.usage.push((name.to_owned(), usage));
}

/// How often all of them have counted.
pub(super) fn count(document: &AuthProfiles) -> usize {
    let mut usage = document.usage.iter();
    let found = usage.find(|(name, _)| name == SHARED);
    found.map_or(0, |(_, usage)| usage.text.as_str().parse().unwrap())
}
