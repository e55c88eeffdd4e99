//! Ways in: all at once over SSH, a login in two halves, a code that becomes a key.

use crate::support::browser::visit;
use crate::support::issuer::{Account, Codes};
use serde_json::Value;

use super::Transcript;
use super::login::driven;
use crate::login::browser::redirect;
use crate::login::methods::{by_ssh, never, world};
use crate::support::World;

const LOGIN: [&str; 3] = ["models", "auth", "login"];

/// A login over SSH whose callback comes, after `first` has been told.
fn over_ssh(name: &str, what: &str, codes: Codes, first: &str) {
    let (world, issuer) = world("openai-codex");
    issuer.set_device_codes(codes);
    let mut command = world.command(&LOGIN);
    by_ssh(&mut command);
    let ran = driven(command, first, |url| {
        visit(url).unwrap();
    });
    Transcript::of(&world)
        .note(what)
        .shows(&LOGIN, "", &ran)
        .matches(name);
}

#[test]
fn every_method_is_offered_together_over_ssh() {
    over_ssh(
        "login_together",
        "over SSH: callback, paste and device code at once; the callback comes",
        never(),
        "Warning: only use this code",
    );
}

#[test]
fn methods_are_offered_without_a_device_code_that_is_switched_off() {
    let codes = Codes {
        switched_off: true,
        ..Codes::default()
    };
    over_ssh(
        "login_together_switched_off",
        "over SSH, and the account has device codes disabled",
        codes,
        "Warning: no device code available",
    );
}

#[test]
fn a_login_in_two_halves_succeeds() {
    let (world, issuer) = World::with_issuer(Account::default());
    let start = [&LOGIN[..], &["--start", "--json"]].concat();
    let begun = world.run(&start);
    let told: Value = serde_json::from_str(&begun.out).unwrap();
    let url = redirect(&issuer, told["url"].as_str().unwrap());
    let finish = [&LOGIN[..], &["--finish", "--code-file", "-"]].concat();
    let wrong = url.replace("state=", "state=x");
    Transcript::of(&world)
        .shows(&start, "", &begun)
        .pipe("\"$ANOTHER_URL\"", &wrong, &finish)
        .pipe("\"$CODE\"", "abcdefgh", &finish)
        .pipe("nonsense", "what now?", &finish)
        .pipe("\"$URL\"", &url, &finish)
        .note("and once more")
        .pipe("\"$URL\"", &url, &finish)
        .matches("login_halves");
}

#[test]
fn a_login_in_two_halves_says_what_went_wrong() {
    let (world, issuer) = World::with_issuer(Account::default());
    let start = |more: &[&str]| {
        let ran = world.run(&[&LOGIN[..], &["--start", "--json"], more].concat());
        let told: Value = serde_json::from_str(&ran.out).unwrap();
        redirect(&issuer, told["url"].as_str().unwrap())
    };
    let finish = [&LOGIN[..], &["--finish", "--code-file", "-"]].concat();
    let late = start(&["--timeout", "1ms"]);
    let transcript = Transcript::of(&world)
        .note("its time is over")
        .pipe("\"$URL\"", &late, &finish);
    issuer.refuse_consent("access_denied", "The user denied the request.");
    let refused = start(&[]);
    let transcript = transcript
        .note("the person said no")
        .pipe("\"$URL\"", &refused, &finish);
    let path = "providers/openai-codex.toml";
    let manifest = world.read(path);
    let other = start(&[]);
    world.write(path, &manifest.replace("\"test-client\"", "\"other\""));
    let transcript = transcript
        .note("the manifest names another client now")
        .pipe("\"$URL\"", &other, &finish);
    world.write(path, &manifest);
    transcript
        .note("what cannot be split, or is not there")
        .run(
            &[
                &LOGIN[..],
                &["--start", "--device-code", "--provider", "github-copilot"],
            ]
            .concat(),
        )
        .run(&[&LOGIN[..], &["--finish", "--code-file", "nothing.txt"]].concat())
        .run(
            &[
                &LOGIN[..],
                &[
                    "--finish",
                    "--attempt",
                    "0123456789abcdef",
                    "--code-file",
                    "-",
                ],
            ]
            .concat(),
        )
        .run(&[&LOGIN[..], &["--finish"]].concat())
        .run(&[&LOGIN[..], &["--start", "--finish", "--code-file", "-"]].concat())
        .run(&[&LOGIN[..], &["--accept-bare-code"]].concat())
        .matches("login_halves_trouble");
}

#[test]
fn a_browser_login_ends_in_an_api_key() {
    let (world, _issuer) = world("openrouter");
    let args = [&LOGIN[..], &["--provider", "openrouter", "--no-browser"]].concat();
    let ran = driven(world.command(&args), "Waiting", |url| {
        visit(url).unwrap();
    });
    let key = world.store()["profiles"]["openrouter:default"]["key"].clone();
    let seen = format!("{ran:?}");
    assert!(!seen.contains(key.as_str().unwrap()), "{seen}");
    Transcript::of(&world)
        .shows(&args, "", &ran)
        .run(&["models", "auth", "list"])
        .matches("login_to_a_key");
}

#[test]
fn a_registered_redirect_uri_is_used() {
    let world = World::new();
    let chutes = [&LOGIN[..], &["--provider", "chutes"]].concat();
    Transcript::of(&world)
        .env("CHUTES_CLIENT_ID", "cid_1")
        .env("CHUTES_OAUTH_REDIRECT_URI", "https://me.example/callback")
        .run(&chutes)
        .env("CHUTES_OAUTH_REDIRECT_URI", "http://127.0.0.1:1456/cb")
        .env("CHUTES_OAUTH_SCOPES", "a\"b")
        .run(&chutes)
        .matches("login_redirect");
}
