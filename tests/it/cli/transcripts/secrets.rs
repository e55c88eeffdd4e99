//! `secrets`: what has a name, and the key that opens it.

use super::Transcript;
use crate::support::World;
use crate::support::issuer::Account;

const SECRETS: &str = "secrets.enc";

/// The same with the words in front of each command.
fn words<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    [&["secrets"], rest].concat()
}

#[test]
fn a_secret_is_stored_listed_and_removed() {
    let world = World::new();
    let yaml = include_str!("../../../fixtures/guide/client_credentials.yaml");
    world.write("config.yaml", yaml);
    let name = "CODEX_CLIENT_SECRET";
    Transcript::of(&world)
        .run(&words(&["status"]))
        .run(&words(&["list"]))
        .pipe("VALUE", "a value", &words(&["set", name]))
        .pipe("VALUE", "another", &words(&["set", name]))
        .pipe("VALUE", "a value", &words(&["set", "OTHER"]))
        .run(&words(&["list"]))
        .run(&words(&["get", "NONE"]))
        .run(&words(&["remove", name, "NONE"]))
        .run(&words(&["remove", name, "OTHER"]))
        .run(&words(&["list", "--json"]))
        .matches("secrets");
}

#[test]
fn what_is_no_name_no_value_or_an_argument_is_refused() {
    let world = World::new();
    Transcript::of(&world)
        .pipe("VALUE", "a value", &words(&["set", "lower"]))
        .pipe("VALUE", "a value", &words(&["set", "A", "hunter2"]))
        .pipe("VALUE", "", &words(&["set", "A"]))
        .pipe("VALUE", &"x".repeat(65_537), &words(&["set", "A"]))
        .run(&words(&["set", "A", "--value-file", "nothing"]))
        .run(&words(&["set", "A", "--key-file", "state/key"]))
        .pipe(
            "VALUE",
            "v",
            &words(&["set", "A", "--key-file", "state/key"]),
        )
        .pipe("VALUE", "v", &words(&["set", "A", "--passphrase"]))
        .run(&words(&["unlock"]))
        .run(&words(&["slot", "add", "--keychain"]))
        .matches("secrets_refused");
}

#[test]
fn each_reason_why_nothing_opens_is_told() {
    let world = World::new();
    let torn = || world.write(SECRETS, "{");
    let later = || world.write(SECRETS, r#"{"openclawSecrets":2}"#);
    let gone = || std::fs::remove_file(world.state().join(SECRETS)).unwrap();
    let keys = world.directory.path().join("home/.config");
    let passphrase = ["slot", "add", "--passphrase", "--new-passphrase-fd", "0"];
    Transcript::of(&world)
        .pipe("VALUE", "a value", &words(&["set", "A"]))
        .run(&words(&["slot", "remove", "1"]))
        .pipe("PASSPHRASE", "correct horse", &words(&passphrase))
        .pipe("PASSPHRASE", "short", &words(&passphrase))
        .run(&words(&["slot", "remove", "7"]))
        .run(&words(&["slot", "remove", "keyring"]))
        .run(&words(&["slot", "remove", "key_file"]))
        .also(|| std::fs::remove_dir_all(&keys).unwrap())
        .run(&words(&["get", "A"]))
        .pipe(
            "WRONG",
            "wrong horse",
            &words(&["get", "A", "--passphrase-fd", "0"]),
        )
        .note("a file that was cut off")
        .also(torn)
        .run(&words(&["get", "A"]))
        .run(&words(&["status"]))
        .note("a file of a later release")
        .also(later)
        .run(&words(&["get", "A"]))
        .note("the file is gone")
        .also(gone)
        .run(&words(&["get", "A"]))
        .matches("secrets_closed");
}

#[test]
fn a_key_file_that_is_gone_is_named() {
    let world = World::new();
    let keys = world.directory.path().join("home/.config");
    Transcript::of(&world)
        .pipe("VALUE", "a value", &words(&["set", "A"]))
        .also(|| std::fs::remove_dir_all(&keys).unwrap())
        .run(&words(&["get", "A"]))
        .env("OPENCLAW_SECRETS_KEY_FILE", "nothing")
        .run(&words(&["list"]))
        .matches("secrets_key_gone");
}

#[test]
fn a_bundle_is_written_and_taken_in() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", 3_600);
    let export = ["export", "--to", "house", "--bundle-passphrase-fd", "0"];
    let import = ["import", "house", "--bundle-passphrase-fd", "0"];
    Transcript::of(&world)
        .pipe("VALUE", "a value", &words(&["set", "A"]))
        .pipe("PASSPHRASE", "too short", &words(&export))
        .run(&words(&["export", "--to", "house", "--dry-run"]))
        .pipe("PASSPHRASE", "correct horse", &words(&export))
        .pipe("PASSPHRASE", "correct horse", &words(&export))
        .run(&words(&["import", "house"]))
        .pipe("WRONG", "wrong horse", &words(&import))
        .pipe("VALUE", "another", &words(&["set", "A"]))
        .pipe("PASSPHRASE", "correct horse", &words(&import))
        .pipe("PASSPHRASE", "correct horse", &words(&import))
        .matches("secrets_bundle");
}

#[test]
fn a_dotenv_file_and_the_logins_of_openclaw_are_taken_in() {
    let world = World::new();
    let path = world.directory.path().join("keys.env");
    std::fs::write(path, "A=MARKER\n\nB='MARKER\ntwo'\nsk-MARKER==\n").unwrap();
    let from = ["import", "--from", "keys.env"];
    let openclaw = ["import", "--from-openclaw"];
    let id = "0123456789abcdef0123456789abcdef";
    let login = format!(
        r#"{{"type":"oauth","provider":"openai-codex","oauthRef":{{"source":"openclaw-credentials","id":"{id}"}}}}"#
    );
    let store = format!(r#"{{"version":1,"profiles":{{"openai-codex:default":{login}}}}}"#);
    let sidecar = include_str!("../../../fixtures/sidecar/0123456789abcdef0123456789abcdef.json");
    Transcript::of(&world)
        .run(&words(&[&from[..], &["--dry-run"]].concat()))
        .run(&words(&from))
        .pipe("VALUE", "another", &words(&["set", "A"]))
        .run(&words(&from))
        .run(&words(&openclaw))
        .note("a login that OpenClaw encrypted")
        .also(|| {
            world.write("agents/main/agent/auth-profiles.json", &store);
            world.write(&format!("credentials/auth-profiles/{id}.json"), sidecar);
        })
        .run(&words(&openclaw))
        .env("OPENCLAW_AUTH_PROFILE_SECRET_KEY", "another seed")
        .run(&words(&openclaw))
        .env("OPENCLAW_AUTH_PROFILE_SECRET_KEY", "a seed")
        .run(&words(&openclaw))
        .matches("secrets_imports");
}

#[test]
fn a_login_is_moved_and_taken_back() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", 3_600);
    let export = [
        "export",
        "--move",
        "--to",
        "house",
        "--bundle-passphrase-fd",
        "0",
    ];
    let profile = "openai-codex:default";
    let file = |verb| ["secrets", verb, "house", "--bundle-passphrase-fd", "0"];
    Transcript::of(&world)
        .pipe("PASSPHRASE", "correct horse", &words(&export))
        .run(&["models", "status"])
        .run(&["models", "auth", "explain", "--provider", "openai-codex"])
        .run(&["models", "auth", "refresh", "--profile", profile])
        .run(&["models", "auth", "refresh", "--profile", profile, "--force"])
        .pipe("PASSPHRASE", "correct horse", &file("import"))
        .pipe("PASSPHRASE", "correct horse", &file("take-back"))
        .pipe("PASSPHRASE", "correct horse", &file("take-back"))
        .pipe("PASSPHRASE", "correct horse", &file("import"))
        .matches("secrets_moved");
}
