//! `doctor` on real disks: what it proves, what it finds, and that it leaves nothing behind.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::support::issuer::{Account, Scripted};
use serde_json::Value;

use crate::support::{Ran, World, ran};

/// With all the time it needs: a busy machine fails no test.
fn doctor(world: &World, state: &Path) -> (Ran, Value) {
    let mut command = world.command(&["doctor", "--json", "--timeout", "10m", "--state-dir"]);
    let ran = ran(command.arg(state).output().unwrap());
    let report = serde_json::from_str(&ran.out).unwrap_or_default();
    (ran, report)
}

/// The checks that ended so, each with what it found.
fn ended(report: &Value, status: &str) -> Vec<(String, String)> {
    let checks = report["checks"].as_array().unwrap().iter();
    let word = |check: &Value, name: &str| check[name].as_str().unwrap().to_owned();
    checks
        .filter(|check| check["status"] == status)
        .map(|check| (word(check, "name"), word(check, "found")))
        .collect()
}

fn names(report: &Value, status: &str) -> Vec<String> {
    let all = ended(report, status).into_iter();
    all.map(|(name, _)| name).collect()
}

/// Everything below a directory.
fn tree(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        found.push(path.clone());
        if path.is_dir() {
            found.extend(tree(&path));
        }
    }
    found.sort();
    found
}

#[test]
fn the_ordinary_disk_passes_and_nothing_is_left_on_it() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", 3_600);
    let before = tree(&world.state());
    let (ran, report) = doctor(&world, &world.state());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(names(&report, "failed"), [""; 0], "{ran:?}");
    let passed = names(&report, "ok");
    for name in ["permissions", "exclusive_create", "file_times", "documents"] {
        assert!(passed.iter().any(|other| other == name), "{ran:?}");
    }
    assert_eq!(tree(&world.state()), before);
    assert!(ran.err.is_empty(), "{ran:?}");
}

#[test]
fn a_directory_that_is_not_there_is_not_there_afterwards() {
    let world = World::new();
    let (ran, report) = doctor(&world, &world.state().join("not/yet"));
    assert_eq!((ran.code, &report["ok"]), (0, &true.into()), "{ran:?}");
    assert!(!world.state().exists());
}

#[cfg(target_os = "linux")]
#[test]
fn memory_passes_and_is_named() {
    let world = World::new();
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    let (ran, report) = doctor(&world, memory.path());
    assert_eq!(ran.code, 0, "{ran:?}");
    let warnings = ended(&report, "warning");
    let expected = ("file_system".to_owned(), "tmpfs: in memory".to_owned());
    assert!(warnings.contains(&expected), "{ran:?}");
    assert!(tree(memory.path()).is_empty());
}

/// An agent's directory that lies on another device is looked at, too.
#[cfg(target_os = "linux")]
#[test]
fn every_device_with_credentials_is_looked_at() {
    let world = World::new();
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    let other = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
    let config = format!(
        r#"{{ agents: {{ list: [{{ id: "main" }}, {{ id: "work", agentDir: "{}" }}] }} }}"#,
        other.path().display()
    );
    std::fs::write(memory.path().join("openclaw.json"), config).unwrap();
    let (ran, report) = doctor(&world, memory.path());
    assert_eq!(ran.code, 0, "{ran:?}");
    let checks = report["checks"].as_array().unwrap();
    let looked_at = |path: &Path| {
        let at =
            |check: &&Value| check["name"] == "locks" && check["path"] == *path.to_str().unwrap();
        checks.iter().filter(at).count()
    };
    assert_eq!((looked_at(memory.path()), looked_at(other.path())), (1, 1));
    assert!(tree(other.path()).is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_to_fails() {
    let (ran, report) = doctor(&World::new(), Path::new("/proc/openclaw"));
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(names(&report, "failed").contains(&"writable".to_owned()));
}

#[test]
fn what_lies_around_is_found_and_left_there() {
    use std::os::unix::fs::PermissionsExt;
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", 3_600);
    issuer.answer_next(Scripted {
        hang_up: true,
        ..Scripted::default()
    });
    world.run(&["models", "auth", "refresh", "--force"]);
    let agent = "agents/main/agent";
    for path in [
        "agents/main/agent/auth-profiles.json.unreadable-20260101-000000",
        "agents/main/agent/auth-history/0.json.unreadable-20260101-000000",
        "agents/main/agent/.auth-profiles.json.4194305.0123abcd.tmp",
        "agents/main/agent/auth-profiles.json.lock",
        "agents/bad/agent/auth-profiles.json",
    ] {
        world.write(path, "{");
    }
    world.write_torn_answer(&world.state().join("rescue"));
    let lock = world.state().join(agent).join("auth-profiles.json.lock");
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    let lock = std::fs::File::open(lock).unwrap();
    lock.set_modified(long_ago).unwrap();
    std::fs::set_permissions(world.state().join(agent), PermissionsExt::from_mode(0o755)).unwrap();
    // The lock of the torn answer's grant is made by the first command that looks at it.
    doctor(&world, &world.state());
    let before = tree(&world.state());
    let (ran, report) = doctor(&world, &world.state());
    assert_eq!(ran.code, 0, "{ran:?}");
    let found = names(&report, "warning");
    for (name, count) in [
        ("documents", 1),
        ("file_modes", 1),
        ("refreshes", 1),
        ("responses", 1),
        ("quarantine", 2),
        ("stale_locks", 1),
        ("temp_files", 1),
    ] {
        let named = found.iter().filter(|other| *other == name).count();
        assert_eq!(named, count, "{name}: {ran:?}");
    }
    assert_eq!(tree(&world.state()), before);
}

#[test]
fn a_configuration_that_cannot_be_read_stops_nothing() {
    let world = World::new();
    world.write("openclaw.json", "{ agents: ");
    let (ran, report) = doctor(&world, &world.state());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(names(&report, "warning"), ["configuration"]);
    let status = world.run(&["models", "status"]);
    assert_eq!(status.code, 1, "{status:?}");
}

#[test]
fn an_answer_saved_beside_the_state_directory_is_found() {
    let world = World::new();
    let spare = tempfile::tempdir().unwrap();
    world.write_torn_answer(&spare.path().join("openclaw"));
    let mut command = world.command(&["doctor", "--json", "--timeout", "10m"]);
    command.env("XDG_RUNTIME_DIR", spare.path());
    let ran = ran(command.output().unwrap());
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(names(&report, "warning"), ["responses"], "{ran:?}");
}

fn rival(world: &World, lock: &Path) -> (Child, String) {
    let mut command = world.command(&["doctor", "--rival"]);
    command
        .arg(lock)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut word = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut word)
        .unwrap();
    (child, word)
}

fn end(mut child: Child) {
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_rival_tries_once_and_holds_on() {
    let world = World::new();
    let lock = world.directory.path().join("lock");
    let (first, word) = rival(&world, &lock);
    assert_eq!(word, "held\n");
    let (second, word) = rival(&world, &lock);
    assert_eq!(word, "busy\n");
    end(first);
    end(second);
    let (third, word) = rival(&world, &lock);
    assert_eq!(word, "held\n");
    end(third);
}

/// Mounts something on a directory, and takes it away again.
struct Mounted(PathBuf);

impl Mounted {
    fn new(args: &[&str], at: &Path) -> Self {
        let mut command = std::process::Command::new("mount");
        let status = command.args(args).arg(at).status().unwrap();
        assert!(status.success(), "mount {args:?}");
        Self(at.to_owned())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).status();
    }
}

#[test]
#[ignore = "needs root, for it mounts"]
fn a_disk_that_is_read_only_or_full_fails() {
    let world = World::new();
    let place = world.directory.path().join("mounted");
    std::fs::create_dir(&place).unwrap();
    {
        let _mounted = Mounted::new(&["-t", "tmpfs", "-o", "ro", "tmpfs"], &place);
        let (ran, report) = doctor(&world, &place);
        assert_eq!(ran.code, 5, "{ran:?}");
        assert_eq!(names(&report, "failed")[0], "writable", "{ran:?}");
        assert!(ran.out.contains("Read-only"), "{ran:?}");
    }
    let _mounted = Mounted::new(&["-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs"], &place);
    std::fs::write(place.join("ballast"), vec![0; 60 * 1024]).unwrap();
    let (ran, report) = doctor(&world, &place);
    assert_eq!(ran.code, 5, "{ran:?}");
    let failed = names(&report, "failed");
    assert!(failed.contains(&"free_space".to_owned()), "{ran:?}");
    assert_eq!(tree(&place), [place.join("ballast")]);
}

#[test]
#[ignore = "needs root, for it mounts"]
fn a_layer_of_a_container_passes_and_is_named() {
    let world = World::new();
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    let [lower, upper, work, place] = ["lower", "upper", "work", "place"].map(|name| {
        let path = memory.path().join(name);
        std::fs::create_dir(&path).unwrap();
        path.display().to_string()
    });
    let layers = format!("lowerdir={lower},upperdir={upper},workdir={work}");
    let place = PathBuf::from(place);
    let _mounted = Mounted::new(&["-t", "overlay", "-o", &layers, "overlay"], &place);
    let (ran, report) = doctor(&world, &place);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(names(&report, "warning").contains(&"file_system".to_owned()));
    assert!(tree(&place).is_empty());
}
