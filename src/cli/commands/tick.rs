//! `tick`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, ValueEnum};

use crate::app::failure::{Failure, Kind};
use crate::app::maintenance::systemd::{self, Units};
use crate::app::maintenance::tick;
use crate::cli::commands::models::status::metrics_for;
use crate::cli::exit_code;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::cli::value_parsers::seconds;
use crate::cli::view;
use crate::model::hint::Command;
use crate::model::id::AgentId;

/// How long the refreshes of one run are spread over, unless somebody says.
const SPREAD: Duration = Duration::from_secs(60);
/// How long after that a run may begin another refresh, unless somebody says. What it has begun
/// takes a minute or two more, so that it ends well before a timer of [`PERIOD`] starts the next.
const LIMIT: Duration = Duration::from_secs(540);
/// The interval of the timer, unless somebody says.
const PERIOD: Duration = Duration::from_secs(900);

/// Refresh tokens that are due and warn about expiring logins (for cron and systemd)
///
/// Refreshes the tokens of all agents that are due, and logins that would otherwise expire from
/// disuse, up to 16 at once and 4 of one server. Prints nothing if all is well and one line on
/// stderr for each problem, and runs the hooks of config.yaml. Never prompts and never opens a
/// browser. Safe to run concurrently.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("timer").args(["install", "uninstall", "print"]),
    after_help = "Examples:
  openclaw tick
  openclaw tick --dry-run
  openclaw tick --prometheus /var/lib/node_exporter/openclaw.prom
  openclaw tick --install --every 15m
  openclaw tick --print cron

The exit code is that of the worst problem: 3 if a login is needed, 4 if the problem is temporary,
5 for a storage error; 0 if there is none."
)]
pub struct Tick {
    /// Spread refreshes over this period [default: 1m]
    #[arg(long, value_name = "DURATION", value_parser = seconds, conflicts_with = "timer")]
    spread: Option<Duration>,
    /// Refresh immediately, without spreading
    #[arg(long, conflicts_with_all = ["spread", "timer"])]
    no_spread: bool,
    /// Leave what has not begun by then for the next run [default: 9m after the spread]
    #[arg(long, value_name = "DURATION", value_parser = seconds, conflicts_with = "timer")]
    limit: Option<Duration>,
    /// Show what would be done without doing it
    #[arg(long, conflicts_with = "timer")]
    dry_run: bool,
    /// Output as JSON
    #[arg(long, conflicts_with = "timer")]
    json: bool,
    /// Write Prometheus metrics to FILE (- for standard output)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["uninstall", "dry_run"])]
    prometheus: Option<PathBuf>,
    /// Write a systemd user timer and show how to enable it
    #[arg(long)]
    install: bool,
    /// Remove the systemd user timer
    #[arg(long)]
    uninstall: bool,
    /// Print the configuration for another scheduler
    #[arg(long, value_name = "SCHEDULER")]
    print: Option<Scheduler>,
    /// Interval of the timer: 15m, hourly, daily, … [default: 15m]
    #[arg(long, value_name = "DURATION", value_parser = every, requires = "timer")]
    every: Option<Duration>,
}

/// Other schedulers.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Scheduler {
    /// A crontab line
    Cron,
}

fn every(text: &str) -> Result<Duration, String> {
    match text {
        "hourly" => Ok(Duration::from_secs(3_600)),
        "daily" => Ok(Duration::from_secs(86_400)),
        _ => seconds(text),
    }
}

impl Tick {
    /// Does what is asked for.
    pub fn run(&self, system: &System) -> Answer {
        if self.uninstall {
            let done = systemd::uninstall(system.context(), &system.units())?;
            return Ok(timer(&done, REMOVED));
        }
        if self.print.is_some() {
            return Ok(Output::line(systemd::cron(&self.job(system)?)?));
        }
        if self.install {
            return self.install(system);
        }
        self.tick(system)
    }

    fn tick(&self, system: &System) -> Answer {
        let (spread, limit) = self.times()?;
        let named = system.agent_named().then(|| system.agent.clone());
        let report = tick::run(
            system.context(),
            &tick::Request {
                agent: named,
                spread,
                limit,
                dry_run: self.dry_run,
            },
        )?;
        let hints = |agent: Option<&AgentId>| match agent {
            Some(agent) => system.hints_of(agent),
            None => system.hints.clone(),
        };
        for problem in &report.problems {
            let hints = hints(problem.agent.as_ref());
            system.printer.line_err(&view::tick::line(problem, &hints));
        }
        if report.late > 0 {
            system
                .printer
                .line_err(&view::tick::late(report.late, limit));
        }
        if report.stopped.is_some() {
            for row in report.rows.iter().filter(|row| row.is_refreshed) {
                system.printer.line_err(&view::tick::refreshed(row));
            }
        }
        let mut output = if self.json {
            Output::json(&view::tick::document(&report, self.dry_run, &hints))
        } else if self.dry_run {
            Output::text(view::tick::plan(&report))
        } else {
            Output::default()
        };
        if let Some(path) = &self.prometheus {
            match metrics_for(system, path) {
                Ok(text) => output.text.push_str(&text),
                Err(failure) => output.failure = Some(failure),
            }
        }
        output.failure = report.stopped.clone().or(output.failure);
        output.changed = report.rows.iter().any(|row| row.is_refreshed);
        Ok(output.code(report.worst().map_or(0, exit_code::code)))
    }

    /// The time over which refreshes are spread, and the one after which none begins. Whoever has a
    /// late place in the spread must have it in every run, so it is before the limit.
    fn times(&self) -> Result<(Duration, Duration), Failure> {
        let spread = match (self.no_spread, self.limit) {
            (true, _) => Duration::ZERO,
            (false, None) => self.spread.unwrap_or(SPREAD),
            (false, Some(limit)) => self.spread.unwrap_or(SPREAD.min(limit / 2)),
        };
        match self.limit.unwrap_or(spread.saturating_add(LIMIT)) {
            limit if limit > spread => Ok((spread, limit)),
            _ => {
                let message =
                    "--limit must be longer than the time over which refreshes are spread";
                let failure = Failure::new(Kind::Usage, message);
                Err(failure.hint(Command::new("tick --no-spread --limit 10m")))
            }
        }
    }

    fn install(&self, system: &System) -> Answer {
        if !cfg!(target_os = "linux") {
            let message = "there is no systemd on this system";
            let failure = Failure::new(Kind::Usage, message);
            return Err(failure.hint(Command::new("tick --print cron")));
        }
        let job = self.job(system)?;
        let done = systemd::install(system.context(), &system.units(), &job)?;
        Ok(timer(&done, INSTALLED))
    }

    fn job(&self, system: &System) -> Result<systemd::Job, Failure> {
        let mut args = vec!["tick".to_owned()];
        if let Some(path) = &self.prometheus {
            if path.as_os_str() == "-" {
                let message = "a timer cannot write metrics to standard output";
                let failure = Failure::new(Kind::Usage, message);
                return Err(failure.hint("name the file with --prometheus"));
            }
            let path = system.context().dirs.cwd.join(path);
            args.extend(["--prometheus".to_owned(), path.display().to_string()]);
        }
        let every = self.every.unwrap_or(PERIOD);
        if every < PERIOD {
            // Two thirds, so that what has begun by then can end within the period, too.
            let limit = (every * 2 / 3).as_secs();
            args.extend(["--limit".to_owned(), format!("{limit}s")]);
        }
        system.job(args, every)
    }
}

/// How to start a timer that was written.
const INSTALLED: &str = "The timer is not started yet. To start it:
  systemctl --user daemon-reload
  systemctl --user enable --now openclaw-tick.timer
To run it while you are logged out: loginctl enable-linger\n";

/// How to stop a timer that was removed, and to remove what else enabled it.
const REMOVED: &str = "If the timer was enabled:
  systemctl --user stop openclaw-tick.timer
  systemctl --user disable openclaw-tick.timer
  systemctl --user daemon-reload\n";

/// What became of each unit, and what is left to do.
fn timer(units: &Units, rest: &str) -> Output {
    let lines = units
        .iter()
        .map(|(path, done)| format!("{}: {}\n", done.as_ref(), path.display()));
    Output::text(lines.collect::<String>() + rest)
}
