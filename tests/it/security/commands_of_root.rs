//! One command of root in somebody's state directory: everything stays theirs.

use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, chown};
use std::path::Path;
use std::process::Command;

use crate::support::issuer::Account;
use crate::support::{Ran, World, setup_token};

/// Nobody's number, and that of nobody's group.
const USER: (u32, u32) = (54_321, 54_322);

/// Everything below a directory, itself included, that is not the user's.
fn foreign(path: &Path, found: &mut Vec<String>) {
    let data = path.symlink_metadata().unwrap();
    if (data.uid(), data.gid()) != USER {
        found.push(format!("{} of {}", path.display(), data.uid()));
    }
    if data.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            foreign(&entry.unwrap().path(), found);
        }
    }
}

fn give(path: &Path) {
    chown(path, Some(USER.0), Some(USER.1)).unwrap();
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path());
        }
    }
}

fn require_root() {
    let owner = std::fs::metadata("/proc/self").unwrap().uid();
    assert_eq!(owner, 0, "this test needs root");
}

fn done(ran: &Ran) {
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
#[ignore = "needs root"]
fn what_root_creates_or_replaces_belongs_to_the_user() {
    require_root();
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    world.add_agent("work");
    give(world.directory.path());
    done(&world.run(&[
        "models",
        "auth",
        "token",
        "--profile",
        "openai-codex:default",
    ]));
    done(&world.run(&["models", "auth", "refresh", "--force"]));
    done(&world.run(&["tick"]));
    done(&world.run(&["models", "set", "openai-codex/large"]));
    let paste = ["models", "auth", "paste-token", "--provider", "anthropic"];
    done(&world.pipe(&paste, &setup_token()));
    let paste = [&["--agent", "work"], &paste[..]].concat();
    done(&world.pipe(&paste, &setup_token()));
    done(&world.run(&["models", "auth", "logout", "anthropic:manual", "--yes"]));
    done(&world.run(&["doctor", "--timeout", "10m"]));
    let mut found = Vec::new();
    foreign(world.directory.path(), &mut found);
    assert_eq!(found, [""; 0]);
}

#[test]
#[ignore = "needs root"]
fn a_state_directory_that_root_makes_belongs_to_the_owner_of_the_home() {
    require_root();
    let world = World::new();
    give(world.directory.path());
    let paste = ["models", "auth", "paste-token", "--provider", "anthropic"];
    let mut found = Vec::new();
    done(&world.pipe(&paste, &setup_token()));
    foreign(world.directory.path(), &mut found);
    assert_eq!(found, [""; 0]);
}

#[test]
#[ignore = "needs root"]
fn doctor_names_what_root_left_and_gives_it_back() {
    require_root();
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", 3_600);
    give(world.directory.path());
    let document = world.state().join("agents/main/agent/auth-profiles.json");
    chown(&document, Some(0), Some(0)).unwrap();
    // A second name of a file elsewhere, and a link: neither is given away.
    let outside = tempfile::tempdir_in(world.directory.path().parent().unwrap()).unwrap();
    let file = outside.path().join("shadow");
    std::fs::write(&file, "x").unwrap();
    std::fs::hard_link(&file, world.state().join("second")).unwrap();
    std::os::unix::fs::symlink(&file, world.state().join("link")).unwrap();
    let ran = world.run(&["doctor", "--timeout", "10m"]);
    let named = format!("{} belongs to root", document.display());
    assert!(ran.out.contains(&named), "{ran:?}");
    done(&world.run(&["doctor", "--fix", "--timeout", "10m"]));
    assert_eq!(std::fs::metadata(&document).unwrap().uid(), USER.0);
    assert_eq!(std::fs::metadata(&file).unwrap().uid(), 0);
}

#[test]
#[ignore = "needs root"]
fn a_device_is_never_replaced() {
    require_root();
    let world = World::new();
    let device = world.directory.path().join("null");
    let mut make = Command::new("mknod");
    let made = make.arg(&device).args(["c", "1", "3"]).status().unwrap();
    assert!(made.success());
    world.write("agents/main/agent/other.json", "{}");
    let document = world.state().join("agents/main/agent/auth-profiles.json");
    std::os::unix::fs::symlink(&device, &document).unwrap();
    let paste = ["models", "auth", "paste-token", "--provider", "anthropic"];
    let ran = world.pipe(&paste, &setup_token());
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.err.contains("it is a device and not a file"), "{ran:?}");
    let kind = std::fs::metadata(&device).unwrap().file_type();
    assert!(kind.is_char_device());
}
