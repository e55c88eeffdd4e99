//! `${secret:NAME}` in the configuration of a provider: a variable first, then what is stored; one
//! that is locked is never one that is not set.

use super::{set, with_passphrase};
use crate::support::World;
use crate::support::issuer::{Account, Issuer};

/// A provider whose client has its secret by reference, and a login of it that has ended.
fn world() -> (World, Issuer) {
    let (world, issuer) = World::with_issuer(Account::default());
    let manifest = issuer.manifest();
    let client = "[client]\n";
    assert!(manifest.contains(client), "{manifest}");
    let referring =
        format!("{client}secret = \"${{secret:CLIENT_SECRET}}\"\nsecret_required = true\n");
    let manifest = manifest.replacen(client, &referring, 1);
    world.write("providers/openai-codex.toml", &manifest);
    world.seed(&issuer, "main", -10);
    (world, issuer)
}

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];

#[test]
fn a_stored_secret_is_sent_and_a_variable_comes_first() {
    let (world, issuer) = world();
    let ran = world.run(&TOKEN);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.err.contains("openclaw secrets set CLIENT_SECRET"),
        "{ran:?}"
    );
    assert!(issuer.token_requests().is_empty());
    set(&world, "CLIENT_SECRET", "MARKER-stored");
    let ran = world.run(&TOKEN);
    assert_eq!(ran.code, 0, "{ran:?}");
    let sent = format!("{:?}", issuer.token_requests());
    assert!(sent.contains("MARKER-stored"), "{sent}");
    let mut force = world.command(&["models", "auth", "refresh", "--force"]);
    force.env("CLIENT_SECRET", "MARKER-variable");
    assert!(force.output().unwrap().status.success());
    let sent = format!("{:?}", issuer.token_requests());
    assert!(sent.contains("MARKER-variable"), "{sent}");
}

#[test]
fn a_secret_that_is_locked_is_not_one_that_is_not_set() {
    let (world, issuer) = world();
    std::fs::write(world.directory.path().join("value"), "MARKER").unwrap();
    let set = [
        "secrets",
        "set",
        "CLIENT_SECRET",
        "--value-file",
        "value",
        "--passphrase",
        "--new-passphrase-fd",
        "3",
    ];
    assert_eq!(with_passphrase(&world, &set, "correct horse").code, 0);
    let _ = world.run(&["secrets", "lock"]);
    let ran = world.run(&TOKEN);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(
        ran.err.contains("the secret CLIENT_SECRET cannot be read"),
        "{ran:?}"
    );
    assert!(ran.err.contains("openclaw secrets unlock"), "{ran:?}");
    assert!(issuer.token_requests().is_empty());
    // What only looks asks nobody.
    let ran = world.run(&["models", "status"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    // A token that is still valid is handed out.
    let (access, _) = world.seed(&issuer, "main", 100);
    let ran = world.run(&TOKEN);
    assert_eq!(
        (ran.code, ran.out.trim_end()),
        (0, access.as_str()),
        "{ran:?}"
    );
}
