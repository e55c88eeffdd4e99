//! Access control lists that let another user in count like the mode does.

use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use crate::support::users::{ATTACKER, TwoUsers, VICTIM};
use crate::support::{Ran, World, setup_token};

const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";
const PROVIDERS: [&str; 3] = ["models", "auth", "providers"];
const PASTE: [&str; 5] = ["models", "auth", "paste-token", "--provider", "anthropic"];

fn set_list(path: &Path, list: &[&str]) {
    let status = Command::new("setfacl").args(list).arg(path).status();
    assert!(status.unwrap().success(), "{list:?}");
}

fn with_config() -> TwoUsers {
    let world = World::new();
    world.write("config.yaml", "{}");
    TwoUsers::of(world)
}

fn entry(user: u32, permissions: &str) -> String {
    format!("u:{user}:{permissions}")
}

fn refused(ran: &Ran, at: &Path) {
    assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
    let words = format!("{} is writable by other users", at.display());
    assert!(ran.err.contains(&words), "{ran:?}");
    let advice = format!("chmod go-w {}", at.display());
    assert!(ran.err.contains(&advice), "{ran:?}");
}

#[test]
#[ignore = "needs root and setfacl"]
fn settings_that_a_list_lets_others_write_to_are_refused() {
    for path in ["config.yaml", ""] {
        let users = with_config();
        let at = users.path(path);
        let at = at.components().as_path();
        for harmless in [entry(ATTACKER, "r"), entry(VICTIM, "rwx"), entry(0, "rwx")] {
            set_list(at, &["-m", &harmless]);
            assert_eq!(users.run(&PROVIDERS).code, 0, "{path}: {harmless}");
        }
        for group in [entry(ATTACKER, "rwx"), format!("g:{ATTACKER}:rwx")] {
            set_list(at, &["-b"]);
            set_list(at, &["-m", &group]);
            match group.starts_with('g') {
                // Nobody is in it, as far as this machine knows.
                true => assert_eq!(users.run(&PROVIDERS).code, 0, "{path}"),
                false => refused(&users.run(&PROVIDERS), at),
            }
        }
        set_list(at, &["-m", &entry(ATTACKER, "rwx")]);
        refused(&users.run(&PROVIDERS), at);
        // The advice works: the bits of the group are the most that a list gives.
        let mended = Command::new("chmod").arg("go-w").arg(at).status();
        assert!(mended.unwrap().success());
        assert_eq!(users.run(&PROVIDERS).code, 0, "{path}");
    }
}

#[test]
#[ignore = "needs root and setfacl"]
fn a_program_that_a_list_lets_others_write_to_is_not_run() {
    let world = World::new();
    let program = world.install("bin/openclaw-auth-acme", "#!/bin/sh\n> \"$0.ran\"\n");
    let users = TwoUsers::of(world);
    let login = ["models", "auth", "login", "--provider", "acme"];
    let run = || {
        let mut command = users.command(&login);
        command.env("PATH", program.parent().unwrap());
        crate::support::ran(command.output().unwrap())
    };
    set_list(&program, &["-m", &entry(ATTACKER, "rwx")]);
    refused(&run(), &program);
    let mark = format!("{}.ran", program.display());
    assert!(!Path::new(&mark).exists());
    set_list(&program, &["-b"]);
    run();
    assert!(Path::new(&mark).exists());
}

#[test]
#[ignore = "needs root and setfacl"]
fn no_list_opens_a_store_that_was_written() {
    let users = TwoUsers::of(World::new());
    assert_eq!(users.pipe(&PASTE, &setup_token()).code, 0);
    let can_read = || {
        let mut cat = Command::new("cat");
        let cat = cat.arg(users.path(DOCUMENT)).uid(ATTACKER).gid(ATTACKER);
        cat.output().unwrap().status.success()
    };
    let mut above = users.path(DOCUMENT);
    while above.pop() && above.starts_with(users.world.directory.path()) {
        set_list(&above, &["-m", &entry(ATTACKER, "x")]);
    }
    let directory = users.path("agents/main/agent");
    set_list(&directory, &["-d", "-m", &entry(ATTACKER, "rw")]);
    set_list(&users.path(DOCUMENT), &["-m", &entry(ATTACKER, "r")]);
    assert!(can_read());
    let ran = users.run(&["models", "status"]);
    assert!(ran.out.contains("(mode 0640)"), "{ran:?}");
    let ran = users.pipe(&PASTE, &setup_token());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!can_read());
    let mode = std::fs::metadata(users.path(DOCUMENT)).unwrap().mode();
    assert_eq!(mode & 0o777, 0o600);
}
