//! A database that cannot be used: what a gateway and the commands of the machine say of it, and that
//! nothing takes its place. No server is needed for that.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::support::running_gateway::Gateway;
use crate::support::{Ran, World, ran};

const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
/// Nothing listens on port 1 of this machine.
const URL: &str = "postgres://openclaw:password-MARKER@127.0.0.1:1/logins";

/// A world whose logins are in a database that cannot be reached, beside files with a login.
fn world() -> World {
    let world = World::new();
    world.seed_with("main", 3_600, "access-of-files", "refresh-of-files");
    for (name, text) in [("database-url", URL), ("database.key", KEY)] {
        world.write(name, text);
        set_mode(&world.state().join(name), 0o600);
    }
    world
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn command(world: &World, args: &[&str]) -> Command {
    let mut command = world.command(args);
    let file = |name: &str| world.state().join(name);
    command
        .env("OPENCLAW_DATABASE_URL_FILE", file("database-url"))
        .env("GOCLAW_ENCRYPTION_KEY_FILE", file("database.key"));
    command
}

fn run(world: &World, args: &[&str]) -> Ran {
    ran(command(world, args).output().unwrap())
}

#[test]
fn a_gateway_starts_without_its_database_and_says_that_it_is_not_ready() {
    let world = world();
    let gateway = Gateway::of(command(
        &world,
        &["gateway", "run", "--listen", "127.0.0.1:0"],
    ));
    assert_eq!(gateway.get("/livez").status, 200);
    let ready = gateway.get("/readyz");
    assert_eq!(ready.status, 503, "{ready:?}");
    let ready = ready.json();
    assert_eq!(ready["database"], "unavailable");
    assert_eq!(ready["migrations"], "unknown");
    assert_eq!(ready["key"], "unknown");
    let answer = gateway.get("/v1/token?provider=openai-codex&agent=main");
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(answer.json()["code"], "database_unavailable");
    assert!(answer.header("Retry-After").is_some(), "{answer:?}");
    let ran = gateway.stop();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!ran.err.contains("MARKER"), "{ran:?}");
}

#[test]
fn a_command_says_where_the_database_is_and_never_uses_the_files() {
    let world = world();
    for args in [
        &["models", "auth", "token", "--provider", "openai-codex"][..],
        &["models", "auth", "list"],
        &["gateway", "doctor"],
        &["gateway", "migrate"],
        &["gateway", "import"],
    ] {
        let ran = run(&world, args);
        assert_eq!(ran.code, 5, "{args:?}: {ran:?}");
        assert!(
            ran.err.contains("127.0.0.1") && ran.err.contains("logins"),
            "{ran:?}"
        );
        let told = [ran.out, ran.err].concat();
        assert!(
            !told.contains("MARKER") && !told.contains("of-files"),
            "{told}"
        );
    }
    assert!(
        world
            .read("agents/main/agent/auth-profiles.json")
            .contains("refresh-of-files")
    );
}

#[test]
fn a_database_without_a_key_or_with_an_open_file_is_refused() {
    let world = world();
    let refused = |command: &mut Command| {
        let ran = ran(command.output().unwrap());
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(!ran.err.contains("MARKER"), "{ran:?}");
        ran.err
    };
    for args in [&["models", "status"][..], &["gateway", "run"]] {
        let mut keyless = command(&world, args);
        let told = refused(keyless.env_remove("GOCLAW_ENCRYPTION_KEY_FILE"));
        assert!(told.contains("GOCLAW_ENCRYPTION_KEY_FILE"), "{told}");
        let mut wrong = command(&world, args);
        refused(wrong.env("GOCLAW_ENCRYPTION_KEY", "too short"));
    }
    for name in ["database-url", "database.key"] {
        let path = world.state().join(name);
        set_mode(&path, 0o644);
        let told = refused(&mut command(&world, &["models", "status"]));
        assert!(told.contains(name), "{told}");
        set_mode(&path, 0o600);
    }
}

#[test]
fn commands_about_a_database_need_one() {
    let world = World::new();
    for verb in ["migrate", "doctor", "import"] {
        let ran = world.run(&["gateway", verb]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains("--database-url-file"), "{ran:?}");
    }
    let ran = world.run(&["gateway", "run", "--migrate"]);
    assert_eq!(ran.code, 1, "{ran:?}");
}
