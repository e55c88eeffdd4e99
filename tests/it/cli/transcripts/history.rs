//! `models auth history` and `models auth undo`.

use crate::support::issuer::{Account, Scripted};

use super::Transcript;
use crate::support::{World, recorded, setup_token};

const CODEX: &str = "openai-codex:default";
const MANUAL: &str = "anthropic:manual";
const HISTORY: [&str; 3] = ["models", "auth", "history"];
const UNDO: [&str; 3] = ["models", "auth", "undo"];
const PASTE: [&str; 5] = ["models", "auth", "paste-token", "--provider", "anthropic"];

fn with<'a>(words: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [words, more].concat()
}

/// The issuer's tokens differ from run to run, and so do their short names.
fn steady(mut transcript: Transcript<'_>) -> Transcript<'_> {
    let steady = |line: &str| match line.split_once("sha256:") {
        Some((before, after)) if line.contains("/oauth;") => {
            format!("{before}sha256:<digest>{}", &after[12..])
        }
        _ => line.to_owned(),
    };
    let lines: Vec<String> = transcript.text.split('\n').map(steady).collect();
    transcript.text = lines.join("\n");
    transcript
}

fn pasted() -> World {
    let world = World::new();
    for end in ["", "b"] {
        let ran = world.pipe(&PASTE, &(setup_token() + end));
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    world
}

#[test]
fn history_of_a_token_and_undo() {
    let world = pasted();
    Transcript::of(&world)
        .run(&HISTORY)
        .run(&with(&UNDO, &[MANUAL, "--dry-run"]))
        .run(&with(&UNDO, &[MANUAL]))
        .run(&["models", "auth", "logout", MANUAL, "--yes"])
        .run(&with(&HISTORY, &[MANUAL]))
        .run(&with(&HISTORY, &[MANUAL, "--json"]))
        .run(&with(&UNDO, &[MANUAL]))
        .run(&with(&HISTORY, &["--clear"]))
        .run(&with(&HISTORY, &[MANUAL, "--clear", "--yes"]))
        .run(&HISTORY)
        .matches("history");
}

#[test]
fn history_refuses_a_spent_grant() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -7_200);
    let transcript = Transcript::of(&world)
        .run(&["models", "auth", "refresh"])
        .run(&with(&HISTORY, &[CODEX]))
        .run(&with(&UNDO, &[CODEX]))
        .run(&["models", "auth", "logout", CODEX, "--yes"])
        .run(&with(&HISTORY, &[CODEX]))
        .run(&with(&UNDO, &[CODEX, "--generation", "1"]))
        .run(&with(&UNDO, &[CODEX]));
    steady(transcript).matches("history_spent");
}

#[test]
fn undo_warns_of_a_refused_grant_and_of_one_in_doubt() {
    let mut text = String::new();
    let refused = Scripted {
        status: 400,
        body: r#"{"error":"invalid_grant","error_description":"revoked"}"#.to_owned(),
        ..Scripted::default()
    };
    let silent = Scripted {
        hang_up: true,
        ..Scripted::default()
    };
    for (note, answer) in [
        ("the provider refuses it", refused),
        ("the provider does not answer", silent),
    ] {
        let (world, issuer) = World::with_issuer(Account::default());
        world.seed_with("main", 7_200, "old-access", "old-refresh");
        issuer.answer_next(answer);
        world.run(&["models", "auth", "refresh", "--force"]);
        let mut transcript = Transcript::of(&world).note(note);
        transcript.text.insert_str(0, &text);
        let transcript = transcript
            .run(&["models", "auth", "logout", CODEX, "--yes"])
            .run(&with(&HISTORY, &[CODEX]))
            .run(&with(&UNDO, &[CODEX]));
        text = transcript.text;
    }
    let world = World::new();
    let mut transcript = Transcript::of(&world);
    transcript.text = text;
    transcript.matches("history_doubtful");
}

#[test]
fn undo_of_what_is_not_kept_is_refused() {
    let (world, _, _) = recorded::world("two-accounts");
    Transcript::of(&world)
        .note("nothing was replaced yet")
        .run(&HISTORY)
        .run(&with(&HISTORY, &["anthropic:work"]))
        .run(&with(&HISTORY, &["anthropic:none"]))
        .run(&with(&UNDO, &["anthropic:work"]))
        .run(&with(&UNDO, &["anthropic:work", "--generation", "7"]))
        .run(&with(&UNDO, &["anthropic:work", "--generation", "x"]))
        .run(&UNDO)
        .run(&with(&HISTORY, &["--yes"]))
        .env("OPENCLAW_AUTH_HISTORY", "0")
        .run(&["models", "auth", "logout", "anthropic:work", "--yes"])
        .run(&HISTORY)
        .matches("history_none");
}

#[test]
fn a_damaged_history_is_told_of() {
    let world = pasted();
    let directory = world.state().join("agents/main/agent/auth-history");
    let file = std::fs::read_dir(&directory).unwrap().next().unwrap();
    std::fs::write(file.unwrap().path(), "{").unwrap();
    let transcript = Transcript::of(&world)
        .run(&with(&HISTORY, &[MANUAL]))
        .run(&with(&UNDO, &[MANUAL]))
        .pipe("\"$TOKEN\"", &(setup_token() + "c"), &PASTE);
    std::fs::remove_dir_all(&directory).unwrap();
    std::fs::write(&directory, "in the way").unwrap();
    transcript
        .note("a file is where the directory should be")
        .run(&["models", "auth", "logout", MANUAL, "--yes"])
        .run(&["models", "auth", "list"])
        .matches("history_damaged");
}
