//! References to secrets in the place of a client's id or secret, in manifests and in `config.yaml`:
//! followed before anything is sent, and one that fails is a failure of its provider alone.

use serde_json::json;

use super::assert_nowhere;
use crate::support::issuer::{Account, Issuer};
use crate::support::{Ran, World};

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];
const SECRET: &str = "MARKER-client-secret";
const PROGRAM: &str = r#"#!/bin/sh
cat > /dev/null
echo asked >> "${0%/*}/../calls"
[ -e "${0%/*}/../works" ] || exit 3
printf '{"protocolVersion":1,"values":{"acme/client":"MARKER-client-secret"}}'
"#;

/// A provider whose client has its secret from a program, and a login of it.
fn world(left: i64) -> (World, Issuer) {
    let (world, issuer) = World::with_issuer(Account::default());
    let reference = r#"secret = { source = "exec", provider = "p", id = "acme/client" }"#;
    let manifest = issuer.manifest();
    let manifest = manifest.replacen("[client]\n", &format!("[client]\n{reference}\n"), 1);
    world.write("providers/openai-codex.toml", &manifest);
    let program = world.install("bin/secrets", PROGRAM);
    let config = json!({ "secrets": { "providers": { "p": {
        "source": "exec", "command": program,
    } } } });
    world.write("openclaw.json", &config.to_string());
    world.seed(&issuer, "main", left);
    (world, issuer)
}

fn works(world: &World) {
    std::fs::write(world.directory.path().join("works"), "").unwrap();
}

fn calls(world: &World) -> usize {
    let calls = std::fs::read_to_string(world.directory.path().join("calls"));
    calls.unwrap_or_default().lines().count()
}

fn refused(world: &World, code: i32, words: &str) -> Ran {
    let ran = world.run(&TOKEN);
    assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{ran:?}");
    assert!(ran.err.contains(words), "{words}: {ran:?}");
    ran
}

#[test]
fn the_secret_of_a_client_comes_from_a_program_that_is_asked_once() {
    let (world, issuer) = world(-10);
    works(&world);
    let ran = world.run(&TOKEN);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(calls(&world), 1);
    let sent = format!("{:?}", issuer.token_requests());
    assert!(sent.contains(SECRET), "{sent}");
    // Views do not ask.
    for args in [
        &["models", "status"][..],
        &["models", "auth", "list"],
        &["provider", "list"],
    ] {
        let _ = world.run(args);
    }
    assert_eq!(calls(&world), 1);
    std::fs::remove_file(world.directory.path().join("bin/secrets")).unwrap();
    assert_nowhere(&world, SECRET);
}

#[test]
fn a_program_that_fails_stops_its_provider_before_a_refresh_token_is_sent() {
    let (world, issuer) = world(-10);
    let ran = refused(&world, 5, "refers to the secret exec:p:acme/client");
    assert!(ran.err.contains("failed with exit status: 3"), "{ran:?}");
    assert_eq!(calls(&world), 1);
    assert_eq!(issuer.token_requests().len(), 0);
    let key = "sk-test-0123456789abcdef0123456789";
    let paste = ["models", "auth", "paste-api-key", "--provider", "openai"];
    assert_eq!(world.pipe(&paste, key).code, 0);
    let other = world.run(&["models", "auth", "token", "--provider", "openai"]);
    assert_eq!((other.code, other.out.trim_end()), (0, key), "{other:?}");
    // Nothing was begun, so nothing is in doubt.
    works(&world);
    let ran = world.run(&TOKEN);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!ran.err.contains("outcome"), "{ran:?}");
    assert_eq!(issuer.token_requests().len(), 1);
}

#[test]
fn a_token_that_is_still_valid_is_handed_out_whatever_the_program_does() {
    let (world, issuer) = world(100);
    let ran = world.run(&TOKEN);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(issuer.token_requests().len(), 0);
    works(&world);
    let ran = world.run(&TOKEN);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(issuer.token_requests().len(), 1);
}

#[test]
fn what_is_no_reference_is_told_with_its_place() {
    let (world, _) = world(-10);
    let manifest = world.read("providers/openai-codex.toml");
    for (written, words) in [
        (
            r#"{ source = "exec", provider = "P", id = "x" }"#,
            "names a provider that is none",
        ),
        (
            r#"{ source = "exec", provider = "p", id = "../x" }"#,
            "has an id that no secret",
        ),
        (
            r#"{ source = "exec", provider = "p" }"#,
            "this reference needs a source",
        ),
        (
            r#"{ source = "exec", provider = "p", id = "x", key = "y" }"#,
            "unknown key `key`",
        ),
        (r#""MARKER""#, "a manifest must not contain a secret"),
    ] {
        let reference = r#"{ source = "exec", provider = "p", id = "acme/client" }"#;
        let broken = manifest.replace(reference, written);
        assert_ne!(broken, manifest);
        world.write("providers/openai-codex.toml", &broken);
        let ran = refused(&world, 1, words);
        assert!(ran.err.contains("openai-codex.toml:"), "{ran:?}");
        assert!(!ran.err.contains("MARKER"), "{ran:?}");
    }
    let other = manifest.replace(r#"provider = "p""#, r#"provider = "unknown""#);
    world.write("providers/openai-codex.toml", &other);
    refused(&world, 1, "secrets.providers.unknown is not configured");
}

#[test]
fn config_yaml_takes_the_same_references() {
    let (world, issuer) = world(-10);
    works(&world);
    world.write("providers/openai-codex.toml", &issuer.manifest());
    let declared = |secret: &str| {
        format!(
            "providers:\n  mine:\n    type: openai-codex\n    auth:\n      flow: authorization_code\n      client_id: {{source: env, id: MY_ID}}\n      client_secret: {secret}\n"
        )
    };
    let reference = "{source: exec, provider: p, id: acme/client}";
    world.write("config.yaml", &declared(reference));
    let login = [
        "models",
        "auth",
        "login",
        "--provider",
        "mine",
        "--no-browser",
    ];
    let ran = world.run(&login);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.err.contains("refers to the secret env:default:MY_ID"),
        "{ran:?}"
    );
    for (written, words) in [
        (
            "{source: exec, provider: p, id: ../x}",
            "client_secret: the reference has an id",
        ),
        (
            "{source: exec, name: x, id: x}",
            "name is none of source, provider and id",
        ),
    ] {
        world.write("config.yaml", &declared(written));
        let ran = world.run(&login);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains(words), "{ran:?}");
        assert!(ran.err.contains("config.yaml:7:"), "{ran:?}");
    }
}
