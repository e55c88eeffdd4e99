//! `secrets import --from FILE`: a `.env` file becomes secrets that have names.

use serde_json::{Value, json};

use super::{assert_nowhere, files, get, set};
use crate::support::{Ran, World};

const FILE: &str = "# keys
A=MARKER-one
export B='MARKER
two'
b=MARKER-three
MARKER-four==
EMPTY=
C=\"MARKER five\"
A=MARKER-six
";

fn import(world: &World, more: &[&str]) -> Ran {
    let args = [&["secrets", "import", "--from", "keys.env"], more].concat();
    world.run(&args)
}

fn world() -> World {
    let world = World::new();
    std::fs::write(world.directory.path().join("keys.env"), FILE).unwrap();
    world
}

fn lines(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn its_values_become_secrets_and_what_has_no_name_is_told_by_its_line() {
    let world = world();
    let ran = import(&world, &["--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let told = lines(&ran);
    let row = |name: &str| json!({ "name": name, "action": "added" });
    assert_eq!(told["secrets"], json!([row("A"), row("B"), row("C")]));
    assert_eq!(told["storedLines"], json!([[2, 2], [3, 4], [8, 8], [9, 9]]));
    let numbers = told["left"].as_array().unwrap().iter();
    let numbers: Vec<_> = numbers.map(|left| left["line"].clone()).collect();
    assert_eq!(numbers, [5, 6, 7]);
    assert!(!ran.out.contains("MARKER") && ran.err.is_empty(), "{ran:?}");
    for (name, value) in [
        ("A", "MARKER-six"),
        ("B", "MARKER\ntwo"),
        ("C", "MARKER five"),
    ] {
        assert_eq!(get(&world, name).out, value);
    }
    let path = world.directory.path().join("keys.env");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), FILE);
    // Once it is gone, the values are in no file.
    std::fs::remove_file(path).unwrap();
    assert_nowhere(&world, "MARKER");
}

#[test]
fn another_value_is_kept_unless_it_is_forced() {
    let world = world();
    set(&world, "B", "mine");
    set(&world, "C", "MARKER five");
    let before = world.read("secrets.enc");
    let dry = import(&world, &["--dry-run", "--force"]);
    assert!(dry.out.starts_with("Would import 2 secrets"), "{dry:?}");
    assert_eq!(world.read("secrets.enc"), before);
    let ran = import(&world, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.starts_with("Imported 1 secret "), "{ran:?}");
    assert!(
        ran.out.contains("B: kept, because another value"),
        "{ran:?}"
    );
    assert!(ran.out.contains("C: already here"), "{ran:?}");
    // The line of a value that is not stored is no line to remove.
    assert!(
        ran.out.contains("You can remove lines 2, 8-9 of it"),
        "{ran:?}"
    );
    assert_eq!(get(&world, "B").out, "mine");
    assert_eq!(import(&world, &["--force"]).code, 0);
    assert_eq!(get(&world, "B").out, "MARKER\ntwo");
}

#[test]
fn what_cannot_be_read_or_asks_for_two_things_stores_nothing() {
    let world = World::new();
    let bytes = world.directory.path().join("bytes.env");
    std::fs::write(bytes, b"A=\xff").unwrap();
    for args in [
        &["--from", "bytes.env"][..],
        &["--from", "nothing.env"],
        &["--from", "bytes.env", "--from-openclaw"],
        &["--from", "bytes.env", "bundle"],
        &["--from", "bytes.env", "--bundle-passphrase-fd", "0"],
        &[],
    ] {
        let ran = world.run(&[&["secrets", "import"], args].concat());
        assert_eq!(ran.code, 1, "{args:?} {ran:?}");
    }
    assert_eq!(files(&world).len(), 1);
}
