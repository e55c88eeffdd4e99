//! A command line that was not understood: what the parser says of it, and what it must not say.
//!
//! The invariant: a token that somebody gives as an argument is not repeated, for what is printed
//! goes into logs that live longer than the process.

use clap::error::{ContextKind, ContextValue};
use clap::{Command, Error};

use crate::model::secret_shape::{HIDDEN, looks_secret};
use crate::model::text::is_unprintable;

/// Longer than every word of ours; what is longer may be a token.
const LONGEST_WORD: usize = 24;

/// The same error, without what may be a secret, and with the command that was probably meant.
pub(super) fn advised(mut error: Error, tree: fn() -> Command) -> Error {
    let kinds = [
        ContextKind::InvalidArg,
        ContextKind::InvalidSubcommand,
        ContextKind::InvalidValue,
    ];
    for kind in kinds {
        let Some(ContextValue::String(word)) = error.get(kind) else {
            continue;
        };
        let word = word.clone();
        if looks_secret(&word) || !word.starts_with('-') && word.chars().count() > LONGEST_WORD {
            error.insert(kind, ContextValue::String(HIDDEN.to_owned()));
            let tip = "every user of this machine can read an argument that looks like a secret, and it is \
                       in the history of your shell now: replace it at the provider, and pass the new \
                       one on standard input";
            let tip = ContextValue::StyledStrs(vec![tip.into()]);
            error.insert(ContextKind::Suggested, tip);
        } else if word.contains(is_unprintable) {
            let shown = word.chars().map(|c| match is_unprintable(c) {
                true => c.escape_unicode().to_string(),
                false => c.to_string(),
            });
            error.insert(kind, ContextValue::String(shown.collect()));
        } else if kind == ContextKind::InvalidSubcommand
            && error.get(ContextKind::SuggestedSubcommand).is_none()
            && let Some(path) = elsewhere(&tree(), &word)
        {
            let path = ContextValue::Strings(vec![path]);
            error.insert(ContextKind::SuggestedSubcommand, path);
        }
    }
    error
}

/// Where in the tree of commands the one of that name is; of several none is meant.
fn elsewhere(command: &Command, name: &str) -> Option<String> {
    let mut found = Vec::new();
    places(command, name, "", &mut found);
    match found.as_mut_slice() {
        [one] => Some(std::mem::take(one)),
        _ => None,
    }
}

fn places(command: &Command, name: &str, path: &str, found: &mut Vec<String>) {
    for inner in command.get_subcommands() {
        let own = inner.get_name();
        if own == name {
            found.push(format!("{path}{own}"));
        }
        places(inner, name, &format!("{path}{own} "), found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::Parser;

    fn said(args: &[&str]) -> String {
        let args = ["openclaw"].iter().chain(args);
        advised(Cli::try_parse_from(args).unwrap_err(), Cli::described).to_string()
    }

    #[test]
    fn a_token_that_was_given_as_an_argument_is_not_repeated() {
        let token = format!("sk-ant-oat01-{}", "a".repeat(80));
        let paste = ["models", "auth", "paste-token", "--provider", "anthropic"];
        let mut lines = vec![vec![token.as_str()]];
        lines.push([&paste[..], &[&token]].concat());
        lines.push([&paste[..], &["--expires-in", &token]].concat());
        for args in lines {
            let said = said(&args);
            assert!(!said.contains(&token), "{said}");
            assert!(said.contains("history of your shell"), "{said}");
        }
        for short in ["sk-abcdef123", "--sk-abcdef123", "ghp_abcdef123"] {
            let said = said(&["models", "auth", "list", short]);
            assert!(!said.contains("abcdef"), "{said}");
        }
        assert!(said(&["models", "auth", "list", "extra"]).contains("'extra'"));
    }

    #[test]
    fn what_steers_a_terminal_is_not_repeated() {
        let said = said(&["bad\u{9b}31m\u{202e}\u{200b}"]);
        assert!(said.contains(r"'bad\u{9b}31m\u{202e}\u{200b}'"), "{said}");
    }

    #[test]
    fn a_command_of_another_level_is_found() {
        assert!(said(&["login"]).contains("'models auth login'"));
        assert!(said(&["models", "delete"]).contains("'agents delete'"));
        assert!(!said(&["nothing"]).contains("tip"));
        assert!(!said(&["agents", "remove"]).contains("tip"));
    }
}
