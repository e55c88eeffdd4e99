//! `channels list`.

use clap::Args;

use crate::app::failure::Failure;
use crate::app::usecase::list;
use crate::cli::output::Output;
use crate::cli::system::System;
use crate::cli::view;

/// List the stored logins and keys as the reference release does
///
/// For scripts that read them there. This program runs no chat channel, so it lists none, and asks
/// no provider for its usage. `models auth list` says more.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw channels list --json --no-usage | jq -r '.auth[].id'")]
pub struct List {
    /// Print them as one JSON document
    #[arg(long)]
    json: bool,
    /// Ask no provider for its usage, as is always the case
    #[arg(long)]
    no_usage: bool,
}

impl List {
    /// Lists them.
    ///
    /// # Errors
    /// What the use case says.
    pub fn run(&self, system: &System) -> Result<Output, Failure> {
        let request = list::Request {
            agent: system.agent().clone(),
            agent_named: system.agent_named(),
            provider: None,
        };
        let outcome = list::in_file_order(system.context(), &request)?;
        let output = match self.json {
            true => Output::json(&view::list::channels_document(&outcome)),
            false => Output::text(view::list::channels_text(&outcome)),
        };
        Ok(output.warnings(outcome.faults))
    }
}
