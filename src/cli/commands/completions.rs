//! `completions`: a script for the user's shell, on stdout or where the shell looks for it.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

use crate::app::failure::{Failure, Kind};
use crate::cli::complete;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::model::hint::{Command, Hint};

/// Print or install a shell completion script
///
/// The script asks this program what may stand at the cursor: commands, options, and the providers,
/// profiles, agents, methods and models that are there.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw completions bash --install
  openclaw completions zsh --install
  openclaw completions fish | source")]
pub struct Completions {
    /// Shell to generate the script for
    #[arg(value_enum)]
    shell: Shell,
    /// Write the script to where bash, fish or zsh look for it
    #[arg(long)]
    install: bool,
}

impl Completions {
    /// Prints the script, or writes it to its place.
    pub fn run(&self, system: &dyn Fn() -> Result<System, Failure>) -> Answer {
        let script = complete::script(self.shell);
        let script = script.map_err(|error| Failure::unwritten(&error, false))?;
        match self.install {
            true => self.install(&system()?, &script),
            false => Ok(Output::text(script)),
        }
    }

    fn install(&self, system: &System, script: &str) -> Answer {
        let path = self.place(system)?;
        let files = system.context().files;
        if let Some(directory) = path.parent() {
            files.create_dirs(directory).map_err(Failure::from)?;
        }
        let written = files.replace_relaxed(&path, script.as_bytes());
        written.map_err(Failure::from)?;
        let next = match self.shell {
            Shell::Zsh => {
                "Add these lines to ~/.zshrc, unless they are there already:\n  \
                 fpath=(~/.zfunc $fpath)\n  autoload -Uz compinit && compinit\n"
            }
            Shell::Bash => "New shells use them if the package bash-completion is installed.\n",
            _ => "New shells use them.\n",
        };
        let path = path.display();
        Ok(Output::text(format!(
            "Installed completions for {} in {path}\n{next}",
            self.shell
        )))
    }

    /// Where the shell looks for scripts that its user has.
    fn place(&self, system: &System) -> Result<PathBuf, Failure> {
        let data = system.data_home();
        match self.shell {
            Shell::Bash => Ok(data.join("bash-completion/completions/openclaw")),
            Shell::Fish => Ok(system.config_home().join("fish/completions/openclaw.fish")),
            Shell::Zsh => Ok(system.context().dirs.home.join(".zfunc/_openclaw")),
            shell => {
                let message = format!("{shell} has no directory for completion scripts");
                let hint = Hint::from("let its configuration evaluate the output of ")
                    .run(Command::new("completions").arg(&shell));
                Err(Failure::new(Kind::Usage, message).hint(hint))
            }
        }
    }
}
