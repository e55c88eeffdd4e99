//! The guide that many people follow, from top to bottom on a fresh machine: its two blocks of
//! `config.yaml` verbatim, its commands in its order, and no secret in the clear at its end.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use openclaw::model::provider::ClientAuth;
use openclaw::sys::clock::SystemClock;
use rexpect::session::PtySession;
use serde_json::Value;

use super::{SEAL, assert_nowhere};
use crate::login::at_a_terminal::{ends_with, session};
use crate::login::client_credentials::address_after;
use crate::providers::declared_in_config::guide;
use crate::support::issuer::{Account, Issuer};
use crate::support::{Ran, World, ran};

const CLIENT: &str = "client-MARKER-id";
const SECRET: &str = "s3cret+MARKER/client";
const LOGIN: [&str; 5] = ["models", "auth", "login", "--provider", "codex"];
const REFRESH: [&str; 4] = ["provider", "codex", "refresh-token", "--verbose"];
const STATUS: [&str; 3] = ["provider", "codex", "token-status"];

/// A machine on which nothing was set up: a home, and no variable but `HOME`.
struct Machine {
    world: World,
    issuer: Issuer,
}

impl Machine {
    /// The one departure from the guide: a manifest leads `openai-codex` to the server of the test.
    fn new() -> Self {
        let world = World::new();
        let issuer = Issuer::start(Account::default(), Arc::new(SystemClock::new())).unwrap();
        issuer.expect_client(CLIENT, SECRET, ClientAuth::Post);
        let machine = Self { world, issuer };
        let manifest = machine.issuer.manifest();
        machine.write("providers/openai-codex.toml", &manifest);
        machine
    }

    fn state(&self) -> PathBuf {
        self.world.directory.path().join("home/.openclaw")
    }

    /// As an editor writes a file, which others may read.
    fn write(&self, path: &str, text: &str) {
        let path = self.state().join(path);
        let mut directories = std::fs::DirBuilder::new();
        directories.recursive(true).mode(0o755);
        directories.create(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.world.command(args);
        command.env_remove("OPENCLAW_STATE_DIR");
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        ran(self.command(args).output().unwrap())
    }

    fn done(&self, args: &[&str]) -> Ran {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{args:?} {ran:?}");
        ran
    }

    /// Pastes a value at the prompt, and returns all that the terminal showed.
    fn set(&self, name: &str, value: &str) -> String {
        let mut session = session(self.command(&["secrets", "set", name]));
        let prompt = format!("Value of {name} (input is hidden): ");
        session.exp_string(&prompt).unwrap();
        let shown = answer(&mut session, value);
        assert!(!shown.contains("MARKER"), "{shown}");
        assert!(shown.contains(&format!("Stored secret {name}")), "{shown}");
        shown
    }

    /// Logs in as a person does: opens the URL, and pastes the address on which the browser ends.
    fn log_in(&self) {
        let mut session = session(self.command(&[&LOGIN[..], &["--no-browser"]].concat()));
        let (_, url) = session.exp_regex(r"http://\S+").unwrap();
        session.exp_string("paste").unwrap();
        let shown = answer(&mut session, &address_after(url.trim()));
        assert!(shown.contains("codex:me@example.com"), "{shown}");
        assert!(!shown.contains("MARKER"), "{shown}");
    }

    /// The token that an agent is given.
    fn token(&self) -> String {
        let ran = self.done(&["models", "auth", "token", "--provider", "codex"]);
        ran.out.trim_end().to_owned()
    }

    /// The refresh tokens that were sent.
    fn sent(&self) -> Vec<String> {
        let requests = self.issuer.token_requests().into_iter().flatten();
        let sent = requests.filter(|(name, _)| name == "refresh_token");
        sent.map(|(_, value)| value).collect()
    }
}

/// Types a line at a prompt; the rest of what is shown.
fn answer(session: &mut PtySession, line: &str) -> String {
    session.send(&format!("{line}\r")).unwrap();
    session.flush().unwrap();
    let shown = session.exp_eof().unwrap();
    ends_with(session, 0);
    shown
}

/// A text with `N` for each number.
fn without_numbers(text: &str) -> String {
    let words = text.split_inclusive(|c: char| !c.is_ascii_digit());
    let shown = words.map(
        |word| match word.starts_with(|c: char| c.is_ascii_digit()) {
            true => format!("N{}", word.trim_start_matches(|c: char| c.is_ascii_digit())),
            false => word.to_owned(),
        },
    );
    shown.collect()
}

/// What the guide says that a forced refresh prints.
const EXPECTED: &str = "[INFO] Current token expires in Ns
[INFO] Forcing refresh...
[INFO] New token acquired, expires in Ns
[INFO] Token stored successfully
";

#[test]
fn the_guide_works_from_top_to_bottom_on_a_fresh_machine() {
    let machine = Machine::new();
    // Configure OpenClaw for Codex OAuth: the block of a person.
    machine.write("config.yaml", &guide("authorization_code"));
    // Token Storage and Security.
    let shown = machine.set("CODEX_CLIENT_ID", CLIENT);
    assert!(shown.contains("token_store: encrypted_file"), "{shown}");
    machine.set("CODEX_CLIENT_SECRET", SECRET);
    let listed = machine.done(&["secrets", "list"]).out;
    for name in ["CODEX_CLIENT_ID", "CODEX_CLIENT_SECRET"] {
        assert!(
            listed.contains(&format!("{name}  stored just now")),
            "{listed}"
        );
    }
    assert_eq!(listed.matches("config.yaml").count(), 2, "{listed}");
    // Using auth code flow for headless deployments.
    let headless = machine.run(&[&LOGIN[..], &["--no-browser"]].concat());
    assert_eq!(headless.code, 1, "{headless:?}");
    let words = "the browser is not redirected to this machine and there is no terminal";
    assert!(headless.err.contains(words), "{headless:?}");
    assert!(
        headless.err.contains("login --provider codex --start"),
        "{headless:?}"
    );
    machine.log_in();
    let first = machine.token();
    // Common Mistakes: is the refresh really working?
    let refreshed = machine.done(&REFRESH);
    assert_eq!(without_numbers(&refreshed.out), EXPECTED, "{refreshed:?}");
    let second = machine.token();
    assert_ne!(first, second);
    let (requests, sent) = (machine.issuer.token_requests().len(), machine.sent());
    assert_eq!((requests, sent.len()), (2, 1));
    // Frequently Asked Questions.
    let status = machine.done(&STATUS).out;
    assert!(
        status.contains("Profile codex:me@example.com (OAuth)"),
        "{status}"
    );
    assert!(
        status.contains("Refreshed on use once 300s or less remain"),
        "{status}"
    );
    machine.set("CODEX_OAUTH_TOKEN", "tok-MARKER-0123456789abcdef");
    let key = r#"{ models: { providers: { openai: { apiKey: "${secret:CODEX_OAUTH_TOKEN}" } } } }"#;
    machine.write("openclaw.json", key);
    let ran = machine.done(&["models", "auth", "token", "--provider", "openai"]);
    assert_eq!(ran.out, "tok-MARKER-0123456789abcdef\n");

    let document = machine.state().join("agents/main/agent/auth-profiles.json");
    let document: Value = serde_json::from_slice(&std::fs::read(document).unwrap()).unwrap();
    let profile = &document["profiles"]["codex:me@example.com"];
    assert_eq!(
        (&profile["access"], &profile["refresh"]),
        (&"".into(), &"".into())
    );
    let secrets = [CLIENT, SECRET, &first, &second, &sent[0], "MARKER"];
    for secret in secrets {
        assert_nowhere(&machine.world, secret);
    }
    // The block of a service, on the same machine.
    machine.write("config.yaml", &guide("client_credentials"));
    machine.done(&LOGIN);
    let refreshed = machine.done(&[&REFRESH[..], &["--agent", "main"]].concat());
    assert_eq!(without_numbers(&refreshed.out), EXPECTED, "{refreshed:?}");
    assert_ne!(machine.token(), second);
    assert_nowhere(&machine.world, "MARKER");
    let audit = machine.done(&["secrets", "audit", "--check"]);
    assert!(audit.out.contains("clean"), "{audit:?}");
}

#[test]
fn a_service_follows_the_guide_without_a_person() {
    let machine = Machine::new();
    machine.write("config.yaml", &guide("client_credentials"));
    machine.set("CODEX_CLIENT_ID", CLIENT);
    machine.set("CODEX_CLIENT_SECRET", SECRET);
    machine.done(&LOGIN);
    let first = machine.token();
    let refreshed = machine.done(&REFRESH);
    assert_eq!(without_numbers(&refreshed.out), EXPECTED, "{refreshed:?}");
    let status = machine.done(&STATUS).out;
    assert!(
        status.contains("Profile codex:default (client credentials)"),
        "{status}"
    );
    // token_refresh_buffer: 300.
    assert!(
        status.contains("Refreshed on use once 300s or less remain"),
        "{status}"
    );
    let second = machine.token();
    assert_ne!(first, second);
    for secret in [CLIENT, SECRET] {
        assert_nowhere(&machine.world, secret);
    }
    // The block asks for no store, so the token itself lies in the clear until the store is sealed.
    machine.done(&SEAL);
    assert_eq!(machine.token(), second);
    for secret in [&first, &second, "MARKER"] {
        assert_nowhere(&machine.world, secret);
    }
}
