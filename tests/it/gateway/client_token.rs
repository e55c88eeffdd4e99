//! Which token the client sends, and to whom.

use std::os::unix::fs::PermissionsExt;

use crate::support::stand_in_gateway::StandInGateway;
use crate::support::{Ran, World, ran};

const ACTIVE: &str = r#"{"authenticated":true}"#;
const MARKER: &str = "MARKER-0123456789-0123456789-0123456789";

fn status(world: &World, args: &[&str], env: &[(&str, &str)]) -> Ran {
    let mut command = world.command(&["auth", "status", "-vvv"]);
    let told = ran(command
        .args(args)
        .envs(env.iter().copied())
        .output()
        .unwrap());
    assert!(
        !told.out.contains("MARKER") && !told.err.contains("MARKER"),
        "{told:?}"
    );
    told
}

/// The token that the gateway was sent with the last request.
fn sent(gateway: &StandInGateway) -> Option<String> {
    let request = gateway.requests().pop().unwrap();
    let mut fields = request.lines().filter_map(|line| line.split_once(": "));
    let bearer = fields.find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    Some(bearer?.1.strip_prefix("Bearer ").unwrap().to_owned())
}

#[test]
fn the_token_is_that_of_the_option_then_of_the_variables() {
    let world = World::new();
    let gateway = StandInGateway::json(200, ACTIVE);
    let url = gateway.url();
    let url = ("GOCLAW_GATEWAY_URL", url.as_str());
    let variable = ("GOCLAW_TOKEN", MARKER);
    world.write("a", "MARKER-of-a\n");
    world.write("b", "MARKER-of-b");
    let (a, b) = (world.state().join("a"), world.state().join("b"));
    let (a, b) = (a.to_str().unwrap(), b.to_str().unwrap());
    let file = ("GOCLAW_TOKEN_FILE", b);
    for (args, env, token) in [
        (&[][..], &[url][..], None),
        (&[], &[url, ("GOCLAW_TOKEN", " ")], None),
        (&[], &[url, variable], Some(MARKER)),
        (&[], &[url, variable, file], Some(MARKER)),
        (&[], &[url, file], Some("MARKER-of-b")),
        (
            &["--token-file", a],
            &[url, variable, file],
            Some("MARKER-of-a"),
        ),
        // Below the working directory.
        (&["--token-file", "state/a"], &[url], Some("MARKER-of-a")),
    ] {
        let ran = status(&world, args, env);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(sent(&gateway).as_deref(), token, "{args:?} {env:?}");
    }
}

#[test]
fn what_is_no_token_is_refused_before_anything_is_sent() {
    let world = World::new();
    let gateway = StandInGateway::json(200, ACTIVE);
    let url = gateway.url();
    world.write("open", MARKER);
    let open = world.state().join("open");
    std::fs::set_permissions(&open, PermissionsExt::from_mode(0o644)).unwrap();
    world.write("empty", "\n");
    world.write("two", "MARKER\nMARKER");
    let path = |name: &str| world.state().join(name).display().to_string();
    for (name, value, words) in [
        (
            "GOCLAW_TOKEN",
            "MARKER\nX-Evil: 1".to_owned(),
            "the token of GOCLAW_TOKEN holds a character",
        ),
        (
            "GOCLAW_TOKEN",
            "MARKER\u{7}x".to_owned(),
            "the token of GOCLAW_TOKEN holds a character",
        ),
        ("GOCLAW_TOKEN_FILE", path("open"), "open"),
        ("GOCLAW_TOKEN_FILE", path("empty"), "is blank"),
        ("GOCLAW_TOKEN_FILE", path("two"), "holds a character"),
        ("GOCLAW_TOKEN_FILE", path("none"), "there is no token file"),
    ] {
        let ran = status(&world, &[], &[("GOCLAW_GATEWAY_URL", &url), (name, &value)]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains(words), "{ran:?}");
    }
    assert!(gateway.requests().is_empty());
}

#[test]
fn a_refused_token_is_told_by_where_it_came_from() {
    let world = World::new();
    let gateway = StandInGateway::json(401, r#"{"error":"unauthorized"}"#);
    let url = gateway.url();
    let url = ("GOCLAW_GATEWAY_URL", url.as_str());
    let ran = status(&world, &[], &[url, ("GOCLAW_TOKEN", MARKER)]);
    assert_eq!(ran.code, 1);
    let words = format!(
        "the gateway at {} does not accept the token of GOCLAW_TOKEN",
        url.1
    );
    assert!(ran.err.contains(&words), "{ran:?}");
    world.write("token", MARKER);
    let ran = status(&world, &["--token-file", "state/token"], &[url]);
    assert!(
        ran.err.contains("state/token\n") && ran.err.contains("GOCLAW_TOKEN"),
        "{ran:?}"
    );
}

#[test]
fn a_token_goes_to_another_machine_by_tls_only() {
    let world = World::new();
    let env = [
        ("GOCLAW_GATEWAY_URL", "http://gateway.invalid"),
        ("GOCLAW_TOKEN", MARKER),
    ];
    let ran = status(&world, &[], &env);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("--insecure-http"), "{ran:?}");
    let ran = status(&world, &["--insecure-http"], &env);
    assert_eq!(ran.code, 4, "{ran:?}");
    let ran = status(&world, &[], &env[..1]);
    assert_eq!(ran.code, 4, "{ran:?}");
}

#[cfg(feature = "gateway")]
#[test]
fn the_token_of_the_own_gateway_is_found_without_being_named() {
    use crate::support::running_gateway::{Gateway, TOKEN};
    let world = World::new();
    world.write("gateway/token", TOKEN);
    let gateway = Gateway::start(&world);
    let (_, port) = gateway.address.split_once(':').unwrap();
    let ran = status(&world, &[], &[("GOCLAW_PORT", port)]);
    assert_eq!(ran.code, 0, "{ran:?}");
    // What is named counts instead.
    let named = [("GOCLAW_PORT", port), ("GOCLAW_TOKEN", "another")];
    assert_eq!(status(&world, &[], &named).code, 1);
}

/// As `ssh -L` does, whose other end is another machine.
#[test]
fn the_token_of_the_own_gateway_goes_to_no_other_program() {
    let world = World::new();
    world.write("gateway/token", MARKER);
    let gateway = StandInGateway::json(401, "{}");
    let port = gateway.port.to_string();
    let ran = status(&world, &[], &[("GOCLAW_PORT", &port)]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("gateway/token was not sent"), "{ran:?}");
    assert!(ran.err.contains("--token-file"), "{ran:?}");
    assert_eq!(sent(&gateway), None);
    // Of another machine it is none.
    let elsewhere = [("GOCLAW_GATEWAY_URL", "http://gateway.invalid")];
    assert_eq!(status(&world, &[], &elsewhere).code, 4);
}

#[test]
fn a_token_file_that_others_can_read_is_not_sent_and_named() {
    let world = World::new();
    world.write("gateway/token", MARKER);
    let path = world.state().join("gateway/token");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    let gateway = StandInGateway::json(401, "{}");
    let port = gateway.port.to_string();
    let ran = status(&world, &[], &[("GOCLAW_PORT", &port)]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("gateway/token was not sent"), "{ran:?}");
    assert_eq!(sent(&gateway), None);
}
