//! Child processes: the one way to run a child and wait for it.
//!
//! A child may do anything: hang, flood, fork, die. So it leads a process group of its own, which
//! can be killed as a whole and which Ctrl-C at the terminal does not reach; its output is read
//! without blocking and up to a limit; and every wait has a deadline. The end of the child ends its
//! answer: what it left in the background may keep the pipe open for ever.

use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use zeroize::Zeroizing;

use super::clock::SystemClock;
use crate::model::secret::Secret;
use crate::ports::host::Clock;
use crate::ports::program::Received;

/// How long a child has to end by itself once nothing more is wanted of it.
pub(super) const GRACE: Duration = Duration::from_secs(2);
/// How often to look whether a child has ended.
const PAUSE: Duration = Duration::from_millis(2);
/// The same for a child that writes to a pipe: mostly its end closes the pipe, which is seen at
/// once.
const PIPE_PAUSE: Duration = Duration::from_millis(20);

/// A child and its descendants, as far as they have not left its group. Dropping it kills them.
pub(super) struct ProcessGroup {
    leader: Child,
    output: Output,
    clock: SystemClock,
    /// The leader has been waited for: from now on its id may be another process's.
    is_reaped: bool,
}

/// Bounds of a run.
pub(super) struct Bounds<'a> {
    /// How long the child may run.
    pub(super) limit: Duration,
    /// Asked every few milliseconds; true ends the run.
    pub(super) stop: &'a dyn Fn() -> bool,
    /// The longest answer, in bytes.
    pub(super) answer: usize,
}

/// How a run ended.
pub(super) enum Run {
    /// The leader ended; what it had written on standard output until then.
    Ended(ExitStatus, Secret<Vec<u8>>),
    /// It was killed when the limit passed.
    TimedOut,
    /// It was killed because of `stop`.
    Stopped,
    /// It was killed because it wrote too much.
    TooLong,
}

impl ProcessGroup {
    /// Starts a child as the leader of a new group.
    pub(super) fn spawn(command: &mut Command) -> io::Result<Self> {
        let mut leader = command.process_group(0).spawn()?;
        let output = Output {
            pipe: leader.stdout.take(),
            text: Zeroizing::default(),
        };
        let group = Self {
            leader,
            output,
            clock: SystemClock::new(),
            is_reaped: false,
        };
        if let Some(pipe) = &group.output.pipe {
            fcntl_setfl(pipe, fcntl_getfl(pipe)? | OFlags::NONBLOCK)?;
        }
        Ok(group)
    }

    /// Runs a child to its end. What it left in the background is killed with it, unless
    /// `spares_background`.
    pub(super) fn run(
        command: &mut Command,
        input: Vec<u8>,
        bounds: &Bounds<'_>,
        spares_background: bool,
    ) -> io::Result<Run> {
        let mut group = Self::spawn(command)?;
        if let Some(mut stdin) = group.input() {
            // A child that does not read blocks nobody; its end closes the pipe.
            std::thread::Builder::new().spawn(move || stdin.write_all(&input))?;
        }
        let deadline = group.clock.monotonic() + bounds.limit;
        loop {
            let has_ended = group.read(bounds.answer + 1);
            if group.output.text.len() > bounds.answer {
                return Ok(Run::TooLong);
            }
            if has_ended {
                break;
            }
            if (bounds.stop)() {
                return Ok(Run::Stopped);
            }
            let now = group.clock.monotonic();
            if now >= deadline {
                return Ok(Run::TimedOut);
            }
            group.pause(deadline - now);
        }
        if !spares_background {
            group.signal(Signal::KILL);
        }
        let answer = std::mem::take(&mut *group.output.text);
        Ok(Run::Ended(group.wait()?, Secret::new(answer)))
    }

    /// The pipe to standard input, the first time; it is closed by dropping it.
    pub(super) fn input(&mut self) -> Option<ChildStdin> {
        self.leader.stdin.take()
    }

    /// The next line of the output, of at most `most` bytes and without its end. The last one may
    /// have had none; `None` if nothing will come any more.
    pub(super) fn next_line(&mut self, most: usize, wait: Duration) -> Option<Received> {
        let deadline = self.clock.monotonic() + wait;
        loop {
            let has_ended = self.read(most + 1);
            let output = &mut self.output;
            if let Some(line) = output.take_line() {
                return Some(Received::Line(line));
            }
            if output.text.len() > most {
                return Some(Received::TooLong);
            }
            if has_ended || output.pipe.is_none() {
                let rest = Secret::new(std::mem::take(&mut *output.text));
                return (!rest.expose().is_empty()).then_some(Received::Line(rest));
            }
            let now = self.clock.monotonic();
            if now >= deadline {
                return Some(Received::Nothing);
            }
            self.pause(deadline - now);
        }
    }

    /// Reads what has come until `most` bytes wait to be taken; whether the leader has ended.
    fn read(&mut self, most: usize) -> bool {
        // Asked first: all that the leader has written lies in the pipe then.
        let has_ended = self.has_ended();
        self.output.fill(most);
        has_ended
    }

    /// Waits until there is something to read, or for a moment, at most so long.
    fn pause(&self, most: Duration) {
        let Some(pipe) = &self.output.pipe else {
            return self.clock.sleep(most.min(PAUSE));
        };
        let timeout = Timespec::try_from(most.min(PIPE_PAUSE)).ok();
        // A signal ends it early, and so may anything else: the caller looks again.
        let _ = poll(&mut [PollFd::new(pipe, PollFlags::IN)], timeout.as_ref());
    }

    /// Whether the leader has ended. Leaves its exit status for [`ProcessGroup::wait`], so that its
    /// id is not given away.
    fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let id = WaitId::Pid(Pid::from_child(&self.leader));
        self.is_reaped || !matches!(waitid(id, options), Ok(None))
    }

    /// Waits for the end of the leader; false if it is still there when the limit passes.
    pub(super) fn ends_within(&self, limit: Duration) -> bool {
        let deadline = self.clock.monotonic() + limit;
        while !self.has_ended() {
            if self.clock.monotonic() >= deadline {
                return false;
            }
            self.clock.sleep(PAUSE);
        }
        true
    }

    /// Signals the group, and kills what is left of it after a while. What the leader had written
    /// can still be read.
    pub(super) fn stop(&mut self, signal: Signal) {
        if !self.is_reaped {
            self.signal(signal);
            self.ends_within(GRACE);
            let _ = self.kill();
        }
    }

    /// Waits for the leader and leaves the rest of its group alone.
    pub(super) fn wait(&mut self) -> io::Result<ExitStatus> {
        self.is_reaped = true;
        self.leader.wait()
    }

    /// Kills the group as a crash would, and waits until the leader is gone.
    pub(super) fn kill(&mut self) -> io::Result<()> {
        self.signal(Signal::KILL);
        self.wait().map(drop)
    }

    fn signal(&self, signal: Signal) {
        // Fails only if nobody is left in the group.
        let _ = kill_process_group(Pid::from_child(&self.leader), signal);
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        if !self.is_reaped {
            let _ = self.kill();
        }
    }
}

/// What a child has written on standard output, if that is a pipe.
struct Output {
    pipe: Option<ChildStdout>,
    text: Zeroizing<Vec<u8>>,
}

impl Output {
    fn fill(&mut self, most: usize) {
        let room = most.saturating_sub(self.text.len()) as u64;
        let Some(pipe) = self.pipe.as_mut().filter(|_| room > 0) else {
            return;
        };
        let read = pipe.take(room).read_to_end(&mut self.text);
        let is_open = match read {
            Ok(count) => count as u64 == room,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        };
        if !is_open {
            self.pipe = None;
        }
    }

    fn take_line(&mut self) -> Option<Secret<Vec<u8>>> {
        let end = self.text.iter().position(|byte| *byte == b'\n')?;
        let mut line: Vec<u8> = self.text.drain(..=end).collect();
        line.pop();
        line.pop_if(|last| *last == b'\r');
        Some(Secret::new(line))
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "these tests are parents")]
pub(super) mod tests {
    use std::path::PathBuf;
    use std::process::Stdio;

    use super::*;

    /// Longer than any test; what is over sooner was ended.
    pub(in crate::sys) const LONG: Duration = Duration::from_secs(86_400);

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

    /// Waits until a process is gone. An orphan that was killed stays until somebody has waited for
    /// it.
    pub(in crate::sys) fn until_gone(pid: &str) {
        let stat = format!("/proc/{}/stat", pid.trim());
        while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
            SystemClock::new().sleep(PAUSE);
        }
    }

    /// Runs a shell script whose answer may be ten bytes long.
    fn run(text: &str, limit: Duration, stop: &dyn Fn() -> bool, spares: bool) -> Run {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", text]).stdin(Stdio::piped());
        let bounds = Bounds {
            limit,
            stop,
            answer: 10,
        };
        ProcessGroup::run(
            command.stdout(Stdio::piped()),
            b"in\n".to_vec(),
            &bounds,
            spares,
        )
        .unwrap()
    }

    fn answer(run: Run) -> String {
        match run {
            Run::Ended(status, answer) if status.success() => {
                String::from_utf8(answer.expose().clone()).unwrap()
            }
            Run::Ended(status, _) => panic!("{status}"),
            Run::TimedOut | Run::Stopped | Run::TooLong => panic!("it did not end"),
        }
    }

    #[test]
    fn an_answer_is_complete_when_the_child_ends_whoever_holds_the_pipe() {
        let background = "sleep 100000 & echo $!; echo x";
        let pid = answer(run(background, LONG, &|| false, true));
        let pid = pid.strip_suffix("\nx\n").unwrap();
        assert!(std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok());
        let pid = Pid::from_raw(pid.parse().unwrap()).unwrap();
        rustix::process::kill_process(pid, Signal::KILL).unwrap();
        let pid = answer(run(background, LONG, &|| false, false));
        until_gone(pid.lines().next().unwrap());
        assert_eq!(answer(run("cat", LONG, &|| false, false)), "in\n");
        let closed = "exec >&-; sleep 0.05";
        assert_eq!(answer(run(closed, LONG, &|| false, false)), "");
    }

    #[test]
    fn an_answer_that_is_too_long_is_refused() {
        let ten = "printf 0123456789";
        assert_eq!(answer(run(ten, LONG, &|| false, false)), "0123456789");
        let eleven = run("printf 0123456789a; sleep 100000", LONG, &|| false, false);
        assert!(matches!(eleven, Run::TooLong));
    }

    #[test]
    fn the_limit_and_a_stop_kill_the_whole_group() {
        let short = Duration::from_millis(300);
        for (limit, stop) in [(short, false), (LONG, true)] {
            let dir = tempfile::tempdir().unwrap();
            let left = dir.path().join("pid");
            let text = format!(
                "trap '' TERM; sleep 100000 & echo $! > {}; wait; wait",
                left.display()
            );
            let pid = || std::fs::read_to_string(&left).unwrap_or_default();
            let run = run(&text, limit, &|| stop && pid().ends_with('\n'), true);
            assert!(matches!(run, Run::Stopped) == stop);
            assert!(matches!(run, Run::TimedOut) != stop);
            // One that was killed before it had begun has left nothing.
            if pid().ends_with('\n') {
                until_gone(&pid());
            }
        }
    }
}
