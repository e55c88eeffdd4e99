//! A device login (RFC 8628) at a server that nobody here wrote.

use std::io::{BufRead, BufReader};

use super::*;

const ACME: [&str; 6] = [
    "models",
    "auth",
    "login",
    "--provider",
    "acme",
    "--device-code",
];

fn at(server: &Server) -> World {
    let world = World::new();
    world.write("providers/acme.toml", &server.users_manifest());
    world
}

/// Starts a login and has `person` deal with its code: what the command did.
fn log_in(world: &World, person: impl FnOnce(&str)) -> (i32, Vec<Value>) {
    let mut command = world.command(&ACME);
    command.arg("--json").stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut person = Some(person);
    let mut events = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if let Some(url) = event["verificationUriComplete"].as_str() {
            person.take().unwrap()(url);
        }
        events.push(event);
    }
    (child.wait().unwrap().code().unwrap(), events)
}

#[test]
#[ignore = "needs node and the packages of tests/oidc-provider"]
fn a_code_that_a_person_approves_becomes_a_login_that_is_refreshed() {
    let server = Server::start(3_600);
    let world = at(&server);
    let (code, events) = log_in(&world, |url| {
        let shown = Person::default().approve(url, WHO);
        assert_eq!(shown.status, 200, "{shown:?}");
    });
    assert_eq!(code, 0, "{events:?}");
    let stored = world.store()["profiles"]["acme:me@example.com"].clone();
    assert!(stored["refresh"].is_string(), "{stored}");
    let device = "urn:ietf:params:oauth:grant-type:device_code";
    assert_eq!(server.count()[device]["granted"], 1);
    let ran = world.run(&FORCE);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(server.count()["refresh_token"]["granted"], 1);
    assert_ne!(world.store()["profiles"]["acme:me@example.com"], stored);
}

#[test]
#[ignore = "needs node and the packages of tests/oidc-provider"]
fn a_code_that_a_person_refuses_ends_the_login() {
    let server = Server::start(3_600);
    let world = at(&server);
    let (code, events) = log_in(&world, |url| {
        Person::default().answer_code(url, "abort");
    });
    assert_eq!(code, 3, "{events:?}");
    assert_eq!(events.last().unwrap()["code"], "access_denied");
    assert!(!world.state().join(STORE).exists());
}
