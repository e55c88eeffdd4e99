//! External programs as child processes.
//!
//! A program may do anything: hang, flood, fork, die. So a thread reads what it says and another
//! writes what it is told, and whoever asked waits for neither longer than he likes. It runs in a
//! process group of its own: Ctrl-C at the terminal reaches us alone, and we pass it on where that
//! costs no login.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::time::Duration;

use rustix::process::Signal as KernelSignal;

use crate::model::secret::Secret;
use crate::ports::host::{Clock, Env, Signal};
use crate::ports::program::{
    Exit, HookCommand, MAX_LINE, ProgramError, Programs, Received, Running,
};

use super::clock::SystemClock;
use super::env::{SystemEnv, names};
use super::exec_permissions::judge;
use super::{hook_process, process_group};

/// How long a program has to end by itself once nothing more is wanted of it.
const GRACE: Duration = Duration::from_secs(2);
/// How often to look whether it has.
pub(super) const PAUSE: Duration = Duration::from_millis(2);
/// Lines that are read ahead; a program that says more waits.
const AHEAD: usize = 16;

/// The programs of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemPrograms;

impl Programs for SystemPrograms {
    /// By the process's own `PATH`: a `.env` file names no programs.
    fn on_path(&self, name: &str) -> Vec<PathBuf> {
        let path = SystemEnv.plain(names::PATH).unwrap_or_default();
        found(&path, name)
    }

    fn beginning_with(&self, prefix: &str) -> Vec<PathBuf> {
        let path = SystemEnv.plain(names::PATH).unwrap_or_default();
        let mut names = BTreeMap::new();
        for directory in directories(&path) {
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

    fn judge(&self, path: &Path) -> Result<(), ProgramError> {
        trusted(path).map(drop)
    }

    fn start(&self, path: &Path) -> Result<Box<dyn Running>, ProgramError> {
        let target = trusted(path)?;
        let not_started = |error: std::io::Error| ProgramError::NotStarted {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        let mut child = Command::new(target)
            .arg0(path)
            // A checked-out project has no say in what it does.
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(not_started)?;
        let input = child.stdin.take().map(writer);
        let (send, heard) = sync_channel(AHEAD);
        if let Some(output) = child.stdout.take() {
            std::thread::spawn(move || read(output, &send));
        }
        Ok(Box::new(Process {
            child,
            input,
            heard,
            clock: SystemClock::new(),
            is_over: false,
        }))
    }

    fn run(&self, errand: &HookCommand<'_>) -> Result<Exit, ProgramError> {
        hook_process::run(&trusted(errand.path)?, errand)
    }
}

/// What of `name` lies in the absolute directories of a `PATH`. An empty entry means the working
/// directory, and is none of them.
/// The entries of `PATH` that do not depend on the working directory.
fn directories(path: &str) -> impl Iterator<Item = PathBuf> + '_ {
    std::env::split_paths(path).filter(|directory| directory.is_absolute())
}

fn found(path: &str, name: &str) -> Vec<PathBuf> {
    let files = directories(path).map(|directory| directory.join(name));
    files
        .filter(|file| std::fs::symlink_metadata(file).is_ok())
        .collect()
}

fn trusted(path: &Path) -> Result<PathBuf, ProgramError> {
    judge(path).map_err(|fault| ProgramError::Refused {
        path: path.to_owned(),
        fault,
    })
}

/// A thread that writes what it is sent: a program that does not read blocks nobody else.
fn writer(mut input: ChildStdin) -> Sender<Secret<Vec<u8>>> {
    let (send, lines) = channel::<Secret<Vec<u8>>>();
    std::thread::spawn(move || {
        for line in lines {
            let whole = Secret::new([line.expose().as_slice(), b"\n"].concat());
            if input.write_all(whole.expose()).is_err() {
                return;
            }
        }
    });
    send
}

/// What the reading thread tells.
enum Heard {
    Line(Secret<Vec<u8>>),
    TooLong,
}

/// Reads lines until the end, or until nobody listens any more.
fn read(output: ChildStdout, heard: &SyncSender<Heard>) {
    let mut output = BufReader::new(output);
    loop {
        let mut line = Vec::new();
        let mut limited = output.by_ref().take(MAX_LINE as u64 + 1);
        if !matches!(limited.read_until(b'\n', &mut line), Ok(1..)) {
            return;
        }
        let is_whole = line.pop_if(|last| *last == b'\n').is_some();
        line.pop_if(|last| *last == b'\r');
        let line = Secret::new(line);
        if !is_whole && line.expose().len() >= MAX_LINE {
            let _ = heard.send(Heard::TooLong);
            return;
        }
        if heard.send(Heard::Line(line)).is_err() {
            return;
        }
    }
}

/// A program that runs.
struct Process {
    child: Child,
    input: Option<Sender<Secret<Vec<u8>>>>,
    heard: Receiver<Heard>,
    clock: SystemClock,
    /// It has been waited for: from now on its number may be somebody else's.
    is_over: bool,
}

impl Running for Process {
    fn send(&mut self, line: Secret<Vec<u8>>) {
        if let Some(input) = &self.input {
            // Whoever has closed its input will not answer either.
            let _ = input.send(line);
        }
    }

    fn receive(&mut self, wait: Duration) -> Received {
        match self.heard.recv_timeout(wait) {
            Ok(Heard::Line(line)) => Received::Line(line),
            Ok(Heard::TooLong) => Received::TooLong,
            Err(RecvTimeoutError::Timeout) => Received::Nothing,
            Err(RecvTimeoutError::Disconnected) => Received::Ended(self.end()),
        }
    }

    fn stop(&mut self, signal: Signal) {
        self.input = None;
        if self.is_over {
            return;
        }
        if let Some(signal) = KernelSignal::from_named_raw(signal.0) {
            process_group::kill(&self.child, signal);
        }
        self.ends_within(GRACE);
        process_group::kill(&self.child, KernelSignal::KILL);
        let _ = self.wait();
    }
}

impl Process {
    /// Waits for the end of a program that has closed its output, and says what that was like.
    fn end(&mut self) -> String {
        if !self.ends_within(GRACE) {
            self.stop(Signal::TERMINATE);
            return "closed its output without an answer".to_owned();
        }
        match self.wait() {
            Ok(status) if status.success() => "ended without an answer".to_owned(),
            Ok(status) => format!("ended without an answer ({status})"),
            Err(error) => format!("cannot be waited for: {error}"),
        }
    }

    fn wait(&mut self) -> std::io::Result<ExitStatus> {
        self.is_over = true;
        self.child.wait()
    }

    fn ends_within(&self, limit: Duration) -> bool {
        let deadline = self.clock.monotonic() + limit;
        while !process_group::has_ended(&self.child) {
            if self.clock.monotonic() >= deadline {
                return false;
            }
            self.clock.sleep(PAUSE);
        }
        true
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.input = None;
        if self.is_over || self.ends_within(GRACE) {
            let _ = self.wait();
        } else {
            self.stop(Signal::TERMINATE);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use rustix::process::Pid;

    use super::*;

    /// A script, written by a process that nobody forks from meanwhile: the kernel runs no file
    /// that is open for writing anywhere.
    pub(in crate::sys) fn script(text: &str) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("openclaw-auth-test");
        let mut writer = Command::new("/bin/sh")
            .args(["-c", "umask 022; cat > \"$0\"; chmod 755 \"$0\""])
            .arg(&path)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = writer.stdin.take().unwrap();
        write!(input, "#!/bin/sh\n{text}\n").unwrap();
        drop(input);
        assert!(writer.wait().unwrap().success());
        (dir, path)
    }

    fn start(text: &str) -> (tempfile::TempDir, Box<dyn Running>) {
        let (dir, path) = script(text);
        (dir, SystemPrograms.start(&path).unwrap())
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
        assert_eq!(end, "ended without an answer");
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
        let child = heard(&mut *program).unwrap().parse().unwrap();
        program.stop(Signal::TERMINATE);
        assert!(heard(&mut *program).unwrap_err().contains("signal: 9"));
        let child = Pid::from_raw(child).unwrap();
        let clock = SystemClock::new();
        while rustix::process::test_kill_process(child).is_ok() {
            // An orphan that was killed stays until somebody has waited for it.
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.as_raw_nonzero()));
            if stat.is_ok_and(|stat| stat.contains(") Z ")) {
                break;
            }
            clock.sleep(PAUSE);
        }
    }

    #[test]
    fn only_absolute_directories_are_looked_in() {
        let (dir, path) = script("");
        let name = path.file_name().unwrap().to_str().unwrap();
        let here = dir.path().display();
        let path_variable = format!(":.:bin:{here}/none:{here}:");
        assert_eq!(found(&path_variable, name), std::slice::from_ref(&path));
        assert!(found(&path_variable, "openclaw-auth-none").is_empty());
    }

    #[test]
    fn what_cannot_be_trusted_is_not_started() {
        let (_dir, path) = script("");
        std::os::unix::fs::symlink("nowhere", path.with_file_name("link")).unwrap();
        let refused = |path: &Path| {
            matches!(
                SystemPrograms.start(path),
                Err(ProgramError::Refused { .. })
            )
        };
        assert!(refused(&path.with_file_name("link")));
        assert!(refused(Path::new("openclaw-auth-test")));
        let (_dir, path) = script("");
        let data = std::fs::metadata(&path).unwrap();
        let mut mode = data.permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o775);
        std::fs::File::open(&path)
            .unwrap()
            .set_permissions(mode)
            .unwrap();
        assert!(refused(&path));
        assert!(SystemPrograms.judge(&path).is_err());
    }
}
