//! Completion for bash, which breaks words at `:` and `=`, and so inside each profile: it hands over
//! the line, and gets back what may stand in place of the last piece.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use clap::Command;
use clap_complete::engine;
use clap_complete::env::EnvCompleter;

use super::line::{is_assignment, unquoted};

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
    local line i is_exec=
    COMPREPLY=()
    # What follows `exec --` is the line of another program.
    for ((i = 1; i < COMP_CWORD; i++)); do
        if [[ ${{COMP_WORDS[i]}} == exec ]]; then
            is_exec=1
        elif [[ ${{COMP_WORDS[i]}} == -- && $is_exec ]]; then
            _openclaw_program $((i + 1)) "$2"
            return
        fi
    done
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done < <({var}=bash {completer} -- "${{COMP_LINE:0:COMP_POINT}}" "$2" 2>/dev/null)
    # Something follows what ends so.
    if [[ ${{#COMPREPLY[@]}} -eq 1 && ${{COMPREPLY[0]}} == *[=/] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}}
# By what bash knows of that program, where the package for it is installed.
_openclaw_program() {{
    local line kind=file
    for line in _comp_command_offset _command_offset; do
        if declare -F "$line" >/dev/null; then
            "$line" "$1"
            return
        fi
    done
    [[ $1 -eq COMP_CWORD && $2 != */* ]] && kind=command
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done < <(compgen -A "$kind" -- "$2" | sort -u)
    compopt -o filenames 2>/dev/null
}}
# Before 4.4, bash sorts.
complete -o bashdefault -o nosort -F _openclaw {bin} 2>/dev/null ||
    complete -o bashdefault -F _openclaw {bin}
"#
        )
    }

    /// Of `args` the last two are what [`words`] says of the piece that is replaced.
    fn write_complete(
        &self,
        tree: &mut Command,
        mut args: Vec<OsString>,
        directory: Option<&Path>,
        answer: &mut dyn Write,
    ) -> io::Result<()> {
        let quote = args.pop().unwrap_or_default();
        let piece = args.pop().unwrap_or_default();
        let typed = args.last().map(|word| word.to_string_lossy().into_owned());
        let before = typed
            .as_deref()
            .and_then(|typed| typed.strip_suffix(&*piece.to_string_lossy()))
            .map_or(0, str::len);
        let index = args.len().saturating_sub(1);
        for candidate in engine::complete(tree, args, index, directory)? {
            let value = candidate.get_value().to_string_lossy();
            let value = value.get(before..).unwrap_or(&value);
            writeln!(answer, "{}", escaped(value, &quote.to_string_lossy()))?;
        }
        Ok(())
    }
}

/// Takes the line up to the cursor apart; and of the piece of the last word that bash is going to
/// replace, what it means, and the quote in front of it that is open.
pub(super) fn words(asked: &[OsString]) -> (Vec<OsString>, Vec<OsString>) {
    let [line, piece] = asked else {
        return (asked.to_vec(), vec![OsString::new(); 2]);
    };
    let line = format!("{}{CURSOR}", line.to_string_lossy());
    let split = |quote: &'static str| Some((quote, shlex::split(&format!("{line}{quote}"))?));
    let (quote, words) = ["", "\"", "'"]
        .into_iter()
        .find_map(split)
        .unwrap_or_default();
    // Variables may be set in front of the command.
    let words = words
        .into_iter()
        .skip_while(|word| is_assignment(word.as_ref()))
        .map(|word| OsString::from(word.trim_end_matches(CURSOR)));
    // Within quotes bash hands over what stands there, and that is what it means.
    let meant = match quote {
        "" => unquoted(piece),
        _ => piece.clone(),
    };
    (words.collect(), vec![meant, OsString::from(quote)])
}

/// The text as it is typed within that quote: each character that means something to the shell
/// after a backslash.
fn escaped(text: &str, quote: &str) -> String {
    let is_plain = |c: char| match quote {
        "\"" => !"\"$`\\".contains(c),
        _ => c.is_alphanumeric() || "@%+=:,./_-".contains(c),
    };
    if quote == "'" {
        return text.replace('\'', r"'\''");
    }
    let mut typed = String::with_capacity(text.len());
    for c in text.chars() {
        if !is_plain(c) {
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
        for (line, piece, expected, replaced) in [
            ("openclaw mod", "mod", &["openclaw", "mod"][..], ["mod", ""]),
            (
                "openclaw models ",
                "",
                &["openclaw", "models", ""],
                ["", ""],
            ),
            (
                "A=1 openclaw --profile openai:",
                "",
                &["openclaw", "--profile", "openai:"],
                ["", ""],
            ),
            (
                "openclaw 'x:with sp",
                "x:with sp",
                &["openclaw", "x:with sp"],
                ["x:with sp", "'"],
            ),
            (
                "openclaw \"it's",
                "it's",
                &["openclaw", "it's"],
                ["it's", "\""],
            ),
            (
                r"openclaw x:with\ sp",
                r"with\ sp",
                &["openclaw", "x:with sp"],
                ["with sp", ""],
            ),
        ] {
            let asked = [line, piece].map(OsString::from);
            let (words, piece) = words(&asked);
            assert_eq!(words, expected, "{line}");
            assert_eq!(piece, replaced, "{line}");
        }
    }

    #[test]
    fn what_means_something_to_the_shell_is_escaped() {
        assert_eq!(escaped("x:with space", ""), r"x:with\ space");
        assert_eq!(escaped("a:$(b);ü", ""), r"a:\$\(b\)\;ü");
        assert_eq!(escaped("--provider=openai", ""), "--provider=openai");
        assert_eq!(escaped("it's $HOME", "\""), r"it's \$HOME");
        assert_eq!(escaped("it's $HOME", "'"), r"it'\''s $HOME");
    }
}
