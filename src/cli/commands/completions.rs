//! `completions`: a script for the user's shell, on stdout.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::app::failure::Failure;
use crate::cli::printer::Printer;

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw completions bash > ~/.local/share/bash-completion/completions/openclaw
  openclaw completions zsh > ~/.zfunc/_openclaw")]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    /// Prints the script for the commands of `tree`.
    ///
    /// # Errors
    /// If stdout cannot be written.
    pub fn run(&self, tree: &mut Command, printer: &Printer) -> Result<u8, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, tree, "openclaw", &mut script);
        printer.out(&String::from_utf8_lossy(&script))?;
        Ok(0)
    }
}
