//! The part of the table that is about keys to the gateway.

use std::fs::File;

use super::cause::broken;
use super::cell::Cell;
use super::rows::names;
use super::table::Column::{Busy, NotFound, Storage};
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
    let lock = |world: &World| {
        let path = "locks/gateway-keys.lock";
        world.write(path, "");
        let lock = File::options().write(true).open(world.state().join(path));
        let lock = lock.unwrap();
        lock.lock().unwrap();
        lock
    };
    Cell::plain().while_held(lock).slow()
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
        .collect()
}
