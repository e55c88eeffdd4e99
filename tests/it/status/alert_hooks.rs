//! Hooks, with the real binary and real scripts: each change of state rings once, nothing secret
//! rings along, and what a hook does wrong costs nobody a login.

mod client_credentials;

use std::path::PathBuf;
use std::process::Stdio;

use crate::support::issuer::{Account, Issuer, Scripted};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{Ran, World, millis_from_now, ran};

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];
const FORCE: [&str; 4] = ["models", "auth", "refresh", "--force"];

/// Where hooks leave what they were told.
pub(crate) struct Bell(World);

impl Bell {
    /// A world with the test issuer in which every event runs a script with this body, after it
    /// has noted what it was told.
    pub(crate) fn doing(body: &str) -> (Self, Issuer) {
        let (world, issuer) = World::with_issuer(Account::default());
        let bell = Self(world);
        bell.install(body);
        let script = bell.script();
        let hooks = ["needs-login", "expiring", "refreshed"]
            .map(|event| format!("  {event}: [{}, \"an argument\"]\n", script.display()));
        bell.configure(&hooks.concat());
        (bell, issuer)
    }

    pub(crate) fn configure(&self, hooks: &str) {
        self.0.write("config.yaml", &format!("hooks:\n{hooks}"));
    }

    pub(crate) fn world(&self) -> &World {
        &self.0
    }

    fn script(&self) -> PathBuf {
        self.0.directory.path().join("ring")
    }

    fn install(&self, body: &str) {
        let text = format!(
            "#!/bin/sh\nDIR=${{0%/*}}\n/bin/cat >> \"$DIR/told\"\n\
             /bin/cat /proc/$$/environ >> \"$DIR/environ\"\n\
             /bin/cat /proc/$$/cmdline >> \"$DIR/cmdline\"\n{body}\n"
        );
        self.0.install("ring", &text);
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.0.run(args)
    }

    /// A file that the scripts left.
    pub(crate) fn left(&self, name: &str) -> String {
        let bytes = std::fs::read(self.0.directory.path().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// What was told, one message after the other.
    pub(crate) fn told(&self) -> Vec<Value> {
        let told = self.left("told");
        let lines = told.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Each event with its profile.
    pub(crate) fn rang(&self) -> Vec<String> {
        let told = self.told().into_iter();
        let word = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
        told.map(|line| format!("{} {}", word(&line, "event"), word(&line, "profile")))
            .collect()
    }
}

const DEFAULT: &str = "openai-codex:default";

#[test]
fn a_refusal_rings_once_whoever_asks_and_however_often() {
    let (bell, _issuer) = Bell::doing("");
    bell.0.seed_with("main", -10, "old-access", "rt-nobody");
    let children: Vec<_> = (0..8)
        .map(|_| {
            let mut command = bell.0.command(&TOKEN);
            let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    for child in children {
        let ran = ran(child.wait_with_output().unwrap());
        assert_eq!(ran.code, 3, "{ran:?}");
    }
    assert_eq!(bell.run(&TOKEN).code, 3);
    // Asked again by force, and refused again: still the same grant.
    assert_eq!(bell.run(&FORCE).code, 3);
    assert_eq!(bell.run(&["tick"]).code, 3);
    assert_eq!(bell.rang(), [format!("needs-login {DEFAULT}")]);
    let told = &bell.told()[0];
    assert_eq!(
        (&told["provider"], &told["agent"]),
        (&"openai-codex".into(), &"main".into())
    );
    assert!(told["message"].as_str().unwrap().contains("invalid_grant"));
    let command =
        "openclaw models auth login --provider openai-codex --profile-id openai-codex:default";
    assert_eq!(told["command"], command);
    assert!(told["end"].as_i64().unwrap() < millis_from_now(0));

    // Another grant is another state.
    bell.0
        .seed_with("main", -10, "old-access", "rt-nobody-else");
    assert_eq!(bell.run(&TOKEN).code, 3);
    assert_eq!(bell.rang().len(), 2);
}

#[test]
fn a_refused_login_rings_while_its_token_still_lives() {
    let (bell, _issuer) = Bell::doing("");
    bell.0.seed_with("main", 60, "living-access", "rt-nobody");
    let ran = bell.run(&TOKEN);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (0, "living-access\n"),
        "{ran:?}"
    );
    assert_eq!(bell.rang(), [format!("needs-login {DEFAULT}")]);
    assert_eq!(bell.run(&TOKEN).code, 0);
    assert_eq!(bell.rang().len(), 1);
}

#[test]
fn a_renewal_rings_and_shows_no_secret() {
    let (bell, issuer) = Bell::doing("echo seen by nobody");
    let (old_access, old_refresh) = bell.0.seed(&issuer, "main", -10);
    let mut command = bell.0.command(&TOKEN);
    let given = [
        ("ANTHROPIC_API_KEY", "KEY-MARKER"),
        ("CLAUDE_CODE_OAUTH_TOKEN", "KEY-MARKER"),
        ("OPENCLAW_SECRET_X", "KEY-MARKER"),
        ("AWS_SECRET_ACCESS_KEY", "KEY-MARKER"),
        ("EDITOR", "kept"),
    ];
    let ran = ran(command.envs(given).output().unwrap());
    assert_eq!(ran.code, 0, "{ran:?}");
    let new_access = ran.out.trim_end().to_owned();
    assert_eq!(
        ran.out,
        format!("{new_access}\n"),
        "a hook writes into the answer"
    );
    assert_eq!(bell.rang(), [format!("refreshed {DEFAULT}")]);
    let stored = bell.0.store()["profiles"][DEFAULT].clone();
    assert_eq!(bell.told()[0]["end"], stored["expires"]);
    let new_refresh = stored["refresh"].as_str().unwrap().to_owned();

    let environ = bell.left("environ");
    assert!(environ.contains("OPENCLAW_EVENT=refreshed\0"), "{environ}");
    assert!(environ.contains("OPENCLAW_EVENT_PROFILE=openai-codex:default\0"));
    assert!(environ.contains("OPENCLAW_EVENT_COMMAND=\0"));
    assert!(environ.contains("EDITOR=kept\0"), "{environ}");
    let cmdline = bell.left("cmdline");
    assert!(cmdline.ends_with("\0an argument\0"), "{cmdline}");
    let seen = [environ, cmdline, bell.left("told")].concat();
    let secrets = [old_access, old_refresh, new_access, new_refresh];
    for secret in secrets.iter().map(String::as_str).chain(["KEY-MARKER"]) {
        assert!(!seen.contains(secret), "{secret} in {seen}");
    }
    // Nothing was asked of anybody for a token that is fresh.
    assert_eq!(bell.run(&TOKEN).code, 0);
    assert_eq!(bell.rang().len(), 1);
}

#[test]
fn a_hook_runs_when_everything_is_stored_and_nothing_locked() {
    let nested = crate::support::program();
    // The hook itself renews the login: it would wait for ever for a lock that is held, and ring
    // for ever if it rang.
    let body = format!(
        "{nested} models auth refresh --force > \"$DIR/nested\" 2>&1; echo $? >> \"$DIR/nested\""
    );
    let (bell, issuer) = Bell::doing(&body);
    bell.0.seed(&issuer, "main", -10);
    let ran = bell.run(&TOKEN);
    assert_eq!(ran.code, 0, "{ran:?}");
    let nested = bell.left("nested");
    assert!(nested.ends_with("\n0\n"), "{nested}");
    assert_eq!(issuer.token_requests().len(), 2);
    assert_eq!(bell.rang().len(), 1);
}

#[test]
fn a_hook_that_hangs_or_fails_costs_nothing() {
    let (bell, issuer) =
        Bell::doing("trap '' TERM\n/bin/sleep 100000 & echo $! > \"$DIR/child\"; wait; wait");
    let script = bell.script();
    bell.configure(&format!(
        "  refreshed: {}\n  timeout: 300ms\n",
        script.display()
    ));
    bell.0.seed(&issuer, "main", -10);
    let ran = bell.run(&TOKEN);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.err
            .contains("did not finish within 300 ms and was killed"),
        "{ran:?}"
    );
    let stored = &bell.0.store()["profiles"][DEFAULT];
    assert_eq!(ran.out.trim_end(), stored["access"]);
    // One that was killed before it began has left nothing.
    let child = bell.left("child");
    let stat = || std::fs::read_to_string(format!("/proc/{}/stat", child.trim()));
    while !child.is_empty() && stat().is_ok_and(|stat| !stat.contains(") Z ")) {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }

    for (hook, words) in [
        ("[sh, -c, 'exit 3']", "sh failed with exit status: 3"),
        ("/nowhere/tell", "/nowhere/tell was not run"),
        ("[tell-nobody]", "tell-nobody is not on PATH"),
    ] {
        bell.configure(&format!("  refreshed: {hook}\n"));
        let mut command = bell.0.command(&FORCE);
        let ran = crate::support::ran(command.env("PATH", "/usr/bin:/bin").output().unwrap());
        assert_eq!(ran.code, 0, "{ran:?}");
        let line = format!("Warning: the hook for refreshed of {DEFAULT}: {words}");
        assert!(ran.err.contains(&line), "{ran:?}");
    }
}

#[test]
fn hooks_that_are_not_run_behind_one_that_hangs_are_counted() {
    let (bell, issuer) = Bell::doing("/bin/sleep 100000");
    let script = bell.script();
    bell.configure(&format!(
        "  refreshed: {}\n  timeout: 300ms\n",
        script.display()
    ));
    bell.0.add_agent("work");
    for agent in ["main", "work"] {
        bell.0.seed(&issuer, agent, -10);
    }
    let ran = bell.run(&["tick", "--no-spread"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let words = "the hook for 1 other event was not run";
    assert!(ran.err.contains(words), "{ran:?}");
}

#[test]
fn a_message_that_was_lost_is_not_sent_at_every_call() {
    let (bell, _issuer) = Bell::doing("exit 1");
    bell.0.seed_with("main", -10, "old-access", "rt-nobody");
    let first = bell.run(&TOKEN);
    assert!(first.err.contains("Warning: the hook for"), "{first:?}");
    let second = bell.run(&TOKEN);
    assert!(!second.err.contains("hook"), "{second:?}");
    assert_eq!(bell.rang().len(), 1);
    // An hour later it is.
    let told = bell.0.read("alerts.json");
    let at = serde_json::from_str::<Value>(&told).unwrap()["told"][0]["at"].clone();
    let earlier = (at.as_i64().unwrap() - 3_600_001).to_string();
    bell.0
        .write("alerts.json", &told.replace(&at.to_string(), &earlier));
    bell.run(&TOKEN);
    assert_eq!(bell.rang().len(), 2);
}

#[test]
fn a_memory_that_is_damaged_or_in_the_way_fails_no_command() {
    let (bell, issuer) = Bell::doing("");
    bell.0.seed(&issuer, "main", -10);
    bell.0.write("alerts.json", "{ not json");
    assert_eq!(bell.run(&TOKEN).code, 0);
    assert_eq!(bell.rang().len(), 1);
    bell.0.seed_with("main", -10, "old-access", "rt-nobody");
    assert_eq!(bell.run(&TOKEN).code, 3);
    assert_eq!(bell.rang().len(), 2);
    std::fs::remove_file(bell.0.state().join("alerts.json")).unwrap();
    std::fs::create_dir(bell.0.state().join("alerts.json")).unwrap();
    assert_eq!(bell.run(&TOKEN).code, 3);
    assert_eq!(bell.rang().len(), 2, "it would ring at every call");
}

#[test]
fn a_faulty_configuration_is_told_of_when_it_matters() {
    let (bell, issuer) = Bell::doing("");
    bell.configure("  refreshd: /bin/true\n");
    let (access, _) = bell.0.seed(&issuer, "main", 3_600);
    let fresh = bell.run(&TOKEN);
    assert_eq!(
        (fresh.out.trim_end(), fresh.err.as_str()),
        (access.as_str(), "")
    );
    let forced = bell.run(&FORCE);
    assert_eq!(forced.code, 0, "{forced:?}");
    let fault = "config.yaml:2:3: unknown event refreshd; did you mean refreshed?";
    assert!(forced.err.contains(fault), "{forced:?}");
    let tick = bell.run(&["tick"]);
    assert_eq!(tick.code, 1, "{tick:?}");
    assert_eq!(tick.err.matches(fault).count(), 1, "{tick:?}");
}

#[test]
fn whoever_wants_to_stop_takes_the_hook_along() {
    let (bell, issuer) = Bell::doing("echo $$ > \"$DIR/pid\"; exec /bin/sleep 100000");
    bell.0.seed(&issuer, "main", -10);
    let mut command = bell.0.command(&TOKEN);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !bell.left("pid").ends_with('\n') {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let ran = ran(child.wait_with_output().unwrap());
    // The answer was written before.
    let stored = &bell.0.store()["profiles"][DEFAULT];
    assert_eq!(
        (ran.code, ran.out.trim_end()),
        (0, stored["access"].as_str().unwrap())
    );
    let pid = bell.left("pid");
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
    assert!(stat.is_err(), "{stat:?}");
}

#[test]
fn a_server_in_trouble_rings_nobody() {
    let (bell, issuer) = Bell::doing("");
    bell.0.seed(&issuer, "main", -10);
    issuer.answer_next(Scripted {
        status: 503,
        ..Scripted::default()
    });
    assert_eq!(bell.run(&TOKEN).code, 4);
    assert_eq!(bell.rang(), [""; 0]);
}

#[test]
fn what_the_manual_shows_is_understood() {
    let manual = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/monitoring.md");
    let manual = std::fs::read_to_string(manual).unwrap();
    let blocks = manual.split("```yaml\n").skip(1);
    let blocks = blocks.map(|block| block.split_once("```").unwrap().0);
    let hooks: Vec<&str> = blocks.filter(|block| block.starts_with("hooks:")).collect();
    assert_eq!(hooks.len(), 3);
    for block in hooks {
        let world = World::new();
        world.write("config.yaml", block);
        let findings = world.run(&["tick"]).err;
        assert!(!findings.contains("config.yaml:"), "{block}{findings}");
    }
}

#[test]
fn a_saved_answer_rings_when_it_is_stored() {
    let (bell, issuer) = Bell::doing("");
    bell.0.seed(&issuer, "main", -10);
    issuer.hold();
    let mut command = bell.0.command(&TOKEN);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while issuer.token_requests().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let document = "agents/main/agent/auth-profiles.json";
    let before = bell.0.read(document);
    bell.0.write(document, "{ half a docu");
    issuer.let_go();
    assert_eq!(ran(child.wait_with_output().unwrap()).code, 5);
    assert_eq!(bell.rang(), [""; 0], "nothing was saved");
    bell.0.write(document, &before);
    assert_eq!(bell.run(&["models", "status"]).code, 0);
    assert_eq!(bell.rang(), [format!("refreshed {DEFAULT}")]);
}
