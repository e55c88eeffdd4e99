//! The `openclaw` binary: hands the arguments to the edge and returns its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    openclaw::cli::run(std::env::args_os())
}
