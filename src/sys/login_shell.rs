//! The user's login shell, asked for its environment.
//!
//! The profile of a shell is the user's own program and may do anything: hang, talk, fail. So it
//! has a limit of time and of size, gets no input, and nothing that it prints is ever repeated.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::model::secret::Secret;
use crate::ports::host::{Env, LoginShell, ShellError, Variables};
use crate::ports::program::{Fault, ProgramError};

use super::child::{self, Inherited};
use super::env::{SystemEnv, names};
use super::process_group::{Bounds, ProcessGroup, Run};

/// The most that is read of its answer, in bytes, as in the reference release.
const MAX_ANSWER: usize = 2 * 1024 * 1024;
/// Where `SHELL` is not set.
const USUAL_SHELL: &str = "/bin/sh";

/// The shell that `SHELL` names.
pub struct SystemShell;

impl LoginShell for SystemShell {
    fn variables(&self, limit: Duration, stop: &dyn Fn() -> bool) -> Result<Variables, ShellError> {
        let shell = SystemEnv.plain(names::SHELL);
        let shell = shell.unwrap_or_else(|| USUAL_SHELL.to_owned());
        ask(&shell, limit, stop).map_err(|why| ShellError { shell, why })
    }
}

fn ask(shell: &str, limit: Duration, stop: &dyn Fn() -> bool) -> Result<Variables, String> {
    let command = child::command(Path::new(shell), Inherited::Session(&[]));
    let mut command = command.map_err(refusal)?;
    command
        .args(["-l", "-c", "env -0"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let bounds = Bounds {
        limit,
        stop,
        answer: MAX_ANSWER,
    };
    // What the profile starts in the background is the user's, an agent of some kind.
    match ProcessGroup::run(&mut command, Vec::new(), &bounds, true) {
        Err(error) => Err(error.to_string()),
        Ok(Run::Ended(status, answer)) if status.success() => {
            variables(answer.expose()).ok_or_else(|| "incomplete output".to_owned())
        }
        Ok(Run::Ended(status, _)) => Err(format!("failed with {status}")),
        Ok(Run::TimedOut) => Err(format!("no output within {} ms", limit.as_millis())),
        Ok(Run::Stopped) => Err("interrupted".to_owned()),
        Ok(Run::TooLong) => Err("output too long".to_owned()),
    }
}

/// Why the shell is not run, and what mends it.
fn refusal(error: ProgramError) -> String {
    match error {
        ProgramError::Refused { fault, .. } => match &fault {
            Fault::Untrusted(untrusted) => {
                format!("{fault}; to change that: {}", untrusted.remedy())
            }
            _ => fault.to_string(),
        },
        error @ ProgramError::NotStarted { .. } => error.to_string(),
    }
}

/// Parses `NAME=value`, each with a NUL byte behind it; nothing if there is none. What the profile
/// itself printed, a greeting, stands in the lines before the first name; what comes after the last
/// NUL byte was cut off, or is no variable.
fn variables(answer: &[u8]) -> Option<Variables> {
    let end = answer.iter().rposition(|byte| *byte == 0)?;
    let parts = answer[..end].split(|byte| *byte == 0);
    let parts = parts.filter_map(|part| std::str::from_utf8(part).ok());
    let pairs = parts.filter_map(|part| part.split_once('='));
    let pairs = pairs.map(|(before, value)| (before.rsplit('\n').next().unwrap_or(before), value));
    let pairs = pairs.filter(|(name, _)| !name.is_empty());
    Some(
        pairs
            .map(|(name, value)| (name.to_owned(), Secret::from(value)))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::process_group::tests::{LONG, script, until_gone};

    fn shown(found: &Variables) -> Vec<(&str, &str)> {
        let found = found.iter();
        found
            .map(|(name, value)| (name.as_str(), value.expose().as_str()))
            .collect()
    }

    #[test]
    fn an_environment_is_names_and_values() {
        let found = variables(b"welcome\nA=1\0B=x=y\nz\0nothing\0=odd\0C=\xff\0D=\0").unwrap();
        assert_eq!(shown(&found), [("A", "1"), ("B", "x=y\nz"), ("D", "")]);
    }

    #[test]
    fn an_answer_that_was_cut_off_is_refused() {
        assert!(variables(b"").is_none() && variables(b"A=secr").is_none());
        let found = variables(b"A=1\0B=secr").unwrap();
        assert_eq!(shown(&found), [("A", "1")]);
        let (_dir, shell) = script("printf 'A=1\\0B=secr'; kill -9 $$");
        let why = ask(shell.to_str().unwrap(), LONG, &|| false).unwrap_err();
        assert!(why.contains("signal: 9"), "{why}");
    }

    #[test]
    fn a_background_process_of_the_profile_delays_nothing_and_lives_on() {
        let (dir, shell) = script("sleep 100000 & echo $! > \"${0%/*}/pid\"; printf 'A=1\\0'");
        let found = ask(shell.to_str().unwrap(), LONG, &|| false).unwrap();
        assert_eq!(shown(&found), [("A", "1")]);
        let pid = std::fs::read_to_string(dir.path().join("pid")).unwrap();
        let process = rustix::process::Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
        rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
        until_gone(&pid);
    }

    #[test]
    fn a_shell_that_gives_nothing_says_why() {
        let fault = |shell| ask(shell, LONG, &|| false).unwrap_err();
        assert!(fault("/nonexistent/sh").contains("No such file"));
        assert!(fault("/bin/false").contains("exit status: 1"));
        let (_dir, shell) = script("exec sleep 100000");
        let shell = shell.to_str().unwrap();
        let late = ask(shell, Duration::from_millis(50), &|| false).unwrap_err();
        assert_eq!(late, "no output within 50 ms");
        assert_eq!(ask(shell, LONG, &|| true).unwrap_err(), "interrupted");
    }
}
