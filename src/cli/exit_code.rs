//! The one list of exit codes.
//!
//! Where the reference release fails with 1, so do we; the codes above 2 tell scripts what it
//! cannot: log in again, try later, mend the disk, wait for another process.

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use super::printer::{Color, Printer};
use crate::app::failure::{Failure, Kind};

/// The exit codes, for the manual: number, name, meaning.
pub const TABLE: [(u8, &str, &str); 12] = [
    (0, "ok", "success"),
    (
        1,
        "error",
        "wrong usage, not found, or invalid configuration; `status --check`: a provider has no usable token until you act; `secrets audit --check`: something was found",
    ),
    (
        2,
        "expiring",
        "`status --check`: a login expires within a day; `secrets audit --check`: a reference leads to nothing",
    ),
    (
        3,
        "login needed",
        "no usable credential; log in again, or unlock the secrets",
    ),
    (
        4,
        "temporary",
        "network error, rate limit or server error; try again later",
    ),
    (5, "storage", "the disk or the credential store failed"),
    (6, "busy", "another process held a lock for too long"),
    (
        7,
        "unknown",
        "a refresh got no answer; the refresh token may already be used",
    ),
    (126, "not run", "`exec` only: the command cannot be run"),
    (127, "no program", "`exec` only: the command was not found"),
    (130, "interrupted", "Ctrl-C or SIGINT"),
    (143, "terminated", "SIGTERM; 129 for SIGHUP"),
];

/// The exit code of a kind of failure.
pub fn code(kind: Kind) -> u8 {
    match kind {
        Kind::Usage | Kind::NotFound | Kind::Config => 1,
        Kind::NeedsLogin | Kind::Locked => 3,
        Kind::Temporary => 4,
        Kind::Storage => 5,
        Kind::Busy => 6,
        Kind::UnknownOutcome => 7,
        Kind::Cancelled(signal) => signal.exit_code(),
        // As shells and env(1) say it.
        Kind::NotRun => 126,
        Kind::NoProgram => 127,
    }
}

/// Prints what the argument parser has to say: help and version are successes, and a command line
/// that was not understood fails with 1, as in the reference release. Help that cannot be written
/// is a failure, unless its reader went away.
pub fn of_parse(error: &clap::Error) -> ExitCode {
    let printed = error.print().and_then(|()| std::io::stdout().flush());
    match printed {
        Err(fault) if !error.use_stderr() && fault.kind() != ErrorKind::BrokenPipe => {
            let failure = Failure::unwritten(&fault, false);
            Printer::new(Color::Auto).line_err(&format!("Error: {failure}"));
            ExitCode::from(code(failure.kind))
        }
        _ => ExitCode::from(u8::from(error.use_stderr())),
    }
}
