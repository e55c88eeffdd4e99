//! The command line at whose end somebody asks.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::Parser;

use crate::cli::argv;
use crate::cli::global::Global;
use crate::cli::system;

/// The options of every command alone; what is wrong with one is passed over.
#[derive(Parser)]
#[command(ignore_errors = true)]
struct General {
    #[command(flatten)]
    global: Global,
}

/// The words of the line. The last one is being typed and says nothing yet.
pub(super) struct Line(Vec<OsString>);

impl Line {
    pub(super) fn new(words: &[OsString]) -> Self {
        let typed = words.len().saturating_sub(1);
        Self(words[..typed].to_vec())
    }

    /// The options of every command that stand on it.
    pub(super) fn global(&self) -> Global {
        let general = General::try_parse_from(argv::general(&self.0));
        let mut global = general.unwrap_or_else(|_| General::parse_from([""])).global;
        let named = global.state_dir.take();
        global.state_dir = named.map(|path| expanded(path, &system::variable));
        global
    }

    /// The value of an option.
    pub(super) fn value_of(&self, option: &str) -> Option<String> {
        let words = self.0.iter().map(|word| word.to_string_lossy());
        let words: Vec<_> = words.collect();
        words.iter().enumerate().find_map(|(at, word)| {
            let value = match word.strip_prefix(option)? {
                "" => words.get(at + 1)?,
                rest => rest.strip_prefix('=')?,
            };
            Some(value.to_string())
        })
    }
}

/// The path with what a shell would put in the place of its first part.
fn expanded(path: PathBuf, variable: &dyn Fn(&str) -> Option<String>) -> PathBuf {
    let own = || {
        let mut parts = path.components();
        let first = parts.next()?.as_os_str().to_str()?;
        let name = match first {
            "~" => "HOME",
            first => {
                let name = first.strip_prefix('$')?;
                let inner = name.strip_prefix('{');
                inner.map_or(Some(name), |name| name.strip_suffix('}'))?
            }
        };
        Some(PathBuf::from(variable(name)?).join(parts.as_path()))
    };
    own().unwrap_or(path)
}

/// Whether a word in front of the command sets a variable.
pub(super) fn is_assignment(word: &OsStr) -> bool {
    let word = word.to_string_lossy();
    word.contains('=') && !word.starts_with('-')
}

/// What a word means to the shell, whose last quote may still be open.
pub(super) fn unquoted(word: &OsStr) -> OsString {
    let text = word.to_string_lossy();
    let closed = ["", "\"", "'"].map(|quote| format!("{text}{quote}"));
    let meant = closed.iter().find_map(|text| shlex::split(text));
    match meant.as_deref() {
        Some([only]) => OsString::from(only),
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        let words: Vec<OsString> = text.split(' ').map(OsString::from).collect();
        Line::new(&words)
    }

    #[test]
    fn options_in_front_of_the_cursor_count() {
        let value = |text: &str| line(text).value_of("--provider");
        assert_eq!(
            value("openclaw --provider x --method ").as_deref(),
            Some("x")
        );
        assert_eq!(
            value("openclaw --provider=x --method ").as_deref(),
            Some("x")
        );
        assert_eq!(value("openclaw --provider x"), None);
        assert_eq!(value("openclaw --provider-new x "), None);
    }

    #[test]
    fn the_instance_is_named_in_front_of_the_command_alone() {
        let instance = |text: &str| line(text).global().instance().map(str::to_owned);
        assert_eq!(
            instance("openclaw --dev models auth token --profile ").as_deref(),
            Some("dev")
        );
        assert_eq!(
            instance("openclaw --agent x --profile y models ").as_deref(),
            Some("y")
        );
        assert_eq!(instance("openclaw models auth token --profile y "), None);
        assert_eq!(instance("openclaw --profile y"), None);
        let global = line("openclaw models --agent x --state-dir=/s token ").global();
        assert_eq!(global.agent.as_deref(), Some("x"));
        assert_eq!(global.state_dir, Some(PathBuf::from("/s")));
    }

    #[test]
    fn the_beginning_of_a_path_is_expanded_as_shells_do() {
        let variable = |name: &str| (name == "HOME").then(|| "/home/me".to_owned());
        for (typed, expected) in [
            ("~/x", "/home/me/x"),
            ("~", "/home/me"),
            ("$HOME/x", "/home/me/x"),
            ("${HOME}/x", "/home/me/x"),
            ("$OTHER/x", "$OTHER/x"),
            ("x/~", "x/~"),
            ("/x", "/x"),
        ] {
            let path = expanded(PathBuf::from(typed), &variable);
            assert_eq!(path, PathBuf::from(expected), "{typed}");
        }
    }

    #[test]
    fn a_word_is_what_its_quotes_mean() {
        for (typed, meant) in [
            ("plain", "plain"),
            ("\"x:with sp", "x:with sp"),
            ("'x:with sp", "x:with sp"),
            ("x:with\\ sp", "x:with sp"),
            ("", ""),
        ] {
            assert_eq!(
                unquoted(OsStr::new(typed)),
                OsString::from(meant),
                "{typed}"
            );
        }
    }
}
