//! `channels list`.

use clap::Args;

use crate::app::failure::Failure;
use crate::app::usecase::list;
use crate::cli::printer::Printer;
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
    pub fn run(&self, system: &System, printer: &Printer) -> Result<u8, Failure> {
        let request = list::Request {
            agent: system.agent().clone(),
            agent_named: system.agent_named(),
            provider: None,
        };
        let outcome = list::in_file_order(system.context(), &request)?;
        if self.json {
            printer.line_out(&view::list::channels_json(&outcome))?;
        } else {
            printer.out(&view::list::channels_text(&outcome))?;
        }
        for fault in &outcome.faults {
            printer.line_err(&format!("Warning: {fault}"));
        }
        Ok(0)
    }
}
