//! A write that ends in the middle: the program runs under a limit on the size of a file, which
//! stops root as well. Either the write fails, as on a full disk, or the kernel kills the program
//! there and then; what was stored before is whole in both cases.

use std::process::{Command, Stdio};

use crate::support::issuer::Account;

use crate::support::{Ran, World, behind, ran, setup_token};

/// More than any limit below, so that no store with it can be written again.
fn ballast() -> String {
    "x".repeat(8_192)
}

/// Runs under a limit of two blocks of a shell, 2 KiB at most; the signal that comes with it is
/// ignored, or kills.
fn limited(world: &World, args: &[&str], input: &str, is_ignored: bool) -> Ran {
    let binary = world.command(args);
    let trap = if is_ignored { "trap '' XFSZ; " } else { "" };
    let script = format!("{trap}ulimit -c 0; ulimit -f 2; exec \"$0\" \"$@\"");
    let mut shell = Command::new("/bin/sh");
    behind(shell.arg("-c").arg(script), &binary)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = shell.spawn().unwrap();
    // Whoever is killed before it reads leaves a pipe that cannot be written.
    let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes());
    ran(child.wait_with_output().unwrap())
}

/// Everything in the main agent's directory but its locks, and the history, which is written first.
fn names(world: &World) -> Vec<String> {
    let entries = std::fs::read_dir(world.state().join("agents/main/agent")).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.contains("lock") && name != "auth-history")
        .collect();
    names.sort();
    names
}

const STORE: &str = "agents/main/agent/auth-profiles.json";
const PASTE: [&str; 5] = ["models", "auth", "paste-token", "--provider", "anthropic"];

fn big_store(world: &World) -> String {
    let text = format!(
        r#"{{"version":1,"profiles":{{"anthropic:manual":{{"type":"token","provider":"anthropic","token":"old"}}}},"mine":"{}"}}"#,
        ballast()
    );
    world.write(STORE, &text);
    text
}

#[test]
fn a_write_that_ends_early_leaves_the_old_store_and_nothing_else() {
    let world = World::new();
    let before = big_store(&world);
    let ran = limited(&world, &PASTE, &setup_token(), true);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(
        ran.err.contains("auth-profiles.json: File too large"),
        "{ran:?}"
    );
    assert!(!ran.err.contains("MARKER"), "{ran:?}");
    assert_eq!(world.read(STORE), before);
    assert_eq!(names(&world), ["auth-profiles.json"]);
}

#[test]
fn a_program_that_dies_while_it_writes_leaves_the_old_store() {
    let world = World::new();
    let before = big_store(&world);
    let ran = limited(&world, &PASTE, &setup_token(), false);
    assert_eq!(ran.code, -1, "killed by a signal: {ran:?}");
    assert_eq!(world.read(STORE), before);
    assert_eq!(
        names(&world).len(),
        2,
        "its half-written file is still there"
    );

    // OpenClaw's own lock was left behind, too, and goes stale after half a minute.
    let lock = world.state().join(format!("{STORE}.lock"));
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    std::fs::File::open(lock)
        .unwrap()
        .set_modified(long_ago)
        .unwrap();
    let ran = world.pipe(&PASTE, &setup_token());
    assert_eq!(ran.code, 0, "no lock stands in the way: {ran:?}");
    assert_eq!(
        names(&world),
        ["auth-profiles.json"],
        "the next write sweeps it"
    );
    let store = world.store();
    let token = &store["profiles"]["anthropic:manual"]["token"];
    assert_eq!(
        (token, &store["mine"]),
        (&setup_token().into(), &ballast().into())
    );
}

#[test]
fn no_refresh_token_is_spent_whose_successor_cannot_be_stored() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    let mut store = world.store();
    store["mine"] = ballast().into();
    world.write(STORE, &store.to_string());
    let before = world.read(STORE);

    let token = ["models", "auth", "token", "--provider", "openai-codex"];
    let ran = limited(&world, &token, "", true);
    assert!(ran.code == 5 && ran.out.is_empty(), "{ran:?}");
    assert_eq!(issuer.token_requests().len(), 0);
    assert_eq!(world.read(STORE), before);
    assert_eq!(names(&world), ["auth-profiles.json"]);

    assert_eq!(world.run(&token).code, 0, "with space again");
    assert_eq!(issuer.token_requests().len(), 1);
}

#[test]
fn the_configuration_is_whole_after_a_short_write() {
    let world = World::new();
    let config = format!("// mine\n{{ mine: '{}' }}\n", ballast());
    world.write("openclaw.json", &config);
    let add = ["agents", "add", "new", "--workspace", "w"];
    for is_ignored in [true, false] {
        let ran = limited(&world, &add, "", is_ignored);
        assert_ne!(ran.code, 0, "{ran:?}");
        assert_eq!(world.read("openclaw.json"), config);
    }
    assert_eq!(world.run(&add).code, 0);
    assert!(world.read("openclaw.json").starts_with("// mine\n"));
}
