//! The words of a command line, put in order before the parser looks.
//!
//! The parser describes what it may meet, and describing costs more than printing a token: each
//! option of every command is copied into each of the commands. So those stand in front, where they
//! are described once; and `models` without a further word, which is `models status` as in the
//! reference release, gets that word, instead of the options of `models status` a second time.

use std::ffi::{OsStr, OsString};

use clap::ValueEnum;

use super::printer::Color;

/// Options of every command that take the next word along.
const TAKE_ONE: [&str; 3] = ["--agent", "--state-dir", "--color"];
/// Options that are about `models` itself.
const ABOUT: [&str; 4] = ["-h", "--help", "-V", "--version"];

/// The command line with the options of every command in front. What follows `--` is not ours.
pub(super) fn in_front(args: &[OsString]) -> Vec<OsString> {
    let end = args.iter().position(|word| word == "--");
    let (ours, theirs) = args.split_at(end.unwrap_or(args.len()));
    let (program, ours) = ours.split_at(ours.len().min(1));
    let (front, back): (Vec<_>, Vec<_>) = marked(ours).partition(|(_, general)| *general);
    let both = front.into_iter().chain(back).map(|(word, _)| word);
    program.iter().chain(both).chain(theirs).cloned().collect()
}

/// The program and the options of every command that stand on the line.
pub(super) fn general(args: &[OsString]) -> Vec<OsString> {
    let ours = args.iter().take_while(|word| *word != "--").count();
    let (program, ours) = args[..ours].split_at(ours.min(1));
    let general = marked(ours).filter_map(|(word, general)| general.then_some(word));
    program.iter().chain(general).cloned().collect()
}

/// Each word, and whether it is an option of every command or the value of one.
fn marked(args: &[OsString]) -> impl Iterator<Item = (&OsString, bool)> {
    let mut takes = false;
    // Behind the command `--profile` names a credential.
    let mut is_in_front = true;
    args.iter().map(move |word| {
        let is_value = std::mem::replace(&mut takes, false);
        let names_instance = is_in_front && word == "--profile";
        takes = !is_value && (names_instance || TAKE_ONE.iter().any(|option| word == option));
        is_in_front &= is_value || is_option(word);
        let is_instance = is_in_front && !is_value && is_of_instance(word);
        (word, is_value || is_general(word) || is_instance)
    })
}

/// What `--color` says, for what is printed before the command line is understood; the last one
/// counts.
pub(super) fn color(args: &[OsString]) -> Color {
    let ours = args.iter().take_while(|word| *word != "--");
    let mut words = ours.map(|word| word.to_string_lossy());
    let mut color = Color::default();
    while let Some(word) = words.next() {
        let value = match word.strip_prefix("--color") {
            Some("") => words.next(),
            Some(value) => value.strip_prefix('=').map(|value| value.to_owned().into()),
            None => None,
        };
        let value = value.and_then(|value| Color::from_str(&value, false).ok());
        color = value.unwrap_or(color);
    }
    color
}

/// The command line with `status` behind a `models` that nothing but options follows, and with `-h`
/// behind a bare `models auth`, which shows its help and succeeds as in the reference release.
pub(super) fn complete(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut args: Vec<OsString> = args.into_iter().collect();
    if let Some(place) = implied(&args) {
        args.insert(place, OsString::from("status"));
    } else if own_words(&args).eq(["models", "auth"]) {
        args.push(OsString::from("-h"));
    }
    args
}

/// Where the word is to stand: what follows `models` first, but for options of every command, is
/// an option of `models status`, or nothing.
fn implied(args: &[OsString]) -> Option<usize> {
    let mut words = words(args);
    let (place, _) = words.next().filter(|(_, word)| *word == "models")?;
    let until = words.next().map_or(args.len(), |(next, _)| next);
    let mut options = args[place + 1..until].iter();
    let is_own = |word: &&OsString| is_option(word) && !is_general(word);
    let is_meant = match options.find(is_own) {
        Some(option) => !ABOUT.iter().any(|about| option == about),
        None => until == args.len(),
    };
    is_meant.then_some(place + 1)
}

fn is_option(word: &OsStr) -> bool {
    word.as_encoded_bytes().starts_with(b"-")
}

/// The words and options that are no options of every command, nor values of those.
fn own_words(args: &[OsString]) -> impl Iterator<Item = &OsString> {
    let marked = marked(args.get(1..).unwrap_or_default());
    marked.filter_map(|(word, general)| (!general).then_some(word))
}

/// Whether it chooses an instance, in front of the command.
fn is_of_instance(word: &OsStr) -> bool {
    let text = word.to_string_lossy();
    text == "--dev" || text == "--profile" || text.starts_with("--profile=")
}

/// Whether it is an option of every command.
fn is_general(word: &OsStr) -> bool {
    let text = word.to_string_lossy();
    let name = text.split('=').next().unwrap_or_default();
    let is_verbose = name == "--verbose"
        || (name.strip_prefix('-')).is_some_and(|v| !v.is_empty() && v.bytes().all(|b| b == b'v'));
    is_verbose || TAKE_ONE.contains(&name)
}

/// The words that are no options, and no values of options that every command has.
fn words(args: &[OsString]) -> impl Iterator<Item = (usize, &OsStr)> {
    marked(args.get(1..).unwrap_or_default())
        .zip(1..)
        .filter(|((word, general), _)| !general && !is_option(word))
        .map(|((word, _), place)| (place, word.as_os_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        let words = line.split_whitespace().map(OsString::from);
        std::iter::once(OsString::from("openclaw"))
            .chain(words)
            .collect()
    }

    #[test]
    fn status_is_meant_where_nothing_else_is_said() {
        for (line, expected) in [
            ("models", "models status"),
            ("models --json", "models status --json"),
            ("-v models --agent work", "-v models status --agent work"),
            ("--agent models models", "--agent models models status"),
            (
                "models --probe-timeout 5",
                "models status --probe-timeout 5",
            ),
            ("models --json --help", "models status --json --help"),
            ("models --json list", "models status --json list"),
            ("models --state-dir x list", "models --state-dir x list"),
            ("models --agent=x list", "models --agent=x list"),
            ("models -vv list", "models -vv list"),
            ("models list --json", "models list --json"),
            ("models nonsense", "models nonsense"),
            ("models --help", "models --help"),
            ("models auth", "models auth -h"),
            ("models auth --agent x", "models auth --agent x -h"),
            ("--profile x models", "--profile x models status"),
            ("--dev models --json", "--dev models status --json"),
            ("--profile=x models auth", "--profile=x models auth -h"),
            ("models auth --json", "models auth --json"),
            ("models auth list", "models auth list"),
            ("--agent models", "--agent models"),
            ("agents add models", "agents add models"),
            ("", ""),
        ] {
            assert_eq!(complete(words(line)), words(expected), "{line}");
        }
    }

    #[test]
    fn the_last_color_before_the_words_of_others_counts() {
        for (line, expected) in [
            ("models --color never --help", Color::Never),
            ("--color=always", Color::Always),
            ("--color always --color never", Color::Never),
            ("--color sometimes", Color::Auto),
            ("exec -- env --color never", Color::Auto),
            ("--color", Color::Auto),
        ] {
            assert_eq!(color(&words(line)), expected, "{line}");
        }
    }

    #[test]
    fn options_of_every_command_come_first() {
        for (line, expected) in [
            (
                "models status --agent x --json -vv",
                "--agent x -vv models status --json",
            ),
            ("--color never agents list", "--color never agents list"),
            ("a --state-dir=x b --agent", "--state-dir=x --agent a b"),
            ("a --agent -v b", "--agent -v a b"),
            (
                "exec --agent x -- env --agent y -v",
                "--agent x exec -- env --agent y -v",
            ),
            ("a - --", "a - --"),
            ("", ""),
        ] {
            assert_eq!(in_front(&words(line)), words(expected), "{line}");
        }
    }
}
