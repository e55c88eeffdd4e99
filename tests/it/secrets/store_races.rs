//! Sealing, unsealing and new keys at once, while others store: everything that was said to be stored
//! opens afterwards, and lies in the clear only in a store that is.

use std::process::{Child, Stdio};

use super::{SEAL, assert_nowhere};
use crate::support::{World, ran};

const UNSEAL: [&str; 4] = ["secrets", "migrate", "--to", "plain"];
const ROTATE: [&str; 2] = ["secrets", "rotate"];

fn name(number: usize) -> String {
    format!("openai:p{number}")
}

/// Begins to store a key of that number.
fn paste(world: &World, number: usize) -> Child {
    let name = name(number);
    let command = [
        "models",
        "auth",
        "paste-api-key",
        "--provider",
        "openai",
        "--profile-id",
        &name,
    ];
    world.feed(&command, &format!("sk-MARKER-{number:02}-0123456789abcdef"))
}

fn start(world: &World, args: &[&str]) -> Child {
    let mut command = world.command(args);
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn all_done(children: Vec<Child>) {
    for child in children {
        let ran = ran(child.wait_with_output().unwrap());
        assert_eq!(ran.code, 0, "{ran:?}");
    }
}

fn assert_there(world: &World, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let name = name(number);
        let ran = world.run(&["models", "auth", "token", "--profile", &name]);
        let expected = format!("sk-MARKER-{number:02}-0123456789abcdef");
        assert_eq!(ran.out.trim_end(), expected, "{ran:?}");
    }
}

#[test]
fn new_keys_at_once_and_beside_writers_lose_nothing() {
    let world = World::new();
    all_done((0..2).map(|number| paste(&world, number)).collect());
    all_done(vec![start(&world, &SEAL)]);
    for round in 0..4 {
        let mut children: Vec<Child> = (0..3).map(|_| start(&world, &ROTATE)).collect();
        let numbers = 2 + round * 4..6 + round * 4;
        children.extend(numbers.map(|number| paste(&world, number)));
        all_done(children);
        assert_there(&world, 0..6 + round * 4);
    }
    assert_nowhere(&world, "MARKER");
}

#[test]
fn what_is_stored_while_a_store_is_sealed_is_sealed() {
    for round in 0..6 {
        let world = World::new();
        all_done((0..3).map(|number| paste(&world, number)).collect());
        let mut children = vec![start(&world, &SEAL)];
        children.extend((3..9).map(|number| paste(&world, number)));
        if round % 2 == 1 {
            children.rotate_left(1);
        }
        all_done(children);
        assert_there(&world, 0..9);
        assert_nowhere(&world, "MARKER");
    }
}

#[test]
fn two_directions_at_once_leave_every_login_readable() {
    let world = World::new();
    all_done((0..4).map(|number| paste(&world, number)).collect());
    all_done(vec![start(&world, &SEAL)]);
    for round in 0..4 {
        let mut children = vec![start(&world, &SEAL), start(&world, &UNSEAL)];
        children.extend([start(&world, &ROTATE), paste(&world, 4 + round)]);
        all_done(children);
        assert_there(&world, 0..5 + round);
    }
    all_done(vec![start(&world, &SEAL)]);
    assert_nowhere(&world, "MARKER");
    assert_there(&world, 0..8);
}

#[test]
fn a_store_without_its_vault_takes_nothing_in_the_clear() {
    let world = World::new();
    all_done((0..2).map(|number| paste(&world, number)).collect());
    all_done(vec![start(&world, &SEAL)]);
    let vaults = ["secrets.enc", "secrets.enc.bak"].map(|name| world.state().join(name));
    let away = vaults.each_ref().map(|path| path.with_extension("away"));
    for (from, to) in vaults.iter().zip(&away) {
        std::fs::rename(from, to).unwrap();
    }
    let before = world.read("agents/main/agent/auth-profiles.json");
    let refused = ran(paste(&world, 2).wait_with_output().unwrap());
    assert_eq!(refused.code, 5, "{refused:?}");
    assert!(
        refused.err.contains("secrets.enc is not there"),
        "{refused:?}"
    );
    assert_eq!(world.read("agents/main/agent/auth-profiles.json"), before);
    assert_nowhere(&world, "MARKER");
    for (from, to) in vaults.iter().zip(&away) {
        std::fs::rename(to, from).unwrap();
    }
    assert_there(&world, 0..2);
}

#[test]
fn the_backup_of_the_vault_opens_what_was_sealed_last() {
    let world = World::new();
    all_done(vec![paste(&world, 0)]);
    all_done(vec![start(&world, &SEAL)]);
    all_done(vec![start(&world, &ROTATE)]);
    let [vault, backup] = ["secrets.enc", "secrets.enc.bak"].map(|name| world.state().join(name));
    std::fs::copy(backup, vault).unwrap();
    assert_there(&world, 0..1);
    all_done(vec![paste(&world, 1)]);
    assert_nowhere(&world, "MARKER");
}
