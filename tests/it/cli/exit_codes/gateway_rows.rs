//! The part of the table that is about keys to the gateway, and its database.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use super::cause::broken;
use super::cell::Cell;
use super::rows::names;
use super::table::Column::{Busy, Done, NotFound, Storage};
use super::table::Row;
use crate::support::World;
use crate::support::issuer::Issuer;

const FILE: &str = "gateway/keys.json";

/// One key.
fn keyed(world: &World, _: &Issuer) {
    let digest = "0".repeat(64);
    let key = format!(r#"{{"id":"a","digest":"{digest}","role":"viewer","created":1}}"#);
    world.write(FILE, &format!(r#"{{"schema":1,"keys":[{key}]}}"#));
}

/// Another process changes the keys.
fn changing() -> Cell {
    Cell::plain()
        .while_held(|world| held(world, "locks/gateway-keys.lock"))
        .slow()
}

/// Another process is importing.
fn importing() -> Cell {
    Cell::plain()
        .while_held(|world| held(world, "locks/openclaw-rs/import.lock"))
        .slow()
}

fn held(world: &World, path: &str) -> File {
    world.write(path, "");
    let lock = File::options().write(true).open(world.state().join(path));
    let lock = lock.unwrap();
    lock.lock().unwrap();
    lock
}

/// A database that cannot be reached, for nothing listens on port 1.
fn database(world: &World, _: &Issuer) {
    world.write("url", "postgres://openclaw:secret@127.0.0.1:1/openclaw");
    world.write("key", &"0".repeat(64));
    for name in ["url", "key"] {
        let path = world.state().join(name);
        std::fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    }
}

/// A command about a database, which is there in other tests alone.
fn about_a_database(command: &'static str, words: &'static str) -> Row {
    Row::new(command, words)
        .prepare(database)
        .never(Done)
        .on(Storage, Cell::plain())
}

fn of_the_database() -> [Row; 6] {
    const URL: &str = "--database-url-file STATE/url";
    [
        about_a_database("gateway migrate", URL),
        about_a_database("gateway doctor", URL),
        about_a_database("gateway tenant add", "a --database-url-file STATE/url"),
        about_a_database("gateway tenant list", URL),
        about_a_database(
            "gateway rekey",
            "--new-key-file STATE/key --database-url-file STATE/url",
        ),
        about_a_database("gateway import", URL)
            .on(
                NotFound,
                names("--goclaw nowhere --database-url-file STATE/url"),
            )
            .on(Busy, importing()),
    ]
}

pub(super) fn rows() -> Vec<Row> {
    let rows = [
        Row::new("gateway key add", "")
            .on(NotFound, names("--provider nobody"))
            .on(Busy, changing()),
        Row::new("gateway key list", ""),
        Row::new("gateway key revoke", "a")
            .on(NotFound, names("b"))
            .on(Busy, changing()),
    ];
    let rows = rows.into_iter();
    rows.map(|row| row.prepare(keyed).on(Storage, broken(FILE)))
        .chain(of_the_database())
        .collect()
}
