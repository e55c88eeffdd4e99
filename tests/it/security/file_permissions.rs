//! The permissions of what the program writes: whatever the umask, nobody else may read it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::issuer::Account;

use crate::support::{World, behind, ran, setup_token};

/// Runs under a umask that forbids nothing, with a text on standard input.
fn run(world: &World, args: &[&str], input: &str) {
    let inner = world.command(args);
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "umask 000; exec \"$0\" \"$@\""]);
    behind(&mut command, &inner);
    let text = world.directory.path().join("input");
    std::fs::write(&text, input).unwrap();
    command.stdin(Stdio::from(std::fs::File::open(text).unwrap()));
    let ran = ran(command.output().unwrap());
    assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
}

/// A directory with everything below it, and the mode of each.
fn modes(path: &Path, found: &mut Vec<(PathBuf, u32)>) {
    let data = path.symlink_metadata().unwrap();
    found.push((path.to_owned(), data.permissions().mode() & 0o777));
    if data.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            modes(&entry.unwrap().path(), found);
        }
    }
}

#[test]
fn every_file_of_the_state_directory_is_its_owners_alone() {
    let paste = ["models", "auth", "paste-token", "--provider", "anthropic"];
    let pasted = World::new();
    // The second replaces the first, which is kept.
    run(&pasted, &paste, &setup_token());
    run(&pasted, &paste, &(setup_token() + "b"));
    let (refreshed, issuer) = World::with_issuer(Account::default());
    refreshed.seed(&issuer, "main", -10);
    run(&refreshed, &["models", "auth", "refresh"], "");
    run(&refreshed, &["models", "set", "openai-codex/large"], "");
    let logout = ["models", "auth", "logout", "openai-codex:default", "--yes"];
    run(&refreshed, &logout, "");
    for (world, least) in [(pasted, 8), (refreshed, 10)] {
        let mut found = Vec::new();
        modes(&world.state(), &mut found);
        assert!(found.len() >= least, "{found:?}");
        for (path, mode) in &found {
            let private = if path.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(*mode, private, "{} is {mode:o}", path.display());
        }
    }
}
