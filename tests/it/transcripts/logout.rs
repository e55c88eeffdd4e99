//! `models auth logout`.

use super::Transcript;
use crate::support::{World, recorded};

const B: &str = "openai-codex:b@example.com";

#[test]
fn that_succeeds() {
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
fn that_is_refused() {
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
fn of_what_main_owns() {
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
fn from_a_store_that_is_no_json() {
    let (world, _, _) = recorded::world("not-json");
    Transcript::of(&world)
        .run(&["models", "auth", "logout", "anthropic:default", "--yes"])
        .matches("logout_not_json");
}
