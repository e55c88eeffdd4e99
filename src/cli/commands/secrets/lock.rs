//! `secrets lock`.

use clap::Args;

use crate::app::secrets::unlock;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;

/// Let the kernel forget the key of the secrets
///
/// A key in a file or in the system keyring still opens them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw secrets lock")]
pub struct Lock {}

impl Lock {
    /// Forgets it.
    pub fn run(&self, system: &System) -> Answer {
        let had_it = unlock::lock(system.context())?;
        Ok(Output::line(match had_it {
            true => "Locked",
            false => "The kernel had no key",
        }))
    }
}
