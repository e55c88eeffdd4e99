//! Disks that are really full or read-only, and a document that is a mount of its own: what the
//! faults of `every_system_call.rs` stand for, without anybody pretending.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use crate::support::issuer::{Account, Issuer};
use crate::support::mount::{Mount, fill, mount};
use openclaw::sys::clock::SystemClock;

use crate::support::{Ran, World, ran, setup_token};

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];
const PASTE: [&str; 5] = ["models", "auth", "paste-token", "--provider", "anthropic"];
const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";

/// A world with one expired login, on a small disk of its own, which comes last and goes first.
fn small_disk() -> (World, Issuer, Mount) {
    let world = World::new();
    std::fs::create_dir(world.state()).unwrap();
    let args = ["-t", "tmpfs", "-o", "size=512k,mode=700", "openclaw-test"];
    let disk = Mount::new(&world.state(), &args);
    let issuer = Issuer::start(Account::default(), Arc::new(SystemClock::new())).unwrap();
    world.write("providers/openai-codex.toml", &issuer.manifest());
    world.seed(&issuer, "main", -10);
    (world, issuer, disk)
}

fn ballast(world: &World) -> PathBuf {
    world.state().join("ballast")
}

/// Each of them fails with the exit code for the disk, and says that nothing was changed.
fn nothing_can_be_written(world: &World, issuer: &Issuer) {
    let before = world.read(DOCUMENT);
    let logout = ["models", "auth", "logout", "openai-codex:default", "--yes"];
    let add = [
        "agents",
        "add",
        "work",
        "--workspace",
        "w",
        "--non-interactive",
    ];
    let force = ["models", "auth", "refresh", "--force"];
    let login = ["models", "auth", "login", "--no-browser", "--json"];
    for args in [&TOKEN[..], &force, &PASTE, &logout, &add, &login] {
        let ran = world.pipe(args, &setup_token());
        assert_eq!(ran.code, 5, "{args:?}: {ran:?}");
        assert!(ran.err.contains("No credentials were changed."), "{ran:?}");
        assert_eq!(world.read(DOCUMENT), before, "{args:?}");
    }
    assert!(issuer.token_requests().is_empty(), "no token was spent");
}

fn works(world: &World, issuer: &Issuer, requests: usize) {
    let token = world.run(&TOKEN);
    assert_eq!(token.code, 0, "{token:?}");
    let profile = &world.store()["profiles"]["openai-codex:default"];
    assert_eq!(profile["access"], token.out.trim_end());
    assert_eq!(issuer.token_requests().len(), requests);
    let forced = world.run(&["models", "auth", "refresh", "--force"]);
    assert_eq!(forced.code, 0, "what is stored is not spent: {forced:?}");
}

#[test]
#[ignore = "needs root to mount"]
fn a_full_disk_spends_nothing() {
    let (world, issuer, _disk) = small_disk();
    fill(&ballast(&world));
    nothing_can_be_written(&world, &issuer);
    std::fs::remove_file(ballast(&world)).unwrap();
    works(&world, &issuer, 1);
}

#[test]
#[ignore = "needs root to mount"]
fn a_disk_that_fills_up_during_the_request_loses_nothing() {
    let (world, issuer, _disk) = small_disk();
    issuer.hold();
    let mut command = world.command(&TOKEN);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    while issuer.token_requests().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    fill(&ballast(&world));
    issuer.let_go();
    let Ran { code, out, err } = ran(child.wait_with_output().unwrap());
    match code {
        0 => assert_eq!(
            world.store()["profiles"]["openai-codex:default"]["access"],
            out.trim_end()
        ),
        5 => assert!(err.contains("its replacement is saved"), "{err}"),
        _ => panic!("{code} {out} {err}"),
    }
    std::fs::remove_file(ballast(&world)).unwrap();
    works(&world, &issuer, 1);
}

#[test]
#[ignore = "needs root to mount"]
fn a_read_only_disk_spends_nothing_and_still_hands_out_what_lives() {
    let (world, issuer, _disk) = small_disk();
    mount(&world.state(), &["-o", "remount,ro"]);
    nothing_can_be_written(&world, &issuer);
    mount(&world.state(), &["-o", "remount,rw"]);
    works(&world, &issuer, 1);
    mount(&world.state(), &["-o", "remount,ro"]);
    let access = world.store()["profiles"]["openai-codex:default"]["access"].clone();
    let token = world.run(&TOKEN);
    assert_eq!((token.code, token.err.as_str()), (0, ""), "{token:?}");
    assert_eq!(access, token.out.trim_end());
    assert_eq!(world.run(&["models", "status"]).code, 0);
}

#[test]
#[ignore = "needs root to mount"]
fn a_document_that_is_a_mount_of_its_own_is_written_in_place() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    let outside = world.directory.path().join("outside.json");
    std::fs::copy(world.state().join(DOCUMENT), &outside).unwrap();
    let bind = ["--bind", outside.to_str().unwrap()];
    let _mount = Mount::new(&world.state().join(DOCUMENT), &bind);
    works(&world, &issuer, 1);
    assert_eq!(world.pipe(&PASTE, &setup_token()).code, 0);
    let text = std::fs::read_to_string(&outside).unwrap();
    assert_eq!(text, world.read(DOCUMENT));
    assert!(text.contains("anthropic:manual") && text.contains("keepme"));
    let names = std::fs::read_dir(world.state().join("agents/main/agent")).unwrap();
    let mut names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(!names.any(|name| name.ends_with(".tmp")));
}
