//! `completions`: a script for the user's shell, on stdout.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::cli::output::Output;

/// Generate a shell completion script
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw completions bash > ~/.local/share/bash-completion/completions/openclaw
  openclaw completions zsh > ~/.zfunc/_openclaw")]
pub struct Completions {
    /// Shell to generate the script for
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    /// Prints the script for the commands of `tree`.
    pub fn run(&self, tree: &mut Command) -> Output {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, tree, "openclaw", &mut script);
        Output::text(String::from_utf8_lossy(&script))
    }
}
