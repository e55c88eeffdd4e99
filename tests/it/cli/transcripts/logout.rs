//! `models auth logout`.

use crate::support::issuer::{Issuer, Scripted};

use super::Transcript;
use crate::login::metadata_discovery::{self, PROFILE};
use crate::support::{World, recorded};

const B: &str = "openai-codex:b@example.com";

#[test]
fn a_logout_succeeds() {
    let (world, _, _) = recorded::world("two-accounts");
    let work = "anthropic:work";
    Transcript::of(&world)
        .run(&["models", "auth", "logout", work, "--dry-run"])
        .run(&["models", "auth", "logout", work, "--yes"])
        .run(&["models", "auth", "logout", B, "--yes"])
        .note("and once more")
        .run(&["models", "auth", "logout", B, "--yes"])
        .matches("logout");
}

#[test]
fn a_refused_logout_removes_nothing() {
    let (world, _, _) = recorded::world("two-accounts");
    let empty = World::new();
    let nothing = Transcript::of(&empty)
        .note("nothing is stored")
        .run(&["models", "auth", "logout", "anthropic:default", "--yes"])
        .text;
    let mut some = Transcript::of(&world).note("several accounts are stored");
    some.text.insert_str(0, &nothing);
    some.run(&["models", "auth", "logout", B])
        .run(&["models", "auth", "logout", "it's mine", "--yes"])
        .run(&["models", "auth", "logout", "a/b", "--yes"])
        .run(&["models", "auth", "logout"])
        .matches("logout_refused");
}

#[test]
fn logout_for_an_agent_removes_what_main_owns() {
    let (world, _, _) = recorded::world("inherit");
    let id = "anthropic:default";
    Transcript::of(&world)
        .run(&[
            "models",
            "auth",
            "logout",
            id,
            "--agent",
            "work",
            "--dry-run",
        ])
        .run(&["models", "auth", "logout", id, "--agent", "work"])
        .run(&["models", "auth", "logout", id, "--agent", "work", "--yes"])
        .matches("logout_inherited");
}

#[test]
fn logout_from_a_store_that_is_no_json_fails() {
    let (world, _, _) = recorded::world("not-json");
    Transcript::of(&world)
        .run(&["models", "auth", "logout", "anthropic:default", "--yes"])
        .matches("logout_not_json");
}

const REVOKE: [&str; 5] = ["models", "auth", "logout", PROFILE, "--revoke"];

/// A login that can be revoked, and a copy of it.
fn revocable() -> (World, Issuer) {
    let (world, issuer) = metadata_discovery::world();
    metadata_discovery::log_in(&world);
    let mut store = world.store();
    store["profiles"]["acme:copy"] = store["profiles"][PROFILE].clone();
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    (world, issuer)
}

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&REVOKE[..], more].concat()
}

#[test]
fn logout_revokes_at_the_server() {
    let (world, _issuer) = revocable();
    Transcript::of(&world)
        .run(&with(&["--dry-run"]))
        .run(&REVOKE)
        .run(&with(&["--yes"]))
        .note("and what is known of it afterwards")
        .run(&["models", "auth", "history"])
        .run(&["models", "auth", "undo", PROFILE])
        .matches("logout_revoke");
}

#[test]
fn a_revocation_that_fails_removes_nothing() {
    let (world, issuer) = revocable();
    let answers = |status, body: &str| {
        let headers = vec![("Retry-After", "120".to_owned())];
        issuer.answer_revocation(Scripted {
            status,
            headers,
            body: body.to_owned(),
            hang_up: status == 0,
            ..Scripted::default()
        });
    };
    let yes = with(&["--yes"]);
    answers(503, "");
    let transcript = Transcript::of(&world)
        .note("the server is in trouble")
        .run(&yes);
    answers(400, r#"{"error":"unsupported_token_type"}"#);
    let transcript = transcript.note("the server does not do that").run(&yes);
    answers(0, "");
    let transcript = transcript.note("the server does not answer").run(&yes);
    let moved = issuer.issuer_manifest().replace(
        "id = \"test-client\"",
        &format!("id = \"test-client\"\nrevoke = \"{}/other\"", issuer.url()),
    );
    world.write("providers/acme.toml", &moved);
    let transcript = transcript
        .note("the manifest names another endpoint")
        .run(&yes);
    world.write("providers/acme.toml", &issuer.issuer_manifest());
    answers(503, "");
    transcript
        .note("whatever the server says")
        .run(&with(&["--force", "--yes"]))
        .matches("logout_not_revoked");
}

#[test]
fn a_login_that_cannot_be_revoked_says_so() {
    let (world, _, _) = recorded::world("two-accounts");
    let (keys, _, _) = recorded::world("api-key");
    let key = Transcript::of(&keys)
        .run(&[
            "models",
            "auth",
            "logout",
            "anthropic:default",
            "--revoke",
            "--yes",
        ])
        .text;
    let mut other = Transcript::of(&world);
    other.text.insert_str(0, &key);
    other
        .run(&[
            "models",
            "auth",
            "logout",
            "anthropic:work",
            "--revoke",
            "--yes",
        ])
        .run(&["models", "auth", "logout", "anthropic:work", "--force"])
        .matches("logout_irrevocable");
}
