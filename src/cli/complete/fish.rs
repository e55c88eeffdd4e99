//! Completion for fish: what the library has, but for a word in quotes and the line behind
//! `exec --`.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use clap::Command;
use clap_complete::env::{self, EnvCompleter};

use super::line::{is_assignment, unquoted};

/// The shell.
pub(super) struct Fish;

impl EnvCompleter for Fish {
    fn name(&self) -> &'static str {
        "fish"
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
            r#"function __openclaw_complete
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -l current (commandline --current-token)
    set -l end (contains --index -- -- $words)
    if test -n "$end"; and contains -- exec $words[1..$end]
        # What follows `exec --` is the line of another program.
        set -e words[1..$end]
        complete --do-complete (string join -- ' ' (string escape -- $words) "$current")
    else
        {var}=fish {completer} -- $words $current
    end
end
complete --keep-order --exclusive --command {bin} --arguments "(__openclaw_complete)"
"#
        )
    }

    fn write_complete(
        &self,
        tree: &mut Command,
        args: Vec<OsString>,
        directory: Option<&Path>,
        answer: &mut dyn Write,
    ) -> io::Result<()> {
        env::Fish.write_complete(tree, args, directory, answer)
    }
}

/// The words without variables that are set in front of the command; of the one that is typed, what
/// its quotes mean.
pub(super) fn words(asked: &[OsString]) -> Vec<OsString> {
    let set = asked.iter().take_while(|word| is_assignment(word)).count();
    let mut words = asked[set..].to_vec();
    if let Some(typed) = words.last_mut() {
        *typed = unquoted(typed);
    }
    words
}
