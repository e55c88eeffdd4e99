//! The port that a login waits at may be held by another user, who would get its code.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use serde_json::json;

use super::login::{FLOW, START};
use crate::support::World;
use crate::support::issuer::Account;
use crate::support::running_gateway::Gateway;
use crate::support::users::ATTACKER;

/// Tells its port, and holds it as long as somebody listens to what it says.
const HOLDER: &str = "
import socket, sys
server = socket.create_server(('127.0.0.1', 0))
print(server.getsockname()[1], flush=True)
sys.stdin.read()
";

#[test]
#[ignore = "needs root and python3"]
fn nobody_is_sent_to_a_port_of_another_user() {
    let mut holder = Command::new("python3");
    holder.args(["-c", HOLDER]).uid(ATTACKER).gid(ATTACKER);
    let mut holder = holder
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut port = String::new();
    let mut told = BufReader::new(holder.stdout.take().unwrap());
    told.read_line(&mut port).unwrap();
    let (world, issuer) = World::with_issuer(Account::default());
    let manifest = issuer.manifest();
    let manifest = manifest.replace("ports = [0]", &format!("ports = [{}]", port.trim()));
    world.write("providers/openai-codex.toml", &manifest);
    let gateway = Gateway::start(&world);
    let failed = gateway.post(START, &json!({}));
    drop(holder.stdin.take());
    holder.wait().unwrap();
    assert_eq!(failed.status, 500, "{failed:?}");
    let body = failed.json();
    let error = "failed to start OAuth flow (is port 1455 available?)";
    assert_eq!(body["error"], error);
    assert_eq!(body["code"], "port_unavailable");
    let detail = body["detail"].as_str().unwrap();
    assert!(detail.contains("another user"), "{detail}");
    assert_eq!(gateway.get(FLOW).json()["state"], "failed");
}
