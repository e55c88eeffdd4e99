//! Storing, printing, listing and removing.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::{assert_nowhere, files, get, key_file, set};
use crate::support::World;

#[test]
fn a_value_comes_by_a_pipe_and_goes_out_as_it_came() {
    let world = World::new();
    set(&world, "A", "MARKER \u{0}\u{1b}[31m\n");
    let ran = get(&world, "A");
    assert_eq!((ran.code, ran.out.as_str()), (0, "MARKER \u{0}\u{1b}[31m"));
    set(&world, "A", "MARKER two\n\n");
    assert_eq!(get(&world, "A").out, "MARKER two\n");
    assert_nowhere(&world, "MARKER");
    for path in files(&world) {
        let mode = path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", path.display());
    }
    let keys = key_file(&world).parent().unwrap().metadata().unwrap();
    assert_eq!(keys.permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_value_comes_from_a_file() {
    let world = World::new();
    let path = world.directory.path().join("value");
    std::fs::write(&path, "MARKER\r\n").unwrap();
    let ran = world.run(&["secrets", "set", "A", "--value-file", "value", "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told["replaced"], false);
    assert!(
        told["newKey"]
            .as_str()
            .unwrap()
            .starts_with("the key file ~/")
    );
    std::fs::remove_file(&path).unwrap();
    assert_eq!(get(&world, "A").out, "MARKER");
    let ran = world.run(&["secrets", "set", "A", "--value-file", "value"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_nowhere(&world, "MARKER");
}

#[test]
fn a_value_is_never_an_argument_and_what_is_no_name_is_not_repeated() {
    let world = World::new();
    for args in [
        &["set", "A", "MARKER"][..],
        &["set", "A", "--", "MARKER", "two"],
        &["set", "a-MARKER"],
        &["set", "_MARKER"],
        &["get", "x MARKER"],
        &["remove", "A", "marker-MARKER"],
        &["set", "A", "--value", "MARKER"],
        &["set", "A", "--value=MARKER"],
    ] {
        let ran = world.pipe(&[&["secrets"], args].concat(), "value");
        assert_eq!(ran.code, 1, "{args:?} {ran:?}");
        assert!(!ran.err.contains("MARKER"), "{args:?} {ran:?}");
    }
    let ran = world.pipe(&["secrets", "set", "A", "MARKER"], "value");
    assert!(ran.err.contains("never an argument"), "{ran:?}");
    assert!(ran.err.contains("history of your shell"), "{ran:?}");
    assert!(files(&world).is_empty());
}

#[test]
fn a_value_has_one_byte_to_64_kib_of_text() {
    let world = World::new();
    let most = "x".repeat(64 << 10);
    for (value, words) in [
        ("", "standard input is empty"),
        ("\n", "standard input is empty"),
        (&format!("{most}x"), "longer than 64 KiB"),
    ] {
        let ran = world.pipe(&["secrets", "set", "A"], value);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains(words), "{ran:?}");
    }
    std::fs::write(world.directory.path().join("value"), b"\xff").unwrap();
    let ran = world.run(&["secrets", "set", "A", "--value-file", "value"]);
    assert!(ran.code == 1 && ran.err.contains("not UTF-8"), "{ran:?}");
    assert!(!world.state().join("secrets.enc").exists());
    set(&world, "A", &format!("{most}\n"));
    assert_eq!(get(&world, "A").out, most);
}

#[test]
fn names_are_listed_without_values_and_with_who_refers_to_them() {
    let world = World::new();
    let ran = world.run(&["secrets", "list"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "No secrets.\n"));
    set(&world, "CODEX_CLIENT_SECRET", "MARKER");
    set(&world, "B", "MARKER");
    let yaml = include_str!("../../fixtures/guide/client_credentials.yaml");
    world.write("config.yaml", yaml);
    let ran = world.run(&["secrets", "list", "--json"]);
    assert!(!ran.out.contains("MARKER"), "{ran:?}");
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    let rows = told["secrets"].as_array().unwrap();
    assert_eq!(rows[0]["name"], "B");
    assert_eq!(rows[0]["usedBy"], serde_json::json!([]));
    let config = world.state().join("config.yaml");
    assert_eq!(rows[1]["usedBy"][0], config.to_str().unwrap());
    assert!(rows[1]["createdAt"].is_number());
    let ran = world.run(&["secrets", "list"]);
    assert!(ran.out.contains("  used in "), "{ran:?}");
}

#[test]
fn references_to_the_store_in_each_kind_of_file_are_found() {
    let world = World::new();
    set(&world, "A_KEY", "MARKER");
    set(&world, "STORE", "MARKER");
    let reference = r#"{ "source": "store", "provider": "default", "id": "A_KEY" }"#;
    let provider =
        format!(r#"{{ models: {{ providers: {{ acme: {{ apiKey: {reference} }} }} }} }}"#);
    let files = [
        ("openclaw.json", provider),
        (
            "providers/acme.toml",
            "secret = { source = 'store', id = 'A_KEY' }\n".to_owned(),
        ),
        (
            "agents/main/agent/auth-profiles.json",
            format!(
                r#"{{ "version": 1, "profiles": {{ "acme:a":
                    {{ "type": "api_key", "provider": "acme", "keyRef": {reference} }} }} }}"#
            ),
        ),
    ];
    for (path, text) in &files {
        world.write(path, text);
    }
    let ran = world.run(&["secrets", "list", "--json"]);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    let used_by = |row: usize| -> Vec<String> {
        let used_by = told["secrets"][row]["usedBy"].as_array().unwrap().iter();
        used_by
            .map(|path| path.as_str().unwrap().to_owned())
            .collect()
    };
    let paths = files
        .iter()
        .map(|(path, _)| world.state().join(path).display().to_string());
    assert_eq!(used_by(0), paths.collect::<Vec<_>>());
    assert_eq!(used_by(1), [""; 0]);
}

#[test]
fn several_are_removed_at_once_or_none_and_who_still_refers_is_named() {
    let world = World::new();
    for name in ["CODEX_CLIENT_SECRET", "B", "C"] {
        set(&world, name, "MARKER");
    }
    let yaml = include_str!("../../fixtures/guide/client_credentials.yaml");
    world.write("config.yaml", yaml);
    let ran = world.run(&["secrets", "remove", "B", "NONE"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("no such secret: NONE"), "{ran:?}");
    assert_eq!(get(&world, "B").out, "MARKER");
    let ran = world.run(&["secrets", "remove", "CODEX_CLIENT_SECRET", "B"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let warning = "config.yaml still refers to CODEX_CLIENT_SECRET";
    assert!(ran.err.contains(warning), "{ran:?}");
    assert_eq!(get(&world, "B").code, 1);
    assert_eq!(get(&world, "C").out, "MARKER");
}
