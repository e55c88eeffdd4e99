//! Keys by the command line: made once, kept as digests, listed, revoked.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::support::World;

const FILE: &str = "gateway/keys.json";

/// Makes a key with these options: its text, and its entry.
pub(super) fn add(world: &World, options: &[&str]) -> (String, Value) {
    let made = world.run(&[&["gateway", "key", "add", "--json"], options].concat());
    assert_eq!(made.code, 0, "{made:?}");
    let mut made: Value = serde_json::from_str(&made.out).unwrap();
    let key = made["key"].take();
    (key.as_str().unwrap().to_owned(), made)
}

fn list(world: &World) -> Value {
    let listed = world.run(&["gateway", "key", "list", "--json"]);
    assert_eq!(listed.code, 0, "{listed:?}");
    let mut listed: Value = serde_json::from_str(&listed.out).unwrap();
    listed["keys"].take()
}

pub(super) fn revoke(world: &World, key: &Value) {
    let id = key["id"].as_str().unwrap();
    let revoked = world.run(&["gateway", "key", "revoke", id]);
    assert_eq!(
        (revoked.code, revoked.out),
        (0, format!("Revoked key {id}\n"))
    );
}

#[test]
fn a_key_is_printed_once_and_kept_as_a_digest() {
    let world = World::new();
    let made = world.run(&["gateway", "key", "add", "--name", "ci", "--role", "lease"]);
    assert_eq!(made.code, 0, "{made:?}");
    let key = made.out.trim_end();
    assert_eq!(made.out, format!("{key}\n"));
    assert!(key.starts_with("ock_") && key.len() == 4 + 64, "{key}");
    assert!(
        made.err.contains(" ci [lease; expires in 30 days"),
        "{made:?}"
    );
    let file = world.read(FILE);
    assert!(!file.contains(&key[4..]), "{file}");
    let mode = world
        .state()
        .join(FILE)
        .metadata()
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let listed = world.run(&["gateway", "key", "list"]);
    assert!(listed.out.contains(" ci [lease; expires"), "{listed:?}");
    assert!(!listed.out.contains(&key[4..]), "{listed:?}");
}

#[test]
fn a_key_has_the_limits_that_were_asked_for() {
    let world = World::new();
    world.add_agent("work");
    let options = "--role lease --provider openai-codex --provider anthropic --only-agent Work \
                   --profile openai-codex:me --from 10.1.2.3/8 --from 192.0.2.7 --for 7";
    let (_, made) = add(&world, &options.split_whitespace().collect::<Vec<_>>());
    let scope = json!({
        "providers": ["openai-codex", "anthropic"],
        "agents": ["work"],
        "profiles": ["openai-codex:me"],
        "networks": ["10.0.0.0/8", "192.0.2.7/32"],
    });
    assert_eq!((&made["role"], &made["scope"]), (&json!("lease"), &scope));
    let kept: Value = serde_json::from_str(&world.read(FILE)).unwrap();
    let kept = &kept["keys"][0];
    let life = kept["notAfter"].as_i64().unwrap() - kept["created"].as_i64().unwrap();
    assert_eq!(life, 7 * 24 * 3_600 * 1_000);
    let (_, viewer) = add(&world, &[]);
    assert_eq!(
        (&viewer["role"], &viewer["expiresAt"]),
        (&json!("viewer"), &Value::Null)
    );
}

#[test]
fn a_key_that_cannot_be_is_refused_and_nothing_is_written() {
    let world = World::new();
    for (options, why) in [
        ("--role lease --for 91d", "90 days at most"),
        ("--for 0", "must last longer"),
        ("--role admin --provider anthropic", "cannot be limited"),
        (
            "--role viewer --profile anthropic:x",
            "only keys with the role lease",
        ),
        (
            "--role operator --only-agent main",
            "only keys with the role lease",
        ),
        ("--role root", "invalid value 'root'"),
        ("--provider nobody", "nobody"),
        (
            "--role lease --only-agent nobody",
            "Agent \"nobody\" not found",
        ),
        ("--from home", "expected an address or a network"),
        ("--name a\u{7}b", "one line"),
    ] {
        let words = options.split(' ');
        let words: Vec<&str> = ["gateway", "key", "add"].into_iter().chain(words).collect();
        let refused = world.run(&words);
        assert_eq!((refused.code, refused.out.as_str()), (1, ""), "{options}");
        assert!(refused.err.contains(why), "{options}: {refused:?}");
    }
    assert!(!world.state().join(FILE).exists());
}

#[test]
fn a_revoked_key_stays_in_the_list() {
    let world = World::new();
    let ((_, first), (_, second)) = (add(&world, &[]), add(&world, &[]));
    revoke(&world, &first);
    let listed = list(&world);
    assert_eq!(
        (&listed[0]["id"], &listed[0]["state"]),
        (&first["id"], &json!("revoked"))
    );
    assert_eq!(
        (&listed[1]["id"], &listed[1]["state"]),
        (&second["id"], &json!("active"))
    );
    // Once more is no failure, and does not move the time.
    revoke(&world, &first);
    assert_eq!(list(&world), listed);
    let unknown = world.run(&["gateway", "key", "revoke", "0000"]);
    assert_eq!(unknown.code, 1);
    assert!(unknown.err.contains("no such key: 0000"), "{unknown:?}");
    assert!(unknown.err.contains("gateway key list"), "{unknown:?}");
}

#[test]
fn what_another_release_wrote_stays() {
    let world = World::new();
    let (_, key) = add(&world, &[]);
    let mut file: Value = serde_json::from_str(&world.read(FILE)).unwrap();
    file["keys"][0]["tenant"] = json!("a");
    file["later"] = json!([1]);
    world.write(FILE, &file.to_string());
    revoke(&world, &key);
    let written: Value = serde_json::from_str(&world.read(FILE)).unwrap();
    assert_eq!(
        (&written["keys"][0]["tenant"], &written["later"]),
        (&json!("a"), &json!([1]))
    );
}

#[test]
fn a_file_that_is_not_understood_is_never_written_over() {
    let digest = "0".repeat(64);
    let entry = format!(r#""id":"a","digest":"{digest}","role":"viewer","created":1"#);
    for text in [
        String::new(),
        "{".to_owned(),
        r#"{"schema":1}"#.to_owned(),
        format!(r#"{{"schema":2,"keys":[{{{entry}}}]}}"#),
        format!(
            r#"{{"schema":1,"keys":[{{{}}}]}}"#,
            entry.replace("viewer", "MARKER")
        ),
        format!(
            r#"{{"schema":1,"keys":[{{{}}}]}}"#,
            entry.replace(&digest, "MARKER")
        ),
    ] {
        let world = World::new();
        world.write(FILE, &text);
        for command in ["add", "list", "revoke a"] {
            let words = format!("gateway key {command}");
            let failed = world.run(&words.split(' ').collect::<Vec<_>>());
            assert_eq!(failed.code, 5, "{text} {failed:?}");
            assert!(failed.err.contains(FILE), "{failed:?}");
            assert!(!failed.err.contains("MARKER"), "{failed:?}");
            assert_eq!(world.read(FILE), text);
        }
    }
}

#[test]
fn a_file_that_others_can_write_decides_nothing() {
    let world = World::new();
    add(&world, &[]);
    let path = world.state().join(FILE);
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o666)).unwrap();
    let refused = world.run(&["gateway", "key", "list"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("chmod go-w"), "{refused:?}");
}

#[test]
fn keys_that_are_made_at_once_are_all_kept() {
    let world = World::new();
    let add = || world.start(&["gateway", "key", "add"]);
    let made: Vec<_> = (0..8).map(|_| add()).collect();
    for child in made {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    assert_eq!(list(&world).as_array().unwrap().len(), 8);
}
