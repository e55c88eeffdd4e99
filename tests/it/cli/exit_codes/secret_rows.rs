//! The part of the table that is about secrets.

use std::fs::File;

use crate::support::World;
use crate::support::issuer::Issuer;

use super::cause::broken;
use super::cell::Cell;
use super::rows::{done, names};
use super::table::Column::{Busy, Done, Login, NotFound, Storage};
use super::table::Row;

const SECRETS: &str = "secrets.enc";

/// Two secrets, whose key lies in two files.
fn sealed(world: &World, _: &Issuer) {
    let stored = world.pipe(&["secrets", "set", "A"], "a value");
    assert_eq!(stored.code, 0, "{stored:?}");
    done(world, "secrets slot add --key-file second.key");
}

/// Another process changes the secrets.
fn changing() -> Cell {
    let lock = |world: &World| {
        let path = world.state().join("locks/openclaw-rs/secrets.lock");
        let lock = File::options().write(true).open(path).unwrap();
        lock.lock().unwrap();
        lock
    };
    Cell::plain().while_held(lock).slow()
}

/// Of their keys only a passphrase is left, and nobody is there who knows it.
fn behind_a_passphrase() -> Cell {
    Cell::changed(|world, _| {
        let add = "secrets slot add --passphrase --new-passphrase-fd 0";
        let words: Vec<&str> = add.split(' ').collect();
        let added = world.pipe(&words, "correct horse");
        assert_eq!(added.code, 0, "{added:?}");
        let home = world.directory.path();
        std::fs::remove_dir_all(home.join("home/.config")).unwrap();
        std::fs::remove_file(home.join("second.key")).unwrap();
    })
}

/// There are none.
fn unsealed() -> Cell {
    Cell::changed(|world, _| {
        for name in [SECRETS, "secrets.enc.bak"] {
            std::fs::remove_file(world.state().join(name)).unwrap();
        }
    })
}

/// Another process is at a bundle.
fn moving() -> Cell {
    let lock = |world: &World| {
        let path = world.state().join("locks/openclaw-rs/bundle.lock");
        let mut options = File::options();
        let lock = options
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .unwrap();
        lock.lock().unwrap();
        lock
    };
    Cell::plain().while_held(lock).slow()
}

/// The same with a bundle of them.
fn bundled(world: &World, issuer: &Issuer) {
    sealed(world, issuer);
    let export: Vec<&str> = "secrets export --to bundle --bundle-passphrase-fd 0"
        .split(' ')
        .collect();
    let exported = world.pipe(&export, "correct horse");
    assert_eq!(exported.code, 0, "{exported:?}");
}

/// The same with a bundle that a login was moved to.
fn moved(world: &World, issuer: &Issuer) {
    sealed(world, issuer);
    let export = "secrets export --move --to bundle --bundle-passphrase-fd 0";
    let export: Vec<&str> = export.split(' ').collect();
    let exported = world.pipe(&export, "correct horse");
    assert_eq!(exported.code, 0, "{exported:?}");
}

/// Every command about secrets.
pub(super) fn rows() -> Vec<Row> {
    let looks = |command, words| {
        Row::new(command, words)
            .prepare(sealed)
            .on(Storage, broken(SECRETS))
    };
    let opens = |command, words| looks(command, words).on(Login, behind_a_passphrase());
    vec![
        opens("secrets set", "B")
            .input("a value")
            .on(Busy, changing()),
        opens("secrets get", "A").on(NotFound, names("NONE")),
        opens("secrets list", ""),
        opens("secrets remove", "A")
            .on(NotFound, names("NONE"))
            .on(Busy, changing()),
        // That a secret cannot be had is part of the answer.
        Row::new("secrets resolve", "")
            .prepare(sealed)
            .input(r#"{"protocolVersion":1,"provider":"x","ids":["secret/A"]}"#),
        looks("secrets status", ""),
        looks("secrets audit", ""),
        opens("secrets export", "--to house --bundle-passphrase-fd 0")
            .input("correct horse")
            .on(
                NotFound,
                names("--to house --bundle-passphrase-fd 0 --profile openai:none"),
            )
            .on(Busy, moving()),
        opens("secrets import", "bundle --bundle-passphrase-fd 0")
            .prepare(bundled)
            .input("correct horse")
            .on(NotFound, names("none --bundle-passphrase-fd 0"))
            .on(Busy, moving()),
        // The key is needed only where profiles are sealed.
        looks("secrets take-back", "bundle --bundle-passphrase-fd 0")
            .prepare(moved)
            .on(Login, names("bundle"))
            .input("correct horse")
            .on(NotFound, names("none --bundle-passphrase-fd 0"))
            .on(Busy, moving()),
        // Whether the kernel keeps keys is not for a test to say.
        opens("secrets unlock", "")
            .never(Done)
            .on(NotFound, unsealed()),
        looks("secrets lock", "").never(Done),
        opens("secrets slot add", "--key-file third.key")
            .on(NotFound, unsealed())
            .on(Busy, changing()),
        opens("secrets migrate", "--to encrypted_file").on(Busy, changing()),
        opens("secrets rotate", "")
            .on(NotFound, unsealed())
            .on(Busy, changing()),
        opens("secrets slot remove", "1")
            .on(NotFound, names("9"))
            .on(Busy, changing()),
    ]
}
