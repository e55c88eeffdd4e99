//! Machines that keep no credentials and lease their tokens from a real gateway.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::keys::{add, revoke};
use crate::support::issuer::{Account, Issuer};
use crate::support::running_gateway::Gateway;
use crate::support::{Ran, World, ran};

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];
const LEASE: [&str; 4] = ["--role", "lease", "--provider", "openai-codex"];
const FILE: &str = "gateway/keys.json";

/// A gateway with a login, and a machine that has nothing but its URL and a key.
struct Pair {
    keeper: World,
    issuer: Issuer,
    gateway: Gateway,
    machine: World,
}

impl Pair {
    /// The login's token has so many seconds left.
    fn new(left: i64) -> Self {
        let (keeper, issuer) = World::with_issuer(Account::default());
        keeper.seed(&issuer, "main", left);
        let gateway = Gateway::start(&keeper);
        Self {
            keeper,
            issuer,
            gateway,
            machine: World::new(),
        }
    }

    /// Gives the machine a key with these options; its entry.
    fn give_key(&self, options: &[&str]) -> Value {
        let (key, entry) = add(&self.keeper, options);
        self.machine.write("../key", &key);
        entry
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.machine.command(args);
        command
            .env(
                "OPENCLAW_LEASE_URL",
                format!("http://{}", self.gateway.address),
            )
            .env("OPENCLAW_LEASE_KEY_FILE", "key");
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        ran(self.command(args).output().unwrap())
    }

    /// The token that the gateway's own store holds.
    fn stored(&self) -> String {
        let access = &self.keeper.only_profile()["access"];
        access.as_str().unwrap().to_owned()
    }
}

/// The paths below a directory.
fn paths(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(paths(&path));
        }
        found.push(path.display().to_string());
    }
    found.sort();
    found
}

#[test]
fn a_token_is_leased_and_nothing_is_written_down() {
    let pair = Pair::new(3_600);
    pair.give_key(&LEASE);
    let home = pair.machine.state();
    let home = home.parent().unwrap();
    let state = pair.machine.state();
    std::fs::create_dir_all(&state).unwrap();
    for read_only in [&state, home] {
        std::fs::set_permissions(read_only, PermissionsExt::from_mode(0o500)).unwrap();
    }
    let before = paths(home);
    let token = pair.run(&TOKEN);
    assert_eq!((token.code, token.err.as_str()), (0, ""), "{token:?}");
    assert_eq!(token.out, pair.stored() + "\n");
    let program = [
        "models",
        "auth",
        "exec",
        "--provider",
        "openai-codex",
        "--env",
        "T",
        "--",
    ];
    let script = ["/bin/sh", "-c", r#"echo "$T $OPENCLAW_AUTH_PROFILE""#];
    let exec = pair.run(&[&program[..], &script].concat());
    assert_eq!(exec.code, 0, "{exec:?}");
    assert_eq!(exec.out, pair.stored() + " openai-codex:default\n");
    assert_eq!(paths(home), before);
    for path in [home, &state] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o700)).unwrap();
    }
}

#[test]
fn a_leased_token_is_told_as_a_stored_one() {
    let pair = Pair::new(3_600);
    pair.give_key(&["--role", "lease"]);
    let stored = pair.keeper.run(&[&TOKEN[..], &["--json"]].concat());
    let stored: Value = serde_json::from_str(&stored.out).unwrap();
    let leased = pair.run(&["models", "auth", "token", "--json"]);
    assert_eq!(leased.code, 0, "{leased:?}");
    let leased: Value = serde_json::from_str(&leased.out).unwrap();
    for name in [
        "schema",
        "profile",
        "provider",
        "type",
        "token",
        "expiresAt",
        "warning",
    ] {
        assert_eq!(leased[name], stored[name], "{name}");
    }
    let url = format!("http://{}", pair.gateway.address);
    assert_eq!(leased["source"], url.as_str());
    let header = pair.run(&[&TOKEN[..], &["--header"]].concat());
    assert_eq!(
        header.out,
        format!("Authorization: Bearer {}\n", pair.stored())
    );
    let model = [
        "models",
        "auth",
        "token",
        "--model",
        "openai-codex/gpt-5@default",
    ];
    assert_eq!(pair.run(&model).out, pair.stored() + "\n");
    let profile = [
        "models",
        "auth",
        "token",
        "--profile",
        "openai-codex:default",
    ];
    assert_eq!(pair.run(&profile).out, pair.stored() + "\n");
}

#[test]
fn many_processes_at_once_are_one_refresh() {
    let pair = Pair::new(600);
    pair.give_key(&LEASE);
    pair.issuer.set_delay(Duration::from_millis(200));
    // More than the token has left, so that all of them need another one.
    let args = [&TOKEN[..], &["--min-valid", "20m"]].concat();
    let children: Vec<_> = (0..32)
        .map(|_| {
            let mut command = pair.command(&args);
            let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    let ended = children.into_iter().map(Child::wait_with_output);
    let tokens: Vec<Ran> = ended.map(|output| ran(output.unwrap())).collect();
    for token in &tokens {
        assert_eq!((token.code, token.err.as_str()), (0, ""), "{token:?}");
        assert_eq!(token.out, pair.stored() + "\n");
    }
    assert_eq!(pair.issuer.token_requests().len(), 1);
}

#[test]
fn a_key_gives_what_it_is_for_and_nothing_else() {
    let pair = Pair::new(3_600);
    for (options, words) in [
        (
            &["--role", "viewer"][..],
            "does not allow this with the key of ",
        ),
        (
            &["--role", "lease", "--provider", "anthropic"],
            "not for this provider",
        ),
        (
            &["--role", "lease", "--profile", "openai-codex:none"],
            "not for this profile",
        ),
        (
            &["--role", "lease", "--from", "192.0.2.0/24"],
            "the key of ",
        ),
    ] {
        let entry = pair.give_key(options);
        let refused = pair.run(&TOKEN);
        assert_eq!(
            (refused.code, refused.out.as_str()),
            (1, ""),
            "{options:?} {refused:?}"
        );
        assert!(refused.err.contains(words), "{refused:?}");
        assert!(
            refused.err.contains("/key"),
            "the file is named: {refused:?}"
        );
        assert!(
            refused.err.contains("No credentials were changed."),
            "{refused:?}"
        );
        let hint = "make a key with: openclaw gateway key add --role lease";
        assert!(refused.err.contains(hint), "{refused:?}");
        revoke(&pair.keeper, &entry);
    }
}

#[test]
fn an_agent_is_asked_for_if_it_is_named() {
    let pair = Pair::new(3_600);
    pair.give_key(&["--role", "lease", "--only-agent", "main"]);
    assert_eq!(pair.run(&TOKEN).code, 0);
    assert_eq!(
        pair.run(&[&TOKEN[..], &["--agent", "main"]].concat()).code,
        0
    );
    let other = pair.run(&[&TOKEN[..], &["--agent", "work"]].concat());
    assert_eq!(other.code, 1, "{other:?}");
    assert!(
        other.err.contains("not for this provider or agent"),
        "{other:?}"
    );
}

#[test]
fn a_key_that_has_ended_is_refused() {
    let pair = Pair::new(3_600);
    let entry = pair.give_key(&LEASE);
    assert_eq!(pair.run(&TOKEN).code, 0);
    revoke(&pair.keeper, &entry);
    let begun = Instant::now();
    let revoked = loop {
        let token = pair.run(&TOKEN);
        if token.code != 0 || begun.elapsed() > Duration::from_secs(60) {
            break token;
        }
    };
    assert_eq!((revoked.code, revoked.out.as_str()), (1, ""), "{revoked:?}");
    let words = "does not accept the key of ";
    assert!(revoked.err.contains(words), "{revoked:?}");

    pair.give_key(&LEASE);
    let mut keys: Value = serde_json::from_str(&pair.keeper.read(FILE)).unwrap();
    for key in keys["keys"].as_array_mut().unwrap() {
        key["notAfter"] = 1.into();
    }
    pair.keeper.write(FILE, &keys.to_string());
    let expired = pair.run(&TOKEN);
    assert_eq!((expired.code, expired.out.as_str()), (1, ""), "{expired:?}");
    assert!(expired.err.contains(words), "{expired:?}");
}

#[test]
fn a_dead_login_and_a_gateway_that_is_down_have_their_exit_codes() {
    let mut pair = Pair::new(3_600);
    pair.give_key(&["--role", "lease"]);
    let other = ["models", "auth", "token", "--provider", "anthropic"];
    let needed = pair.run(&other);
    assert_eq!((needed.code, needed.out.as_str()), (3, ""), "{needed:?}");
    let hint = "or run openclaw models auth login where the gateway runs";
    assert!(needed.err.contains(hint), "{needed:?}");
    let unknown = pair.run(&["models", "auth", "token", "--provider", "nobody"]);
    assert_eq!(unknown.code, 1, "{unknown:?}");
    let sessions = pair.run(&[&TOKEN[..], &["--session", "a"]].concat());
    assert_eq!(sessions.code, 1, "{sessions:?}");
    assert!(
        sessions.err.contains("where the credentials are"),
        "{sessions:?}"
    );

    // It would serve other logins than this machine uses.
    let server = pair.run(&["gateway", "run", "--listen", "127.0.0.1:0"]);
    assert_eq!((server.code, server.out.as_str()), (1, ""), "{server:?}");
    assert!(
        server.err.contains("this machine keeps no credentials"),
        "{server:?}"
    );

    // Where it was, nobody listens then.
    let address = pair.gateway.address.clone();
    let stopped = std::mem::replace(&mut pair.gateway, Gateway::start(&pair.keeper));
    stopped.stop();
    pair.gateway.address = address;
    let down = pair.run(&TOKEN);
    assert_eq!((down.code, down.out.as_str()), (4, ""), "{down:?}");
    assert!(
        down.err
            .contains("cannot reach gateway at http://127.0.0.1:"),
        "{down:?}"
    );
    let hint = "Try: start the gateway, or correct OPENCLAW_LEASE_URL";
    assert!(down.err.contains(hint), "{down:?}");
}

#[test]
fn several_logins_are_told_apart_by_name() {
    let (keeper, issuer) = World::with_issuer(Account::default());
    let (access, refresh) = issuer.issue();
    let store = serde_json::json!({ "version": 1, "profiles": {
        "openai-codex:a": { "type": "oauth", "provider": "openai-codex", "access": access,
            "refresh": refresh, "expires": crate::support::millis_from_now(3_600) },
        "groq:b": { "type": "api_key", "provider": "groq", "key": "gsk_MARKER-0123456789" },
    } });
    keeper.write("agents/main/agent/auth-profiles.json", &store.to_string());
    let gateway = Gateway::start(&keeper);
    let pair = Pair {
        keeper,
        issuer,
        gateway,
        machine: World::new(),
    };
    pair.give_key(&["--role", "lease"]);
    let which = pair.run(&["models", "auth", "token"]);
    assert_eq!((which.code, which.out.as_str()), (1, ""), "{which:?}");
    assert!(which.err.contains("Try: add --provider"), "{which:?}");
    // A key goes into the variable of keys.
    let exec = ["models", "auth", "exec", "--provider", "groq", "--"];
    let script = ["/bin/sh", "-c", r#"echo "$GROQ_API_KEY""#];
    let key = pair.run(&[&exec[..], &script].concat());
    assert_eq!(
        (key.code, key.out.as_str()),
        (0, "gsk_MARKER-0123456789\n"),
        "{key:?}"
    );
}
