//! External programs as child processes: found on `PATH`, judged, and spoken with by lines.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use rustix::process::Signal as KernelSignal;

use crate::model::secret::Secret;
use crate::ports::host::Signal;
use crate::ports::program::{
    AskedProgram, Exit, HookCommand, MAX_LINE, ProgramAnswer, ProgramError, Programs, Received,
    Running,
};

use super::asked_program;
use super::child::{self, Inherited};
use super::env::{self, names};
use super::hook_process;
use super::process_group::{GRACE, ProcessGroup};

/// The programs of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemPrograms;

impl Programs for SystemPrograms {
    /// By the process's own `PATH`: a `.env` file names no programs.
    fn on_path(&self, name: &str) -> Vec<PathBuf> {
        child::on_path(&env::os(names::PATH).unwrap_or_default(), name)
    }

    fn with_prefix(&self, prefix: &str) -> Vec<PathBuf> {
        let path = env::os(names::PATH).unwrap_or_default();
        let mut names = BTreeMap::new();
        for directory in child::directories(&path) {
            // One that cannot be read holds no program for us either.
            let entries = std::fs::read_dir(&directory)
                .into_iter()
                .flatten()
                .flatten();
            for entry in entries {
                let name = entry.file_name();
                if name.to_str().is_some_and(|name| name.starts_with(prefix)) {
                    names.entry(name).or_insert_with(|| entry.path());
                }
            }
        }
        names.into_values().collect()
    }

    fn check_permissions(&self, path: &Path) -> Result<(), ProgramError> {
        child::checked(path).map(drop)
    }

    fn start(&self, path: &Path, variables: &[String]) -> Result<Box<dyn Running>, ProgramError> {
        let not_started = |error: std::io::Error| ProgramError::NotStarted {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        let mut command = child::command(path, Inherited::Session(variables))?;
        command
            // A checked-out project has no say in what it does.
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut group = ProcessGroup::spawn(&mut command).map_err(not_started)?;
        let input = group.input().map(writer);
        Ok(Box::new(Process { group, input }))
    }

    fn run(&self, hook: &HookCommand<'_>) -> Result<Exit, ProgramError> {
        hook_process::run(hook)
    }

    fn ask(&self, asked: &AskedProgram<'_>) -> Result<ProgramAnswer, ProgramError> {
        asked_program::run(asked)
    }
}

/// Starts a thread that writes lines, so that a program that does not read blocks only that.
fn writer(mut input: ChildStdin) -> Sender<Secret<Vec<u8>>> {
    let (send, lines) = channel::<Secret<Vec<u8>>>();
    let write = move || {
        for line in lines {
            let whole = Secret::new([line.expose().as_slice(), b"\n"].concat());
            if input.write_all(whole.expose()).is_err() {
                return;
            }
        }
    };
    // Without a thread it is as if the program had closed its input.
    if let Err(error) = std::thread::Builder::new().spawn(write) {
        tracing::warn!(%error, "nothing can be written to a program");
    }
    send
}

/// A program that runs.
struct Process {
    group: ProcessGroup,
    input: Option<Sender<Secret<Vec<u8>>>>,
}

impl Running for Process {
    fn send(&mut self, line: Secret<Vec<u8>>) {
        if let Some(input) = &self.input {
            // A program that has closed its input will not answer either.
            let _ = input.send(line);
        }
    }

    fn receive(&mut self, wait: Duration) -> Received {
        match self.group.next_line(MAX_LINE, wait) {
            Some(received) => received,
            None => Received::Ended(self.end()),
        }
    }

    fn stop(&mut self, signal: Signal) {
        self.input = None;
        let signal = KernelSignal::from_named_raw(signal.0);
        self.group.stop(signal.unwrap_or(KernelSignal::TERM));
    }
}

impl Process {
    /// Waits for the end of a program that has closed its output, and says what that was like.
    fn end(&mut self) -> String {
        if !self.group.ends_within(GRACE) {
            self.stop(Signal::TERMINATE);
            return "closed its output without a response".to_owned();
        }
        match self.group.wait() {
            Ok(status) if status.success() => "exited without a response".to_owned(),
            Ok(status) => format!("exited without a response ({status})"),
            Err(error) => format!("could not be waited for: {error}"),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.input = None;
        if self.group.ends_within(GRACE) {
            let _ = self.group.wait();
        } else {
            self.stop(Signal::TERMINATE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::process_group::tests::{script, until_gone};

    fn start(text: &str) -> (tempfile::TempDir, Box<dyn Running>) {
        let (dir, path) = script(text);
        (dir, SystemPrograms.start(&path, &[]).unwrap())
    }

    /// What comes next; a test that waits for what never comes is stopped from outside.
    fn heard(running: &mut dyn Running) -> Result<String, String> {
        loop {
            match running.receive(Duration::from_secs(60)) {
                Received::Line(line) => {
                    return Ok(String::from_utf8_lossy(line.expose()).into_owned());
                }
                Received::Nothing => {}
                Received::TooLong => return Err("too long".to_owned()),
                Received::Ended(how) => return Err(how),
            }
        }
    }

    #[test]
    fn lines_go_in_and_out() {
        let (_dir, mut program) =
            start("read -r line; echo \"got $line\"; echo \"$#\"; pwd; printf 'no end'");
        program.send(Secret::new(b"a request".to_vec()));
        for expected in ["got a request", "0", "/", "no end"] {
            assert_eq!(heard(&mut *program).unwrap(), expected);
        }
        let end = heard(&mut *program).unwrap_err();
        assert_eq!(end, "exited without a response");
    }

    #[test]
    fn an_end_is_told() {
        let (_dir, mut program) = start("exit 3");
        assert!(heard(&mut *program).unwrap_err().contains("exit status: 3"));
        let (_dir, mut program) = start("kill -9 $$");
        assert!(heard(&mut *program).unwrap_err().contains("signal: 9"));
    }

    #[test]
    fn a_line_has_a_limit() {
        let (_dir, mut program) = start("head -c 2000000 /dev/zero; echo; echo late");
        assert_eq!(heard(&mut *program).unwrap_err(), "too long");
    }

    #[test]
    fn whoever_does_not_read_blocks_nobody() {
        let (_dir, mut program) = start("exec sleep 1000");
        program.send(Secret::new(vec![b'x'; MAX_LINE]));
        program.stop(Signal::TERMINATE);
        assert!(heard(&mut *program).unwrap_err().contains("signal: 15"));
    }

    #[test]
    fn a_stop_takes_the_whole_group() {
        let (_dir, mut program) = start("trap '' TERM; sleep 1000 & echo $!; wait; wait");
        let child = heard(&mut *program).unwrap();
        program.stop(Signal::TERMINATE);
        assert!(heard(&mut *program).unwrap_err().contains("signal: 9"));
        until_gone(&child);
    }

    #[test]
    fn a_background_process_does_not_delay_the_end() {
        let (_dir, mut program) = start("sleep 100000 & echo $!; printf 'no end'");
        let child = heard(&mut *program).unwrap();
        assert_eq!(heard(&mut *program).unwrap(), "no end");
        assert_eq!(
            heard(&mut *program).unwrap_err(),
            "exited without a response"
        );
        let child = rustix::process::Pid::from_raw(child.parse().unwrap()).unwrap();
        rustix::process::kill_process(child, KernelSignal::KILL).unwrap();
    }
}
