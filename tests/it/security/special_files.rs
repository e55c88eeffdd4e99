//! What is no file, in the place of one: refused by name, and never waited for.

use std::os::unix::net::UnixListener;
use std::process::Command;

use crate::support::World;

const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";

/// Puts a named pipe there, which nobody writes to.
fn pipe(world: &World, path: &str) {
    world.write(path, "");
    let path = world.state().join(path);
    std::fs::remove_file(&path).unwrap();
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_pipe_in_the_place_of_a_file_is_named_and_not_read() {
    for (path, code) in [(DOCUMENT, 5), ("openclaw.json", 5)] {
        let world = World::new();
        pipe(&world, path);
        let commands = [
            &["models", "auth", "token", "--provider", "anthropic"][..],
            &["models", "status"],
            &["models", "auth", "list"],
        ];
        for command in commands {
            let ran = world.run(command);
            assert_eq!(ran.code, code, "{path}: {ran:?}");
            let named = world.state().join(path).display().to_string();
            assert!(ran.err.contains(&named), "{ran:?}");
            assert!(
                ran.err.contains("is a named pipe and not a file"),
                "{ran:?}"
            );
        }
        let ran = world.pipe(
            &["models", "auth", "paste-token", "--provider", "anthropic"],
            &crate::support::setup_token(),
        );
        assert_eq!(ran.code, code, "{path}: {ran:?}");
    }
}

#[test]
fn a_link_in_the_place_of_a_lock_is_named_and_not_followed() {
    let world = World::new();
    let paste = ["models", "auth", "paste-token", "--provider", "anthropic"];
    let token = crate::support::setup_token();
    assert_eq!(world.pipe(&paste, &token).code, 0);
    let before = world.store();
    let locks = world.state().join("locks/openclaw-rs");
    let elsewhere = world.state().join("elsewhere");
    for lock in std::fs::read_dir(&locks).unwrap() {
        let lock = lock.unwrap().path();
        std::fs::remove_file(&lock).unwrap();
        std::os::unix::fs::symlink(&elsewhere, lock).unwrap();
    }
    let ran = world.pipe(&paste, &token);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.err.contains("it is a link and not a file"), "{ran:?}");
    assert!(ran.err.contains("out of the way"), "{ran:?}");
    assert_eq!(world.store(), before);
    assert!(!elsewhere.exists());
}

#[test]
fn a_socket_in_the_place_of_a_file_is_named() {
    let world = World::new();
    world.write("agents/main/agent/other", "");
    // The path of a socket may be no longer than 107 bytes.
    let socket = tempfile::tempdir_in("/tmp").unwrap();
    let _socket = UnixListener::bind(socket.path().join("s")).unwrap();
    std::os::unix::fs::symlink(socket.path().join("s"), world.state().join(DOCUMENT)).unwrap();
    let ran = world.run(&["models", "auth", "token", "--provider", "anthropic"]);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.err.contains("is a socket and not a file"), "{ran:?}");
}

#[test]
fn a_pipe_for_variables_stops_nothing_that_is_stored() {
    let world = World::new();
    pipe(&world, ".env");
    let token = crate::support::setup_token();
    let paste = ["models", "auth", "paste-token", "--provider", "anthropic"];
    assert_eq!(world.pipe(&paste, &token).code, 0);
    let ran = world.run(&["models", "auth", "token", "--provider", "anthropic"]);
    assert_eq!((ran.code, ran.out.trim()), (0, token.as_str()), "{ran:?}");
}
