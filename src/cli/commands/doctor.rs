//! `doctor`.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::app::doctor::{self, Status};
use crate::app::failure::{Failure, Kind};
use crate::cli::exit_code;
use crate::cli::output::{Answer, Output};
use crate::cli::printer::Printer;
use crate::cli::system::{self, System};
use crate::cli::value_parsers::seconds;
use crate::cli::view;
use crate::ports::disk::{BUSY, HELD};
use crate::ports::files::{Files, Sharing};

/// Check that this system can store credentials safely
///
/// Tests with temporary files in the state directory that locks exclude other processes and are
/// released when a process is killed, that readers never see a half-written file, and that files
/// are durable and private. Then reports leftover and unsafe files. Takes about a second and,
/// without --fix, changes nothing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw doctor
  openclaw doctor --json
  openclaw doctor --fix

Exits with 5 if a check fails, and with 0 if there are only warnings.")]
pub struct Doctor {
    /// Output as JSON
    #[arg(long)]
    json: bool,
    /// Remove files of spent refresh tokens that an earlier version left, and, as root, give what
    /// root left in the state directory to its owner
    #[arg(long)]
    fix: bool,
    /// Time limit; network disks may need more [default: 1.9s]
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    timeout: Option<Duration>,
    /// Be the other process: try the lock at this path once, and hold it until standard input ends
    #[arg(long, hide = true, value_name = "PATH", conflicts_with = "json")]
    rival: Option<PathBuf>,
}

impl Doctor {
    /// Whether this is the other process of somebody else's check, which needs no state directory.
    pub fn rival(&self) -> Option<&Path> {
        self.rival.as_deref()
    }

    /// Looks.
    pub fn run(&self, system: &System) -> Answer {
        let timeout = self.timeout.unwrap_or(doctor::USUAL_TIMEOUT);
        let fault = system.fault.as_ref();
        let report = doctor::run(system.context(), &system.lab()?, fault, timeout, self.fix)?;
        let output = match self.json {
            true => Output::json(&view::doctor::document(&report, &system.hints)),
            false => Output::text(view::doctor::text(&report, &system.hints)),
        };
        Ok(match report.count(Status::Failed) {
            0 => output,
            _ => output.code(exit_code::code(Kind::Storage)),
        })
    }
}

/// Tries the lock and says what came of it.
///
/// # Errors
/// If it could not be tried.
pub fn compete(path: &Path, printer: &Printer) -> Result<u8, Failure> {
    let lock = system::files().try_lock(path, Sharing::Exclusive)?;
    printer.line_out(if lock.is_some() { HELD } else { BUSY })?;
    let mut rest = Vec::new();
    // Whatever ends the input ends the wait.
    let _ = std::io::stdin().read_to_end(&mut rest);
    drop(lock);
    Ok(0)
}
