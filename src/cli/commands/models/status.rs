//! `models status`.

use clap::Args;

use crate::app::failure::Failure;
use crate::app::status;
use crate::cli::printer::Printer;
use crate::cli::view;
use crate::cli::wire::System;

/// What is there, until when, and what needs doing
///
/// Reads files only: no network, and no change. Like every command it first stores a refresh whose
/// process was killed before it could.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models status
  openclaw models status --check || openclaw models auth login --provider openai-codex
  openclaw models status --json | jq '.auth.oauth.profiles[].status'

With --check the exit code is 1 if a login is expired or missing, 2 if one ends within a day.")]
pub struct Status {
    /// Print the report as one JSON document
    #[arg(long, conflicts_with = "plain")]
    json: bool,
    /// Print the default model alone
    #[arg(long)]
    plain: bool,
    /// Let the exit code tell whether a login needs attention
    #[arg(long)]
    check: bool,
}

impl Status {
    /// Reports.
    ///
    /// # Errors
    /// What the use case says.
    pub fn run(&self, system: &System, printer: &Printer) -> Result<u8, Failure> {
        let report = status::run(
            system.ports(),
            &status::Request {
                agent: system.agent().clone(),
                agent_named: system.agent_named(),
            },
        )?;
        if self.json {
            printer.line_out(&view::status_json::render(&report))?;
        } else if self.plain {
            printer.line_out(&report.models.resolved)?;
        } else {
            let text = view::status_text::render(&report, system.now());
            printer.out(&system.global().aimed(&text))?;
        }
        Ok(if self.check { report.check() } else { 0 })
    }
}
