//! The user's login shell, asked for its environment.
//!
//! The profile of a shell is the user's own program and may do anything: hang, talk, fail. So it
//! has a limit of time and of size, gets no input, and nothing that it prints is ever repeated.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::model::secret::Secret;
use crate::ports::host::{Clock, Env, LoginShell, ShellError, Variables};

use super::clock::SystemClock;
use super::env::{SystemEnv, names};

/// The most that is read of its answer, in bytes, as in the reference release.
const MAX_ANSWER: u64 = 2 * 1024 * 1024;
/// Where `SHELL` is not set.
const USUAL_SHELL: &str = "/bin/sh";
/// How often to look whether it has ended.
const PAUSE: Duration = Duration::from_millis(2);

/// The shell that `SHELL` names.
pub struct SystemShell;

impl LoginShell for SystemShell {
    fn variables(&self, limit: Duration) -> Result<Variables, ShellError> {
        let shell = SystemEnv.plain(names::SHELL);
        let shell = shell.unwrap_or_else(|| USUAL_SHELL.to_owned());
        ask(&shell, limit).map_err(|why| ShellError { shell, why })
    }
}

fn ask(shell: &str, limit: Duration) -> Result<Variables, String> {
    let clock = SystemClock::new();
    let deadline = clock.monotonic() + limit;
    let mut child = Command::new(shell)
        .args(["-l", "-c", "env -0"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let output = child.stdout.take();
    let (send, receive) = mpsc::channel();
    // What the profile started may hold the pipe open for longer than the shell lives; then this
    // thread is left behind, and ends with the process.
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let output = output.map(|output| output.take(MAX_ANSWER + 1));
        let read = output.map(|mut output| output.read_to_end(&mut bytes));
        // Nobody listens any more if it took too long.
        let _ = send.send((Secret::new(bytes), read.is_some_and(|read| read.is_ok())));
    });
    let answer = receive.recv_timeout(limit);
    let status = wait(&mut child, &clock, deadline).map_err(|error| error.to_string())?;
    match (answer, status) {
        (Err(_), _) | (_, None) => Err(format!("no answer within {} ms", limit.as_millis())),
        (Ok((_, false)), _) => Err("its answer could not be read".to_owned()),
        (Ok((bytes, _)), _) if bytes.expose().len() as u64 > MAX_ANSWER => {
            Err("its answer is too long".to_owned())
        }
        (Ok(_), Some(status)) if !status.success() => Err(format!("it ended with {status}")),
        (Ok((bytes, true)), _) => Ok(variables(bytes.expose())),
    }
}

/// Waits for the end; at the deadline the shell is killed, and there is no status.
fn wait(
    child: &mut Child,
    clock: &SystemClock,
    deadline: Duration,
) -> std::io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if clock.monotonic() >= deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        clock.sleep(PAUSE);
    }
}

/// `NAME=value` between NUL bytes. What the profile itself printed, a greeting, stands in the lines
/// before the first name.
fn variables(answer: &[u8]) -> Variables {
    let parts = answer.split(|byte| *byte == 0);
    let parts = parts.filter_map(|part| std::str::from_utf8(part).ok());
    let pairs = parts.filter_map(|part| part.split_once('='));
    let pairs = pairs.map(|(before, value)| (before.rsplit('\n').next().unwrap_or(before), value));
    pairs
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| (name.to_owned(), Secret::from(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_names_and_values() {
        let found = variables(b"welcome\nA=1\0B=x=y\nz\0nothing\0=odd\0C=\xff\0D=\0");
        let found: Vec<_> = found
            .iter()
            .map(|(name, value)| (name.as_str(), value.expose().as_str()))
            .collect();
        assert_eq!(found, [("A", "1"), ("B", "x=y\nz"), ("D", "")]);
    }

    #[test]
    fn a_shell_that_gives_nothing_says_why() {
        let fault = |shell| ask(shell, Duration::from_secs(60)).unwrap_err();
        assert!(fault("/nonexistent/sh").contains("No such file"));
        assert!(fault("/bin/false").contains("exit status: 1"));
    }
}
