//! What others wrote and people read: a server's words hold no secret, whoever's it is, and a name
//! nothing that steers a terminal, a shell or an eye.

use std::path::Path;

use openclaw::model::text::is_unprintable;
use serde_json::{Value, json};

use crate::login::methods::two_halves::{begun, ended_on, finish};
use crate::support::World;
use crate::support::issuer::{Account, Scripted};

const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";
/// A refusal that quotes a token which was never sent.
const REFUSAL: &str = include_str!("../../fixtures/security/error-with-token.json");

/// The files below a directory that hold a text.
fn holding(directory: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(holding(&path, text));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            if String::from_utf8_lossy(&bytes).contains(text) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[test]
fn a_token_that_a_server_quotes_reaches_no_output_and_no_file() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (_, refresh) = world.seed(&issuer, "main", -10);
    // A part of what was sent, as a form writes it, is no better.
    let part = &refresh[refresh.len() - 12..];
    let answer = REFUSAL.replace("bad token", &format!("bad token {part}"));
    issuer.answer_next(Scripted::text(400, &answer));
    let token = ["models", "auth", "token", "--provider", "openai-codex"];
    for args in [
        &token[..],
        &[
            "-vv",
            "models",
            "auth",
            "token",
            "--provider",
            "openai-codex",
        ],
        &["models", "status"],
        &["models", "status", "--json"],
        &["models", "auth", "explain"],
        &["models", "auth", "history"],
        &["doctor"],
        &["tick"],
    ] {
        let ran = world.run(args);
        let told = format!("{}{}", ran.out, ran.err);
        assert!(
            !told.contains("ABCDEFGHIJKL") && !told.contains(part),
            "{args:?} {ran:?}"
        );
        if args == token {
            assert!(told.contains("bad token (hidden) (hidden)"), "{ran:?}");
        }
    }
    assert_eq!(
        holding(&world.state(), "ABCDEFGHIJKL"),
        Vec::<String>::new()
    );
}

#[test]
fn a_redirect_with_a_token_in_its_words_shows_none() {
    let (world, issuer, begun) = begun();
    let address = ended_on(&issuer, &begun);
    let (base, query) = address.split_once('?').unwrap();
    let state = query
        .split('&')
        .find(|pair| pair.starts_with("state="))
        .unwrap();
    let words = format!("{state}+sk-ant-oat01-ABCDEFGH");
    let denied = format!("{base}?error=access_denied&error_description={words}&{state}");
    let ran = finish(&world, &denied, &[]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(
        ran.err.contains("access_denied") && ran.err.contains("(hidden)"),
        "{ran:?}"
    );
    let value = state.trim_start_matches("state=");
    assert!(
        !ran.err.contains("ABCDEFGH") && !ran.err.contains(value),
        "{ran:?}"
    );
}

#[test]
fn no_name_of_a_new_login_holds_what_nobody_sees() {
    for answer in [
        include_str!("../../fixtures/security/id-token-alm.json"),
        include_str!("../../fixtures/security/id-token-tag.json"),
        include_str!("../../fixtures/security/id-token-zwsp.json"),
    ] {
        let (world, issuer, begun) = begun();
        issuer.answer_next(Scripted::text(200, answer));
        let ran = finish(&world, &ended_on(&issuer, &begun), &[]);
        assert_eq!(ran.code, 0, "{ran:?}");
        let profiles = world.store()["profiles"].clone();
        let (id, profile) = profiles.as_object().unwrap().iter().next().unwrap();
        assert!(!id.contains(is_unprintable), "{id:?}");
        assert_eq!(profile["refresh"], "R");
    }
}

#[test]
fn json_escapes_what_nobody_sees_and_means_the_same() {
    let id = "acme:a\u{9b}\u{200b}\u{61c}\u{e0041}\u{202e}b@x";
    let world = World::new();
    let profile =
        json!({ "type": "api_key", "provider": "acme", "key": "k-1", "email": "a\u{9b}b@x" });
    let store = json!({ "version": 1, "profiles": { id: profile } });
    world.write(DOCUMENT, &store.to_string());
    for args in [
        &["models", "auth", "list", "--json"][..],
        &["models", "status", "--json"],
        &["models", "auth", "list"],
        &["models", "status"],
        &["models", "auth", "explain", "--provider", "acme"],
    ] {
        let ran = world.run(args);
        let is_odd = |c: char| c != '\n' && is_unprintable(c);
        assert!(
            !ran.out.contains(is_odd) && !ran.err.contains(is_odd),
            "{ran:?}"
        );
    }
    let listed = world.run(&["models", "auth", "list", "--json"]);
    let listed: Value = serde_json::from_str(&listed.out).unwrap();
    assert_eq!(listed["profiles"][0]["id"], id);
    assert_eq!(listed["profiles"][0]["email"], "a\u{9b}b@x");
    assert_eq!(world.read(DOCUMENT), store.to_string());
}

#[test]
fn a_prompt_holds_nothing_that_a_shell_expands() {
    let world = World::new();
    let store = include_str!("../../fixtures/security/prompt-store.json");
    let expired = store.replace("\"expires\": 1", "\"expires\": 1700000000000");
    world.write(DOCUMENT, &expired.replace("acme", "openai-codex"));
    let ran = world.run(&["models", "status", "--prompt"]);
    assert_eq!(
        ran.out, "openai-codex:a?id?!, openai-codex:two!\n",
        "{ran:?}"
    );
}

#[test]
fn an_identity_keeps_what_joins_its_emoji() {
    let world = World::new();
    let name = "Rus\u{200b}ty 👩\u{200d}💻 ❤\u{fe0f}\u{200d}🔥";
    let args = [
        "agents",
        "set-identity",
        "--agent",
        "main",
        "--name",
        name,
        "--json",
    ];
    let ran = world.run(&args);
    assert_eq!(ran.code, 0, "{ran:?}");
    let config = world.read("openclaw.json");
    assert!(
        config.contains("Rus ty 👩\u{200d}💻 ❤\u{fe0f}\u{200d}🔥"),
        "{config}"
    );
}
