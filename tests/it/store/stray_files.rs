//! Credentials in files that no command reads: they are named wherever somebody looks for them, with
//! the command that imports them, and an import loses nothing.

use serde_json::{Value, json};

use crate::support::issuer::Account;
use crate::support::{Ran, World, millis_from_now};

const STORE: &str = "agents/main/agent/auth-profiles.json";
const FLAT: &str = r#"{ "anthropic": { "apiKey": "sk-ant-api03-EXAMPLE" } }"#;

fn store_of(key: &str) -> String {
    let profile = json!({ "type": "api_key", "provider": "anthropic", "key": key });
    json!({ "version": 1, "profiles": { "anthropic:work": profile } }).to_string()
}

fn auth(world: &World, args: &[&str]) -> Ran {
    world.run(&[&["models", "auth"], args].concat())
}

fn token(world: &World) -> Ran {
    auth(world, &["token", "--provider", "anthropic"])
}

fn good(ran: Ran) -> Ran {
    assert_eq!(ran.code, 0, "{ran:?}");
    ran
}

/// The command that a text advises, as words behind the program.
fn advised(text: &str) -> Vec<String> {
    let at = text.find("models auth import --path ").expect(text);
    let line = text[at..].lines().next().unwrap();
    let words = shlex::split(line.trim_end_matches('`')).expect(line);
    words.into_iter().take(5).collect()
}

#[test]
fn a_store_of_another_shape_or_place_is_named_and_imported() {
    for (path, content, id, key) in [
        (STORE, FLAT, "anthropic:default", "sk-ant-api03-EXAMPLE"),
        (
            "agents/main/auth-profiles.json",
            &store_of("k1"),
            "anthropic:work",
            "k1",
        ),
        (
            "credentials/auth-profiles.json",
            &store_of("k2"),
            "anthropic:work",
            "k2",
        ),
        (
            "auth-profiles.json",
            &store_of("k3"),
            "anthropic:work",
            "k3",
        ),
        (
            "agent/auth-profiles.json",
            &store_of("k4"),
            "anthropic:work",
            "k4",
        ),
        (
            "agents/auth-profiles.json",
            FLAT,
            "anthropic:default",
            "sk-ant-api03-EXAMPLE",
        ),
        (
            "auth.json",
            FLAT,
            "anthropic:default",
            "sk-ant-api03-EXAMPLE",
        ),
    ] {
        let world = World::new();
        world.write(path, content);
        let file = world.state().join(path).display().to_string();
        let missing = token(&world);
        assert_eq!(missing.code, 3, "{missing:?}");
        let status = good(world.run(&["models", "status"]));
        let doctor = world.run(&["doctor"]);
        for ran in [&missing, &auth(&world, &["token"]), &status, &doctor] {
            let text = format!("{}{}", ran.out, ran.err).replace("\n    ", " ");
            assert!(text.contains(&file), "{path} {text}");
            assert!(text.contains(id), "{path} {text}");
        }
        let command = advised(&missing.err);
        assert_eq!(command[4], file);
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let dry = good(world.run(&[&command[..], &["--dry-run"]].concat()));
        assert!(dry.out.contains(&format!("Would import {id}")), "{dry:?}");
        assert_eq!(token(&world).code, 3);
        let ran = good(world.run(&command));
        assert!(ran.out.contains(&format!("Imported {id}")), "{ran:?}");
        assert_eq!(good(token(&world)).out.trim_end(), key);
        if path != STORE {
            assert_eq!(world.read(path), *content, "the file was changed");
        }
        // From now on nobody speaks of it.
        let status = good(world.run(&["models", "status"]));
        assert!(!status.out.contains("auth import"), "{status:?}");
        let again = good(world.run(&command));
        assert!(again.out.contains("Already stored"), "{again:?}");
        assert_eq!(world.store()["profiles"].as_object().unwrap().len(), 1);
    }
}

#[test]
fn what_is_in_the_document_besides_stays_there() {
    let world = World::new();
    let document = r#"{"anthropic":{"apiKey":"k"},"version":1,"profiles":{},"mine":{"x":[1.50]}}"#;
    world.write(STORE, document);
    let file = world.state().join(STORE).display().to_string();
    good(auth(&world, &["import", "--path", &file]));
    let written = world.read(STORE);
    assert!(written.contains(r#""apiKey":"k""#), "{written}");
    assert!(written.contains("[1.50]"), "{written}");
    assert_eq!(good(token(&world)).out.trim_end(), "k");
}

#[test]
fn an_import_replaces_nothing() {
    let world = World::new();
    world.write(STORE, &store_of("mine"));
    world.write("other.json", &store_of("theirs"));
    world.write(
        "openclaw.json",
        r#"{ auth: { order: { anthropic: ["anthropic:work"] } } }"#,
    );
    let file = world.state().join("other.json").display().to_string();
    let ran = good(auth(&world, &["import", "--json", "--path", &file]));
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told["imported"], json!(["anthropic:work-2"]));
    let store = world.store();
    assert_eq!(store["profiles"]["anthropic:work"]["key"], "mine");
    assert_eq!(store["profiles"]["anthropic:work-2"]["key"], "theirs");
}

#[test]
fn a_login_that_was_refreshed_since_is_not_imported_again() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (access, refresh) = issuer.issue();
    let flat = json!({ "openai-codex": {
        "access": access, "refresh": refresh, "expires": millis_from_now(-10), "accountId": "a",
    } });
    world.write("credentials/auth.json", &flat.to_string());
    let file = world
        .state()
        .join("credentials/auth.json")
        .display()
        .to_string();
    let import = ["import", "--path", &file];
    good(auth(&world, &import));
    let refresh = ["refresh", "--profile", "openai-codex:default"];
    let endpoint = format!("{}/oauth/token", issuer.url());
    let accepted = ["--accept-endpoint", &endpoint];
    good(auth(&world, &[&refresh[..], &accepted].concat()));
    let again = good(auth(&world, &import));
    assert!(again.out.contains("Already stored"), "{again:?}");
    good(auth(&world, &["logout", "openai-codex:default", "--yes"]));
    // A person took it out.
    let status = good(world.run(&["models", "status"]));
    assert!(!status.out.contains("auth import"), "{status:?}");
}

#[test]
fn a_file_that_holds_nothing_is_refused() {
    let world = World::new();
    world.write("x.json", r#"{ "version": 1 }"#);
    world.write("y.json", "{");
    for (name, words) in [
        ("x.json", "no credential"),
        ("y.json", "JSON"),
        ("z.json", "does not exist"),
    ] {
        let file = world.state().join(name).display().to_string();
        let ran = auth(&world, &["import", "--path", &file]);
        assert_ne!(ran.code, 0, "{ran:?}");
        assert!(ran.err.contains(words), "{ran:?}");
    }
    assert!(!world.state().join(STORE).exists());
}
