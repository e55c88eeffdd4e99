//! Over SSH the terminal is asked to put the URL in its clipboard; nowhere else, and not where it
//! cannot.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rexpect::session::spawn_command;

use super::{by_ssh, world};

const SEQUENCE: &str = "\u{1b}]52;c;";
const PROMISE: &str = "to your clipboard (if your terminal supports it)";

/// What a terminal is sent until the prompt, with these variables and arguments; and the URL.
fn sent(set: &[(&str, &str)], more: &[&str], over_ssh: bool) -> (String, String) {
    let (world, _issuer) = world("openai-codex");
    let mut args = vec!["models", "auth", "login", "--method", "oauth"];
    args.extend(more);
    let mut command = world.command(&args);
    if over_ssh {
        by_ssh(&mut command);
    }
    command
        .env("TERM", "xterm-256color")
        .envs(set.iter().copied())
        .stdin(std::process::Stdio::inherit());
    let mut session = spawn_command(command, Some(60_000)).unwrap();
    let seen = session.exp_string("Or paste").unwrap();
    session.send_control('c').unwrap();
    session.exp_eof().unwrap();
    let url = seen.lines().find(|line| line.starts_with("http://"));
    let url = url.unwrap().trim_end().to_owned();
    (seen, url)
}

/// The text that a plain sequence puts in the clipboard.
fn copied(sequence: &str) -> String {
    let (_, rest) = sequence.split_once(SEQUENCE).expect("no sequence");
    let (encoded, _) = rest.split_once('\u{7}').expect("no end");
    String::from_utf8(BASE64_STANDARD.decode(encoded).unwrap()).unwrap()
}

#[test]
fn the_url_goes_to_the_clipboard_whole() {
    let (seen, url) = sent(&[], &[], true);
    assert_eq!(copied(&seen), url);
    assert!(seen.contains(PROMISE), "{seen}");
}

#[test]
fn tmux_and_screen_pass_the_url_on() {
    let (seen, url) = sent(&[("TMUX", "/tmp/tmux-0/default,1,0")], &[], true);
    let (_, wrapped) = seen.split_once("\u{1b}Ptmux;").unwrap();
    let (inner, _) = wrapped.split_once("\u{7}\u{1b}\\").unwrap();
    let inner = format!("{}\u{7}", inner.replace("\u{1b}\u{1b}", "\u{1b}"));
    assert_eq!(copied(&inner), url);

    let (seen, url) = sent(&[("TERM", "screen")], &[], true);
    let (_, wrapped) = seen.split_once("\u{1b}P").unwrap();
    let (inner, _) = wrapped.split_once("\u{7}\u{1b}\\").unwrap();
    let inner = format!("{}\u{7}", inner.replace("\u{1b}\\\u{1b}P", ""));
    assert_eq!(copied(&inner), url);
}

#[test]
fn a_terminal_that_cannot_is_not_asked() {
    type Case = (
        &'static [(&'static str, &'static str)],
        &'static [&'static str],
        bool,
    );
    let cases: [Case; 4] = [
        (&[], &["--no-clipboard"], true),
        (&[("TERM", "dumb")], &[], true),
        (&[("TERM", "linux")], &[], true),
        (&[], &["--no-browser"], false),
    ];
    for (set, more, over_ssh) in cases {
        let (seen, _) = sent(set, more, over_ssh);
        assert!(!seen.contains(SEQUENCE), "{set:?} {more:?}: {seen:?}");
        assert!(!seen.contains(PROMISE), "{set:?} {more:?}: {seen:?}");
    }
}

#[test]
fn nothing_goes_into_a_pipe() {
    let (world, _issuer) = world("openai-codex");
    let mut command = world.command(&["models", "auth", "login", "--timeout", "200ms"]);
    by_ssh(&mut command).env("TERM", "xterm");
    let output = command.output().unwrap();
    let seen = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(seen.contains("ssh -L"), "{seen}");
    assert!(
        !seen.contains('\u{1b}') && !seen.contains(PROMISE),
        "{seen:?}"
    );
}
