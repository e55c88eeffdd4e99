//! `models status`.

use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::probe_flags::ProbeFlags;
use super::watch;
use crate::app::credential::provider_name::Purpose;
use crate::app::failure::Failure;
use crate::app::maintenance::metrics;
use crate::app::status::prompt::{self, Item};
use crate::app::status::{self, Report};
use crate::cli::output::{Answer, Output};
use crate::cli::raw_mode::screen_of_stdout;
use crate::cli::system::System;
use crate::cli::view;
use crate::model::named::ProviderName;

/// Show the status of models and credentials
///
/// Reads local files only; with --probe, sends a request to each provider.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models status
  openclaw models status --check || openclaw models auth login --provider openai-codex
  openclaw models status --json | jq '.auth.oauth.profiles[].status'
  openclaw models status --watch 10
  PS1='$(openclaw models status --prompt) \\$ '

With --check, exits with 1 if a provider has no usable token until you act, and with 2 if a login
expires within a day.")]
pub struct Status {
    /// Output as JSON
    #[arg(long, alias = "status-json", conflicts_with = "plain")]
    json: bool,
    /// Output only the default model
    #[arg(long, alias = "status-plain")]
    plain: bool,
    /// Write Prometheus metrics of all agents, or of --agent, to FILE (- for standard output)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "plain"])]
    prometheus: Option<PathBuf>,
    /// Exit with 1 or 2 if a login needs attention
    #[arg(long)]
    check: bool,
    /// Refresh the display at this interval [default: 2 seconds]
    #[arg(
        long,
        value_name = "SECONDS",
        num_args = 0..=1,
        default_missing_value = "2",
        value_parser = watch::interval,
        conflicts_with_all = ["json", "plain", "check", "prometheus", "probe"]
    )]
    watch: Option<Duration>,
    /// Print a short warning for a shell prompt, or nothing if all is well. Always exits with 0
    #[arg(long, conflicts_with_all = ["json", "plain", "check", "prometheus", "watch", "probe"])]
    prompt: bool,
    /// With --prompt: only check this provider; can be repeated
    #[arg(long, value_name = "PROVIDER", requires = "prompt")]
    provider: Vec<String>,
    #[command(flatten)]
    probe: ProbeFlags,
}

impl Status {
    /// Reports.
    pub fn run(&self, system: &System) -> Answer {
        let probing = self.probe.options(self.plain)?;
        if let Some(interval) = self.watch {
            // Each time as a process of its own would, so that what is changed is seen.
            let again = || System::new(&system.global, &system.printer, false);
            let render = |columns| match again().and_then(|system| text(&system, Some(columns))) {
                Ok(text) => text,
                Err(failure) => view::failure::lines(&system.hints, &failure).join("\n"),
            };
            return watch::watch(system, interval, &render);
        }
        // It holds no secret, and the process ends: to take apart a large one would cost a tenth.
        let gather = || match self.json {
            true => status::run_with_fingerprints(system.context(), &request_of(system)),
            false => report(system),
        };
        let mut report = ManuallyDrop::new(gather()?);
        if let Some(options) = probing {
            let probes = status::probe::run(system.context(), &report, &options)?;
            if probes.refreshed {
                report = ManuallyDrop::new(gather()?);
            }
            report.probes = Some(probes);
        }
        let code = if self.check { report.check() } else { 0 };
        let output = if let Some(path) = &self.prometheus {
            Output::text(metrics_for(system, path)?)
        } else if self.json {
            let hints = system.hints.clone();
            Output::streamed(move |to| view::status_json::write(to, &report, &hints))
        } else if self.plain {
            Output::line(&report.models.resolved)
        } else {
            let columns = screen_of_stdout().map(|(columns, _)| columns.into());
            Output::text(view::status_text::render(&report, columns, &system.hints))
        };
        Ok(output.code(code))
    }

    /// Whether it is for a shell prompt.
    pub fn is_prompt(&self) -> bool {
        self.prompt
    }

    /// What a shell prompt should show; without a system that nothing can be known.
    pub fn prompt(&self, system: Option<&System>) -> Vec<Item> {
        let Some(system) = system.filter(|system| system.fault.is_none()) else {
            return prompt::unreadable();
        };
        // Where tokens come from a gateway, no login is kept that could need attention.
        if system.context().lease.is_some() {
            return Vec::new();
        }
        // A prompt must not fail: a name that cannot be read is passed over.
        let named = |name: &String| {
            let name = ProviderName::parse(name).ok()?;
            let cx = system.context();
            cx.provider_id(&system.agent, &name, Purpose::Any).ok()
        };
        let providers: Vec<_> = self.provider.iter().filter_map(named).collect();
        prompt::run(system.context(), &request_of(system), &providers)
    }
}

fn report(system: &System) -> Result<Report, Failure> {
    status::run(system.context(), &request_of(system))
}

/// The agent of this call.
pub(super) fn request_of(system: &System) -> status::Request {
    status::Request {
        agent: system.agent.clone(),
        agent_named: system.agent_named(),
    }
}

fn text(system: &System, columns: Option<usize>) -> Result<String, Failure> {
    let report = report(system)?;
    Ok(view::status_text::render(&report, columns, &system.hints))
}

/// Gathers the metrics of all agents, or of the one that was named, and writes them to the file;
/// what standard output gets, where `path` means that.
pub(in crate::cli::commands) fn metrics_for(
    system: &System,
    path: &Path,
) -> Result<String, Failure> {
    let only = system.agent_named().then_some(&system.agent);
    let metrics = metrics::gather(system.context(), only)?;
    let text = view::prometheus::render(&metrics);
    if path.as_os_str() == "-" {
        return Ok(text);
    }
    metrics::put(system.context(), path, &text)?;
    Ok(String::new())
}
