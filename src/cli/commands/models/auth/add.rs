//! `models auth add`.

use clap::Args;

use crate::cli::commands::onboard::{by_questions, guide, show};
use crate::cli::output::Answer;
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
    pub fn run(&self, system: &System) -> Answer {
        let outcome = guide(system, &by_questions(system, "manual"))?;
        show(system, &outcome)
    }
}
