//! What is no bundle, opens not, or must not be written; nothing is changed by any of it.

use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;

use super::{FILE, PASSPHRASE, bundle, export, file, machine, other_machine, write_private};
use crate::login::at_a_terminal::{at_terminal, ends_with};
use crate::secrets::{files, with_passphrase};
use crate::support::{Ran, World};

/// What is said of it, and with which code; nothing was stored.
fn refused(world: &World, words: &[&str], code: i32, sentence: &str) -> Ran {
    let before = files(world);
    let ran = bundle(world, words);
    assert_eq!(ran.code, code, "{words:?} {ran:?}");
    assert!(ran.err.contains(sentence), "{words:?} {ran:?}");
    let after = files(world);
    let mut new = after.iter().filter(|path| !before.contains(path));
    // The lock of the commands about bundles may be new.
    assert!(new.all(|path| path.ends_with("bundle.lock")), "{after:?}");
    ran
}

#[test]
fn an_export_overwrites_nothing_and_needs_a_place() {
    let (world, _, _) = machine();
    let at = |name: &str| world.directory.path().join(name);
    std::fs::write(at("there"), "mine").unwrap();
    refused(
        &world,
        &["export", "--to", "there"],
        1,
        "exists already, and is not overwritten",
    );
    assert_eq!(std::fs::read(at("there")).unwrap(), b"mine");
    refused(
        &world,
        &["export", "--to", "none/here"],
        1,
        "there is no directory",
    );
    refused(
        &world,
        &["export", "--to", "there/here"],
        5,
        "was not written",
    );
    refused(
        &world,
        &["export", "--to", "/"],
        1,
        "is not the name of a file",
    );
    let inside = world.state().join("rescue.bundle").display().to_string();
    refused(&world, &["export", "--to", &inside], 1, "cannot lie in it");
    std::fs::create_dir(at("directory")).unwrap();
    refused(
        &world,
        &["export", "--to", "directory"],
        1,
        "exists already",
    );
    std::os::unix::fs::symlink("nowhere", at("link")).unwrap();
    refused(&world, &["export", "--to", "link"], 1, "exists already");
    refused(
        &world,
        &["export", "--to", "/proc/sys/bundle"],
        5,
        "was not written",
    );
}

#[test]
fn a_passphrase_has_ten_characters_and_there_is_something_to_export() {
    let (world, _, _) = machine();
    let args = [
        "secrets",
        "export",
        "--to",
        FILE,
        "--bundle-passphrase-fd",
        "3",
    ];
    let short = with_passphrase(&world, &args, "too short");
    assert_eq!(short.code, 1, "{short:?}");
    assert!(short.err.contains("at least 10 characters"), "{short:?}");
    let nobody = world.run(&args[..4]);
    assert_eq!(nobody.code, 1, "{nobody:?}");
    assert!(nobody.err.contains("--bundle-passphrase-fd"), "{nobody:?}");
    assert!(!file(&world).exists());
    let empty = World::new();
    refused(
        &empty,
        &["export", "--to", FILE],
        1,
        "there is nothing to export in",
    );
}

#[test]
fn a_wrong_passphrase_is_asked_for_three_times_at_a_terminal_and_once_otherwise() {
    let (world, _, _) = machine();
    export(&world);
    let other = other_machine(&world);
    let args = ["secrets", "import", FILE, "--bundle-passphrase-fd", "3"];
    let wrong = with_passphrase(&other, &args, "wrong horse");
    assert_eq!(wrong.code, 3, "{wrong:?}");
    assert!(wrong.err.contains("the passphrase is wrong"), "{wrong:?}");
    let nobody = other.run(&args[..3]);
    assert_eq!(nobody.code, 3, "{nobody:?}");
    assert!(
        nobody.err.contains("no terminal is there to ask"),
        "{nobody:?}"
    );
    let mut session = at_terminal(&other, &args[..3]);
    for _ in 0..3 {
        session.exp_string("Passphrase of ").unwrap();
        session.exp_string(": ").unwrap();
        session.send("wrong horse\r").unwrap();
        session.flush().unwrap();
    }
    session.exp_eof().unwrap();
    ends_with(&session, 3);
    let mut session = at_terminal(&other, &args[..3]);
    session.exp_string(": ").unwrap();
    session.send_control('c').unwrap();
    session.exp_eof().unwrap();
    ends_with(&session, 130);
    assert!(!other.state().join("agents").exists());
}

#[test]
fn a_passphrase_is_asked_for_twice_and_ctrl_c_writes_nothing() {
    let (world, _, _) = machine();
    let args = ["secrets", "export", "--to", FILE];
    let mut session = at_terminal(&world, &args);
    session
        .exp_string("Passphrase of the bundle (input is hidden): ")
        .unwrap();
    session.send_control('c').unwrap();
    session.exp_eof().unwrap();
    ends_with(&session, 130);
    assert!(!file(&world).exists());
    let mut session = at_terminal(&world, &args);
    for prompt in [
        "Passphrase of the bundle (input is hidden): ",
        "once more: ",
    ] {
        session.exp_string(prompt).unwrap();
        session.send(&format!("{PASSPHRASE}\r")).unwrap();
        session.flush().unwrap();
    }
    session.exp_eof().unwrap();
    ends_with(&session, 0);
    assert!(file(&world).exists());
}

#[test]
fn a_damaged_bundle_opens_not_and_a_later_one_is_left_to_its_release() {
    let (world, _, _) = machine();
    export(&world);
    let other = other_machine(&world);
    let whole = std::fs::read(file(&other)).unwrap();
    let damaged = |bytes: &[u8], code: i32, sentence: &str| {
        write_private(&file(&other), bytes);
        refused(&other, &["import", FILE], code, sentence);
    };
    damaged(b"", 5, "it is empty");
    damaged(b"[\"x\"]", 5, "it is no bundle of openclaw");
    damaged(b"{}", 5, "it is no bundle of openclaw");
    damaged(&whole[..whole.len() / 2], 5, "it is torn");
    damaged(br#"{"openclawBundle":1}"#, 5, "are missing or no such");
    damaged(
        br#"{"openclawBundle":2,"new":true}"#,
        1,
        "a later release of openclaw",
    );
    let change = |name: &str, change: &dyn Fn(&mut Value)| {
        let mut tree: Value = serde_json::from_slice(&whole).unwrap();
        change(&mut tree[name]);
        tree.to_string().into_bytes()
    };
    let flip = |value: &mut Value| {
        let text = value.as_str().unwrap();
        let first = if text.starts_with('A') { 'B' } else { 'A' };
        *value = format!("{first}{}", &text[1..]).into();
    };
    damaged(
        &change("data", &flip),
        5,
        "its content was changed or is torn",
    );
    // What can be read is bound to the key.
    for name in ["created", "move"] {
        let other = change(name, &|value| {
            *value = if name == "move" {
                true.into()
            } else {
                1.into()
            }
        });
        damaged(&other, 3, "the passphrase is wrong");
    }
    damaged(
        &change("kdf", &|kdf| kdf["m"] = (1_u64 << 31).into()),
        5,
        "at most 1024 MiB, 16 and 16",
    );
    damaged(
        &change("kdf", &|kdf| kdf["kdf"] = "scrypt".into()),
        5,
        "are missing or no such",
    );
}

#[test]
fn only_a_file_of_reasonable_length_is_read() {
    let (world, _, _) = machine();
    export(&world);
    let other = other_machine(&world);
    refused(&other, &["import", "none"], 1, "no such file");
    refused(&other, &["import", "."], 5, "cannot read");
    let huge = other.directory.path().join("huge");
    File::create(&huge)
        .unwrap()
        .set_len((64 << 20) + 1)
        .unwrap();
    refused(&other, &["import", "huge"], 1, "is longer than 64 MiB");
    std::fs::remove_file(huge).unwrap();
    let pipe = other.directory.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    refused(&other, &["import", "pipe"], 5, "a named pipe");
    // As a stick without permissions shows it, and by a link: it is sealed.
    std::fs::set_permissions(file(&other), PermissionsExt::from_mode(0o644)).unwrap();
    std::os::unix::fs::symlink(FILE, other.directory.path().join("link")).unwrap();
    let ran = bundle(&other, &["import", "link"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("other users may read"), "{ran:?}");
}
