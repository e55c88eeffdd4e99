//! The `openclaw` binary: protects its memory, hands the arguments to the edge and
//! returns its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    openclaw::sys::memory::protect();
    openclaw::cli::run(std::env::args_os())
}
