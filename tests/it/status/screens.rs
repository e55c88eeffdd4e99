//! `models status` as a person sees it: on a real pseudo-terminal of a size, through a terminal
//! emulator, with every attribute, on a dark and on a light palette.
//!
//! A screen is a snapshot in `tests/it/status/screens`; `INSTA_UPDATE=always cargo test screens`
//! writes them anew, and then they are looked at. `{green}…{}` stands for what is drawn so.

mod palette;
mod prompt;
mod stores;
mod watch;

use std::num::NonZeroU16;
use std::process::{Command, Stdio};

use rexpect::session::{PtySession, spawn_command};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::login::at_a_terminal::ends_with;
use crate::support::{World, behind};

const STATUS: [&str; 2] = ["models", "status"];

/// Columns and rows.
pub(crate) type Size = (u16, u16);

/// Starts the program on a pseudo-terminal that has its size before the program looks.
pub(crate) fn at(world: &World, args: &[&str], size: Size, env: &[(&str, &str)]) -> PtySession {
    let inner = world.command(args);
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "read -r go; printf '<go>'; exec \"$0\" \"$@\""]);
    behind(&mut command, &inner)
        .env_remove("NO_COLOR")
        .env("TERM", "xterm-256color")
        .envs(env.iter().copied())
        .stdin(Stdio::inherit());
    let mut session = spawn_command(command, Some(60_000)).unwrap();
    resize(&session, size);
    session.send("\n").unwrap();
    session.flush().unwrap();
    session.exp_string("<go>").unwrap();
    session
}

fn resize(session: &PtySession, (columns, rows): Size) {
    let terminal = session.process().get_file_handle().unwrap();
    let size = Winsize {
        ws_col: columns,
        ws_row: rows,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&terminal, size).unwrap();
}

/// The session takes each byte for a character.
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).unwrap()).collect()
}

/// What the program writes until it ends, which it does with that code.
fn written(world: &World, args: &[&str], size: Size, env: &[(&str, &str)], code: i32) -> Vec<u8> {
    let mut session = at(world, args, size, env);
    let text = session.exp_eof().unwrap();
    ends_with(&session, code);
    bytes(&text)
}

pub(crate) fn emulator((columns, rows): Size) -> vt100::Parser {
    let size = |n| NonZeroU16::new(n).unwrap();
    vt100::Parser::new(size(rows), size(columns), 0)
}

/// How a cell is drawn, in words; nothing for the terminal's own colors.
fn style(cell: &vt100::Cell) -> String {
    let mut words = Vec::new();
    for (is, word) in [
        (cell.bold(), "bold"),
        (cell.dim(), "dim"),
        (cell.italic(), "italic"),
        (cell.underline(), "underline"),
        (cell.inverse(), "inverse"),
    ] {
        if is {
            words.push(word.to_owned());
        }
    }
    words.extend(palette::name(cell.fgcolor()));
    words.extend(palette::name(cell.bgcolor()).map(|name| format!("on {name}")));
    words.join(" ")
}

/// One row with what is drawn otherwise marked.
fn row(screen: &vt100::Screen, row: u16) -> String {
    let (mut text, mut now) = (String::new(), String::new());
    let columns = screen.size().1.get();
    let cells = (0..columns).map(|column| screen.cell(row, column).unwrap());
    for cell in cells.filter(|cell| !cell.is_wide_continuation()) {
        let style = style(cell);
        if style != now {
            text.push_str(&format!("{{{style}}}"));
            now = style;
        }
        let contents = cell.contents();
        text.push_str(if contents.is_empty() { " " } else { contents });
    }
    let end = if now.is_empty() { "" } else { "{}" };
    format!("{}{end}", text.trim_end())
}

/// Every row down to the last that holds anything.
fn rows(screen: &vt100::Screen) -> Vec<String> {
    let rows = screen.size().0.get();
    let mut rows: Vec<String> = (0..rows).map(|at| row(screen, at)).collect();
    while rows.last().is_some_and(String::is_empty) {
        rows.pop();
    }
    rows
}

/// The same without those that name places, whose length depends on the machine.
fn without_places(mut rows: Vec<String>) -> Vec<String> {
    let places = rows.iter().position(|row| row.contains("Store "));
    if let Some(first) = places {
        let rest = rows[first..].iter();
        let places = rest.take_while(|row| !row.is_empty()).count();
        rows.splice(first..first + places, ["(places)".to_owned()]);
    }
    rows
}

/// Compares the screens of 80 and of 40 columns with their snapshots.
fn looks(name: &str, world: &World, args: &[&str], env: &[(&str, &str)], code: i32) {
    for columns in [80, 40] {
        let size = (columns, 24);
        let text = written(world, args, size, env, code);
        // As long as what is shown, so that nothing scrolls away.
        let mut emulator = emulator((columns, 500));
        emulator.process(&text);
        let screen = emulator.screen();
        let ruler = "-".repeat(columns.into());
        let contrasts = palette::contrasts(screen);
        let text = format!(
            "{ruler}\n{}\n{ruler}\n{contrasts}",
            without_places(rows(screen)).join("\n")
        );
        compare(&format!("{name}_{columns}"), &text);
    }
}

fn compare(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/it/status/screens"
    ));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn an_empty_store_looks_like_its_snapshot() {
    looks("empty", &World::new(), &STATUS, &[], 0);
}

#[test]
fn a_mixed_store_looks_like_its_snapshot() {
    let key = [("OPENAI_API_KEY", "sk-FIXTURE-0123456789abcdef")];
    looks("mixed", &stores::mixed(), &STATUS, &key, 0);
}

#[test]
fn many_accounts_look_like_their_snapshot() {
    looks("many", &stores::many(45), &STATUS, &[], 0);
}

#[test]
fn warnings_look_like_their_snapshot() {
    let (world, _issuer) = stores::troubled();
    looks("warnings", &world, &STATUS, &[], 0);
}

#[test]
fn a_week_ahead_looks_like_its_snapshot() {
    looks("forecast", &stores::week(), &STATUS, &[], 0);
}

#[test]
fn a_thousand_accounts_have_a_line_each_and_no_name_or_command_is_cut() {
    let world = stores::many(1_000);
    let piped = world.run(&STATUS).out;
    for columns in [80, 40] {
        let text = written(&world, &STATUS, (columns, 24), &[], 0);
        let mut emulator = emulator((columns, 5_000));
        emulator.process(&text);
        let screen = emulator.screen().contents();
        let lines: Vec<&str> = screen.lines().map(str::trim).collect();
        for n in 0..1_000 {
            let name = format!("anthropic:account-{n:04}");
            let line =
                |line: &&&str| line.trim_start_matches("* ").split(' ').next() == Some(&name);
            assert!(
                lines.iter().filter(line).count() == 1,
                "{name} at {columns}"
            );
        }
        let command = "openclaw models auth paste-token --provider anthropic --profile-id anthropic:account-0007";
        assert!(screen.contains(command), "{screen}");
        let words: Vec<&str> = screen.split_whitespace().collect();
        let words = words.join(" ");
        assert!(
            words.contains("more: openclaw models status --json"),
            "{screen}"
        );
    }
    // Where a program reads, nothing is left out.
    assert!(
        piped
            .lines()
            .any(|line| line.contains("anthropic:account-0994 has expired:"))
    );
    assert!(!piped.contains(" more:"), "{piped}");
}

/// Whether anything steers the terminal or colors it.
fn has_escapes(text: &[u8]) -> bool {
    text.contains(&0x1b)
}

#[test]
fn colors_are_shown_where_they_are_wanted() {
    let world = stores::week();
    let shown = |args: &[&str], env: &[(&str, &str)]| {
        has_escapes(&written(
            &world,
            &[&STATUS, args].concat(),
            (80, 24),
            env,
            0,
        ))
    };
    assert!(shown(&[], &[]));
    assert!(!shown(&[], &[("NO_COLOR", "1")]));
    assert!(!shown(&[], &[("TERM", "dumb")]));
    assert!(!shown(&["--color", "never"], &[]));
    assert!(shown(&["--color", "always"], &[("NO_COLOR", "1")]));
    let piped = |args: &[&str]| {
        let mut command = world.command(&[&STATUS, args].concat());
        has_escapes(&command.env_remove("NO_COLOR").output().unwrap().stdout)
    };
    assert!(!piped(&[]));
    assert!(piped(&["--color", "always"]));
}

#[test]
fn every_screen_is_somebodys() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/status/screens");
    let sources = concat!(include_str!("screens.rs"), include_str!("screens/watch.rs"));
    for entry in std::fs::read_dir(directory).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(stem) = name.strip_suffix(".snap") else {
            continue;
        };
        let stem = stem.trim_end_matches("_80").trim_end_matches("_40");
        assert!(
            sources.contains(&format!("(\"{stem}\"")),
            "{name} is nobody's"
        );
    }
}
