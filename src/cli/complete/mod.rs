//! Completion by the program itself: the script of `completions` asks it what may stand at the
//! cursor, so that the shell offers the providers, profiles and agents that are there.

mod bash;
mod fish;
mod line;
mod names;
mod values;
mod zsh;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use clap::Command;
use clap_complete::Shell;
use clap_complete::env::{Elvish, Powershell, Shells};

use super::printer::{Color, Printer};
use super::system::{self, COMPLETE};
use bash::Bash;
use fish::Fish;
use zsh::Zsh;

/// The shells, by the names that `completions` takes.
const SHELLS: Shells<'static> = Shells(&[&Bash, &Elvish, &Fish, &Powershell, &Zsh]);

/// Returns the script that makes `shell` ask.
pub(super) fn script(shell: Shell) -> io::Result<String> {
    let mut script = Vec::new();
    let (program, name) = ("openclaw", shell.to_string());
    if let Some(shell) = SHELLS.completer(&name) {
        shell.write_registration(COMPLETE, program, program, program, &mut script)?;
    }
    Ok(String::from_utf8_lossy(&script).into_owned())
}

/// Answers the question of such a script, if the command line is one: the words so far behind `--`,
/// and the name of the shell in a variable. `tree` describes every command.
///
/// What goes wrong is passed over: it would be printed into the line that somebody is typing.
pub(super) fn answer(args: &[OsString], tree: fn() -> Command) -> Option<ExitCode> {
    let [_, escape, words @ ..] = args else {
        return None;
    };
    if escape != "--" {
        return None;
    }
    let name = system::variable(COMPLETE)?;
    let (words, replaced) = match name.as_str() {
        "bash" => bash::words(words),
        "fish" => (fish::words(words), Vec::new()),
        "zsh" => (zsh::words(words), Vec::new()),
        _ => (words.to_vec(), Vec::new()),
    };
    let mut tree = values::offer(tree(), &words);
    let mut answer = Vec::new();
    if let Some(shell) = SHELLS.completer(&name) {
        let directory = std::env::current_dir().ok();
        let args = [words, replaced].concat();
        let _ = shell.write_complete(&mut tree, args, directory.as_deref(), &mut answer);
    }
    let _ = Printer::new(Color::Never).out(&String::from_utf8_lossy(&answer));
    Some(ExitCode::SUCCESS)
}
