//! The gateway as a service: what systemd hears of it, and the unit in `examples`.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use crate::support::World;
use crate::support::running_gateway::Gateway;

fn heard(socket: &UnixDatagram) -> String {
    let mut message = [0; 256];
    let length = socket.recv(&mut message).unwrap();
    String::from_utf8(message[..length].to_vec()).unwrap()
}

#[test]
fn systemd_hears_when_it_answers_and_when_it_ends() {
    let world = World::new();
    let path = world.directory.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let limit = Duration::from_secs(60);
    socket.set_read_timeout(Some(limit)).unwrap();
    let mut command = world.command(&["gateway", "run", "--listen", "127.0.0.1:0"]);
    command.env("NOTIFY_SOCKET", &path);
    let gateway = Gateway::of(command);
    assert_eq!(heard(&socket), "READY=1\n");
    assert_eq!(gateway.get("/livez").status, 200);
    gateway.terminate();
    assert_eq!(heard(&socket), "STOPPING=1\n");
    assert_eq!(gateway.ended().code, 0);
}

/// The units name a program that is not there: the one that is tested takes its place.
#[test]
#[ignore = "needs systemd-analyze"]
fn systemd_takes_the_units_of_examples() {
    for unit in ["openclaw-gateway", "openclaw-gateway-postgres"] {
        let directory = tempfile::tempdir().unwrap();
        let name = format!("{unit}.service");
        let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/gateway");
        let text = std::fs::read_to_string(Path::new(examples).join(&name)).unwrap();
        let installed = "/usr/local/bin/openclaw";
        assert!(text.contains(installed), "{text}");
        let path = directory.path().join(name);
        let program = crate::support::program();
        std::fs::write(&path, text.replace(installed, program)).unwrap();
        let output = std::process::Command::new("systemd-analyze")
            .args(["verify", "--man=no"])
            .arg(&path)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        // It warns of what it does not know, and succeeds.
        let ours = said.lines().filter(|line| line.contains(unit));
        assert_eq!(ours.collect::<Vec<_>>(), [""; 0]);
    }
}
