//! `models auth refresh`: what was before, and what is now.

use crate::support::issuer::{Account, Scripted};

use super::Transcript;
use crate::support::{World, recorded};

const REFRESH: [&str; 3] = ["models", "auth", "refresh"];
const FORCE: [&str; 4] = ["models", "auth", "refresh", "--force"];

#[test]
fn a_refresh_says_what_was_and_what_is() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -7_200);
    Transcript::of(&world)
        .run(&REFRESH)
        .note("and once more")
        .run(&REFRESH)
        .run(&FORCE)
        .matches("refresh");
}

#[test]
fn a_failed_refresh_says_what_became_of_the_login() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", 7_200);
    issuer.answer_next(Scripted {
        status: 503,
        ..Scripted::default()
    });
    let transcript = Transcript::of(&world)
        .note("the provider is in trouble")
        .run(&FORCE);
    let (due, issuer) = World::with_issuer(Account::default());
    due.seed(&issuer, "main", 120);
    issuer.answer_next(Scripted {
        status: 503,
        ..Scripted::default()
    });
    let mut living = Transcript::of(&due).note("the token is due and still lives");
    living.text.insert_str(0, &transcript.text);
    let living = living.run(&REFRESH);
    let (dead, _issuer) = World::with_issuer(Account::default());
    dead.seed_with("main", -7_200, "old-access", "rt-that-nobody-issued");
    let mut refused = Transcript::of(&dead).note("the provider refuses the grant");
    refused.text.insert_str(0, &living.text);
    refused.run(&REFRESH).run(&FORCE).matches("refresh_failed");
}

#[test]
fn a_credential_that_is_never_refreshed_says_so() {
    let (world, _, _) = recorded::world("token-static");
    let of = |id| ["models", "auth", "refresh", "--profile", id, "--force"];
    Transcript::of(&world)
        .run(&REFRESH)
        .run(&of("anthropic:default"))
        .run(&of("anthropic:nobody"))
        .matches("refresh_never");
}

#[test]
fn several_logins_are_refreshed_at_once() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (access, refresh) = issuer.issue();
    let ended = crate::support::millis_from_now(-7_200);
    let login = |access: &str, refresh: &str| {
        serde_json::json!({
            "type": "oauth", "provider": "openai-codex", "access": access,
            "refresh": refresh, "expires": ended,
        })
    };
    let store = serde_json::json!({ "version": 1, "profiles": {
        "openai-codex:a": login("old-access", "rt-nobody"),
        "openai-codex:b": login(&access, &refresh),
        "openai-codex:c": login("old-access", "rt-nobody-either"),
        "nobody:d": { "type": "oauth", "provider": "nobody", "access": "x", "refresh": "y",
            "expires": ended },
    } });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    Transcript::of(&world)
        .run(&REFRESH)
        .matches("refresh_several");
}
