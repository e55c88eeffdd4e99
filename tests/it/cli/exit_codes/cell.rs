//! One command under one kind of failure, as a process.

use std::fs::File;
use std::io::{BufRead as _, BufReader, PipeWriter, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::browser::visit;
use crate::support::issuer::Issuer;
use rexpect::session::spawn_command;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, Signal, kill_process};

use super::cause::world;
use super::table::Row;
use crate::support::{Ran, World};

/// How a command is run.
#[derive(Clone, Copy)]
pub(super) enum How {
    Plainly,
    /// Standard output is a full disk.
    FullOutput,
    /// It reads a file that is very long, and then there is Ctrl-C.
    Reading(&'static str),
    /// Its token request is not answered, and then there is Ctrl-C.
    Asking,
    /// It tells a URL and waits for a browser, which comes, or there is Ctrl-C.
    InABrowser {
        comes: bool,
    },
    /// It asks a person at a terminal: what is shown, and what is then typed. A URL that is shown
    /// after that is visited.
    AtATerminal(&'static [(&'static str, &'static str)]),
    /// Standard output is not read by anybody, and then there is Ctrl-C.
    Unread,
}

/// What is done to a world.
type Change = dyn Fn(&World, &Issuer) + Send + Sync;

/// One command under one kind of failure.
pub(super) struct Cell {
    /// What it ends with; below zero for what is usual in its column.
    pub(super) code: i32,
    /// Whether it waits for a minute.
    pub(super) slow: bool,
    words: Option<&'static str>,
    more: &'static str,
    change: Box<Change>,
    lock: Option<fn(&World) -> File>,
    how: How,
}

impl Cell {
    pub(super) fn plain() -> Self {
        Self {
            code: -1,
            slow: false,
            words: None,
            more: "",
            change: Box::new(|_, _| {}),
            lock: None,
            how: How::Plainly,
        }
    }

    pub(super) fn how(how: How) -> Self {
        Self {
            how,
            ..Self::plain()
        }
    }

    pub(super) fn changed(change: impl Fn(&World, &Issuer) + Send + Sync + 'static) -> Self {
        Self {
            change: Box::new(change),
            ..Self::plain()
        }
    }

    /// With these words instead of the usual ones.
    pub(super) fn with(mut self, words: &'static str) -> Self {
        self.words = Some(words);
        self
    }

    /// With these words besides.
    pub(super) fn also(mut self, words: &'static str) -> Self {
        self.more = words;
        self
    }

    /// A browser comes to the URL that it tells.
    pub(super) fn visited(mut self) -> Self {
        self.how = How::InABrowser { comes: true };
        self
    }

    /// At a terminal.
    pub(super) fn typed(mut self, steps: &'static [(&'static str, &'static str)]) -> Self {
        self.how = How::AtATerminal(steps);
        self
    }

    /// Ends with this code where another one would be usual.
    pub(super) fn code(mut self, code: i32) -> Self {
        self.code = code;
        self
    }

    /// Somebody holds this meanwhile.
    pub(super) fn while_held(mut self, lock: fn(&World) -> File) -> Self {
        self.lock = Some(lock);
        self
    }

    /// It waits for a minute.
    pub(super) fn slow(mut self) -> Self {
        self.slow = true;
        self
    }

    /// What it ends with at a terminal.
    fn at_a_terminal(&self, command: Command, steps: &[(&str, &str)]) -> Ran {
        let mut session = spawn_command(command, Some(60_000)).unwrap();
        for (shown, keys) in steps {
            session.exp_string(shown).unwrap();
            session.send(keys).unwrap();
            session.flush().unwrap();
        }
        if let Ok((_, url)) = session.exp_regex(r"http://127\S+|http://localhost\S+") {
            let _ = visit(&url);
        }
        let out = session.exp_eof().unwrap_or_default();
        let status = format!("{:?}", session.process().wait().unwrap());
        // The type's own name is not exported; its text is `Exited(Pid(…), 130)`.
        let code = status.rsplit([' ', ')']).find(|part| !part.is_empty());
        let code = code.and_then(|code| code.parse().ok());
        Ran {
            code: code.unwrap_or(-1),
            out,
            err: status,
        }
    }

    /// What came of it; a signal that killed it counts as shells count it.
    pub(super) fn run(&self, row: &Row) -> Ran {
        let (world, issuer) = world();
        (row.prepare)(&world, &issuer);
        (self.change)(&world, &issuer);
        let words = row.line(self.more, self.words.unwrap_or(row.words));
        let state = world.state().display().to_string();
        let words = words.replace("STATE", &state);
        let words: Vec<&str> = words.split_whitespace().collect();
        let _lock = self.lock.map(|lock| lock(&world));
        let mut command = world.command(&words);
        if let How::AtATerminal(steps) = self.how {
            command.env("TERM", "xterm").stdin(Stdio::inherit());
            return self.at_a_terminal(command, steps);
        }
        command
            .env("PATH", "/usr/bin:/bin")
            .env("GOCLAW_ENCRYPTION_KEY", "0".repeat(64))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        match self.how {
            How::FullOutput => {
                let full = File::options().write(true).open("/dev/full");
                command.stdout(full.unwrap());
            }
            How::Unread => {
                command.stdout(stuffed());
            }
            _ => {}
        }
        if let How::Reading(path) = self.how {
            fill(&world.state().join(path));
        }
        if let How::Asking = self.how {
            issuer.hold();
        }
        let mut child = command.spawn().unwrap();
        // Who refuses before he has read everything breaks the pipe.
        let _ = child.stdin.take().unwrap().write_all(row.input.as_bytes());
        self.interrupt(&issuer, &mut child);
        let output = child.wait_with_output().unwrap();
        let killed = output.status.signal().map(|signal| 128 + signal);
        Ran {
            code: killed.or(output.status.code()).unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Ctrl-C, once it waits or is busy.
    fn interrupt(&self, issuer: &Issuer, child: &mut Child) {
        let waits = match self.how {
            How::Plainly | How::FullOutput | How::AtATerminal(_) => None,
            How::Reading(_) => until(child, |pid| is_at_it(pid).then_some(())),
            How::Asking => until(child, |_| {
                (!issuer.token_requests().is_empty()).then_some(())
            }),
            How::InABrowser { comes } => match (told_url(child), comes) {
                (Some(url), true) => {
                    let _ = visit(&url);
                    None
                }
                (url, _) => url.map(|_| ()),
            },
            How::Unread => until(child, |pid| is_asleep(pid).then_some(())),
        };
        if waits.is_some() {
            kill_process(Pid::from_child(child), Signal::INT).unwrap();
        }
        if let How::Asking = self.how {
            let _ = until(child, |pid| is_delivered(pid).then_some(()));
            issuer.let_go();
        }
    }
}

/// The URL that a command with `--json` tells, if it comes to that.
fn told_url(child: &mut Child) -> Option<String> {
    let mut told = BufReader::new(child.stdout.as_mut()?).lines();
    loop {
        let event: serde_json::Value = serde_json::from_str(&told.next()?.ok()?).ok()?;
        if let Some(url) = event["url"].as_str() {
            return Some(url.to_owned());
        }
    }
}

/// Looks again and again, until the process has ended.
fn until<T>(child: &mut Child, mut look: impl FnMut(u32) -> Option<T>) -> Option<T> {
    loop {
        if let Some(found) = look(child.id()) {
            return Some(found);
        }
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Whether no signal is still on its way to the process.
fn is_delivered(pid: u32) -> bool {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let pending = text.lines().filter(|line| line.contains("Pnd:"));
    let mut masks = pending.filter_map(|line| line.split_once(':'));
    masks.all(|(_, mask)| mask.trim().trim_matches('0').is_empty())
}

/// Whether the process waits for something.
fn is_asleep(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| stat.contains(") S "))
}

/// A pipe that is full. Nobody reads it, and it stays open.
fn stuffed() -> PipeWriter {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let flags = fcntl_getfl(&writer).unwrap();
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
    while writer.write(&[b'x'; 4_096]).is_ok() {}
    while writer.write(b"x").is_ok() {}
    fcntl_setfl(&writer, flags).unwrap();
    // Closed, it would end the output instead of holding it up.
    std::mem::forget(reader);
    writer
}

/// So much space that a command is busy with it for long enough.
const LONG: usize = 48 * 1024 * 1024;

fn fill(path: &Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut text = " ".repeat(LONG);
    text.push_str("{}");
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).unwrap();
}

/// Whether the process holds what [`fill`] wrote.
fn is_at_it(pid: u32) -> bool {
    let sizes = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
    let pages: Option<usize> = sizes.split(' ').nth(1).and_then(|size| size.parse().ok());
    pages.is_some_and(|pages| pages * 4_096 > LONG)
}
