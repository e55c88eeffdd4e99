//! Secrets that have names: how a value comes in and goes out, where it never appears, and what is
//! said when nothing opens them. The whole program, as processes.

mod audit;
mod bad_input;
mod beside_openclaw;
mod bundles;
mod guide;
mod import_dotenv;
mod import_sidecars;
mod keys;
pub(crate) mod kills;
mod named;
mod prompts;
mod races;
mod references;
mod references_of_clients;
mod resolve;
mod sealed_store;
mod secret_refs;
mod session_keyring;
mod store_races;
mod waiting;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{Ran, World, behind, ran};

/// Seals the store, with its key in a file alone.
const SEAL: [&str; 5] = [
    "secrets",
    "migrate",
    "--to",
    "encrypted_file",
    "--no-recovery",
];

/// Stores a secret by a pipe.
fn set(world: &World, name: &str, value: &str) {
    let ran = world.pipe(&["secrets", "set", name], value);
    assert_eq!(ran.code, 0, "{ran:?}");
}

fn get(world: &World, name: &str) -> Ran {
    world.run(&["secrets", "get", name])
}

/// The same command with a passphrase on file descriptor 3.
fn with_passphrase(world: &World, args: &[&str], passphrase: &str) -> Ran {
    let file = world.directory.path().join("passphrase");
    std::fs::write(&file, passphrase).unwrap();
    let inner = world.command(args);
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "exec \"$0\" \"$@\" 3<passphrase"]);
    behind(&mut shell, &inner).stdin(Stdio::null());
    let ran = ran(shell.output().unwrap());
    std::fs::remove_file(file).unwrap();
    ran
}

/// Every file below the world, its home included.
fn files(world: &World) -> Vec<PathBuf> {
    fn below(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(directory).unwrap().flatten() {
            match entry.file_type().unwrap().is_dir() {
                true => below(&entry.path(), found),
                // Of a link to a directory, what that holds lies elsewhere.
                false if entry.path().is_dir() => {}
                false => found.push(entry.path()),
            }
        }
    }
    let mut found = Vec::new();
    below(world.directory.path(), &mut found);
    found
}

/// Fails if a text is in a file anywhere.
pub(crate) fn assert_nowhere(world: &World, text: &str) {
    for path in files(world) {
        let bytes = std::fs::read(&path).unwrap();
        let is_there = bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes());
        assert!(!is_there, "{}", path.display());
    }
}

/// The one key file of the world.
fn key_file(world: &World) -> PathBuf {
    let keys = world.directory.path().join("home/.config/openclaw/keys");
    let mut files = std::fs::read_dir(keys).unwrap();
    files.next().unwrap().unwrap().path()
}
