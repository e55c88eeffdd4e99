//! The wizard at a real terminal: chosen by typing and by arrow keys, and left by Ctrl-C or a
//! signal at each question with the terminal as it was and nothing stored.

use std::process::Command;

use crate::support::browser::visit;
use crate::support::issuer::Account;
use rexpect::session::{PtySession, spawn_command};
use rustix::process::{Pid, Signal, kill_process};

use crate::login::at_a_terminal::{at_terminal, ends_with};
use crate::support::{World, setup_token};

const DOWN: &str = "\u{1b}[B";
const UP: &str = "\u{1b}[A";
const ADD: [&str; 3] = ["models", "auth", "add"];

/// The wizard, at its first question.
fn started(world: &World, args: &[&str]) -> PtySession {
    let mut session = at_terminal(world, args);
    session.exp_string("type to search").unwrap();
    session
}

fn press(session: &mut PtySession, keys: &str) {
    session.send(keys).unwrap();
    session.flush().unwrap();
}

/// Types a part of a name, waits until the list has shrunk to it, and takes it.
fn search(session: &mut PtySession, part: &str, name: &str) {
    press(session, part);
    session.exp_string(&format!("> {name}")).unwrap();
    press(session, "\r");
}

/// Presses an arrow key, and waits until the mark stands there.
fn arrow(session: &mut PtySession, key: &str, name: &str) {
    press(session, key);
    session.exp_string(&format!("> {name}")).unwrap();
}

fn store_exists(world: &World) -> bool {
    let document = world.state().join("agents/main/agent/auth-profiles.json");
    document.exists()
}

/// Reads to the end; the terminal must be as a shell wants it.
fn rest(session: &mut PtySession, code: i32) -> String {
    let shown = session.exp_eof().unwrap();
    ends_with(session, code);
    shown
}

#[test]
fn a_provider_is_searched_for_a_method_chosen_and_a_key_pasted() {
    let world = World::new();
    let mut session = started(&world, &["onboard"]);
    search(&mut session, "anthr", "Anthropic");
    session
        .exp_string("How do you want to log in to Anthropic")
        .unwrap();
    arrow(&mut session, DOWN, "oauth");
    arrow(&mut session, DOWN, "api-key");
    press(&mut session, "\r");
    session.exp_string("input is hidden").unwrap();
    press(&mut session, "sk-ant-api03-MARKER\r");
    let shown = rest(&mut session, 0);
    assert!(!shown.contains("MARKER"), "{shown}");
    assert!(shown.contains("Saved profile anthropic:default"), "{shown}");
    let next = "Next: openclaw models auth token --provider anthropic";
    assert!(shown.contains("API key") && shown.contains(next), "{shown}");
    let stored = &world.store()["profiles"]["anthropic:default"];
    assert_eq!(stored["key"], "sk-ant-api03-MARKER");
}

#[test]
fn the_arrow_keys_go_both_ways_and_the_other_command_stores_as_it_always_did() {
    let world = World::new();
    let mut session = started(&world, &ADD);
    arrow(&mut session, DOWN, "Amazon Bedrock");
    arrow(&mut session, DOWN, "Anthropic");
    arrow(&mut session, DOWN, "Arcee AI");
    arrow(&mut session, UP, "Anthropic");
    press(&mut session, "\r");
    session.exp_string("> setup-token").unwrap();
    press(&mut session, "\r");
    session.exp_string("[Y/n]").unwrap();
    press(&mut session, "\r");
    session.exp_string("input is hidden").unwrap();
    press(&mut session, &format!("{}\r", setup_token()));
    rest(&mut session, 0);
    let stored = &world.store()["profiles"]["anthropic:manual"];
    assert_eq!(stored["token"], setup_token());
}

#[test]
fn a_key_of_the_environment_is_offered_and_the_agent_is_asked_for() {
    let world = World::new();
    world.add_agent("work");
    world.write(".env", "GROQ_API_KEY=gsk_0123456789-MARKER-0123456789-0\n");
    let mut session = started(&world, &ADD);
    search(&mut session, "GROQ", "Groq");
    session.exp_string("Which agent?").unwrap();
    arrow(&mut session, DOWN, "work");
    press(&mut session, "\r");
    session.exp_string("env: GROQ_API_KEY, gs...-0").unwrap();
    session.exp_string("[Y/n]").unwrap();
    press(&mut session, "y\r");
    let shown = rest(&mut session, 0);
    let next = "Next: openclaw --agent work models auth token --provider groq";
    assert!(shown.contains(next) && !shown.contains("MARKER"), "{shown}");
    let document = world.read("agents/work/agent/auth-profiles.json");
    assert!(document.contains("gsk_0123456789-MARKER"), "{document}");
    assert!(!store_exists(&world));
}

#[test]
fn a_whole_login_in_the_browser() {
    let (world, _issuer) = World::with_issuer(Account::default());
    let mut session = started(&world, &["onboard", "--no-browser"]);
    search(&mut session, "openai-codex", "");
    let (_, url) = session.exp_regex(r"http://\S+").unwrap();
    session.exp_string("Or paste").unwrap();
    assert_eq!(visit(&url).unwrap().status, 200);
    let shown = rest(&mut session, 0);
    assert!(
        shown.contains("Saved profile openai-codex:me@example.com"),
        "{shown}"
    );
    assert!(shown.contains("access token expires in"), "{shown}");
    assert!(world.store()["profiles"]["openai-codex:me@example.com"].is_object());
}

/// What leads to each question, and how it is recognised.
fn walk(session: &mut PtySession, questions: usize) {
    let steps: [(&str, &str); 5] = [
        ("", ""),
        ("anthropic\r", "How do you want to log in to"),
        ("\r", "Which agent?"),
        ("\r", "[Y/n]"),
        ("y\r", "input is hidden"),
    ];
    for (keys, question) in steps.into_iter().take(questions).skip(1) {
        press(session, keys);
        session.exp_string(question).unwrap();
    }
}

#[test]
fn ctrl_c_at_each_question_stores_nothing() {
    for questions in 1..=5 {
        let world = World::new();
        world.add_agent("work");
        let mut session = started(&world, &ADD);
        walk(&mut session, questions);
        session.send_control('c').unwrap();
        let shown = rest(&mut session, 130);
        assert!(shown.contains("Cancelled. Nothing was stored."), "{shown}");
        assert!(!store_exists(&world), "question {questions}");
    }
}

#[test]
fn a_signal_at_a_question_gives_the_terminal_back() {
    let world = World::new();
    let told =
        "sh -c 'echo \"pid $$\"; exec \"$0\" models auth add' \"$0\"; echo \"exit $?\"; stty -a";
    let wizard = world.command(&[]);
    let mut command = Command::new("/bin/sh");
    command.args(["-c", told]).arg(wizard.get_program());
    command.env("TERM", "xterm");
    for (name, value) in wizard.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    let mut session = spawn_command(command, Some(30_000)).unwrap();
    let (_, pid) = session.exp_regex(r"pid \d+").unwrap();
    let pid = Pid::from_raw(pid["pid ".len()..].parse().unwrap()).unwrap();
    session.exp_string("type to search").unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    session
        .exp_string("Cancelled. Nothing was stored.")
        .unwrap();
    session.exp_string("exit 143").unwrap();
    let terminal = rest(&mut session, 0);
    assert!(terminal.contains("isig icanon"), "{terminal}");
    assert!(!store_exists(&world));
}

#[test]
fn a_terminal_that_cannot_move_its_cursor_is_asked_by_numbers() {
    let world = World::new();
    let mut command = world.command(&ADD);
    command.env("TERM", "dumb");
    command.stdin(std::process::Stdio::inherit());
    let mut session = spawn_command(command, Some(30_000)).unwrap();
    let (listed, _) = session.exp_regex(r"\(1-\d+\): ").unwrap();
    assert!(!listed.contains('\u{1b}'), "{listed:?}");
    session.send_line("0").unwrap();
    session.exp_string("Enter one of the numbers.").unwrap();
    let line = listed
        .lines()
        .find(|line| line.ends_with(") Anthropic"))
        .unwrap();
    session
        .send_line(line.split(')').next().unwrap().trim())
        .unwrap();
    session
        .exp_string("How do you want to log in to Anthropic? (1-")
        .unwrap();
    session.send_control('c').unwrap();
    rest(&mut session, 130);
}
