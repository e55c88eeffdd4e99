//! A question in a shell that has jobs: stopped by Ctrl-Z or from outside and brought back, it is
//! asked again and nothing that is typed then is shown; Ctrl-\ ends it.

use std::process::Command;

use rexpect::session::{PtySession, spawn_command};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::World;
use crate::support::issuer::Account;

const PASTE: &str = "models auth paste-api-key --provider openai";
/// Each with what is shown when it asks.
const QUESTIONS: [(&str, &str); 3] = [
    ("models auth add", "type to search"),
    (PASTE, "input is hidden"),
    ("models auth login --no-browser", "Or paste"),
];

/// The program in a shell, at its question; and the process.
fn asking(world: &World, args: &str, question: &str) -> (PtySession, Pid) {
    let program = world.command(&[]);
    let mut shell = Command::new("bash");
    shell.args(["--norc", "--noprofile", "-i"]);
    for (name, value) in program.get_envs() {
        shell.env(name, value.unwrap_or_default());
    }
    shell
        .env("TERM", "xterm")
        .env("PROGRAM", program.get_program());
    let mut session = spawn_command(shell, Some(30_000)).unwrap();
    // The pseudo-terminal comes without, which would hide what is shown.
    session.send_line("stty echo").unwrap();
    let told = format!("sh -c 'echo \"pid $$\"; exec \"$PROGRAM\" {args}'");
    session.send_line(&told).unwrap();
    let (_, pid) = session.exp_regex(r"pid \d+").unwrap();
    let pid = Pid::from_raw(pid["pid ".len()..].parse().unwrap()).unwrap();
    session.exp_string(question).unwrap();
    (session, pid)
}

/// The shell has the terminal, and it is as shells want it.
fn given_back(session: &mut PtySession) {
    session.send_line("stty -a; echo se''en").unwrap();
    let terminal = session.exp_string("\nseen").unwrap();
    assert!(terminal.contains("isig icanon"), "{terminal}");
    assert!(terminal.contains("iexten echo "), "{terminal}");
}

fn leave(mut session: PtySession) -> String {
    session.send_line("exit 0").unwrap();
    session.exp_eof().unwrap()
}

/// What the shell has shown, once `keys` typed at the question that came back have ended it.
fn brought_back(session: &mut PtySession, question: &str, keys: &str, end: &str) -> String {
    session.exp_string("Stopped").unwrap();
    given_back(session);
    session.send_line("fg").unwrap();
    session.exp_string(question).unwrap();
    session.send(keys).unwrap();
    session.flush().unwrap();
    session.exp_string(end).unwrap()
}

/// Ctrl-C at the question that came back ends the program and gives the terminal back.
fn cancelled(mut session: PtySession, question: &str) {
    let told = "Cancelled. Nothing was stored.";
    brought_back(&mut session, question, "\u{3}", told);
    given_back(&mut session);
    leave(session);
}

#[test]
fn ctrl_z_stops_the_program_and_the_question_comes_back() {
    for (args, question) in QUESTIONS {
        let (world, _issuer) = World::with_issuer(Account::default());
        let (mut session, _) = asking(&world, args, question);
        session.send_control('z').unwrap();
        cancelled(session, question);
    }
}

#[test]
fn stopped_from_outside_the_question_comes_back_too() {
    for signal in [Signal::STOP, Signal::TSTP] {
        for (args, question) in QUESTIONS {
            let (world, _issuer) = World::with_issuer(Account::default());
            let (session, process) = asking(&world, args, question);
            kill_process(process, signal).unwrap();
            cancelled(session, question);
        }
    }
}

#[test]
fn a_secret_is_not_shown_after_a_stop_from_outside() {
    let world = World::new();
    let (mut session, process) = asking(&world, PASTE, "input is hidden");
    session.send("sk-proj-\u{1a}").unwrap();
    session.flush().unwrap();
    for _ in 0..2 {
        session.exp_string("Stopped").unwrap();
        session.send_line("fg").unwrap();
        session.exp_string("input is hidden").unwrap();
        kill_process(process, Signal::STOP).unwrap();
    }
    session.exp_string("Stopped").unwrap();
    session.send_line("fg").unwrap();
    session.exp_string("input is hidden").unwrap();
    session.send("MARKER0123456789MARKER0123456789\r").unwrap();
    session.flush().unwrap();
    let shown = session.exp_string("Saved profile openai:").unwrap();
    assert!(!shown.contains("MARKER"), "{shown}");
    let shown = leave(session);
    assert!(!shown.contains("MARKER"), "{shown}");
    // What was typed before counts, too.
    let store = world.store();
    let stored: Vec<_> = store["profiles"].as_object().unwrap().values().collect();
    assert_eq!(stored[0]["key"], "sk-proj-MARKER0123456789MARKER0123456789");
}

#[test]
fn a_confirmation_is_asked_again_after_a_stop() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", 3600);
    let args = "models auth logout openai-codex:default";
    let (mut session, process) = asking(&world, args, "[y/N]");
    kill_process(process, Signal::STOP).unwrap();
    brought_back(&mut session, "[y/N]", "n\r", "\n");
    leave(session);
    assert!(world.store()["profiles"]["openai-codex:default"].is_object());
}

#[test]
fn ctrl_backslash_ends_the_program_as_the_signal_does() {
    for (args, question) in QUESTIONS {
        let (world, _issuer) = World::with_issuer(Account::default());
        let (mut session, _) = asking(&world, args, question);
        session.send("MARKER\u{1c}").unwrap();
        session.flush().unwrap();
        session.exp_string("Quit").unwrap();
        session.send_line("echo code $?").unwrap();
        session.exp_string("code 131").unwrap();
        given_back(&mut session);
        leave(session);
    }
}
