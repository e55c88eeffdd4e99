//! Programs that are asked one thing and answer on standard output.

use std::process::Stdio;

use crate::ports::program::{AskedProgram, ProgramAnswer, ProgramError};

use super::child::{self, Inherited};
use super::process_group::{Bounds, ProcessGroup, Run};

/// Checks a program and runs it to its end.
pub(super) fn run(asked: &AskedProgram<'_>) -> Result<ProgramAnswer, ProgramError> {
    let mut command = child::command(asked.path, Inherited::AllBut(&|_| true))?;
    let variables = asked.variables.iter();
    command
        .args(asked.args)
        // Names that are no text were not asked about.
        .env_clear()
        .envs(variables.map(|(name, value)| (name, value.expose())))
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // What it says there may hold a secret.
        .stderr(Stdio::null());
    let bounds = Bounds {
        limit: asked.limit,
        stop: asked.stop,
        answer: asked.longest,
    };
    let run = ProcessGroup::run(&mut command, asked.input.clone(), &bounds, false);
    let run = run.map_err(|error| ProgramError::NotStarted {
        path: asked.path.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(match run {
        Run::Ended(status, output) if status.success() => ProgramAnswer::Output(output),
        Run::Ended(status, _) => ProgramAnswer::Failure(format!("failed with {status}")),
        Run::Stopped => ProgramAnswer::Stopped,
        Run::TimedOut => ProgramAnswer::TimedOut,
        Run::TooLong => ProgramAnswer::TooLong,
    })
}
