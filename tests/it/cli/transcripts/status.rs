//! `models status` and `models auth list`.

use crate::support::issuer::Account;

use super::Transcript;
use crate::support::{World, recorded};

const STATUS: [&str; 2] = ["models", "status"];
const LIST: [&str; 3] = ["models", "auth", "list"];

/// A recorded store, with its environment.
fn shown(store: &str) {
    let (world, env, _) = recorded::world(store);
    let mut transcript = Transcript::of(&world);
    for (name, value) in env {
        let name: &'static str = name.leak();
        transcript = transcript.env(name, &value);
    }
    transcript
        .run(&["models", "status", "--check"])
        .run(&LIST)
        .matches(&format!("status_{}", store.replace('-', "_")));
}

#[test]
fn status_of_every_recorded_store() {
    for store in recorded::stores() {
        shown(&store);
    }
}

#[test]
fn status_as_json() {
    let (world, _, _) = recorded::world("two-accounts");
    Transcript::of(&world)
        .run(&["models", "status", "--json"])
        .run(&["models", "auth", "list", "--json"])
        .run(&["models", "auth", "list", "--provider", "anthropic"])
        .run(&["models", "auth", "list", "--provider", "nobody"])
        .run(&["models", "status", "--plain"])
        .run(&["models", "status", "--json", "--plain"])
        .matches("status_json");
}

#[test]
fn status_for_a_shell_prompt_and_no_watch_in_a_pipe() {
    let (world, _, _) = recorded::world("token-expired");
    let prompt = ["models", "status", "--prompt"];
    let of = |provider| ["models", "status", "--prompt", "--provider", provider];
    Transcript::of(&world)
        .run(&prompt)
        .run(&of("anthropic"))
        .run(&of("groq"))
        .run(&["models", "status", "--prompt", "--json"])
        .run(&["models", "status", "--provider", "anthropic"])
        .run(&["models", "status", "--watch"])
        .run(&["models", "status", "--watch", "0"])
        .run(&["models", "status", "--watch", "--json"])
        .matches("status_prompt");
}

#[test]
fn status_of_a_second_agent() {
    let (world, _, _) = recorded::world("inherit");
    Transcript::of(&world)
        .run(&["models", "status", "--agent", "work"])
        .run(&["models", "auth", "list", "--agent", "work"])
        .run(&["models", "status", "--agent", "nobody"])
        .matches("status_second_agent");
}

#[test]
fn permissions_that_let_others_read_are_told() {
    use std::os::unix::fs::PermissionsExt;
    let (world, _, _) = recorded::world("token-static");
    let directory = world.state().join("agents/main/agent");
    let chmod = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    };
    chmod(&directory.join("auth-profiles.json"), 0o644);
    chmod(&directory, 0o755);
    Transcript::of(&world)
        .run(&STATUS)
        .run(&LIST)
        .matches("status_wide_modes");
}

#[test]
fn a_store_that_cannot_be_read_is_told() {
    let world = World::new();
    world.write("agents/main/agent/auth-profiles.json/in-the-way", "");
    Transcript::of(&world)
        .note("auth-profiles.json is a directory")
        .run(&STATUS)
        .run(&LIST)
        .matches("status_unreadable_file");
}

#[test]
fn a_store_of_a_later_release_is_told() {
    let world = World::new();
    world.write("agents/main/agent/openclaw-agent.sqlite", "");
    world.write("state/openclaw.sqlite", "");
    Transcript::of(&world)
        .note("a later OpenClaw release keeps its credentials in a database")
        .run(&STATUS)
        .pipe(
            "\"$TOKEN\"",
            &crate::support::setup_token(),
            &["models", "auth", "paste-token", "--provider", "anthropic"],
        )
        .matches("status_later_release");
}

#[test]
fn status_tells_of_a_refused_login() {
    let (world, _issuer) = World::with_issuer(Account::default());
    world.seed_with("main", -10, "old-access", "rt-that-nobody-issued");
    Transcript::of(&world)
        .run(&["models", "auth", "refresh"])
        .run(&STATUS)
        .run(&["models", "status", "--json"])
        .run(&LIST)
        .matches("status_refused");
}

#[test]
fn status_tells_of_an_unknown_outcome() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    super::token::hang_up(&issuer);
    Transcript::of(&world)
        .run(&["models", "auth", "refresh"])
        .run(&STATUS)
        .matches("status_unknown_outcome");
}
