//! The gateway's own token: where it comes from, and which are refused.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::support::running_gateway::{Answer, Gateway};
use crate::support::{World, behind};

const KEPT: &str = "gateway/token";
const RUN: [&str; 4] = ["gateway", "run", "--listen", "127.0.0.1:0"];

/// Starts a gateway without a token in its environment, but for these variables.
fn start(world: &World, variables: &[(&str, &str)], options: &[&str]) -> Gateway {
    let mut inner = world.command(&[&RUN[..], options].concat());
    inner.envs(variables.iter().copied());
    let mut outer = Command::new("/usr/bin/env");
    outer.args(["-u", "GOCLAW_GATEWAY_TOKEN"]);
    // Set behind the option, not before it.
    let own = variables
        .iter()
        .find(|(name, _)| *name == "GOCLAW_GATEWAY_TOKEN");
    outer.args(own.map(|(name, value)| format!("{name}={value}")));
    behind(&mut outer, &inner);
    Gateway::of(outer)
}

fn status(gateway: &Gateway, bearer: &str) -> Answer {
    let header = format!("Authorization: Bearer {bearer}\r\n");
    gateway.ask("GET", "/v1/auth/openai/status", &header, "")
}

/// Whether that is the token, and the only one of these.
fn takes(gateway: &Gateway, bearer: &str, others: &[&str]) {
    assert_eq!(status(gateway, bearer).status, 200, "{bearer}");
    for other in others {
        assert_eq!(status(gateway, other).status, 401, "{other}");
    }
}

#[test]
fn without_one_it_is_made_once_for_this_user_only() {
    let world = World::new();
    let gateways = [start(&world, &[], &[]), start(&world, &[], &[])];
    let kept = world.read(KEPT);
    let token = kept.trim_end();
    assert!(token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let mode = world
        .state()
        .join(KEPT)
        .metadata()
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    for gateway in gateways {
        takes(&gateway, token, &[]);
        let ended = gateway.stop();
        assert!(
            ended.err.contains(KEPT) && !ended.err.contains(token),
            "{ended:?}"
        );
    }
    assert_eq!(world.read(KEPT), kept);
}

#[test]
fn gateways_that_begin_at_once_have_one_token() {
    let world = World::new();
    let gateways: Vec<Gateway> = std::thread::scope(|scope| {
        let begun: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| start(&world, &[], &[])))
            .collect();
        begun.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let kept = world.read(KEPT);
    for gateway in gateways {
        takes(&gateway, kept.trim_end(), &[]);
    }
}

#[test]
fn the_option_comes_before_the_variables_and_the_gateways_own_before_the_clients() {
    let world = World::new();
    for name in ["one", "two", "three"] {
        world.write(name, &format!("  token-of-{name}\r\n"));
    }
    let path = |name: &str| world.state().join(name).display().to_string();
    let (one, two, three) = (path("one"), path("two"), path("three"));
    let variables = [
        ("GOCLAW_GATEWAY_TOKEN", "own"),
        ("GOCLAW_GATEWAY_TOKEN_FILE", two.as_str()),
        ("GOCLAW_TOKEN", "clients"),
        ("GOCLAW_TOKEN_FILE", three.as_str()),
    ];
    let gateway = start(&world, &variables, &["--token-file", &one]);
    takes(&gateway, "token-of-one", &["own", "clients"]);
    for (from, token) in ["own", "token-of-two", "clients", "token-of-three"]
        .into_iter()
        .enumerate()
    {
        let gateway = start(&world, &variables[from..], &[]);
        takes(&gateway, token, &["token-of-one"]);
    }
    assert!(!world.state().join(KEPT).exists());
}

#[test]
fn what_is_no_token_is_refused_and_not_shown() {
    let world = World::new();
    let file = |text: &str, mode: u32| {
        world.write("token", text);
        let path = world.state().join("token");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        path.display().to_string()
    };
    let run = |variable: &str, value: &str| {
        let mut command = world.command(&RUN);
        crate::support::ran(command.env(variable, value).output().unwrap())
    };
    let refused = |ended: crate::support::Ran, why: &str| {
        assert_eq!(ended.code, 1, "{ended:?}");
        assert!(ended.err.contains(why), "{why}: {ended:?}");
        assert!(!ended.err.contains("MARKER"), "{ended:?}");
    };
    refused(
        run("GOCLAW_TOKEN", "MARKER\u{1}x"),
        "GOCLAW_TOKEN holds a character",
    );
    refused(run("GOCLAW_GATEWAY_TOKEN", "MARKER x"), "holds a character");
    let variable = "GOCLAW_GATEWAY_TOKEN_FILE";
    refused(
        run(variable, &file("MARKER\nx\n", 0o600)),
        "holds a character",
    );
    refused(run(variable, &file(" \n", 0o600)), "is blank");
    refused(run(variable, &file("MARKER-token\n", 0o640)), "chmod go=");
    refused(
        run(variable, "/nowhere/token"),
        "there is no token file /nowhere/token",
    );
    world.write(KEPT, "");
    refused(world.run(&RUN), "is blank");
}

#[test]
fn a_gateway_for_other_machines_needs_a_token_that_cannot_be_guessed() {
    let world = World::new();
    let open = [
        "gateway",
        "run",
        "--listen",
        "0.0.0.0:0",
        "--public-url",
        "https://x.example",
    ];
    let without = world.run(&open);
    assert_eq!(without.code, 1, "{without:?}");
    assert!(without.err.contains("needs a token") && without.err.contains("--token-file"));
    let mut command = world.command(&open);
    let short = command
        .env("GOCLAW_TOKEN", "a".repeat(31))
        .output()
        .unwrap();
    assert_eq!(short.status.code(), Some(1));
    let behind_proxy = |token: &str, url: &str| {
        let words = [&RUN[..], &["--public-url", url]].concat();
        let mut command = world.command(&words);
        crate::support::ran(command.env("GOCLAW_TOKEN", token).output().unwrap())
    };
    for (token, url, why) in [
        ("a", "https://x.example", "fewer than 32 bytes"),
        ("a", "https://x.example/path", "without user, path"),
    ] {
        let ended = behind_proxy(token, url);
        assert_eq!(ended.code, 1, "{ended:?}");
        assert!(ended.err.contains(why), "{ended:?}");
    }
    assert!(!world.state().join(KEPT).exists());
}
