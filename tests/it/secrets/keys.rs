//! Where the key lies, and what is said when it cannot be had: with which exit code, and that every
//! byte stays.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::{assert_nowhere, get, key_file, set, with_passphrase};
use crate::support::World;

const PASSPHRASE: &str = "correct horse\n";
const FILE: &str = "secrets.enc";

/// A secret behind a passphrase, and nothing that remembers it.
fn behind_a_passphrase() -> World {
    let world = World::new();
    std::fs::write(world.directory.path().join("value"), "MARKER").unwrap();
    let set = [
        "secrets",
        "set",
        "A",
        "--value-file",
        "value",
        "--passphrase",
        "--new-passphrase-fd",
        "3",
    ];
    let ran = with_passphrase(&world, &set, PASSPHRASE);
    assert_eq!(ran.code, 0, "{ran:?}");
    std::fs::remove_file(world.directory.path().join("value")).unwrap();
    world
}

fn lock(world: &World) {
    let _ = world.run(&["secrets", "lock"]);
}

#[test]
fn without_its_key_file_nothing_opens_and_nothing_changes() {
    let world = World::new();
    set(&world, "A", "MARKER");
    let (key, before) = (key_file(&world), world.read(FILE));
    let text = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    for args in [
        &["get", "A"][..],
        &["list"],
        &["remove", "A"],
        &["set", "A"],
    ] {
        let ran = world.pipe(&[&["secrets"], args].concat(), "new");
        assert_eq!(ran.code, 5, "{ran:?}");
        assert!(
            ran.err.contains("the key file ~/.config/openclaw/keys"),
            "{ran:?}"
        );
        assert!(ran.err.contains("it is not there"), "{ran:?}");
    }
    assert_eq!(world.read(FILE), before);
    // What needs no key says so.
    let ran = world.run(&["secrets", "status", "--json"]);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told["slots"][0]["fault"], "it is not there");
    let moved = world.directory.path().join("moved");
    std::fs::write(&moved, text).unwrap();
    std::fs::set_permissions(&moved, PermissionsExt::from_mode(0o600)).unwrap();
    let mut named = world.command(&["secrets", "get", "A"]);
    named.env("OPENCLAW_SECRETS_KEY_FILE", &moved);
    assert_eq!(named.output().unwrap().stdout, b"MARKER");
}

/// It decides what opens, so nobody else may have been able to write it.
#[test]
fn a_key_file_that_others_may_write_opens_nothing() {
    let world = World::new();
    set(&world, "A", "MARKER");
    let key = key_file(&world);
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o666)).unwrap();
    let ran = get(&world, "A");
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.err.contains("writable by other users"), "{ran:?}");
    assert!(ran.err.contains("chmod go-w"), "{ran:?}");
    // Nor able to read it; the command that is told mends it.
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o640)).unwrap();
    let ran = get(&world, "A");
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(
        ran.err.contains("open to other users (mode 0640)"),
        "{ran:?}"
    );
    let command = ran.err.split_once("chmod ").unwrap().1;
    let command = format!("chmod {}", command.split_once(')').unwrap().0);
    let mended = std::process::Command::new("/bin/sh")
        .args(["-c", &command])
        .status();
    assert!(mended.unwrap().success(), "{command}");
    assert_eq!(get(&world, "A").out, "MARKER");
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o400)).unwrap();
    assert_eq!(get(&world, "A").out, "MARKER");
    std::fs::remove_file(&key).unwrap();
    std::fs::write(&key, "no key\n").unwrap();
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
    let ran = get(&world, "A");
    assert!(
        ran.code == 5 && ran.err.contains("no key of 32 bytes"),
        "{ran:?}"
    );
}

#[test]
fn a_file_that_is_torn_newer_or_changed_is_left_as_it_is() {
    let world = World::new();
    set(&world, "A", "one");
    set(&world, "A", "two");
    let (whole, backup) = (world.read(FILE), world.read("secrets.enc.bak"));
    let other = World::new();
    set(&other, "A", "three");
    let newer = whole.replace(r#""openclawSecrets": 1"#, r#""openclawSecrets": 9"#);
    let swapped = {
        let mut own: Value = serde_json::from_str(&whole).unwrap();
        let others: Value = serde_json::from_str(&other.read(FILE)).unwrap();
        own["slots"] = others["slots"].clone();
        own.to_string()
    };
    let damaged = {
        let mut own: Value = serde_json::from_str(&whole).unwrap();
        let old: Value = serde_json::from_str(&backup).unwrap();
        own["store"] = "env".into();
        own["body"] = old["body"].clone();
        own.to_string()
    };
    let cases = [
        (&whole[..whole.len() / 2], 5, "not valid JSON"),
        ("", 5, "it is empty"),
        (&newer, 1, "written by a later release"),
        (&swapped, 5, "it is not there"),
        (&damaged, 5, "changed or damaged"),
    ];
    for (text, code, words) in cases {
        world.write(FILE, text);
        for args in [&["get", "A"][..], &["set", "A"], &["remove", "A"]] {
            let ran = world.pipe(&[&["secrets"], args].concat(), "new");
            assert_eq!(ran.code, code, "{words}: {ran:?}");
            assert!(ran.err.contains(words), "{words}: {ran:?}");
        }
        assert_eq!(world.read(FILE), text);
        assert_eq!(world.read("secrets.enc.bak"), backup);
    }
    world.write(FILE, &backup);
    assert_eq!(get(&world, "A").out, "one");
}

#[test]
fn a_passphrase_that_nobody_can_be_asked_for_is_said_with_the_command() {
    let world = behind_a_passphrase();
    assert_nowhere(&world, "MARKER");
    lock(&world);
    let before = world.read(FILE);
    for args in [&["get", "A"][..], &["list"], &["set", "A"]] {
        let ran = world.pipe(&[&["secrets"], args].concat(), "new");
        assert_eq!(ran.code, 3, "{ran:?}");
        assert!(ran.err.contains("openclaw secrets unlock"), "{ran:?}");
    }
    let fd = ["secrets", "get", "A", "--passphrase-fd", "3"];
    let ran = with_passphrase(&world, &fd, "wrong horse");
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.err.contains("the passphrase is wrong"), "{ran:?}");
    assert_eq!(with_passphrase(&world, &fd, "").code, 1);
    let ran = with_passphrase(&world, &fd, PASSPHRASE);
    assert_eq!((ran.code, ran.out.as_str()), (0, "MARKER"));
    assert!(!ran.err.contains("horse"), "{ran:?}");
    lock(&world);
    assert_eq!(world.read(FILE), before);
    let status = world.run(&["secrets", "status"]);
    assert!(
        status.code == 0 && status.out.contains("1 the passphrase"),
        "{status:?}"
    );
}

#[test]
fn a_file_that_asks_for_a_terabyte_is_refused() {
    let world = behind_a_passphrase();
    lock(&world);
    let text = world.read(FILE);
    world.write(FILE, &text.replace(r#""m": 65536"#, r#""m": 1073741824"#));
    let fd = ["secrets", "get", "A", "--passphrase-fd", "3"];
    let ran = with_passphrase(&world, &fd, PASSPHRASE);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.err.contains("1048576 MiB"), "{ran:?}");
}

/// Where the kernel refuses, as in many containers, it is said.
#[test]
fn after_unlock_the_kernel_has_the_key_until_it_is_locked() {
    let world = behind_a_passphrase();
    let unlock = ["secrets", "unlock", "--passphrase-fd", "3", "--for", "1h"];
    let ran = with_passphrase(&world, &unlock, PASSPHRASE);
    if ran.code != 0 {
        assert_eq!(ran.code, 5, "{ran:?}");
        assert!(ran.err.contains("Error: the kernel "), "{ran:?}");
        return;
    }
    assert!(ran.out.starts_with("Unlocked; locks again in "), "{ran:?}");
    assert_eq!(get(&world, "A").out, "MARKER");
    set(&world, "A", "MARKER two");
    let status = world.run(&["secrets", "status"]);
    assert!(status.out.contains("Unlocked: yes"), "{status:?}");
    assert_eq!(world.run(&["secrets", "lock"]).out, "Locked\n");
    assert_eq!(get(&world, "A").code, 3);
    let again = world.run(&["secrets", "lock"]);
    assert_eq!(again.out, "The kernel had no key\n", "{again:?}");
}

#[test]
fn a_second_slot_opens_alone_and_the_last_one_stays() {
    let world = World::new();
    set(&world, "A", "MARKER");
    let add = [
        "secrets",
        "slot",
        "add",
        "--passphrase",
        "--new-passphrase-fd",
        "3",
    ];
    let short = with_passphrase(&world, &add, "short");
    assert!(
        short.code == 1 && short.err.contains("10 characters"),
        "{short:?}"
    );
    let ran = with_passphrase(&world, &add, PASSPHRASE);
    assert_eq!(ran.out, "Added the passphrase\n", "{ran:?}");
    let beside = ["secrets", "slot", "add", "--key-file", "state/k"];
    let ran = world.run(&beside);
    assert!(
        ran.code == 1 && ran.err.contains("protects nothing"),
        "{ran:?}"
    );
    let ran = world.run(&["secrets", "slot", "add", "--credential"]);
    assert!(ran.code == 1 && ran.err.contains("systemd"), "{ran:?}");
    std::fs::remove_file(key_file(&world)).unwrap();
    let fd = [
        "secrets",
        "slot",
        "remove",
        "key_file",
        "--passphrase-fd",
        "3",
    ];
    assert_eq!(with_passphrase(&world, &fd, PASSPHRASE).code, 0);
    let last = ["secrets", "slot", "remove", "1", "--passphrase-fd", "3"];
    let ran = with_passphrase(&world, &last, PASSPHRASE);
    assert!(
        ran.code == 1 && ran.err.contains("the last slot stays"),
        "{ran:?}"
    );
    let fd = ["secrets", "get", "A", "--passphrase-fd", "3"];
    assert_eq!(with_passphrase(&world, &fd, PASSPHRASE).out, "MARKER");
    lock(&world);
}

#[test]
fn the_last_slot_that_opens_stays_whatever_slots_are_left() {
    let world = World::new();
    set(&world, "A", "MARKER");
    let add = ["secrets", "slot", "add", "--key-file", "second.key"];
    assert_eq!(world.run(&add).code, 0);
    std::fs::remove_file(world.directory.path().join("second.key")).unwrap();
    let doctor = world.run(&["doctor", "--timeout", "10m"]);
    let told = "the audit of the secrets has 1 finding";
    assert!(doctor.out.contains(told), "{doctor:?}");
    let ran = world.run(&["secrets", "slot", "remove", "1"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("the last slot stays"), "{ran:?}");
    assert_eq!(world.run(&["secrets", "slot", "remove", "2"]).code, 0);
    assert_eq!(get(&world, "A").out, "MARKER");
}
