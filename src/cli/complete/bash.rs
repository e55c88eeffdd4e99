//! Completion for bash, which breaks words at `:` and `=`, and so inside each profile: it hands over
//! the line, and gets back what may stand in place of the last piece.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use clap::Command;
use clap_complete::engine;
use clap_complete::env::EnvCompleter;

/// The shell.
pub(super) struct Bash;

/// What stands at the cursor while a line is taken apart, so that an empty last word is one.
const CURSOR: char = '\u{1}';

impl EnvCompleter for Bash {
    fn name(&self) -> &'static str {
        "bash"
    }

    fn is(&self, name: &str) -> bool {
        name == self.name()
    }

    fn write_registration(
        &self,
        var: &str,
        _name: &str,
        bin: &str,
        completer: &str,
        script: &mut dyn Write,
    ) -> io::Result<()> {
        write!(
            script,
            r#"_openclaw() {{
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done < <({var}=bash {completer} -- "${{COMP_LINE:0:COMP_POINT}}" "$2" 2>/dev/null)
    # Something follows what ends so.
    if [[ ${{#COMPREPLY[@]}} -eq 1 && ${{COMPREPLY[0]}} == *[=/] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}}
# Before 4.4, bash sorts.
complete -o bashdefault -o nosort -F _openclaw {bin} 2>/dev/null ||
    complete -o bashdefault -F _openclaw {bin}
"#
        )
    }

    /// Of `args` the last is the piece of the last word that bash is going to replace.
    fn write_complete(
        &self,
        tree: &mut Command,
        mut args: Vec<OsString>,
        directory: Option<&Path>,
        answer: &mut dyn Write,
    ) -> io::Result<()> {
        let piece = args.pop().unwrap_or_default();
        let typed = args.last().map(|word| word.to_string_lossy().into_owned());
        let before = typed
            .as_deref()
            .and_then(|typed| typed.strip_suffix(&*piece.to_string_lossy()))
            .map_or(0, str::len);
        let index = args.len().saturating_sub(1);
        for candidate in engine::complete(tree, args, index, directory)? {
            let value = candidate.get_value().to_string_lossy();
            writeln!(answer, "{}", escaped(value.get(before..).unwrap_or(&value)))?;
        }
        Ok(())
    }
}

/// Takes the line up to the cursor apart; behind its words stands the piece that is replaced.
pub(super) fn words(asked: &[OsString]) -> Vec<OsString> {
    let [line, piece] = asked else {
        return asked.to_vec();
    };
    let line = format!("{}{CURSOR}", line.to_string_lossy());
    // A quote may still be open.
    let closed = ["", "\"", "'"].map(|quote| format!("{line}{quote}"));
    let split = closed.iter().find_map(|line| shlex::split(line));
    let words = split.unwrap_or_default().into_iter();
    // Variables may be set in front of the command.
    words
        .skip_while(|word| word.contains('=') && !word.starts_with('-'))
        .map(|word| OsString::from(word.trim_end_matches(CURSOR)))
        .chain([piece.clone()])
        .collect()
}

/// The text as it is typed, each character that means something to the shell after a backslash.
fn escaped(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "@%+=:,./_-".contains(c);
    let mut typed = String::with_capacity(text.len());
    for c in text.chars() {
        if !plain(c) {
            typed.push('\\');
        }
        typed.push(c);
    }
    typed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart_up_to_the_cursor() {
        for (line, piece, expected) in [
            ("openclaw mod", "mod", &["openclaw", "mod", "mod"][..]),
            ("openclaw models ", "", &["openclaw", "models", "", ""]),
            (
                "A=1 openclaw --profile openai:",
                "",
                &["openclaw", "--profile", "openai:", ""],
            ),
            (
                "openclaw 'x:with sp",
                "'x:with sp",
                &["openclaw", "x:with sp", "'x:with sp"],
            ),
        ] {
            let asked = [line, piece].map(OsString::from);
            assert_eq!(words(&asked), expected, "{line}");
        }
    }

    #[test]
    fn what_means_something_to_the_shell_is_escaped() {
        assert_eq!(escaped("x:with space"), r"x:with\ space");
        assert_eq!(escaped("a:$(b);ü"), r"a:\$\(b\)\;ü");
        assert_eq!(escaped("--provider=openai"), "--provider=openai");
    }
}
