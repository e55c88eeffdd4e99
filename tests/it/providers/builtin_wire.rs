//! Each built-in manifest drives a whole login, token and refresh against a server that speaks like
//! the provider's own. What goes over the wire is compared with what that server is known to take,
//! name by name and value by value; only the host is another, and the port of a redirect.

mod browser;
mod device_code;
mod key_exchange;

use std::process::Command;

use crate::support::issuer::{Issuer, Seen};

use crate::support::{Ran, World, ran};

/// Parameters: names and values. `*` is any value, `*43` any of 43 characters, and `{url}` the
/// address of the server.
type Pairs = &'static [(&'static str, &'static str)];

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// A command of this world with these variables.
fn command(world: &World, env: Pairs, args: &[&str]) -> Command {
    let mut command = world.command(args);
    command.envs(env.iter().copied());
    command
}

fn run(world: &World, env: Pairs, args: &[&str]) -> Ran {
    ran(command(world, env, args).output().unwrap())
}

/// A redirect URI with the port left out, which is another in each test.
fn without_port(value: &str) -> String {
    for host in ["http://localhost:", "http://127.0.0.1:"] {
        if let Some(rest) = value.strip_prefix(host) {
            let path = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            return format!("{host}*{path}");
        }
    }
    value.to_owned()
}

/// Whether these are the parameters, in any order, and no others.
fn assert_same(what: &str, found: &[(String, String)], expected: Pairs, issuer: &Issuer) {
    let mut found: Vec<(&str, &str)> = found
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let mut expected = expected.to_vec();
    found.sort_unstable();
    expected.sort_unstable();
    let names = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&found), names(&expected), "{what}");
    for ((name, value), (_, pattern)) in found.into_iter().zip(expected) {
        let right = match pattern.strip_prefix('*') {
            Some("") => !value.is_empty(),
            Some(length) => value.len() == length.parse::<usize>().unwrap(),
            None => {
                let pattern = pattern.replace("{url}", issuer.url());
                value == pattern || name == "redirect_uri" && without_port(value) == pattern
            }
        };
        assert!(right, "{what}: {name} is {value}, not {pattern}");
    }
}

/// One request to a token endpoint, as it must be.
struct Sent {
    path: &'static str,
    content_type: &'static str,
    parameters: Pairs,
}

fn assert_sent(what: &str, seen: &Seen, expected: &Sent, issuer: &Issuer) {
    assert_eq!(seen.path, expected.path, "{what}");
    assert_eq!(
        seen.header("content-type"),
        Some(expected.content_type),
        "{what}"
    );
    assert_eq!(seen.header("accept"), Some(JSON), "{what}");
    assert_eq!(seen.header("authorization"), None, "{what}");
    assert_same(what, &seen.parameters, expected.parameters, issuer);
}

/// The ports of each redirect are those that are registered; the other tests use any free one.
#[test]
fn the_registered_ports_are_declared() {
    let source = |id: &str| {
        let path = format!(
            "{}/src/providers/builtin/{id}.toml",
            env!("CARGO_MANIFEST_DIR")
        );
        std::fs::read_to_string(path).unwrap()
    };
    for (id, ports) in [
        ("openai-codex", "ports = [1455, 1457]\n"),
        ("anthropic", "ports = [53692]\n"),
        ("google-gemini-cli", "ports = [8085]\n"),
        ("chutes", "ports = [1456]\n"),
        ("openrouter", "ports = [3000]\n"),
    ] {
        assert!(source(id).contains(ports), "{id}");
    }
}

/// The one row without a server: what `claude setup-token` made is taken as it is.
#[test]
fn anthropic_stores_a_wrapped_setup_token_and_never_refreshes_it() {
    let world = World::new();
    let token = crate::support::setup_token();
    let wrapped = format!("{}\n  {}\n", &token[..40], &token[40..]);
    let ran = world.pipe(&["models", "auth", "setup-token", "--yes"], &wrapped);
    assert_eq!(ran.code, 0, "{ran:?}");
    let stored = world.only_profile();
    assert_eq!(stored["type"], "token", "{stored}");
    assert_eq!(stored["provider"], "anthropic");
    assert_eq!(stored["token"], token);
    let ran = world.run(&["models", "auth", "token", "--provider", "anthropic"]);
    assert_eq!(ran.out.trim_end(), token);
    let ran = world.run(&["models", "auth", "refresh", "--force"]);
    assert!(ran.out.contains("No logins to refresh"), "{ran:?}");
}
