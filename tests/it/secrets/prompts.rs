//! The questions, at a pseudo-terminal.

use std::process::Command;

use rexpect::session::{PtySession, spawn_command};

use super::{assert_nowhere, files, get, set};
use crate::login::at_a_terminal::{at_terminal, ends_with};
use crate::support::{World, behind};

/// A shell line at a terminal, in which `$0` is the program.
fn shell(world: &World, line: &str) -> PtySession {
    let inner = world.command(&[]);
    let mut shell = Command::new("/bin/sh");
    behind(shell.args(["-c", line]), &inner).env("TERM", "xterm");
    spawn_command(shell, Some(60_000)).unwrap()
}

#[test]
fn a_value_is_asked_for_once_and_not_shown() {
    let world = World::new();
    let mut session = at_terminal(&world, &["secrets", "set", "A"]);
    session
        .exp_string("Value of A (input is hidden): ")
        .unwrap();
    session.send("MARKER value\r").unwrap();
    session.flush().unwrap();
    let shown = session.exp_eof().unwrap();
    ends_with(&session, 0);
    assert!(!shown.contains("MARKER"), "{shown}");
    assert!(shown.contains("Stored secret A"), "{shown}");
    assert_eq!(get(&world, "A").out, "MARKER value");
    assert_nowhere(&world, "MARKER");
    // It is not shown by accident either.
    let mut session = at_terminal(&world, &["secrets", "get", "A"]);
    let shown = session.exp_eof().unwrap();
    ends_with(&session, 1);
    assert!(
        !shown.contains("MARKER") && shown.contains("--reveal"),
        "{shown}"
    );
    let mut session = at_terminal(&world, &["secrets", "get", "A", "--reveal"]);
    assert!(session.exp_eof().unwrap().contains("MARKER value"));
}

#[test]
fn ctrl_c_at_the_prompt_changes_nothing() {
    let world = World::new();
    for is_first in [true, false] {
        let before = files(&world).len();
        let mut session = at_terminal(&world, &["secrets", "set", "A"]);
        session.exp_string("input is hidden): ").unwrap();
        session.send_control('c').unwrap();
        session.exp_eof().unwrap();
        ends_with(&session, 130);
        assert_eq!(files(&world).len(), before);
        if is_first {
            set(&world, "A", "one");
        }
    }
    assert_eq!(get(&world, "A").out, "one");
}

/// Standard input holds the value, so the passphrase is asked for at the terminal itself; three
/// times at most.
#[test]
fn a_passphrase_is_asked_for_at_the_terminal_while_a_pipe_brings_the_value() {
    let world = World::new();
    let new = "printf MARKER | \"$0\" secrets set A --passphrase";
    let mut session = shell(&world, new);
    for prompt in ["New passphrase (input is hidden): ", "once more: "] {
        session.exp_string(prompt).unwrap();
        session.send("correct horse\r").unwrap();
        session.flush().unwrap();
    }
    let shown = session.exp_eof().unwrap();
    ends_with(&session, 0);
    assert!(
        !shown.contains("horse") && !shown.contains("MARKER"),
        "{shown}"
    );
    let _ = world.run(&["secrets", "lock"]);
    let mut session = shell(&world, "printf other | \"$0\" secrets set B");
    for answer in ["one", "two", "three"] {
        session.exp_string("Passphrase of the secrets in ").unwrap();
        session.exp_string(": ").unwrap();
        session.send(&format!("{answer}\r")).unwrap();
        session.flush().unwrap();
    }
    session.exp_string("the passphrase is wrong").unwrap();
    session.exp_eof().unwrap();
    ends_with(&session, 3);
    let mut session = shell(&world, "\"$0\" secrets get A | cat");
    session.exp_string("Passphrase of the secrets in ").unwrap();
    session.exp_string(": ").unwrap();
    session.send("correct horse\r").unwrap();
    session.flush().unwrap();
    let shown = session.exp_eof().unwrap();
    assert!(
        shown.contains("MARKER") && !shown.contains("horse"),
        "{shown}"
    );
    let _ = world.run(&["secrets", "lock"]);
}

#[test]
fn two_passphrases_that_differ_make_no_key() {
    let world = World::new();
    let mut session = shell(&world, "\"$0\" secrets set A --passphrase");
    for (prompt, answer) in [
        ("New passphrase", "correct horse"),
        ("once more", "correct house"),
    ] {
        session.exp_string(prompt).unwrap();
        session.exp_string(": ").unwrap();
        session.send(&format!("{answer}\r")).unwrap();
        session.flush().unwrap();
    }
    let shown = session.exp_eof().unwrap();
    ends_with(&session, 1);
    assert!(shown.contains("the two passphrases differ"), "{shown}");
    assert!(files(&world).is_empty());
}
