//! Which bus is the session's, by the environment.

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::time::Duration;

use openclaw::ports::keyring::{Keyring as _, KeyringFault};
use openclaw::sys::keyring::SystemKeyring;
use openclaw::testing::env::FixedEnv;

use super::vault;
use crate::support::session_bus::{FakeBus, keyring_at};

const PATIENT: Duration = Duration::from_secs(60);

fn missing(address: &str, words: &str) {
    let fault = keyring_at(address, PATIENT).get(&vault()).unwrap_err();
    let is_missing = matches!(&fault, KeyringFault::Missing(why) if why.contains(words));
    assert!(is_missing, "{address:?}: {fault}");
}

#[test]
fn the_first_socket_that_somebody_listens_on_is_taken() {
    let bus = FakeBus::start(b"key", |_| None);
    let address = bus.address();
    for list in [
        format!("{address},guid=0123456789abcdef0123456789abcdef"),
        format!("unix:path=/nonexistent/bus;{address}"),
        format!("tcp:host=127.0.0.1,port=9;{address}"),
        format!("autolaunch:;unixexec:path=/bin/false;{address}"),
        format!("{address};unix:path=/nonexistent/bus"),
        address.replace("bus", "%62us"),
    ] {
        let found = keyring_at(&list, PATIENT).get(&vault());
        assert!(matches!(found, Ok(Some(_))), "{list}: {found:?}");
    }
}

#[test]
fn an_abstract_socket_is_one_too() {
    let name = format!("openclaw-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let listener = UnixListener::bind_addr(&address).unwrap();
    let caller = std::thread::spawn(move || {
        let limit = Duration::from_millis(100);
        keyring_at(&format!("unix:abstract={name}"), limit).get(&vault())
    });
    let _connected = listener.accept().unwrap();
    let fault = caller.join().unwrap().unwrap_err();
    assert!(matches!(fault, KeyringFault::Silent { .. }), "{fault}");
}

#[test]
fn without_an_address_the_bus_lies_in_the_runtime_directory() {
    let bus = FakeBus::start(b"key", |_| None);
    let directory = bus.directory().to_str().unwrap();
    let env = FixedEnv::of(&[("XDG_RUNTIME_DIR", directory)]);
    let found = SystemKeyring::with_limit(&env, PATIENT).get(&vault());
    assert!(matches!(found, Ok(Some(_))), "{found:?}");
    let env = FixedEnv::of(&[("XDG_RUNTIME_DIR", "/nonexistent")]);
    let fault = SystemKeyring::new(&env).get(&vault()).unwrap_err();
    let words = "there is no system keyring: could not connect to the session bus at \
                 /nonexistent/bus: No such file or directory (os error 2)";
    assert_eq!(fault.to_string(), words);
}

#[test]
fn no_bus_at_all_is_said_at_once() {
    missing("unix:path=/nonexistent/bus", "at /nonexistent/bus: No such");
    missing("unix:abstract=openclaw-nobody", "at @openclaw-nobody: ");
    missing("autolaunch:", "names no Unix socket: \"autolaunch:\"");
    missing("\u{1b}]0;x\u{7}", "names no Unix socket: \"");
    // Nobody listens any more.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bus");
    drop(UnixListener::bind(&path).unwrap());
    let address = format!("unix:path={}", path.display());
    missing(&address, "Connection refused");
}

/// Whoever listens there could read the secret on its way, or run a program.
#[test]
fn nothing_is_sent_over_tcp() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    missing(
        &format!("tcp:host=127.0.0.1,port={port}"),
        "names no Unix socket",
    );
    listener.set_nonblocking(true).unwrap();
    let nobody = listener.accept().unwrap_err().kind();
    assert_eq!(nobody, std::io::ErrorKind::WouldBlock);
}
