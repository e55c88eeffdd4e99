//! Command lines that are not understood, and what every command says about itself.

use super::Transcript;
use crate::support::World;

#[test]
fn the_program_says_what_it_can() {
    let world = World::new();
    Transcript::of(&world)
        .run(&["--version"])
        .run(&[])
        .run(&["models", "auth"])
        .run(&["agents"])
        .matches("usage");
}

#[test]
fn a_near_miss_names_the_right_word() {
    let world = World::new();
    Transcript::of(&world)
        .run(&["modls"])
        .run(&["models", "stauts"])
        .run(&["models", "auth", "log-in"])
        .run(&["models", "auth", "logn"])
        .run(&["models", "auth", "tokens"])
        .run(&["agent", "list"])
        .run(&["agents", "remove", "work"])
        .run(&["login"])
        .run(&["models", "status", "--jsn"])
        .run(&["models", "auth", "token", "--provder", "openai"])
        .matches("usage_near_misses");
}

#[test]
fn a_wrong_command_line_says_why() {
    let world = World::new();
    Transcript::of(&world)
        .run(&["models", "auth", "paste-token"])
        .run(&[
            "models",
            "auth",
            "paste-token",
            "--provider",
            "anthropic",
            &crate::support::setup_token(),
        ])
        .run(&[
            "models",
            "auth",
            "token",
            "--provider",
            "openai",
            "--profile",
            "openai:a",
        ])
        .run(&["models", "auth", "token", "--min-valid", "soon"])
        .run(&["models", "auth", "token", "--json", "--header"])
        .run(&["--color", "sometimes", "models", "status"])
        .run(&["completions"])
        .run(&["completions", "tcsh"])
        .run(&["completions", "bsh"])
        .matches("usage_wrong");
}
