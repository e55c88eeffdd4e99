//! Every command that writes, on every store that the reference release wrote: whatever a command
//! does not mean to change is as it was, in its place, in both layouts of the store.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use openclaw::testing::issuer::{Account, Issuer};
use serde_json::{Value, json};

use crate::login::logged_in;
use crate::support::{Ran, World, setup_token};

const STORE: &str = "agents/main/agent/auth-profiles.json";
const STATE: &str = "agents/main/agent/auth-state.json";
const CODEX: &str = "openai-codex:default";

/// Where the state of a store lies.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Layout {
    Single,
    Split,
}

/// The documents of a state directory that people and OpenClaw read, by path.
type Documents = BTreeMap<String, Value>;

/// A world with a recorded store whose `openai-codex` is the test issuer, and whose first grant is
/// one that the issuer gave.
fn world(store: &str, layout: Layout) -> (World, Issuer) {
    let (world, issuer) = World::with_issuer(Account::default());
    let root = env!("CARGO_MANIFEST_DIR");
    let path = format!("{root}/tests/fixtures/recorded/feb/{store}/state.json");
    let recorded: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for (path, content) in recorded["files"].as_object().unwrap() {
        let mut content = content.clone();
        if path == STORE && content.is_object() {
            if content.pointer("/profiles/openai-codex:default").is_some() {
                let (access, refresh) = issuer.issue();
                content["profiles"][CODEX]["access"] = access.into();
                content["profiles"][CODEX]["refresh"] = refresh.into();
            }
            if layout == Layout::Split {
                world.write(STATE, &split(&mut content).to_string());
            }
        }
        let text = match content {
            Value::String(text) => text,
            tree => serde_json::to_string_pretty(&tree).unwrap(),
        };
        world.write(path, &text);
    }
    (world, issuer)
}

/// Takes out of a document what later releases keep in `auth-state.json`.
fn split(document: &mut Value) -> Value {
    let members = document.as_object_mut().unwrap();
    let mut state = json!({ "version": 1 });
    for name in ["order", "lastGood", "usageStats"] {
        if let Some(value) = members.shift_remove(name) {
            state[name] = value;
        }
    }
    state["futureState"] = json!(["keep"]);
    state
}

fn stores() -> Vec<String> {
    let root = format!("{}/tests/fixtures/recorded/feb", env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<String> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        // What is no JSON is set aside, and a legacy login becomes a document: both are told
        // elsewhere.
        .filter(|name| !matches!(name.as_str(), "not-json") && !name.starts_with("legacy-"))
        .collect();
    names.sort();
    assert!(names.len() > 10, "{names:?}");
    names
}

fn documents(world: &World) -> Documents {
    let mut found = Documents::new();
    collect(&world.state(), &world.state(), &mut found);
    found
}

fn collect(root: &Path, directory: &Path, found: &mut Documents) {
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        let name = path.strip_prefix(root).unwrap().display().to_string();
        if path.is_dir() {
            if !matches!(name.as_str(), "locks" | "providers" | "trash") {
                collect(root, &path, found);
            }
        } else if name.ends_with(".json") {
            let text = std::fs::read_to_string(&path).unwrap();
            let tree = jsonc_parser::parse_to_serde_value(&text, &Default::default()).unwrap();
            found.insert(name, tree);
        }
    }
}

/// Where two trees differ, as `<path>#<JSON pointer>`; an object whose members changed places is
/// named with `(order)`.
fn differences(before: &Documents, after: &Documents) -> Vec<String> {
    let mut found = Vec::new();
    let mut paths: Vec<&String> = before.keys().chain(after.keys()).collect();
    paths.sort();
    paths.dedup();
    for path in paths {
        let empty = json!({});
        let of = |documents: &Documents| documents.get(path).unwrap_or(&empty).clone();
        compare(&format!("{path}#"), &of(before), &of(after), &mut found);
    }
    found
}

fn compare(place: &str, before: &Value, after: &Value, found: &mut Vec<String>) {
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        if before != after {
            found.push(place.to_owned());
        }
        return;
    };
    let common_old: Vec<&String> = old.keys().filter(|name| new.contains_key(*name)).collect();
    let common_new: Vec<&String> = new.keys().filter(|name| old.contains_key(*name)).collect();
    if common_old != common_new {
        found.push(format!("{place} (order)"));
    }
    for (name, value) in old {
        let place = format!("{place}/{name}");
        match new.get(name) {
            Some(other) => compare(&place, value, other, found),
            None => found.push(place),
        }
    }
    let added = new.keys().filter(|name| !old.contains_key(*name));
    found.extend(added.map(|name| format!("{place}/{name}")));
}

/// Runs `act` on every recorded store in both layouts. A document that was not there before may
/// come; of one that was, whatever differs afterwards must begin with
/// one of `meant`, in which `{store}` stands for the path of the main agent's document and
/// `{state}` for where order, last good and usage lie.
fn changes_only(meant: &[&str], act: impl Fn(&World, &Issuer) -> Ran) {
    let mut changed = 0;
    for store in stores() {
        for layout in [Layout::Single, Layout::Split] {
            let (world, issuer) = world(&store, layout);
            let before = documents(&world);
            let ran = act(&world, &issuer);
            let after = documents(&world);
            let state = if layout == Layout::Split {
                STATE
            } else {
                STORE
            };
            let meant: Vec<String> = meant
                .iter()
                .map(|place| place.replace("{store}", STORE).replace("{state}", state))
                .collect();
            let differences = differences(&before, &after);
            for place in &differences {
                let path = place.split('#').next().unwrap();
                if path == STORE && !before.contains_key(STORE) {
                    continue;
                }
                assert!(
                    meant.iter().any(|meant| place.starts_with(meant.as_str())),
                    "{store}, {layout:?}: {place} changed\n{ran:?}"
                );
                changed += 1;
            }
            assert!(
                [0, 1, 3].contains(&ran.code)
                    && after.contains_key(STATE) == before.contains_key(STATE),
                "{store}, {layout:?}: {ran:?}"
            );
            if differences.iter().any(|place| place.starts_with(STORE)) {
                let mode = world.state().join(STORE).metadata().unwrap().permissions();
                assert_eq!(mode.mode() & 0o777, 0o600, "{store}");
            }
        }
    }
    assert!(changed > 0, "the command changed nothing anywhere");
}

#[test]
fn what_differs_is_found() {
    let of = |tree: Value| Documents::from([("a.json".to_owned(), tree)]);
    let before = of(json!({ "a": 1, "b": { "c": [1, 2], "d": null }, "e": 2 }));
    let after = of(json!({ "e": 2, "a": 1, "b": { "c": [2, 1], "f": 0 } }));
    let expected = [
        "a.json# (order)",
        "a.json#/b/c",
        "a.json#/b/d",
        "a.json#/b/f",
    ];
    assert_eq!(differences(&before, &after), expected);
    assert!(differences(&before, &before).is_empty());
    assert_eq!(differences(&before, &Documents::new()).len(), 3);
}

/// What naming a profile of `anthropic` in the configuration may change.
const NAMED: [&str; 3] = [
    "openclaw.json#/auth/profiles/anthropic:added",
    "openclaw.json#/auth/order/anthropic",
    "openclaw.json.bak#",
];

fn without_a_document(world: &World) -> bool {
    !world.state().join(STORE).exists()
}

fn codex(world: &World) -> bool {
    !without_a_document(world) && !world.store()["profiles"][CODEX].is_null()
}

#[test]
fn a_token_pasted_under_a_new_name() {
    let meant = [&["{store}#/profiles/anthropic:added"][..], &NAMED].concat();
    changes_only(&meant, |world, _| {
        let args = ["models", "auth", "paste-token", "--provider", "anthropic"];
        let args = [&args[..], &["--profile-id", "anthropic:added"]].concat();
        world.pipe(&args, &setup_token())
    });
}

#[test]
fn a_token_pasted_over_an_old_one() {
    let meant = ["{store}#/profiles/anthropic:default", "openclaw.json"];
    changes_only(&meant, |world, _| {
        let args = ["models", "auth", "paste-token", "--provider", "anthropic"];
        let args = [&args[..], &["--profile-id", "anthropic:default"]].concat();
        world.pipe(&args, &setup_token())
    });
}

#[test]
fn a_setup_token() {
    let meant = [
        "{store}#/profiles/anthropic:manual",
        "openclaw.json#/auth/profiles/anthropic:manual",
        "openclaw.json#/auth/order/anthropic",
        "openclaw.json.bak#",
    ];
    changes_only(&meant, |world, _| {
        world.pipe(&["models", "auth", "setup-token", "--yes"], &setup_token())
    });
}

#[test]
fn a_profile_that_is_forgotten() {
    let meant = [
        "{store}#/profiles/anthropic:default",
        "{state}#/order/anthropic",
        "{state}#/order",
        "{state}#/lastGood",
        "{state}#/usageStats/anthropic:default",
    ];
    changes_only(&meant, |world, _| {
        world.run(&["models", "auth", "logout", "anthropic:default", "--yes"])
    });
}

#[test]
fn a_token_that_is_refreshed() {
    let meant = [
        "{store}#/profiles/openai-codex:default/access",
        "{store}#/profiles/openai-codex:default/refresh",
        "{store}#/profiles/openai-codex:default/expires",
        // A refreshed entry is written in our own order.
        "{store}#/profiles/openai-codex:default (order)",
    ];
    for args in [
        &["models", "auth", "token", "--profile", CODEX][..],
        &["models", "auth", "refresh", "--profile", CODEX, "--force"],
    ] {
        changes_only(&meant, |world, issuer| {
            let ran = world.run(args);
            let refreshed = issuer.token_requests().len();
            assert_eq!(
                (refreshed == 1, ran.code == 0),
                (codex(world), codex(world)),
                "{ran:?}"
            );
            ran
        });
    }
}

#[test]
fn a_login() {
    let meant = [
        "{store}#/profiles/openai-codex:",
        "openclaw.json#/auth/profiles/openai-codex:",
        "openclaw.json.bak#",
    ];
    changes_only(&meant, |world, _| {
        let before = codex(world).then(|| world.store()["profiles"].clone());
        let profile = logged_in(world, &[]);
        for (name, held) in before.iter().flat_map(|before| before.as_object().unwrap()) {
            if *name != profile {
                assert_eq!(world.store()["profiles"][name], *held);
            }
        }
        Ran {
            code: 0,
            out: profile,
            err: String::new(),
        }
    });
}

#[test]
fn an_agent_that_comes_and_goes() {
    let meant = [
        "openclaw.json#/agents/list",
        "openclaw.json#/agents",
        "openclaw.json#/meta",
        "openclaw.json.bak",
    ];
    changes_only(&meant, |world, _| {
        let workspace = world.directory.path().join("spare");
        let workspace = workspace.to_str().unwrap();
        let add = ["agents", "add", "spare", "--workspace", workspace];
        let added = world.run(&add);
        assert_eq!(added.code, 0, "{added:?}");
        let deleted = world.run(&["agents", "delete", "spare", "--force"]);
        assert_eq!(deleted.code, 0, "{deleted:?}");
        deleted
    });
}
