//! GNOME Keyring on a bus of its own, that starts no other program.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use openclaw::ports::keyring::{Keyring as _, KeyringFault, KeyringItem};
use openclaw::sys::keyring::SystemKeyring;

use super::keyring_at;

/// So long that no busy machine reaches it.
const PATIENT: Duration = Duration::from_secs(60);

/// A home, a bus and a daemon; ended when dropped.
pub(crate) struct GnomeKeyring {
    _home: tempfile::TempDir,
    address: String,
    bus: Child,
    daemon: Child,
}

impl GnomeKeyring {
    /// One with the collection that a login makes, unlocked.
    pub(crate) fn unlocked() -> Self {
        Self::start(&["--unlock"], "pw")
    }

    /// One that was never set up.
    pub(crate) fn without_collection() -> Self {
        Self::start(&[], "")
    }

    fn start(options: &[&str], password: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let (bus, address) = start_bus(home.path());
        let mut daemon = Command::new("gnome-keyring-daemon");
        let daemon = daemon
            .args(["--foreground", "--components=secrets"])
            .args(options)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", home.path())
            .env("XDG_RUNTIME_DIR", home.path())
            .env("DBUS_SESSION_BUS_ADDRESS", &address)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut daemon = daemon
            .spawn()
            .expect("gnome-keyring-daemon is not installed");
        let mut input = daemon.stdin.take().unwrap();
        input.write_all(password.as_bytes()).unwrap();
        drop(input);
        let keyring = Self {
            _home: home,
            address,
            bus,
            daemon,
        };
        keyring.wait();
        keyring
    }

    /// Until the daemon has its name on the bus.
    fn wait(&self) {
        let item = KeyringItem {
            service: "nobody".to_owned(),
            account: "nobody".to_owned(),
        };
        for _ in 0..3_000 {
            match self.keyring().get(&item) {
                Err(KeyringFault::Missing(_)) => std::thread::sleep(Duration::from_millis(10)),
                _ => return,
            }
        }
        panic!("gnome-keyring-daemon did not take its name");
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn keyring(&self) -> SystemKeyring {
        keyring_at(&self.address, PATIENT)
    }

    /// Locks the collection, as a screen lock or a person does.
    pub(crate) fn lock(&self) {
        let service = "org.freedesktop.secrets";
        let path = "/org/freedesktop/secrets";
        let mut call = Command::new("dbus-send");
        call.arg(format!("--bus={}", self.address))
            .arg(format!("--dest={service}"))
            .args(["--print-reply", path])
            .arg("org.freedesktop.Secret.Service.Lock")
            .arg(format!("array:objpath:{path}/collection/login"));
        let done = call.output().unwrap();
        assert!(done.status.success(), "{done:?}");
    }

    /// Stops the daemon; it keeps its name.
    pub(crate) fn stop(&self) {
        let id = self.daemon.id().to_string();
        let done = Command::new("kill").args(["-STOP", &id]).status().unwrap();
        assert!(done.success());
    }

    /// Ends the daemon.
    pub(crate) fn end(&mut self) {
        self.daemon.kill().unwrap();
        self.daemon.wait().unwrap();
    }
}

impl Drop for GnomeKeyring {
    fn drop(&mut self) {
        for child in [&mut self.daemon, &mut self.bus] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A bus that knows no service it could start.
fn start_bus(home: &Path) -> (Child, String) {
    let config = format!(
        r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={}/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#,
        home.display()
    );
    let path = home.join("bus.conf");
    std::fs::write(&path, config).unwrap();
    let mut bus = Command::new("dbus-daemon");
    bus.arg(format!("--config-file={}", path.display()))
        .args(["--nofork", "--nopidfile", "--print-address=1"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut bus = bus.spawn().expect("dbus-daemon is not installed");
    let mut address = String::new();
    let output = bus.stdout.take().unwrap();
    BufReader::new(output).read_line(&mut address).unwrap();
    (bus, address.trim().to_owned())
}
