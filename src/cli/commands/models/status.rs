//! `models status`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::probe_flags::ProbeFlags;
use crate::app::failure::Failure;
use crate::app::{metrics, status};
use crate::cli::printer::Printer;
use crate::cli::view;
use crate::cli::wire::System;

/// What is there, until when, and what needs doing
///
/// Reads files only: no network, and no change, but with --probe. Like every command it first stores
/// a refresh whose process was killed before it could.
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
    /// Write metrics for Prometheus to this file, or to standard output (-), of all agents unless one
    /// is named
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "plain"])]
    prometheus: Option<PathBuf>,
    /// Let the exit code tell whether a login needs attention
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    probe: ProbeFlags,
}

impl Status {
    /// Reports.
    ///
    /// # Errors
    /// What the use case says.
    pub fn run(&self, system: &System, printer: &Printer) -> Result<u8, Failure> {
        let probing = self.probe.options(self.plain)?;
        let request = status::Request {
            agent: system.agent().clone(),
            agent_named: system.agent_named(),
        };
        let mut report = status::run(system.ports(), &request)?;
        if let Some(options) = probing {
            let probes = status::probe::run(system.ports(), &report, &options)?;
            if probes.refreshed {
                report = status::run(system.ports(), &request)?;
            }
            report.probes = Some(probes);
        }
        if let Some(path) = &self.prometheus {
            write_metrics(system, printer, path)?;
        } else if self.json {
            printer.line_out(&view::status_json::render(&report))?;
        } else if self.plain {
            printer.line_out(&report.models.resolved)?;
        } else {
            let mut text = view::status_text::render(&report, system.now());
            if let Some(probes) = &report.probes {
                text.push_str(&view::probe::text(probes));
            }
            printer.out(&system.global().aimed(&text))?;
        }
        Ok(if self.check { report.check() } else { 0 })
    }
}

/// Writes the metrics of all agents, or of the one that was named.
///
/// # Errors
/// What the use case says.
pub(in crate::cli::commands) fn write_metrics(
    system: &System,
    printer: &Printer,
    path: &Path,
) -> Result<(), Failure> {
    let only = system.agent_named().then(|| system.agent());
    let metrics = metrics::gather(system.ports(), only)?;
    let text = view::prometheus::render(&metrics);
    match path.as_os_str() == "-" {
        true => Ok(printer.out(&text)?),
        false => metrics::put(system.ports(), path, &text),
    }
}
