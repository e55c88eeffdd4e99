//! Who listens on the port of a gateway is whoever came first, and may be another user.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use crate::support::users::{ATTACKER, TwoUsers};
use crate::support::{World, ran};

/// Tells its port, and then what it was sent.
const SERVER: &str = "
import socket
server = socket.create_server(('127.0.0.1', 0))
print(server.getsockname()[1], flush=True)
client, _ = server.accept()
print(client.recv(65536), flush=True)
client.sendall(b'HTTP/1.1 401 no\\r\\ncontent-length: 2\\r\\n\\r\\n{}')
client.close()
";

#[test]
#[ignore = "needs root and python3"]
fn another_users_listener_gets_no_token() {
    let world = World::new();
    world.write("gateway/token", "MARKER-0123456789-0123456789");
    let users = TwoUsers::of(world);
    let mut server = Command::new("python3");
    server.args(["-c", SERVER]).uid(ATTACKER).gid(ATTACKER);
    let mut server = server
        .current_dir("/")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(server.stdout.take().unwrap());
    let mut port = String::new();
    told.read_line(&mut port).unwrap();
    let mut command = users.command(&["auth", "status"]);
    let ran = ran(command.env("GOCLAW_PORT", port.trim()).output().unwrap());
    let mut seen = String::new();
    told.read_to_string(&mut seen).unwrap();
    server.wait().unwrap();
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("gateway/token was not sent"), "{ran:?}");
    assert!(ran.err.contains("--token-file"), "{ran:?}");
    assert!(seen.contains("GET /v1/auth/openai/status"), "{seen}");
    assert!(!seen.contains("MARKER"), "{seen}");
}
