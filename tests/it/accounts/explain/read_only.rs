//! An explanation touches nothing: no file is written or made, no lock taken, no server asked.

use std::process::Command;

use crate::support::issuer::Account;
use serde_json::json;

use super::{MAIN, store};
use crate::support::{World, behind, millis_from_now, ran};

/// Every file and directory below, what it holds, and when it was changed.
fn everything(world: &World) -> Vec<(String, String)> {
    fn walk(path: &std::path::Path, found: &mut Vec<(String, String)>) {
        let about = std::fs::metadata(path).unwrap();
        let content = std::fs::read(path).unwrap_or_default();
        let changed = about.modified().unwrap();
        found.push((
            path.display().to_string(),
            format!("{changed:?} {content:?}"),
        ));
        for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
            walk(&entry.path(), found);
        }
    }
    let mut found = Vec::new();
    walk(world.directory.path(), &mut found);
    found.sort();
    found
}

/// Logins in every state, an answer that waits, a legacy file.
fn world() -> (World, crate::support::issuer::Issuer) {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -60);
    world.add_agent("work");
    world.write("agents/main/agent/auth.json", "{}");
    let login = json!({ "xai": { "type": "oauth", "access": "MARKER", "refresh": "MARKER",
        "expires": 1 } });
    world.write("agents/work/agent/auth.json", &login.to_string());
    world.write_torn_answer(&world.state().join("rescue"));
    (world, issuer)
}

const ALL: [&[&str]; 4] = [
    &["models", "auth", "explain"],
    &["models", "auth", "explain", "--json", "--agent", "work"],
    &["models", "auth", "explain", "--provider", "openai-codex"],
    &[
        "models",
        "auth",
        "explain",
        "--profile",
        "openai-codex:default",
    ],
];

#[test]
fn nothing_is_written_and_nobody_is_asked() {
    let (world, issuer) = world();
    let before = everything(&world);
    for args in ALL {
        let ran = world.run(args);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(everything(&world), before, "{args:?}");
    }
    assert!(issuer.token_requests().is_empty() && issuer.visits().is_empty());
    let ran = world.run(ALL[0]);
    assert!(
        ran.out.contains("contains an unsaved refresh response"),
        "{ran:?}"
    );
}

#[test]
#[ignore = "needs strace"]
fn no_system_call_locks_writes_or_connects() {
    let (world, _issuer) = world();
    for args in ALL {
        let command = world.command(args);
        let calls = "trace=openat,connect,flock,rename,unlink,mkdir,bind,socket,fchmod,fsync";
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-e", calls]);
        let output = behind(&mut strace, &command).output().unwrap();
        let calls = String::from_utf8_lossy(&output.stderr).into_owned();
        let state = world.state().display().to_string();
        assert!(calls.contains(&state), "{calls}");
        for line in calls.lines() {
            let reads = line.contains("openat(") && line.contains("O_RDONLY");
            assert!(reads || !line.contains('('), "{line}");
        }
    }
}

#[test]
fn no_explanation_holds_a_secret_not_even_masked() {
    let world = World::new();
    let secret = |name: &str| format!("MARKER{name}-0123456789-0123456789-MARKER{name}");
    let profiles = json!({
        "anthropic:key": { "type": "api_key", "provider": "anthropic", "key": secret("key") },
        "anthropic:ended": { "type": "token", "provider": "anthropic", "token": secret("token"),
            "expires": millis_from_now(-60) },
        "anthropic:login": { "type": "oauth", "provider": "anthropic",
            "access": secret("access"), "refresh": secret("refresh"), "idToken": secret("id"),
            "expires": millis_from_now(60) },
        "anthropic:odd": { "type": "oauth", "provider": 7, "access": secret("odd") },
    });
    world.write(MAIN, &store(&profiles, &json!({})));
    world.write(".env", &format!("ANTHROPIC_API_KEY={}\n", secret("file")));
    let config = json!({
        "env": { "ANTHROPIC_OAUTH_TOKEN": secret("config") },
        "models": { "providers": { "anthropic": { "apiKey": secret("models") } } },
    });
    world.write("openclaw.json", &config.to_string());
    for args in [
        &["models", "auth", "explain"][..],
        &["models", "auth", "explain", "--json"],
        &[
            "models",
            "auth",
            "explain",
            "--json",
            "--profile",
            "anthropic:login",
        ],
        &["models", "auth", "explain", "--profile", "anthropic:ended"],
    ] {
        let mut command = world.command(&[&["-vvv"], args].concat());
        command.env("OPENAI_API_KEY", secret("process"));
        let ran = ran(command.output().unwrap());
        assert_eq!(ran.code, 0, "{ran:?}");
        let seen = format!("{}{}", ran.out, ran.err);
        assert!(!seen.contains("MARKER"), "{seen}");
        assert!(!seen.contains("..."), "something is masked:\n{seen}");
    }
}
