//! Chromium as the person's browser: opened by the program under test, then driven by WebDriver. It is
//! closed with the test, and by `timeout` if the test is killed.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::webdriver::{Tab, until};

/// A Chromium with a profile of its own, which the program under test opens. Dropping it closes it.
pub(super) struct Chromium {
    profile: PathBuf,
    pid: PathBuf,
}

impl Chromium {
    /// Puts an `xdg-open` in the way of `command` that opens a headless Chromium, and a display
    /// beside it, for without one nobody would open a browser.
    pub(super) fn opened_by(command: &mut Command, directory: &Path) -> Self {
        let (bin, profile) = (directory.join("bin"), directory.join("chromium"));
        let pid = directory.join("chromium.pid");
        fs::create_dir(&bin).unwrap();
        let opener = bin.join("xdg-open");
        let script = format!(
            "#!/bin/sh\necho $$ > '{}'\nexec timeout 300 chromium --headless --no-sandbox --disable-gpu --disable-quic \
             --no-first-run --disable-background-networking --disable-component-update \
             --disable-sync --remote-debugging-port=0 --user-data-dir='{}' \"$1\"\n",
            pid.display(),
            profile.display()
        );
        fs::write(&opener, script).unwrap();
        fs::set_permissions(&opener, fs::Permissions::from_mode(0o755)).unwrap();
        let path = std::env::var("PATH").unwrap();
        command
            .env("PATH", format!("{}:{path}", bin.display()))
            .env("DISPLAY", ":99");
        Self { profile, pid }
    }

    /// The port that it is driven on, once it is open.
    fn port(&self) -> Option<u16> {
        let told = fs::read_to_string(self.profile.join("DevToolsActivePort")).ok()?;
        told.split_once('\n')?.0.parse().ok()
    }

    /// Waits until it is open and takes hold of its tab.
    pub(super) fn attach(&self) -> Tab {
        Tab::attach(until("Chromium is open", || self.port()))
    }

    fn pid(&self) -> Option<Pid> {
        let told = fs::read_to_string(&self.pid).ok()?;
        Pid::from_raw(told.trim().parse().ok()?)
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let Some(pid) = self.pid() else { return };
        let _ = kill_process(pid, Signal::TERM);
        // Only then may its profile be removed.
        until("Chromium is closed", || {
            let port = self.port()?;
            let open = TcpStream::connect(("127.0.0.1", port)).is_ok();
            (!open).then_some(())
        });
    }
}
