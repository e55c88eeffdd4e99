//! Every command that a text names is one that the program understands.

use clap::Command;
use openclaw::cli::Cli;

/// The command lines of this program that a line of a text names, each as words.
fn commands(line: &str) -> Vec<Vec<String>> {
    let starts = line.match_indices("openclaw ").map(|(at, _)| at);
    let is_named = |at: &usize| {
        // In a sentence of its own: after a colon, a pipe, a quote or `$(`, or at the start.
        let before = line[..*at].trim_end();
        before.is_empty() || before.ends_with([':', '|', '`', '(', '"', '!'])
    };
    let ends = |text: &str| {
        text.find(['`', '|', ';', '<', '>', ')'])
            .unwrap_or(text.len())
    };
    starts
        .filter(is_named)
        .map(|at| words(&line[at..at + ends(&line[at..])]))
        .collect()
}

/// Splits as a POSIX shell does, as far as our texts go: white space, and both quotes.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in text.trim_end_matches(['.', '"', '}']).chars() {
        match quote {
            Some(end) if c == end => quote = None,
            None if matches!(c, '\'' | '"') => quote = Some(c),
            None if c.is_whitespace() => words.push(String::new()),
            _ => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// What is wrong with the commands that a text names, and how many it names.
fn faults(text: &str) -> (usize, Vec<String>) {
    let mut named = 0;
    let mut faults = Vec::new();
    let output = text
        .lines()
        .map(|line| line.trim_start_matches("[stderr]").trim())
        .filter(|line| !line.starts_with('$') && !line.contains("Usage:"));
    for command in output.flat_map(commands) {
        named += 1;
        if let Err(error) = openclaw::cli::parse(command.iter().map(Into::into)) {
            faults.push(format!("{}: {error}", command.join(" ")));
        }
    }
    (named, faults)
}

#[test]
fn every_command_in_a_transcript_is_understood() {
    let mut named = 0;
    for entry in std::fs::read_dir(super::snapshots()).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text
            .replace("<base>", "/base")
            .replace("openclaw <version>", "");
        let (count, faults) = faults(&text);
        assert!(faults.is_empty(), "{}: {faults:?}", path.display());
        named += count;
    }
    assert!(named > 50, "only {named} commands were found");
}

#[test]
fn every_example_of_the_help_is_understood() {
    fn check(command: &Command) {
        let examples = command.get_after_help().map(ToString::to_string);
        let (named, faults) = faults(&examples.unwrap_or_default());
        assert!(faults.is_empty(), "{faults:?}");
        let is_group = command.get_subcommands().next().is_some();
        assert!(is_group || named > 0, "{}", command.get_name());
        command.get_subcommands().for_each(check);
    }
    check(&Cli::described());
}

#[test]
fn a_hint_that_names_no_command_is_seen() {
    let faults = |text: &str| faults(text).1.len();
    assert_eq!(faults("[stderr] Try: openclaw models auth lgin"), 1);
    assert_eq!(faults("! it is expired: openclaw models status --chek"), 1);
    assert_eq!(faults("run `openclaw models statu` again"), 1);
    assert_eq!(faults("[stderr] Try: openclaw models auth list"), 0);
    assert_eq!(faults("$ openclaw modls"), 0);
}

/// A snapshot that no test writes any more would stand there for ever.
#[test]
fn every_snapshot_is_somebodys() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/cli/transcripts");
    let sources = std::fs::read_dir(root).unwrap();
    let sources = sources.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
    let sources: String = sources.collect();
    for entry in std::fs::read_dir(super::snapshots()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        // One that waits to be looked at (`.snap.new`) fails its own test.
        let Some(stem) = name.strip_suffix(".snap") else {
            continue;
        };
        let store = stem
            .strip_prefix("status_")
            .unwrap_or_default()
            .replace('_', "-");
        let is_store = crate::support::recorded::stores().contains(&store);
        let is_named = sources.contains(&format!("\"{stem}\""));
        assert!(is_store || is_named, "{name} is nobody's");
    }
}
