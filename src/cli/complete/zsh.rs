//! Completion for zsh: what the library has, but for words in quotes and the line behind `exec --`.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use clap::Command;
use clap_complete::env::{self, EnvCompleter};

use super::line::unquoted;

/// The shell.
pub(super) struct Zsh;

/// Behind the library's script. The file may itself be the function that is loaded, by its name.
const SCRIPT: &str = r#"
function _openclaw_complete() {
    # What follows `exec --` is the line of another program.
    local -i end=${words[(i)--]}
    if (( end < CURRENT && ${words[(i)exec]} < end )); then
        shift $end words
        (( CURRENT -= end ))
        _normal
    else
        _clap_dynamic_completer_openclaw "$@"
    fi
}

compdef _openclaw_complete openclaw
if [[ $funcstack[1] == _openclaw ]]; then
    _openclaw_complete "$@"
fi
"#;

impl EnvCompleter for Zsh {
    fn name(&self) -> &'static str {
        "zsh"
    }

    fn is(&self, name: &str) -> bool {
        name == self.name()
    }

    fn write_registration(
        &self,
        var: &str,
        name: &str,
        bin: &str,
        completer: &str,
        script: &mut dyn Write,
    ) -> io::Result<()> {
        env::Zsh.write_registration(var, name, bin, completer, script)?;
        script.write_all(SCRIPT.as_bytes())
    }

    fn write_complete(
        &self,
        tree: &mut Command,
        args: Vec<OsString>,
        directory: Option<&Path>,
        answer: &mut dyn Write,
    ) -> io::Result<()> {
        env::Zsh.write_complete(tree, args, directory, answer)
    }
}

/// The words without their quotes; zsh itself takes care of one that is open.
pub(super) fn words(asked: &[OsString]) -> Vec<OsString> {
    asked.iter().map(|word| unquoted(word)).collect()
}
