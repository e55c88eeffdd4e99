//! Another user who listens where the bus of this session was, and would like to be given secrets.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use openclaw::model::secret::Secret;
use openclaw::ports::keyring::{Keyring as _, KeyringItem};

use crate::support::session_bus::keyring_at;
use crate::support::users::ATTACKER;

const LISTENER: &str = "
import socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind('\\0' + sys.argv[1])
listener.listen()
print('listens', flush=True)
connection, _ = listener.accept()
print(len(connection.recv(1000)))
";

#[test]
#[ignore = "needs root"]
fn a_bus_of_another_user_is_told_nothing() {
    let name = format!("openclaw-bus-{}", std::process::id());
    let mut python = Command::new("python3");
    python
        .args(["-I", "-c", LISTENER, &name])
        .uid(ATTACKER)
        .current_dir("/")
        .stdout(Stdio::piped());
    let mut listener = python.spawn().unwrap();
    let mut output = BufReader::new(listener.stdout.take().unwrap());
    let mut said = String::new();
    output.read_line(&mut said).unwrap();
    assert_eq!(said, "listens\n");
    let keyring = keyring_at(&format!("unix:abstract={name}"), Duration::from_secs(60));
    let item = KeyringItem {
        service: "openclaw".to_owned(),
        account: "vault".to_owned(),
    };
    let secret = Secret::new(b"key".to_vec());
    let fault = keyring.put(&item, "a key", &secret).unwrap_err();
    let words = format!(
        "there is no system keyring: the session bus at @{name} is run by another user ({ATTACKER})"
    );
    assert_eq!(fault.to_string(), words);
    let mut received = String::new();
    output.read_to_string(&mut received).unwrap();
    assert_eq!(received, "0\n");
    listener.wait().unwrap();
}
