//! Metrics for Prometheus, in a file that a collector reads.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use serde_json::json;

use super::{seed, write};
use crate::support::issuer::Account;
use crate::support::{World, millis_from_now};

const STATUS: [&str; 3] = ["models", "status", "--prometheus"];

fn status(world: &World, path: &str) -> crate::support::Ran {
    world.run(&[&STATUS[..], &[path]].concat())
}

/// The value of a sample whose name and labels begin so.
fn value(text: &str, sample: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with(sample))?;
    line.rsplit(' ').next()?.parse().ok()
}

#[test]
fn numbers_say_what_is_usable_and_what_needs_a_person() {
    let (world, issuer) = World::with_issuer(Account::default());
    seed(&world, &issuer, "main", &[("a", -10)]);
    let file = world.directory.path().join("openclaw.prom");
    let args = [
        "tick",
        "--no-spread",
        "--prometheus",
        file.to_str().unwrap(),
    ];
    assert_eq!(world.run(&args).code, 0);
    let text = std::fs::read_to_string(&file).unwrap();
    let of = |name: &str, profile: &str| {
        format!("openclaw_{name}{{agent=\"main\",profile=\"{profile}\"")
    };
    let a = "openai-codex:a";
    assert_eq!(value(&text, &of("profile_usable", a)), Some(1.0));
    let proven = value(&text, &of("profile_last_proven_timestamp_seconds", a)).unwrap();
    let tick = value(&text, "openclaw_tick_last_run_timestamp_seconds ").unwrap();
    assert!(proven <= tick, "{text}");
    #[expect(clippy::cast_precision_loss, reason = "a moment of our days")]
    let now = millis_from_now(0) as f64 / 1_000.0;
    assert!((now - tick).abs() < 600.0, "{text}");

    world.write("agents/work/agent/auth-profiles.json", "no json");
    let mut store = world.store();
    store["profiles"] = json!({
        "openai-codex:dead": { "type": "oauth", "provider": "openai-codex", "access": "x",
            "refresh": "rt-nobody", "expires": millis_from_now(-10) },
        "anthropic:ended": { "type": "token", "provider": "anthropic", "token": "t",
            "expires": millis_from_now(-10) },
        "anthropic:cool": { "type": "api_key", "provider": "anthropic", "key": "k" },
    });
    store["usageStats"] = json!({ "anthropic:cool": { "cooldownUntil": millis_from_now(60) } });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    assert_eq!(world.run(&["tick", "--no-spread"]).code, 5);
    let text = status(&world, "-").out;
    for (profile, usable, needs_login) in [
        ("openai-codex:dead", 0.0, 1.0),
        ("anthropic:ended", 0.0, 1.0),
        ("anthropic:cool", 0.0, 0.0),
    ] {
        let told = value(&text, &of("profile_usable", profile));
        assert_eq!(told, Some(usable), "{profile}: {text}");
        let told = value(&text, &of("profile_needs_login", profile));
        assert_eq!(told, Some(needs_login), "{profile}: {text}");
    }
    let cool = of("profile_cooldown_until_timestamp_seconds", "anthropic:cool");
    assert!(value(&text, &cool).unwrap() > now, "{text}");
    assert_eq!(
        value(&text, "openclaw_store_readable{agent=\"work\"}"),
        Some(0.0)
    );
}

#[test]
fn the_file_is_whole_readable_and_nobody_elses() {
    let world = World::new();
    write(&world, "main", &json!({}));
    let directory = world.directory.path().join("textfile");
    std::fs::create_dir(&directory).unwrap();
    let file = directory.join("openclaw.prom");
    let path = file.to_str().unwrap();
    // Twice: there is nothing, and there is one of ours with a reader who keeps the old one.
    let mut inodes = Vec::new();
    for _ in 0..2 {
        let ran = status(&world, path);
        assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{ran:?}");
        let data = std::fs::metadata(&file).unwrap();
        assert_eq!(data.permissions().mode() & 0o777, 0o644);
        inodes.push((data.ino(), std::fs::File::open(&file).unwrap()));
    }
    assert_ne!(inodes[0].0, inodes[1].0, "it was written in place");
    // Relative to the working directory, and under a umask of one's own.
    let ran = world.run(&["models", "status", "--prometheus", "textfile/openclaw.prom"]);
    assert_eq!(ran.code, 0, "{ran:?}");

    let other = world.directory.path().join("other");
    std::fs::write(&other, "of somebody else").unwrap();
    symlink(&other, directory.join("link.prom")).unwrap();
    symlink(directory.join("nothing"), directory.join("dangling.prom")).unwrap();
    for (place, code) in [
        (directory.join("link.prom"), 1),
        (directory.join("dangling.prom"), 1),
        (directory.clone(), 1),
        ("/dev/null".into(), 1),
        (directory.join("none/x.prom"), 5),
    ] {
        let ran = status(&world, place.to_str().unwrap());
        assert_eq!(ran.code, code, "{}: {ran:?}", place.display());
    }
    assert_eq!(std::fs::read_to_string(&other).unwrap(), "of somebody else");
    assert!(!directory.join("nothing").exists());
    let mut left: Vec<_> = std::fs::read_dir(&directory).unwrap().flatten().collect();
    left.sort_by_key(std::fs::DirEntry::file_name);
    let left: Vec<_> = left.iter().map(std::fs::DirEntry::file_name).collect();
    assert_eq!(left, ["dangling.prom", "link.prom", "openclaw.prom"]);
}

#[test]
#[ignore = "needs promtool"]
fn promtool_takes_the_text() {
    let (world, issuer) = World::with_issuer(Account::default());
    seed(
        &world,
        &issuer,
        "main",
        &[("a", -10), ("b\" {} # \u{e9}", 60)],
    );
    assert_eq!(world.run(&["tick", "--no-spread"]).code, 0);
    let text = status(&world, "-").out;
    let mut promtool = std::process::Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = promtool.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, text.as_bytes()).unwrap();
    drop(stdin);
    assert!(promtool.wait().unwrap().success());
}
