//! What the tests of the whole program share: a throw-away state directory, the real binary, and
//! the test issuer in place of the provider.

pub(crate) mod browser;
pub(crate) mod builtin;
#[cfg(feature = "postgres")]
mod guarded;
pub(crate) mod http;
pub(crate) mod in_flight;
mod issued;
pub(crate) mod issuer;
#[cfg(all(feature = "gateway", feature = "postgres"))]
pub(crate) mod line;
pub(crate) mod login;
pub(crate) mod memory_store;
pub(crate) mod mount;
#[cfg(feature = "postgres")]
pub(crate) mod pgbouncer;
#[cfg(feature = "postgres")]
pub(crate) mod postgres_node;
#[cfg(feature = "postgres")]
pub(crate) mod postgres_server;
pub(crate) mod recorded;
#[cfg(feature = "gateway")]
pub(crate) mod running_gateway;
pub(crate) mod session_bus;
pub(crate) mod stand_in;
pub(crate) mod stand_in_gateway;
#[cfg(all(feature = "gateway", feature = "postgres"))]
pub(crate) mod team;
pub(crate) mod users;
pub(crate) mod webdriver;

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, LazyLock};

use crate::support::issuer::{Account, Issuer};
use openclaw::sys::clock::SystemClock;
use serde_json::Value;

/// A state directory of its own, and a home that is nobody's.
pub(crate) struct World {
    pub(crate) directory: tempfile::TempDir,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl World {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("home")).unwrap();
        Self { directory }
    }

    /// A world whose `openai-codex` is the test issuer.
    pub(crate) fn with_issuer(account: Account) -> (Self, Issuer) {
        let world = Self::new();
        let issuer = Issuer::start(account, Arc::new(SystemClock::new())).unwrap();
        world.write("providers/openai-codex.toml", &issuer.manifest());
        (world, issuer)
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.directory.path().join("state")
    }

    /// Writes a file of the state directory, for its owner only, as the program itself does. The
    /// logins of a document count as made with the manifest of their provider.
    pub(crate) fn write(&self, path: &str, text: &str) {
        if path.ends_with("auth-profiles.json") {
            issued::note_issuers(&self.state(), text);
        }
        let path = self.state().join(path);
        let mut directories = std::fs::DirBuilder::new();
        directories.recursive(true).mode(0o700);
        directories.create(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    }

    /// A saved answer of which a part is missing, in a directory that may have to be made.
    pub(crate) fn write_torn_answer(&self, directory: &std::path::Path) {
        std::fs::create_dir_all(directory).unwrap();
        let head = serde_json::json!({ "schema": 1, "state": self.state() });
        let name = format!("{}.1.answer", "a".repeat(64));
        std::fs::write(directory.join(name), format!("{head}\n99\ncut off")).unwrap();
    }

    /// A program beside the state directory, in a directory that may have to be made. Written by a
    /// process that nobody forks from meanwhile: the kernel runs no file that is open for writing
    /// anywhere.
    pub(crate) fn install(&self, path: &str, text: &str) -> PathBuf {
        let path = self.directory.path().join(path);
        let script = "umask 022; mkdir -p \"${0%/*}\"; cat > \"$0\"; chmod 755 \"$0\"";
        let mut writer = Command::new("/bin/sh");
        writer.args(["-c", script]).arg(&path);
        let mut writer = writer.stdin(Stdio::piped()).spawn().unwrap();
        let mut input = writer.stdin.take().unwrap();
        input.write_all(text.as_bytes()).unwrap();
        drop(input);
        assert!(writer.wait().unwrap().success());
        path
    }

    /// Puts a file in the place of a directory of the state directory.
    pub(crate) fn block(&self, path: &str) {
        let directory = self.state().join(path);
        if directory.exists() {
            std::fs::remove_dir_all(&directory).unwrap();
        }
        self.write(path, "a file in the way of a directory");
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.state().join(path)).unwrap()
    }

    /// What the saved answers hold.
    pub(crate) fn rescued(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.state().join("rescue")).unwrap();
        let paths = files.map(|file| file.unwrap().path());
        paths
            .map(|path| std::fs::read_to_string(path).unwrap())
            .collect()
    }

    /// Whether anything was ever stored for main.
    pub(crate) fn has_store(&self) -> bool {
        self.state()
            .join("agents/main/agent/auth-profiles.json")
            .exists()
    }

    /// The main agent's document as a tree.
    pub(crate) fn store(&self) -> Value {
        serde_json::from_str(&self.read("agents/main/agent/auth-profiles.json")).unwrap()
    }

    /// What the main agent's one profile holds.
    pub(crate) fn only_profile(&self) -> Value {
        let store = self.store();
        let profiles = store["profiles"].as_object().unwrap();
        assert_eq!(profiles.len(), 1, "{store}");
        profiles.values().next().unwrap().clone()
    }

    /// A store with one `openai-codex` login of the issuer that ends `left` seconds from now.
    pub(crate) fn seed(&self, issuer: &Issuer, agent: &str, left: i64) -> (String, String) {
        let (access, refresh) = issuer.issue();
        self.seed_with(agent, left, &access, &refresh);
        (access, refresh)
    }

    pub(crate) fn seed_with(&self, agent: &str, left: i64, access: &str, refresh: &str) {
        let expires = millis_from_now(left);
        let store = serde_json::json!({
            "version": 1,
            "profiles": { "openai-codex:default": {
                "type": "oauth", "provider": "openai-codex", "access": access,
                "refresh": refresh, "expires": expires, "accountId": "acct_1", "custom": "keepme",
            } },
        });
        self.write(
            &format!("agents/{agent}/agent/auth-profiles.json"),
            &store.to_string(),
        );
    }

    /// A configuration that names `main` and this agent.
    pub(crate) fn add_agent(&self, id: &str) {
        let list = format!(r#"{{ agents: {{ list: [{{ id: "main" }}, {{ id: "{id}" }}] }} }}"#);
        self.write("openclaw.json", &list);
    }

    /// The binary with this world around it and nothing else.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        heed_signals();
        let mut command = Command::new(program());
        command
            .args(args)
            .env_clear()
            .env("HOME", self.directory.path().join("home"))
            .env("OPENCLAW_STATE_DIR", self.state())
            .env("NO_COLOR", "1")
            .env("TZ", zone_at_noon())
            // Not remote, whatever the system.
            .env("DISPLAY", ":0")
            .current_dir(self.directory.path())
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        ran(self.command(args).output().unwrap())
    }

    /// Starts the program, whose output is kept for [`Child::wait_with_output`].
    pub(crate) fn start(&self, args: &[&str]) -> Child {
        let mut command = self.command(args);
        let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        piped.spawn().unwrap()
    }

    /// Runs with a text on standard input.
    pub(crate) fn pipe(&self, args: &[&str], input: &str) -> Ran {
        ran(self.feed(args, input).wait_with_output().unwrap())
    }

    /// Starts the program with something on standard input.
    pub(crate) fn feed(&self, args: &[&str], input: &str) -> Child {
        let mut command = self.command(args);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A program that refuses before it has read everything breaks the pipe.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child
    }
}

/// The path of the program: as the tests were built, or another build of it that
/// `OPENCLAW_TEST_PROGRAM` names, such as what is released.
pub(crate) fn program() -> &'static str {
    static OTHER: LazyLock<Option<String>> =
        LazyLock::new(|| std::env::var("OPENCLAW_TEST_PROGRAM").ok());
    OTHER.as_deref().unwrap_or(env!("CARGO_BIN_EXE_openclaw"))
}

/// Whoever runs the tests in the background, or by `nohup`, lets them ignore signals, and what a
/// process ignores its children ignore, too. What it handles, they do not inherit.
fn heed_signals() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        let ignored = ignored.unwrap_or_default();
        for signal in [1, 2, 15] {
            if ignored & (1 << (signal - 1)) != 0 {
                signal_hook::flag::register(signal, Arc::default()).unwrap();
            }
        }
    });
}

/// `strace` by its whole path: what is looked up in another `PATH` than our own is started by a copy
/// of this process, with all of its memory, thousands of times.
pub(crate) fn strace() -> Command {
    static PATH: LazyLock<PathBuf> = LazyLock::new(|| {
        let directories = std::env::var_os("PATH").unwrap_or_default();
        let mut found = std::env::split_paths(&directories).map(|path| path.join("strace"));
        found.find(|path| path.exists()).unwrap()
    });
    Command::new(&*PATH)
}

/// Lets another program run a command, behind the arguments that it has: with the same variables, and
/// in the same directory.
pub(crate) fn behind<'a>(outer: &'a mut Command, inner: &Command) -> &'a mut Command {
    let set = inner.get_envs();
    outer
        .arg(inner.get_program())
        .args(inner.get_args())
        .env_clear()
        .envs(set.filter_map(|(name, value)| Some((name, value?))));
    if let Some(directory) = inner.get_current_dir() {
        outer.current_dir(directory);
    }
    outer
}

pub(crate) fn ran(output: Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The moment so many seconds from now, in milliseconds since the Unix epoch.
pub(crate) fn millis_from_now(seconds: i64) -> i64 {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    i64::try_from(now.as_millis()).unwrap() + seconds * 1_000
}

/// A time zone in which it is noon, so that what is hours away is told alike at any hour.
fn zone_at_noon() -> String {
    let hour = millis_from_now(0) / 3_600_000 % 24;
    // POSIX counts what is to be added to get UTC.
    format!("NOON{}", hour - 12)
}

/// A setup-token of the right shape that a leak test can look for.
pub(crate) fn setup_token() -> String {
    format!("sk-ant-oat01-MARKER{}", "a".repeat(89))
}
