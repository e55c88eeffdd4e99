//! Every other route of a login against the same server, by a manifest that names no endpoint.

use serde_json::json;

use super::person::Person;
use super::server::Server;
use crate::support::login::Waiting;
use crate::support::{World, ran};

const WHO: &str = "me@example.com";
const PROFILE: &str = "acme:me@example.com";
const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "acme"];
const SECRET: &str = "MARKER-client-secret: +%";

fn world(manifest: &str) -> World {
    let world = World::new();
    world.write("providers/acme.toml", manifest);
    world
}

fn log_in(world: &World) {
    let login = Waiting::start(world, &["--provider", "acme"]);
    let page = Person::default().log_in(&login.url, WHO, "yes");
    assert_eq!(page.status, 200, "{page:?}");
    let (ran, events) = login.finish();
    assert_eq!(ran.code, 0, "{ran:?} {events:?}");
}

fn refresh_token(world: &World) -> String {
    let store = world.store();
    let token = store["profiles"][PROFILE]["refresh"].as_str();
    token.unwrap().to_owned()
}

#[test]
#[ignore = "needs node and the packages of tests/oidc-provider"]
fn a_users_manifest_works_at_the_first_try() {
    let server = Server::start(3_600);
    let world = world(&server.users_manifest());
    log_in(&world);
    let profile = world.store()["profiles"][PROFILE].clone();
    assert_eq!(profile["email"], WHO);
    let token = world.run(&TOKEN);
    assert_eq!(token.out.trim_end(), profile["access"], "{token:?}");

    // Rotation, by the endpoint that the metadata named.
    let before = refresh_token(&world);
    let refresh = ["models", "auth", "refresh", "--force"];
    let renewed = world.run(&refresh);
    assert_eq!(renewed.code, 0, "{renewed:?}");
    let after = refresh_token(&world);
    assert!(before != after && server.takes(&after));

    let logout = world.run(&["models", "auth", "logout", PROFILE, "--revoke", "--yes"]);
    assert_eq!(logout.code, 0, "{logout:?}");
    assert!(!server.takes(&after));
    assert_eq!(world.store()["profiles"], json!({}));
}

#[test]
#[ignore = "needs node and the packages of tests/oidc-provider"]
fn a_service_logs_in_as_itself() {
    let server = Server::start(3_600);
    for auth in ["basic", "post"] {
        let world = world(&server.service_manifest(auth));
        let run = |args: &[&str]| {
            let output = world
                .command(args)
                .env("ACME_CLIENT_SECRET", SECRET)
                .output();
            ran(output.unwrap())
        };
        let login = run(&["models", "auth", "login", "--provider", "acme"]);
        assert_eq!(login.code, 0, "{auth}: {login:?}");
        let token = run(&TOKEN);
        assert_eq!(token.code, 0, "{auth}: {token:?}");
        let again = run(&["models", "auth", "refresh", "--force"]);
        assert_eq!(again.code, 0, "{auth}: {again:?}");
        assert_ne!(run(&TOKEN).out, token.out);
        let shown = format!("{login:?}{token:?}{again:?}{}", world.store());
        assert!(!shown.contains("MARKER"), "{shown}");
    }
    let both = json!({ "granted": 4, "refused": 0 });
    assert_eq!(server.count(), json!({ "client_credentials": both }));
}
