//! Bundles that `age` seals: a stand-in that turns the text over, and the program itself.

use std::process::Command;

use super::{FILE, KEY, TOKEN, done, file, machine, other_machine};
use crate::secrets::assert_nowhere;
use crate::support::{Ran, World, ran};

/// Turns letters over, which is no encryption and shows what was plain all the same.
const STAND_IN: &str = "#!/bin/sh
turn() { /usr/bin/tr 'A-Za-z' 'N-ZA-Mn-za-m'; }
case \"$1\" in
  -r) [ \"$2\" = age1stand-in ] || exit 1; echo age-encryption.org/v1; turn ;;
  -d) read -r first; /usr/bin/cmp -s \"$3\" - <<IDENTITY || exit 1
identity
IDENTITY
      turn ;;
  *) exit 2 ;;
esac
";

pub(super) fn run(world: &World, path: &str, words: &[&str]) -> Ran {
    let args = [&["secrets"], words].concat();
    ran(world.command(&args).env("PATH", path).output().unwrap())
}

pub(super) fn stand_in(world: &World) -> String {
    let program = world.install("bin/age", STAND_IN);
    program.parent().unwrap().display().to_string()
}

#[test]
fn age_seals_and_opens_a_bundle_by_pipes() {
    let (world, _, [access, refresh]) = machine();
    let path = stand_in(&world);
    let told = run(
        &world,
        &path,
        &["export", "--to", FILE, "--recipient", "age1stand-in"],
    );
    assert_eq!(told.code, 0, "{told:?}");
    let text = std::fs::read_to_string(file(&world)).unwrap();
    assert!(text.starts_with("age-encryption.org/v1\n"), "{text}");
    let other = other_machine(&world);
    let path = stand_in(&other);
    let identity = other.directory.path().join("identity");
    std::fs::write(&identity, "identity\n").unwrap();
    let unnamed = run(&other, &path, &["import", FILE]);
    assert_eq!(unnamed.code, 3, "{unnamed:?}");
    assert!(unnamed.err.contains("--identity FILE"), "{unnamed:?}");
    std::fs::write(&identity, "another\n").unwrap();
    let wrong = run(&other, &path, &["import", FILE, "--identity", "identity"]);
    assert_eq!(wrong.code, 3, "{wrong:?}");
    assert!(wrong.err.contains("age did not open"), "{wrong:?}");
    std::fs::write(&identity, "identity\n").unwrap();
    let told = run(&other, &path, &["import", FILE, "--identity", "identity"]);
    assert_eq!(told.code, 0, "{told:?}");
    assert_eq!(other.run(&TOKEN).out.trim_end(), access);
    assert_nowhere(&other, &refresh);
}

#[test]
fn without_age_nothing_is_written_and_a_recipient_is_one() {
    let (world, _, _) = machine();
    let words = ["export", "--to", FILE, "--recipient", "age1stand-in"];
    let missing = run(&world, "/nonexistent", &words);
    assert_eq!(missing.code, 1, "{missing:?}");
    assert!(missing.err.contains("age is not installed"), "{missing:?}");
    let path = stand_in(&world);
    for recipient in ["me@example.com", "-o", "age1other"] {
        let option = format!("--recipient={recipient}");
        let refused = run(&world, &path, &["export", "--to", FILE, &option]);
        assert_eq!(refused.code, 1, "{refused:?}");
    }
    assert!(!file(&world).exists());
}

#[test]
#[ignore = "needs age"]
fn the_real_age_opens_what_it_sealed() {
    let (world, _, [access, _]) = machine();
    let path = "/usr/bin:/bin";
    let made = Command::new("age-keygen").output().unwrap();
    let identity = String::from_utf8(made.stdout).unwrap();
    let recipient = identity
        .lines()
        .find_map(|line| line.strip_prefix("# public key: "));
    let recipient = recipient.unwrap();
    let told = run(
        &world,
        path,
        &["export", "--to", FILE, "--recipient", recipient],
    );
    assert_eq!(told.code, 0, "{told:?}");
    let other = other_machine(&world);
    std::fs::write(other.directory.path().join("identity"), &identity).unwrap();
    let told = run(&other, path, &["import", FILE, "--identity", "identity"]);
    assert_eq!(told.code, 0, "{told:?}");
    assert_eq!(other.run(&TOKEN).out.trim_end(), access);
    let key = done(other.run(&["models", "auth", "token", "--provider", "openai"]));
    assert_eq!(key.out.trim_end(), KEY);
}
