//! `channels list`.

use clap::Args;

use crate::app::usecase::list;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::cli::view;

/// List stored logins and keys in the format of OpenClaw's channels command
///
/// For scripts written for OpenClaw. Chat channels are not supported, so none are listed. See
/// `models auth list` for more detail.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw channels list --json --no-usage | jq -r '.auth[].id'")]
pub struct List {
    /// Output as JSON
    #[arg(long)]
    json: bool,
    /// Accepted for compatibility; usage is never fetched
    #[arg(long)]
    no_usage: bool,
}

impl List {
    /// Lists them.
    pub fn run(&self, system: &System) -> Answer {
        let outcome = list::in_file_order(system.context(), &system.agent, None)?;
        let output = match self.json {
            true => Output::json(&view::list::channels_document(&outcome)),
            false => Output::text(view::list::channels_text(&outcome)),
        };
        Ok(output.warnings(outcome.faults))
    }
}
