//! `models auth add`.

use clap::Args;

use crate::app::failure::Failure;
use crate::cli::commands::onboard::{by_questions, guide, show};
use crate::cli::output::Output;
use crate::cli::system::System;

/// Add a credential interactively
///
/// Prompts for a provider and a method, like `onboard`. For scripts, use `login`, `paste-token` or
/// `paste-api-key`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth add
  openclaw models auth --agent work add")]
pub struct Add {}

impl Add {
    /// Asks, stores, and shows what there is.
    ///
    /// # Errors
    /// What the use case says.
    pub fn run(&self, system: &System) -> Result<Output, Failure> {
        let outcome = guide(system, &by_questions(system, "manual"))?;
        show(system, &outcome)
    }
}
