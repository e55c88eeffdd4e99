//! A server program of another user that ends with the test, however the test ends.

use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::users::give;

/// The user that runs nothing else: servers of databases refuse to run as root.
const NOBODY: u32 = 65_534;

/// Ends the server when the test closes the pipe, which the kernel does for one that is killed; and
/// itself when the server ends. Whoever interrupts the tests at a terminal interrupts this, too.
const GUARD: &str = "trap '' INT; exec 3<&0; \"$@\" 3<&- & server=$!; \
    (cat <&3 >/dev/null; kill -\"$0\" $server) & wait $server; kill $!";

/// A running server.
pub(crate) struct Guarded(Child);

impl Guarded {
    /// Starts it: what it says goes to `log`, in a directory that is its own, and `signal` ends it.
    pub(crate) fn start(program: &Path, args: &[String], signal: &str, log: &Path) -> Self {
        let log = std::fs::File::create(log).unwrap();
        let mut guard = unprivileged(Path::new("/bin/sh"));
        guard.args(["-c", GUARD, signal]).arg(program).args(args);
        let output = Stdio::from(log.try_clone().unwrap());
        let guard = guard.stdin(Stdio::piped()).stdout(output).stderr(log);
        Self(guard.spawn().unwrap())
    }

    /// Whether it ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }
}

impl Drop for Guarded {
    /// At once, as a crash would: nothing is flushed, and nobody is told.
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// A command of nobody, if we are root.
pub(crate) fn unprivileged(program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin")
        .env("LC_ALL", "C")
        .current_dir("/");
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// Lets the server have a directory and all that lies in it.
pub(crate) fn hand_over(directory: &Path) {
    if is_root() {
        give(directory, NOBODY);
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// A port of loopback that is free now, and that the kernel gives to no client: a server comes back
/// to it after a restart.
pub(crate) fn free_port() -> u16 {
    let mut ports = std::iter::repeat_with(|| fastrand::u16(20_000..32_000));
    let free = ports.find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.unwrap()
}
