//! External programs, with the real binary and real scripts: what they give is kept like any other
//! login, and what they do wrong costs nobody a login.

mod hostile;
mod origin;
mod refresh;
mod revoke;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::{Ran, World, millis_from_now, ran};

const LOGIN: [&str; 6] = [
    "models",
    "auth",
    "login",
    "--provider",
    "acme",
    "--no-browser",
];
const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "acme"];
const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";
const GRANT: &str = r#"say '{"type":"grant","access_token":"at-2","refresh_token":"rt-2","expires_in":3600,"account":{"id":"7","email":"me@example.com","plan":"pro"},"fields":{"tenant":{"id":1}}}'"#;

/// What every script begins with: who it is, and a note of what it was asked.
const HEAD: &str = r#"#!/bin/sh
DIR=${0%/bin/*}
say() { printf '%s\n' "$1"; }
IFS= read -r line
say '{"type":"hello","protocol":1,"name":"Acme","requests":["login","refresh","revoke"]}'
IFS= read -r line || exit 0
say "$line" >> "$DIR/requests"
"#;

/// A world with a program of its own on `PATH`.
struct Plugins(World);

impl Plugins {
    fn new() -> Self {
        let world = World::new();
        std::fs::create_dir(world.directory.path().join("bin")).unwrap();
        Self(world)
    }

    /// One whose `openclaw-auth-acme` does this once it was asked.
    fn doing(body: &str) -> Self {
        let plugins = Self::new();
        plugins.install("openclaw-auth-acme", &format!("{HEAD}{body}\n"));
        plugins
    }

    fn bin(&self) -> PathBuf {
        // As a program sees it, and as it is stored.
        self.0.directory.path().join("bin")
    }

    fn program(&self) -> PathBuf {
        self.bin().join("openclaw-auth-acme")
    }

    fn install(&self, name: &str, text: &str) {
        self.0.install(&format!("bin/{name}"), text);
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.0.command(args);
        command.env("PATH", format!("{}:/usr/bin:/bin", self.bin().display()));
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        ran(self.command(args).output().unwrap())
    }

    /// A login of the program that ends `left` seconds from now.
    fn seed(&self, left: i64) {
        self.seed_from(left, &self.program());
    }

    fn seed_from(&self, left: i64, program: &Path) {
        let store = json!({
            "version": 1,
            "profiles": { "acme:me": {
                "type": "oauth", "provider": "acme", "access": "at-1", "refresh": "rt-1",
                "expires": millis_from_now(left), "accountId": "7", "tenant": { "id": 1 },
                "authProgram": program,
            } },
        });
        self.0.write(DOCUMENT, &store.to_string());
    }

    fn profile(&self, id: &str) -> Value {
        self.0.store()["profiles"][id].clone()
    }

    /// A file that a script left.
    fn left(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.directory.path().join(name)).unwrap_or_default()
    }

    /// What the program was asked, a request a line.
    fn requests(&self) -> Vec<Value> {
        let requests = self.left("requests");
        let lines = requests.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// Looks again and again; a test that waits for what never comes is stopped from outside.
fn until(mut holds: impl FnMut() -> bool) {
    while !holds() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// Whether a process lives; one that nobody has waited for yet does not.
fn lives(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn the_example_logs_in_and_refreshes() {
    let plugins = Plugins::new();
    let example = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/plugin/openclaw-auth-example"
    );
    plugins.install(
        "openclaw-auth-example",
        &std::fs::read_to_string(example).unwrap(),
    );
    let login = |input: &str| {
        let mut command = plugins.command(&[
            "models",
            "auth",
            "login",
            "--provider",
            "example",
            "--no-browser",
        ]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
        ran(child.wait_with_output().unwrap())
    };
    let refused = login("a\"b\n");
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(
        refused
            .err
            .contains("bad_address: this is no e-mail address"),
        "{refused:?}"
    );
    let nobody = login("");
    assert_eq!(nobody.code, 3, "{nobody:?}");
    assert!(nobody.err.contains("no_answer"), "{nobody:?}");
    let done = login("me@example.com\n");
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.err.contains("believes whatever you say"), "{done:?}");

    let first = plugins.profile("example:me@example.com");
    assert_eq!(first["accountId"], "me@example.com");
    assert_eq!(first["region"], "here");
    let token = |args: &[&str]| {
        let ran = plugins.run(&[&["models", "auth"], args].concat());
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
        ran.out
    };
    let fresh = token(&["token", "--provider", "example"]);
    assert_eq!(fresh.trim_end(), first["access"]);
    token(&["refresh", "--force"]);
    let second = plugins.profile("example:me@example.com");
    assert_ne!(second["access"], first["access"]);
    assert_ne!(second["refresh"], first["refresh"]);
    assert_eq!(second["authProgram"], first["authProgram"]);
}

#[test]
fn a_login_is_stored_as_any_other() {
    let plugins = Plugins::doing(GRANT);
    let done = plugins.run(&LOGIN);
    assert_eq!(done.code, 0, "{done:?}");
    let program = plugins.program();
    assert!(
        done.err
            .contains(&format!("{} logs in to acme.", program.display())),
        "{done:?}"
    );
    assert!(
        done.err.contains("me@example.com, account 7, plan pro"),
        "{done:?}"
    );
    let profile = plugins.profile("acme:me@example.com");
    assert_eq!(profile["type"], "oauth");
    assert_eq!(profile["access"], "at-2");
    assert_eq!(profile["refresh"], "rt-2");
    assert_eq!(profile["email"], "me@example.com");
    assert_eq!(profile["tenant"], json!({ "id": 1 }));
    assert_eq!(profile["authProgram"], program.to_str().unwrap());
    let asked = &plugins.requests()[0];
    assert_eq!(asked["type"], "login");
    assert_eq!(
        (&asked["remote"], &asked["interactive"]),
        (&json!(false), &json!(false))
    );
    assert!(asked["deadline"].as_i64().unwrap() > millis_from_now(60));
    let token = plugins.run(&TOKEN);
    assert_eq!(
        (token.code, token.out.as_str(), token.err.as_str()),
        (0, "at-2\n", "")
    );
    // Once more: the same identity is renewed in place.
    assert_eq!(plugins.run(&LOGIN).code, 0);
    assert_eq!(plugins.0.store()["profiles"].as_object().unwrap().len(), 1);
}

#[test]
fn the_list_of_providers_names_what_only_a_program_speaks_for() {
    let plugins = Plugins::doing(GRANT);
    plugins.install("openclaw-auth-anthropic", "#!/bin/sh\n");
    plugins.install("openclaw-auth-Bad Name", "#!/bin/sh\n");
    let listed = plugins.run(&["models", "auth", "providers", "--json"]);
    let listed: Value = serde_json::from_str(&listed.out).unwrap();
    let all = listed["providers"].as_array().unwrap().iter();
    let by_program: Vec<&Value> = all.filter(|one| one["source"] == "program").collect();
    assert_eq!(by_program.len(), 1, "{by_program:?}");
    assert_eq!(by_program[0]["id"], "acme");
    assert_eq!(by_program[0]["path"], plugins.program().to_str().unwrap());
    assert_eq!(by_program[0]["methods"], json!(["program"]));
    let one = plugins.run(&["models", "auth", "providers", "--provider", "acme"]);
    assert!(one.out.contains("openclaw-auth-acme"), "{one:?}");
}

#[test]
fn what_a_program_has_for_the_person_is_told_as_events() {
    let body = format!(
        "say '{}'\n{GRANT}",
        r#"{"type":"notice","text":"Enter it","url":"https://acme.example/device","code":"AB-12"}"#
    );
    let plugins = Plugins::doing(&body);
    let done = plugins.run(&[&LOGIN[..], &["--json"]].concat());
    assert_eq!(done.code, 0, "{done:?}");
    let events: Vec<Value> = done
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told = events
        .iter()
        .find(|event| event["event"] == "program")
        .unwrap();
    let expected = json!({
        "event": "program", "provider": "acme", "message": "Enter it",
        "url": "https://acme.example/device", "code": "AB-12",
    });
    assert_eq!(*told, expected);
    // And as lines, the URL alone on its own.
    let plain = plugins.run(&LOGIN);
    assert!(
        plain.err.contains(
            "Enter it\nOpen this URL in a browser:\nhttps://acme.example/device\nCode: AB-12\n"
        ),
        "{plain:?}"
    );
}

#[test]
fn ctrl_c_is_passed_on_and_ends_the_login() {
    let plugins = Plugins::doing(
        "trap 'say int > \"$DIR/signal\"; exit 1' INT\nsay $$ > \"$DIR/pid\"\nwhile :; do sleep 0.01; done",
    );
    let mut command = plugins.command(&LOGIN);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    until(|| plugins.left("pid").ends_with('\n'));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let done = ran(child.wait_with_output().unwrap());
    assert_eq!(done.code, 130, "{done:?}");
    assert!(
        done.err.contains("Cancelled. Nothing was stored."),
        "{done:?}"
    );
    assert_eq!(plugins.left("signal"), "int\n");
    assert!(!lives(&plugins.left("pid")));
    assert!(!plugins.0.state().join(DOCUMENT).exists());
}

#[test]
fn a_program_that_hangs_goes_with_all_that_it_started() {
    let plugins = Plugins::doing(
        "trap '' TERM\nsleep 1000 &\nsay $! > \"$DIR/child\"\nsay $$ > \"$DIR/pid\"\nwait; wait",
    );
    let late = plugins.run(&[&LOGIN[..], &["--timeout", "1s"]].concat());
    assert_eq!(late.code, 4, "{late:?}");
    assert!(
        late.err
            .contains("openclaw-auth-acme did not answer within 1 s"),
        "{late:?}"
    );
    for name in ["pid", "child"] {
        let pid = plugins.left(name);
        // Not there if the second was over before the script had begun.
        assert!(pid.is_empty() || !lives(&pid), "{name}");
    }
    assert!(!plugins.0.state().join(DOCUMENT).exists());
}
